"""The line of a file that a row came from, for messages."""

import json
from pathlib import Path
from typing import NamedTuple

import polars as pl

from .read import Ingest, is_text

PARTS = "parts"  # beside the rows of data/raw.parquet: the files that they came from


class Part(NamedTuple):
    """One file of a source."""

    name: str
    """Within a folder; empty for a source of one file."""

    rows: int
    first: int | None
    """The line of its first row; None where rows are no lines."""

    has_breaks: bool = False
    """Whether a value that holds the end of a line takes two lines of the file."""


def read_parts(raw: Path, ingest: Ingest, skip: int) -> list[Part]:
    """The files that raw rows came from, as `ingest` noted them; a single one of text with
    separators has `skip` lines before its header.
    """
    if is_text(Path(ingest.source)):
        return [Part("", 0, skip + 2, has_breaks=True)]
    return [Part(*part) for part in json.loads(pl.read_parquet_metadata(raw).get(PARTS, "[]"))]


def find_line(row: int, source: pl.DataFrame, parts: list[Part]) -> str:
    """Where a row of the source stands: `line 5`, or `may.csv, line 5`; empty if nobody knows."""
    start = 0
    for part in parts:
        if part is parts[-1] or row < start + part.rows:
            break
        start += part.rows
    else:
        return ""
    if part.first is None:
        return part.name
    line = part.first + row - start
    if part.has_breaks:
        before = source.slice(start, row - start).select(pl.col(pl.String))
        line += sum(int(series.str.count_matches("\n").sum()) for series in before)
    return f"{part.name}, line {line:,}" if part.name else f"line {line:,}"
