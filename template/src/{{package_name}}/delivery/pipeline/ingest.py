"""Stage `ingest`: the source as one table, nothing changed and nothing dropped."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from ..edge.errors import Fixable, run
from ..edge.files import parse_paths, replace_file
from ..edge.parameters import NEXT, read
from ..tables.files import Table, describe_failure
from ..tables.read import SEEN, Ingest
from ..tables.sources import scan_source


def main(argv: list[str] | None = None) -> int:
    """Read the source, write `data/raw.parquet`."""
    params, raw = parse_paths(argv, __doc__, "params", "raw")
    ingest = read(params, "ingest", Ingest)
    with TemporaryDirectory() as scratch, replace_file(raw) as part:
        write(scan_source(ingest, Path(scratch)), part, ingest.source)
    return 0


def write(table: Table, path: Path, source: str) -> None:
    """Write a table, and beside its rows how its file is written, where that is not plain.

    Raises:
        Fixable: it has no rows, or cannot be read or written.
    """
    seen = {SEEN: json.dumps(table.seen, sort_keys=True)} if table.seen else None
    try:
        table.rows.sink_parquet(path, compression="zstd", compression_level=1, metadata=seen)
        is_empty = pl.scan_parquet(path).select(pl.len()).collect().item() == 0
    except (pl.exceptions.PolarsError, OSError) as error:
        raise Fixable(describe_failure(Path(source), error)) from None
    if is_empty:
        raise Fixable(f"{source}: expected rows, found an empty table. {NEXT}")


if __name__ == "__main__":
    run(main)
