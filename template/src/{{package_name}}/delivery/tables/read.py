"""How a table of text is written: the keys of `ingest: read:` in `params.yaml`."""

import json
import re
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from ..edge.parameters import Settings

PACKAGE = __name__.partition(".")[0]
SEEN = "read"  # beside the rows of data/raw.parquet: how their file is written
QUERY = "query"  # beside the rows of a snapshot: the SHA-256 of the query that gave it
PLAIN = ","  # what separates the values of a file that says nothing else


class Read(Settings):
    """How text is read; what is not said is asked of the file, and said in `reports/data.json`.

    `encoding` (utf-8, cp1252, …), `separator` between values, `skip` (lines before the header),
    `skip_last` (lines after the last row) and `missing` (words for no value) are of the whole file.
    `decimal` and `thousands` say how numbers are written, `dates` (%d.%m.%Y, …) dates and times.
    `sheet` is that of a workbook.
    """

    sheet: str | None = None
    encoding: str | None = None
    separator: str | None = Field(default=None, min_length=1, max_length=1)
    skip: int | None = Field(default=None, ge=0)
    skip_last: int | None = Field(default=None, ge=0)
    missing: list[str] | None = None
    decimal: Literal[".", ","] | None = None
    thousands: Literal[".", ",", " ", "'"] | None = None
    dates: list[str] | None = None


class Query(Settings):
    """Where a snapshot comes from. `sql` is the file of a query; `url` says where the database is,
    as SQLAlchemy has it (postgresql+psycopg://reader@host/shop, sqlite:///shop.db), without a
    password, or names the environment variable that holds such an address ($SHOP_URL).
    """

    sql: str
    url: str

    @field_validator("url")
    @classmethod
    def _require_no_password(cls, url: str) -> str:
        if re.fullmatch(r"\$[A-Za-z_]\w*", url):
            return url
        if not re.match(r"[a-z]\w*(\+\w+)?://", url):
            raise ValueError(
                "expected the address of a database (postgresql+psycopg://reader@host/shop) or an "
                "environment variable that holds one ($SHOP_URL), found another text"
            )
        if holds_password(url):
            raise ValueError(
                "expected an address without a password, because git keeps this file, found one "
                "with it: put the address into an environment variable and write its name here "
                "($SHOP_URL)"
            )
        return url


def holds_password(url: str) -> bool:
    """Whether an address has a password, before its host or among its options."""
    try:
        has_login = bool(urlsplit(url).password)
    except ValueError:  # brackets that are no address
        has_login = True
    return has_login or bool(re.search(r"(?i)(?:passw|pwd|secret|token)\w*(?:=|%3d)", url))


class Ingest(Settings):
    """`source`: a table (.csv, .tsv, .jsonl, .xlsx, .parquet, text also packed as .gz or .zst), a
    folder of them, or a .py file that defines `rows(**settings)`; `settings` are for such a file
    and unread otherwise, and `read` is for text and .xlsx. `query` is what `refresh` takes a new
    snapshot from, which it writes to `source`, a .parquet.
    """

    source: str
    settings: dict[str, Any] = Field(default_factory=dict)
    read: Read = Read()
    query: Query | None = None

    @model_validator(mode="after")
    def _require_snapshot(self) -> Self:
        if self.query and Path(self.source).suffix != ".parquet":
            raise ValueError(
                "expected `source:` to be the .parquet that a snapshot of `query:` is written to "
                f"(data/source/{Path(self.query.sql).stem}.parquet), found {self.source!r}"
            )
        return self


def describe_way(*, has_query: bool) -> str:
    """The command that brings a source which is not here."""
    refresh = f"uv run {PACKAGE} refresh (a new snapshot), or " if has_query else ""
    return f"{refresh}uv run dvc pull (shared data), or fix `ingest: source:` in params.yaml"


TEXT = {".csv", ".tsv", ".tab", ".psv", ".txt"}
PACKED = {".gz", ".zst"}


def is_text(path: Path) -> bool:
    """Whether a file is one of text with separators, packed or not, by its name."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in PACKED]
    return bool(suffixes) and suffixes[-1] in TEXT


def describe_read(ingest: Ingest, how: dict[str, Any]) -> str:
    """How the source was read, with the lines that keep it so; nothing where `params.yaml` has
    them all.
    """
    new = {key: value for key, value in how.items() if getattr(ingest.read, key) is None}
    words = ""
    if last := new.pop("skip_last", 0):
        words += (
            f"{ingest.source}: lines at the end that are totals or notes, and left out: {last:,}\n"
        )
    if not new:
        return words
    lines = [f"    {key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in new.items()]
    return (
        f"{words}{ingest.source}: not written in the plain way, and read as follows. To read every "
        f"later one so, add to `ingest:` in params.yaml:\n  read:\n{''.join(lines)}"
    )
