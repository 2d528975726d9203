"""A CSV of a million rows through the stage `ingest`, beside polars' own streaming reader, which
reads the same file and writes the same Parquet; and the most memory that either holds.

Run it with `uv run python benchmarks/reading.py`; it takes about a minute. With a number, as in
`uv run python benchmarks/reading.py 1000`, the same rows are repeated until the file has so many
MiB, and read once.
"""

import sys
import tempfile
from pathlib import Path

from measure import Cost, best, edit, render, run, table

ROWS, TIMES, LEAST = 1_000_000, 5, 0.0
if len(sys.argv) > 1:
    TIMES, LEAST = 1, float(sys.argv[1])
MAKE = "from churn.example import rows; rows(customers={n}).write_csv('source.csv')"
BARE = (
    "import polars as pl; pl.scan_csv('source.csv', infer_schema=False)"
    ".sink_parquet('bare.parquet', compression='zstd', compression_level=1)"
)
INGEST = ["python", "-m", "churn.delivery.pipeline.ingest", "params.yaml", "data/raw.parquet"]

with tempfile.TemporaryDirectory() as scratch:
    churn = render(Path(scratch) / "churn")
    path = {"PATH": f"{churn / '.venv/bin'}:/usr/local/bin:/usr/bin:/bin"}
    edit(churn / "params.yaml", r"source: \S+", "source: source.csv")
    run(["python", "-c", MAKE.format(n=ROWS)], churn, **path)
    source = churn / "source.csv"
    header, rows = source.read_bytes().split(b"\n", 1)
    repeats = max(1, round(LEAST * 2**20 / len(rows)))
    with source.open("wb") as file:
        file.write(header + b"\n")
        for _ in range(repeats):
            file.write(rows)
    size = source.stat().st_size / 2**20
    costs: dict[str, list[Cost]] = {"ingest": [], "bare": []}
    for _ in range(TIMES):
        costs["ingest"].append(run(INGEST, churn, **path))
        costs["bare"].append(run(["python", "-c", BARE], churn, **path))
    same = (churn / "bare.parquet").read_bytes() == (churn / "data/raw.parquet").read_bytes()

ours, bare = best(costs["ingest"]), best(costs["bare"])
table(
    f"{ROWS * repeats:,} customers, a CSV of {size:,.0f} MiB; "
    f"the same bytes: {'yes' if same else 'no'}",
    [
        ("", "ingest", "polars", "ratio", "aim"),
        (
            "seconds",
            f"{ours.seconds:.2f}",
            f"{bare.seconds:.2f}",
            f"{ours.seconds / bare.seconds:.2f} x",
            "1.2 x",
        ),
        (
            "peak memory",
            f"{ours.peak:,.0f} MiB",
            f"{bare.peak:,.0f} MiB",
            f"{ours.peak / bare.peak:.2f} x",
            "1.2 x",
        ),
    ],
)
