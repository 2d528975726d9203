"""One file as a table, however it is written: the values of a text file as text, because the
contract decides what they mean.
"""

import codecs
import csv
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import polars as pl
from pydantic_core import from_json

from ..edge.errors import Fixable
from ..edge.parameters import NEXT
from .read import PACKED, PLAIN, TEXT, Read

LINES = {".jsonl", ".ndjson"}
PARQUET = {".parquet", ".pq"}
WORKBOOKS = {".xlsm", ".xlsx"}
FORMATS = TEXT | LINES | PARQUET | WORKBOOKS
KNOWN = f"{', '.join(sorted(FORMATS))}, a text among them also as .gz or .zst"
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
NAMES = re.compile(rb'"\s*:')  # behind each name of a JSON object, and elsewhere
BLOCK = 1 << 20  # bytes that are read at once, and that say how a file is written
SEPARATORS = "\t;|,"
TOTAL = re.compile(
    r"(grand |sub)?totals?\W*|sum(me)?\W*|(ins)?gesamt\W*|\(?[\d.,]+ (rows|records|zeilen).*"
    r"|(source|quelle)\s*:.*|end of .*",
    re.IGNORECASE,
)


class Table(NamedTuple):
    """A table that is not read yet."""

    rows: pl.LazyFrame
    seen: dict[str, Any]
    """How the file is written where that is not the plain way, as keys of `ingest: read:`."""

    first: int | None = None
    """The line of its first row; None where rows are no lines."""

    has_breaks: bool = False
    """Whether a value that holds the end of a line takes two lines of the file."""

    parts: "tuple[tuple[str, Table], ...]" = ()
    """The tables that it is made of, by the names of their files in a folder."""


def find_format(path: Path) -> str:
    """The last suffix of a file's name in small letters, without that of a packed file."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in PACKED:
        suffixes.pop()
        return suffixes[-1] if suffixes and suffixes[-1] in TEXT | LINES else ""
    return suffixes[-1] if suffixes and suffixes[-1] in FORMATS else ""


def scan_file(path: Path, read: Read, scratch: Path) -> Table:
    """The table in a file. What polars does not read as it is, is written anew below `scratch`, the
    name of a file that need not exist.

    Raises:
        Fixable: it is no table.
    """
    kind = find_format(path)
    if not kind or not path.is_file():
        finding = "something else" if path.exists() else "nothing there"
        raise Fixable(f"{path}: expected a table ({KNOWN}), found {finding}. {NEXT}")
    try:
        if kind in PARQUET:
            return Table(pl.read_parquet(path, memory_map=False).lazy(), {})
        if kind in WORKBOOKS:
            return scan_workbook(path, read)
        text, encoding = write_plain(path, read, scratch)
        if kind in LINES:
            return scan_lines(text, path, encoding)
        return scan_text(text, path, read, encoding)
    except (pl.exceptions.PolarsError, OSError, EOFError, csv.Error) as error:
        raise Fixable(describe_failure(path, error)) from None


def scan_workbook(path: Path, read: Read) -> Table:
    """The table in a sheet of a workbook."""
    from .workbook import build_table, has_value, read_workbook  # here, as others need none of it

    (header, *rows), skip = read_workbook(path, read)
    names = [str(name) for name in header]
    require_distinct(path, names, skip)
    last = count_first_totals(rows[::-1], len(names)) if read.skip_last is None else read.skip_last
    while last and len(rows) > last and not has_value(rows[-last - 1]):
        last += 1
    seen = ({"skip": skip} if skip else {}) | ({"skip_last": last} if last else {})
    if last >= len(rows):
        raise Fixable(f"{path}: expected rows, found an empty table. {NEXT}")
    return Table(build_table(path, names, rows[: len(rows) - last]).lazy(), seen, skip + 2)


def describe_failure(path: Path, error: Exception) -> str:
    """What is wrong with a file that cannot be read."""
    words = str(error).partition("\n")[0] or type(error).__name__
    return f"{path}: expected a table, found {words}. {NEXT}"


def open_packed(path: Path, scratch: Path) -> BinaryIO:
    """The bytes of a file, unpacked as they are read."""
    if path.suffix.lower() == ".gz":
        return gzip.open(path)  # type: ignore[return-value]
    if path.suffix.lower() == ".zst":  # Python itself reads it from 3.14 on
        whole = scratch.with_suffix(".unpacked")
        pl.scan_lines(path).sink_csv(whole, include_header=False, quote_style="never")
        return whole.open("rb")
    return path.open("rb")


def write_plain(path: Path, read: Read, scratch: Path) -> tuple[Path, dict[str, Any]]:
    """A text file as UTF-8 with the usual ends of lines, and its encoding where it is another: the
    file itself, or else `scratch`.
    """
    with open_packed(path, scratch) as stream:
        head = stream.read(BLOCK)
        encoding = read.encoding or guess_encoding(path, head)
        is_packed = path.suffix.lower() in PACKED
        has_old_ends = b"\r" in head and b"\n" not in head.replace(b"\r\0\n", b"\n")
        is_plain = encoding in ("utf-8", "utf-8-sig")
    try:
        if is_plain and not is_packed and not has_old_ends:
            require_utf8(path)
            return path, {}
        rewrite(path, scratch, encoding, has_old_ends=has_old_ends)
    except UnicodeDecodeError as error:
        if read.encoding is None and is_plain:
            return write_plain(path, read.model_copy(update={"encoding": "cp1252"}), scratch)
        place = f"a byte that is none at place {error.start:,}"
        raise Fixable(
            f"{path}: expected {encoding} text, found {place}. Next: say how it is written under "
            "`ingest: read:` in params.yaml, for example encoding: latin-1"
        ) from None
    return scratch, {} if is_plain else {"encoding": encoding}


def guess_encoding(path: Path, head: bytes) -> str:
    """What a file's first bytes say; UTF-8 where they say nothing."""
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    if b"\0" not in head[:4096]:
        return "utf-8"
    places = Counter(place % 2 for place, byte in enumerate(head[:4096]) if not byte)
    if len(places) == 1 and places.total() > len(head[:4096]) // 4:
        return "utf-16-le" if 1 in places else "utf-16-be"
    raise Fixable(f"{path}: expected text, found bytes that are none. {NEXT}")


