"""A table with whatever fault ends in a message that says what to do next, or in a proposal whose
rows are those of the table; never in a traceback.
"""

import codecs
import gzip
import keyword
import random
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from .conftest import Room

CHANCE = random.Random(5)
ROWS = 60
HEADER = ["id", "plan", "calls", "charge", "since", "left"]


def build_row(number: int) -> list[str]:
    """A plausible row."""
    return [
        f"C{number:05}",
        CHANCE.choice(["basic", "pro"]),
        f"{CHANCE.randrange(9)}",
        f"{CHANCE.uniform(5, 90):.2f}",
        f"{date(2024, 1, 1) + timedelta(days=number)}",
        CHANCE.choice(["yes", "no"]),
    ]


PLAIN = [build_row(number) for number in range(ROWS)]


def write_text(rows: list[list[str]], header: list[str] = HEADER, separator: str = ",") -> str:
    """Rows as a text with quotes where they are needed."""

    def quote(value: str) -> str:
        is_plain = not any(mark in value for mark in (separator, '"', "\n", "\r"))
        return value if is_plain else '"' + value.replace('"', '""') + '"'

    return "".join(separator.join(map(quote, row)) + "\n" for row in [header, *rows])


def set_column(column: int, make: Callable[[int], str]) -> list[list[str]]:
    """The plain rows with other values in one column."""
    return [[*row[:column], make(n), *row[column + 1 :]] for n, row in enumerate(PLAIN)]


VALUES: dict[str, Callable[[int], str]] = {
    "nothing": lambda n: "",
    "blanks": lambda n: "   ",
    "one value": lambda n: "x",
    "missing words": lambda n: "NA",
    "question marks": lambda n: "?",
    "some missing": lambda n: "" if n % 3 else "7",
    "nan": lambda n: "nan" if n % 2 else f"{n}.5",
    "infinities": lambda n: "inf" if n % 5 == 0 else f"{n}.5",
    "minus infinities": lambda n: "-inf" if n % 2 == 0 else f"{n}",
    "huge integers": lambda n: f"{10**30 + n}",
    "beyond 64 bits": lambda n: f"{2**63 + n}",
    "beyond doubles": lambda n: f"1e{400 + n}",
    "tiny": lambda n: f"1e-{300 + n}",
    "year 0": lambda n: f"0000-01-{n % 28 + 1:02}",
    "year 9999": lambda n: f"9999-12-{n % 28 + 1:02}",
    "year 20000": lambda n: f"20000-01-{n % 28 + 1:02}",
    "the 30th of February": lambda n: "2024-02-30",
    "ambiguous dates": lambda n: f"{n % 12 + 1:02}/{(n + 3) % 12 + 1:02}/2024",
    "dates of both orders": lambda n: f"{n % 31 + 1:02}/{(n * 7) % 31 + 1:02}/2024",
    "two-digit years": lambda n: f"{n % 28 + 1:02}.{n % 12 + 1:02}.{n % 90 + 10}",
    "months": lambda n: f"2024-{n % 12 + 1:02}",
    "times of day": lambda n: f"{n % 24:02}:{n:02}",
    "times in zones": lambda n: f"2024-01-01T{n % 24:02}:00:00+02:00",
    "moments in seconds": lambda n: f"{1_700_000_000 + n}",
    "decimal commas": lambda n: f"{n},5",
    "German thousands": lambda n: f"1.{n + 100},5",
    "numbers read in two ways": lambda n: f"4.{n + 100}",
    "thousands": lambda n: f"1,{n + 100}",
    "percent": lambda n: f"{n} %",
    "euros": lambda n: f"€{n}.50",
    "two currencies": lambda n: f"{'€' if n % 2 else '$'}{n}.50",
    "Arabic digits": lambda n: "٣" * (n % 4 + 1),
    "fractions": lambda n: f"{n}/7",
    "versions": lambda n: f"1.{n}.3",
    "hex": hex,
    "leading zeros": lambda n: f"{n:07}",
    "plus signs": lambda n: f"+{n}",
    "minus behind": lambda n: f"{n}-",
    "numbers with units": lambda n: f"{n} kg",
    "ranges": lambda n: f"{n}-{n + 5}",
    "mixed": lambda n: CHANCE.choice(["1", "x", "2024-01-01", "1,5", "", "yes"]),
    "numbers and a word": lambda n: "many" if n == 7 else f"{n}",
    "quotes": lambda n: '"' * (n % 5),
    "newlines": lambda n: "a\nb\r\nc",
    "nulls": lambda n: "a\0b",
    "control characters": lambda n: "\x1b[31m\x07",
    "a long text": lambda n: "word " * 5000,
    "a long word": lambda n: "w" * 50_000,
    "emoji": lambda n: "👩‍👩‍👧" * (n % 3 + 1),
    "right to left": lambda n: CHANCE.choice(["عربي", "עברית", "\u202eabc"]),
    "combining marks": lambda n: "e\u0301" if n % 2 else "é",
    "surrogates as text": lambda n: "\\ud800",
    "formulas": lambda n: "=1+1",
    "lists": lambda n: "[1, 2]",
    "objects": lambda n: '{"a": 1}',
    "bars": lambda n: "a|b|c",
    "e-mails": lambda n: f"user{n}@example.org",
    "IP addresses": lambda n: f"10.0.0.{n}",
    "telephone numbers": lambda n: f"+49 89 {100_000 + n}",
    "None": lambda n: "None",
    "true and yes": lambda n: CHANCE.choice(["true", "yes", "no", "false"]),
    "cases": lambda n: CHANCE.choice(["Yes", "YES", "yes", "no"]),
    "0 and 1 and 2": lambda n: f"{n % 3}",
    "a sentinel": lambda n: "-999" if n % 6 == 0 else f"{n}",
    "all sentinels": lambda n: "-999",
    "a rare class": lambda n: "rare" if n == 3 else CHANCE.choice(["a", "b"]),
    "another in each row": lambda n: f"class {n}",
    "the row": lambda n: f"{n}",
    "the target": lambda n: PLAIN[n][5],
    "negative zero": lambda n: "-0.0",
    "underscores": lambda n: f"1_{n}",
}
"""What a column may hold, by a name: each as a feature, and as the target."""

