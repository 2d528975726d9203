"""Stage `ingest`: the source as one table, nothing changed and nothing dropped."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from ..edge.errors import Fixable, run
from ..edge.files import parse_paths, replace_file
from ..edge.parameters import NEXT, read
from ..tables.files import Table, describe_failure
from ..tables.lines import PARTS, Part
from ..tables.read import SEEN, Ingest, is_text
from ..tables.sources import scan_source


def main(argv: list[str] | None = None) -> int:
    """Read the source, write `data/raw.parquet`."""
    params, raw = parse_paths(argv, __doc__, "params", "raw")
    ingest = read(params, "ingest", Ingest)
    with TemporaryDirectory() as scratch, replace_file(raw) as part:
        write(scan_source(ingest, Path(scratch)), part, ingest.source)
    return 0


def write(table: Table, path: Path, source: str) -> None:
    """Write a table, and beside its rows how its file is written, where that is not plain, and
    the files of which it is made.

    Raises:
        Fixable: it has no rows, or cannot be read or written.
    """
    seen = {SEEN: json.dumps(table.seen, sort_keys=True)} if table.seen else {}
    try:
        if parts := count_parts(table, source):
            seen |= {PARTS: json.dumps(parts)}
        table.rows.sink_parquet(
            path, compression="zstd", compression_level=1, metadata=seen or None
        )
        is_empty = pl.scan_parquet(path).select(pl.len()).collect().item() == 0
    except (pl.exceptions.PolarsError, OSError) as error:
        raise Fixable(describe_failure(Path(source), error)) from None
    if is_empty:
        raise Fixable(f"{source}: expected rows, found an empty table. {NEXT}")


def count_parts(table: Table, source: str) -> list[Part]:
    """The files of a table with their rows, where these are lines of them; nothing for one file of
    text with separators, of which the number of a row says enough.
    """
    parts = table.parts or (("", table),)
    if is_text(Path(source)) or all(part.first is None for _, part in parts):
        return []
    counts = pl.collect_all([part.rows.select(pl.len()) for _, part in table.parts])
    rows = [count.item() for count in counts] or [0]
    return [
        Part(name, n, part.first, part.has_breaks)
        for (name, part), n in zip(parts, rows, strict=True)
    ]


if __name__ == "__main__":
    run(main)
