"""Stage `ingest`: the source as one table, nothing changed and nothing dropped."""

from ..edge.errors import Fixable, run
from ..edge.files import parse_paths, write_table
from ..edge.parameters import NEXT, read
from ..tables.sources import Ingest, read_source


def main(argv: list[str] | None = None) -> int:
    """Read the source, write `data/raw.parquet`."""
    params, raw = parse_paths(argv, __doc__, "params", "raw")
    ingest = read(params, "ingest", Ingest)
    rows = read_source(ingest)
    if rows.is_empty():
        raise Fixable(f"{ingest.source}: expected rows, found an empty table. {NEXT}")
    write_table(rows, raw)
    return 0


if __name__ == "__main__":
    run(main)