ODD = ["", " ", "class", "None", "filter", "columns", "cast", "sample", "row", "part", "target"]
ODD += ["spot", "reasons", "unit", "outcome", "value", "_typed", "__init__", "1st", "a b", "a.b"]
ODD += [
    "a`b",
    'a"b',
    "a'b",
    "a\\b",
    "a{b}",
    "a\nb",
    "ä",
    "名前",
    "שם",
    "\u202ename",
    "👍",
    "x" * 5000,
]
ODD += ["description", "nullable", "primary_key", "p_yes", "_action", "é", "e\u0301", "self", "dy"]
NAMES = [*dict.fromkeys([*ODD, *keyword.kwlist[::6], *keyword.softkwlist])]


def name_files() -> Iterator[tuple[str, str, bytes]]:
    """Files that are no plain tables: what, name, content."""
    plain = write_text(PLAIN)
    data = plain.encode()
    yield "nothing", "t.csv", b""
    yield "blank lines", "t.csv", b"\n\n  \n"
    yield "a header alone", "t.csv", data.splitlines(keepends=True)[0]
    yield "one row", "t.csv", b"".join(data.splitlines(keepends=True)[:2])
    yield "no header", "t.csv", b"".join(data.splitlines(keepends=True)[1:])
    yield "one column", "t.csv", b"left\n" + b"yes\nno\n" * 30
    yield "one class", "t.csv", plain.replace(",no\n", ",yes\n").encode()
    yield (
        "a million characters of header",
        "t.csv",
        (b"x" * 1_000_000) + b",left\n" + b"1,yes\n2,no\n" * 30,
    )
    yield "ragged", "t.csv", plain.replace("pro,", "pro,,,,", 3).encode()
    yield "short rows", "t.csv", plain.replace(",yes\n", "\n").encode()
    yield "an open quote", "t.csv", plain.replace("basic", '"basic', 1).encode()
    yield "duplicate headers", "t.csv", plain.replace("calls", "plan", 1).encode()
    yield "empty headers", "t.csv", plain.replace("calls,charge", ",", 1).encode()
    yield "binary", "t.csv", bytes(range(256)) * 40
    yield "random bytes", "t.csv", random.Random(1).randbytes(5000)
    yield "zero bytes", "t.csv", b"\0" * 3000
    yield "UTF-16", "t.csv", plain.encode("utf-16")
    yield "half of UTF-16", "t.csv", plain.encode("utf-16")[:-1]
    yield "UTF-32", "t.csv", plain.encode("utf-32")
    yield "Latin-1", "t.csv", plain.replace("basic", "bäsic").encode("latin-1")
    yield (
        "mixed encodings",
        "t.csv",
        data + "C1,bä,1,1,2024-01-01,no\n".encode() + b"C2,b\xe4,1,1,2024-01-01,no\n",
    )
    yield "a mark", "t.csv", codecs.BOM_UTF8 + data
    yield "a mark alone", "t.csv", codecs.BOM_UTF8
    yield "no gzip", "t.csv.gz", data
    yield "half a gzip", "t.csv.gz", gzip.compress(data)[:-20]
    yield "no zstd", "t.csv.zst", data
    yield "a packed table", "t.csv.gz", gzip.compress(data)
    yield "no Parquet", "t.parquet", data
    yield "half a Parquet", "t.parquet", b"PAR1" + data
    yield "JSON", "t.json", b"[]"
    yield "JSON lines that are none", "t.jsonl", b"{}\n[1]\n"
    yield "empty objects", "t.jsonl", b"{}\n" * 50
    yield (
        "nested lines",
        "t.jsonl",
        b'{"left": "yes", "x": {"y": [1]}}\n{"left": "no", "x": 3}\n' * 30,
    )
    yield "a page", "t.csv", b"<html><body>Please log in</body></html>\n" * 40
    yield "an error", "t.csv", b"ERROR: permission denied\n" * 40
    yield "another suffix", "t.xyz", data
    yield "semicolons", "t.csv", write_text(PLAIN, separator=";").encode()
    yield "separators of all kinds", "t.csv", b"left;x,y|z\n" + b"yes;1,2|3\nno;2,3|4\n" * 30
    yield "a preamble", "t.csv", b"Report\n\n" + data
    yield "totals", "t.csv", data + b"Total,,12,99.5,,\n"
    yield "carriage returns", "t.csv", plain.replace("\n", "\r").encode()
    yield "5,000 columns", "t.csv", write_wide(5000).encode()


