"""How a table of text is written: the keys of `ingest: read:` in `params.yaml`."""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ..edge.parameters import Settings

SEEN = "read"  # beside the rows of data/raw.parquet: how their file is written
PLAIN = ","  # what separates the values of a file that says nothing else


class Read(Settings):
    """How text is read; what is not said is asked of the file, and said in `reports/data.json`.

    `encoding` (utf-8, cp1252, …), `separator` between values, `skip` (lines before the header),
    `skip_last` (lines after the last row) and `missing` (words for no value) are of the whole file.
    `decimal` and `thousands` say how numbers are written, `dates` (%d.%m.%Y, …) dates and times.
    """

    encoding: str | None = None
    separator: str | None = Field(default=None, min_length=1, max_length=1)
    skip: int | None = Field(default=None, ge=0)
    skip_last: int | None = Field(default=None, ge=0)
    missing: list[str] | None = None
    decimal: Literal[".", ","] | None = None
    thousands: Literal[".", ",", " ", "'"] | None = None
    dates: list[str] | None = None


class Ingest(Settings):
    """`source`: a table (.csv, .tsv, .jsonl, .parquet, packed as .gz or .zst), a folder of them, or
    a .py file that defines `rows(**settings)`; `settings` are for such a file and unread otherwise,
    and `read` is for text.
    """

    source: str
    settings: dict[str, Any] = Field(default_factory=dict)
    read: Read = Read()


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