def require_utf8(path: Path) -> None:
    """Raise UnicodeDecodeError where a file is no UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            decoder.decode(block)
    decoder.decode(b"", final=True)


def rewrite(path: Path, target: Path, encoding: str, *, has_old_ends: bool) -> None:
    """Write a text file anew as UTF-8, block by block."""
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError:
        raise Fixable(
            f"params.yaml: ingest: read: `encoding`: expected an encoding, found {encoding!r}. "
            "Next: write a name like utf-8, cp1252 or latin-1"
        ) from None
    with open_packed(path, target) as stream, target.open("wb") as plain:
        while block := stream.read(BLOCK):
            text = decoder.decode(block)
            plain.write((text.replace("\r", "\n") if has_old_ends else text).encode())
        plain.write(decoder.decode(b"", final=True).encode())


def scan_text(text: Path, path: Path, read: Read, encoding: dict[str, Any]) -> Table:
    """The table in a UTF-8 file of values with separators: `text`, which came as `path`."""
    with text.open("rb") as stream:
        head = stream.read(BLOCK).decode("utf-8-sig", errors="ignore")
    if not head.strip():
        raise Fixable(f"{path}: expected rows, found an empty table. {NEXT}")
    separator, skip = find_layout(head, read)
    names = list_values(head, separator, skip)
    require_distinct(path, names, skip)
    seen = encoding | ({"separator": separator} if separator != PLAIN else {})
    seen |= {"skip": skip} if skip else {}
    rows = pl.scan_csv(text, separator=separator, skip_lines=skip, infer_schema=False)
    last = count_totals(text, separator, len(names)) if read.skip_last is None else read.skip_last
    if last:
        seen |= {"skip_last": last}
        rows = rows.head(rows.select(pl.len()).collect(engine="streaming").item() - last)
    return Table(rows, seen, skip + 2, has_breaks=True)


def list_values(head: str, separator: str, skip: int) -> list[str]:
    """The values of the first record after so many lines."""
    lines = head.splitlines(keepends=True)[skip:]
    csv.field_size_limit(BLOCK * 4)
    return next(csv.reader(lines, delimiter=separator), [])


def require_distinct(path: Path, names: list[str], skip: int) -> None:
    """Raise Fixable where two columns have the same name: the first would win."""
    twice = [name for name, count in Counter(names).items() if count > 1 and name.strip()]
    if twice:
        listed = ", ".join(f"`{name}`" for name in twice[:10])
        raise Fixable(
            f"{path}, line {skip + 1}: expected each column once, found {listed} more than once. "
            "Next: rename a column in the source, then uv run dvc repro"
        )


def find_layout(head: str, read: Read) -> tuple[str, int]:
    """What separates values, and the lines before the header: the first that has as many names as
    the other lines have values.
    """
    if read.separator is not None and read.skip is not None:
        return read.separator, read.skip
    complete = head if len(head) < BLOCK // 4 else head.rpartition("\n")[0]
    candidates = [find_header(complete, s) for s in read.separator or SEPARATORS]
    usable = [c for c in candidates if c.width > 1 and c.share >= 0.8]
    best = max(usable, key=lambda c: (c.skip == 0, c.share), default=None)
    if best is None:
        return read.separator or PLAIN, read.skip or 0
    return best.separator, best.skip if read.skip is None else read.skip


class Header(NamedTuple):
    """A line that may be the header."""

    separator: str
    width: int
    """Values in most lines."""

    share: float
    """How many lines have so many values."""

    skip: int


def find_header(head: str, separator: str, most: int = 500) -> Header:
    """The line that would be the header with this separator, by the first lines of a file."""
    nothing = Header(separator, 0, 0, 0)
    csv.field_size_limit(BLOCK * 4)
    records, starts = [], []
    reader, start = csv.reader(io.StringIO(head, newline=""), delimiter=separator), 0
    try:
        for record in reader:
            if record:
                records.append(record)
                starts.append(start)
            start = reader.line_num
            if len(records) == most:
                break
    except csv.Error:
        return nothing
    if not records:
        return nothing
    (width, count), *_ = Counter(len(r) for r in records[len(records) > 2 :]).most_common(1)
    place = next((n for n, r in enumerate(records) if len(r) == width), 0)
    if place and not is_header(records[place]):
        return nothing
    share = count / len(records[place + (len(records) > place + 1) :])
    return Header(separator, width, min(share, 1.0), starts[place])


def is_header(record: list[str]) -> bool:
    """Whether values look like names of columns: words, none of them twice."""
    words = [value for value in record if re.search(r"[^\W\d]", value)]
    return len(words) == len(record) == len(set(words))


def count_totals(text: Path, separator: str, width: int) -> int:
    """How many lines at the end are no rows but totals, or notes."""
    with text.open("rb") as stream:
        stream.seek(0, io.SEEK_END)
        stream.seek(max(0, stream.tell() - 4096))
        lines = stream.read().decode(errors="ignore").splitlines()
    records = (next(csv.reader([line], delimiter=separator), []) for line in lines[::-1])
    return count_first_totals(records, width)


def count_first_totals(records: Iterable[Sequence[Any]], width: int) -> int:
    """How many records come before one that is a row: totals and notes, and blank ones between."""
    last = 0
    for number, values in enumerate(records, 1):
        first = next((text for v in values if v is not None and (text := str(v).strip())), None)
        if first is None:
            continue
        if len(values) > width or not TOTAL.fullmatch(first):
            break
        last = number
    return last


def scan_lines(text: Path, path: Path, encoding: dict[str, Any]) -> Table:
    """The table in a file of JSON objects, one a line; values as text.

    Raises:
        Fixable: a line holds another thing, or a name twice.
    """
    names: dict[str, None] = {}
    blank = 0  # the first line that is, after which rows are no longer numbered as lines
    has_gap = False
    with text.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if content := line.removeprefix(codecs.BOM_UTF8).strip():
                values = read_object(content, path, number)
                if not values.keys() <= names.keys():
                    names |= dict.fromkeys(values)
                has_gap = has_gap or blank > 0
            else:
                blank = blank or number
    schema = dict.fromkeys(names, pl.String)
    rows = pl.scan_ndjson(text, schema=schema) if names else pl.LazyFrame()
    return Table(rows, encoding, None if has_gap else 1)


def read_object(line: bytes, path: Path, number: int) -> dict[str, Any]:
    """The JSON object of a line, with each of its names."""
    try:
        values = from_json(line)
        if not isinstance(values, dict):
            raise ValueError("another value")
        if len(values) != len(NAMES.findall(line)):  # objects within it, or a name twice
            names = Counter(name for name, _ in json.loads(line, object_pairs_hook=list))
            if twice := [name for name, count in names.items() if count > 1]:
                raise ValueError(f"the name {twice[0]!r} twice")
    except ValueError as error:
        place = f"{path}, line {number}"
        raise Fixable(f"{place}: expected a JSON object, found {error}. {NEXT}") from None
    return values