def write_wide(width: int) -> str:
    """A table with many columns."""
    rows = [
        [CHANCE.choice("01"), *(CHANCE.choice("012345") for _ in range(width))] for _ in range(40)
    ]
    return write_text(rows, ["left", *(f"c{n}" for n in range(width))])


TYPED: dict[str, pl.Series] = {
    "nothing": pl.Series([None] * ROWS),
    "nan": pl.Series([float("nan")] * ROWS),
    "some nan": pl.Series([float("nan"), 1.5] * (ROWS // 2)),
    "infinity": pl.Series([float("inf"), 1.5, 2.5] * (ROWS // 3)),
    "unsigned": pl.Series([2**64 - 1, 5, 7] * (ROWS // 3), dtype=pl.UInt64),
    "wide integers": pl.Series([2**100, 5, 7] * (ROWS // 3), dtype=pl.Int128),
    "short": pl.Series([1, 2, 3] * (ROWS // 3), dtype=pl.Int8),
    "short floats": pl.Series([0.5, 2, 3] * (ROWS // 3), dtype=pl.Float32),
    "truth": pl.Series([True, False, None] * (ROWS // 3)),
    "decimals": pl.Series([Decimal("1.50"), Decimal("2.25")] * (ROWS // 2)),
    "whole decimals": pl.Series([Decimal(10**30), Decimal(1)] * (ROWS // 2)),
    "categorical": pl.Series(["a", "b", None] * (ROWS // 3), dtype=pl.Categorical),
    "enum": pl.Series(["a", "b"] * (ROWS // 2), dtype=pl.Enum(["b", "a", "unused"])),
    "days": pl.Series([date(1, 1, 1), date(9999, 1, 1)] * (ROWS // 2)),
    "year 0": pl.Series([-719_528, -719_893] * (ROWS // 2), dtype=pl.Int32).cast(pl.Date),
    "moments": pl.Series([datetime(2024, 1, 1) + timedelta(hours=n) for n in range(ROWS)]),
    "nanoseconds": pl.Series(range(ROWS), dtype=pl.Int64).cast(pl.Datetime("ns")),
    "in Tokyo": pl.Series([datetime(2024, 1, 1)] * ROWS).dt.replace_time_zone("Asia/Tokyo"),
    "times": pl.Series(range(ROWS), dtype=pl.Int64).cast(pl.Time),
    "durations": pl.Series([timedelta(days=n) for n in range(ROWS)]),
    "binary": pl.Series([b"\xff", b"a", None] * (ROWS // 3)),
    "lists": pl.Series([[1, 2], [], None] * (ROWS // 3)),
    "arrays": pl.Series([[1, 2]] * ROWS, dtype=pl.Array(pl.Int64, 2)),
    "structs": pl.Series([{"a": 1}, {"a": None}] * (ROWS // 2)),
    "nested": pl.Series([[{"a": [1]}]] * ROWS),
    "empty texts": pl.Series(["", " "] * (ROWS // 2)),
}
"""What a typed column may hold: each as a feature, and as the target."""


def build_typed(values: pl.Series) -> pl.DataFrame:
    """A typed table with one such column."""
    plan = [CHANCE.choice(["basic", "pro"]) for _ in range(ROWS)]
    left = [CHANCE.choice([0, 1]) for _ in range(ROWS)]
    return pl.DataFrame({"plan": plan, "charge": range(ROWS), "odd": values, "left": left})


def list_cases() -> Iterator[tuple[str, str, bytes | pl.DataFrame, str]]:
    """What is wrong, the name and content of the file, and the target."""
    for what, name, content in name_files():
        yield what, name, content, "left"
    for what, make in VALUES.items():
        yield f"{what} in a feature", "t.csv", write_text(set_column(2, make)).encode(), "left"
        yield f"{what} in the target", "t.csv", write_text(set_column(5, make)).encode(), "left"
    for name in NAMES:
        header = [*HEADER[:2], name, *HEADER[3:]]
        yield f"a column {name[:20]!r}", "t.csv", write_text(PLAIN, header).encode(), "left"
        header = [*HEADER[:5], name]
        yield f"a target {name[:20]!r}", "t.csv", write_text(PLAIN, header).encode(), name
    for what, values in TYPED.items():
        yield f"typed {what}", "t.parquet", build_typed(values), "left"
        yield f"typed {what} in the target", "t.parquet", build_typed(values), "odd"
    for target in ("", "lef", "LEFT", "left ", "\0", "x" * 10_000, "no such column"):
        yield f"no target {target[:10]!r}", "t.csv", write_text(PLAIN).encode(), target


CASES = list(list_cases())


def test_there_are_enough_of_them() -> None:
    names = [what for what, *_ in CASES]
    assert len(CASES) >= 250
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("part", range(4))
def test_no_table_ends_in_a_traceback(
    rooms: dict[str, Room], write: Callable[..., Path], part: int
) -> None:
    outcomes = {"proposal": 0, "message": 0}
    for what, name, content, target in CASES[part::4]:
        source = write(content, name)
        result = try_table(rooms["classification"], source, target, what)
        if "found regression" in str(result):
            result = try_table(rooms["regression"], source, target, what)
        if isinstance(result, Exception):
            outcomes["message"] += 1
            assert type(result).__name__ == "Fixable", what
            assert re.search("expected.*found.*Next: ", str(result), re.DOTALL), (what, str(result))
            assert len(str(result)) < 3000, what
        else:
            outcomes["proposal"] += 1
            used = [column.name for column in result.columns if column.role != "ignored"]
            assert result.rows.columns == used, what
            assert result.target.name == target, what
    assert min(outcomes.values()) > 5, outcomes


def try_table(room: Room, source: Path, target: str, what: str) -> Any:
    """What is proposed for a table, or the message about it."""
    fixable = room.load("edge.errors").Fixable
    try:
        return room.propose(source, target)
    except fixable as message:
        return message
    except Exception as error:
        raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error
