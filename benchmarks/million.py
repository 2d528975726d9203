"""A million rows through the pipeline, beside a bare script that does the same in one process
(`bare.py`).

Time is split into what is fixed and what grows with the rows (the line through the small and the
large run). Run it with `uv run python benchmarks/million.py`; it takes some minutes.
"""

import tempfile
from pathlib import Path

from measure import Cost, edit, render, run, table

SMALL, LARGE = 20_000, 1_000_000
BARE = Path(__file__).with_name("bare.py")
MAKE = "from churn.example import rows; rows(customers={n}).write_parquet('source.parquet')"


def line(small: Cost, large: Cost) -> tuple[float, float]:
    """Fixed seconds, and seconds for each million rows."""
    slope = (large.seconds - small.seconds) / (LARGE - SMALL)
    return small.seconds - slope * SMALL, slope * 1e6


with tempfile.TemporaryDirectory() as scratch:
    churn = render(Path(scratch) / "churn")
    path = {"PATH": f"{churn / '.venv/bin'}:/usr/local/bin:/usr/bin:/bin"}
    edit(churn / "params.yaml", r"source: \S+", "source: source.parquet")
    costs: dict[str, list[Cost]] = {"pipeline": [], "bare": []}
    for size in (SMALL, LARGE):
        run(["python", "-c", MAKE.format(n=size)], churn, **path)
        run(["dvc", "repro", "brief"], churn, **path)
        costs["pipeline"].append(run(["dvc", "repro"], churn, **path))
        costs["bare"].append(run(["python", str(BARE), "source.parquet"], churn, **path))

(fixed, marginal), (bare_fixed, bare_marginal) = (
    line(*costs[name]) for name in ("pipeline", "bare")
)
peak, bare_peak = (costs[name][1].peak for name in ("pipeline", "bare"))
table(
    f"{LARGE:,} customers",
    [
        ("", "pipeline", "bare", "ratio", "aim"),
        ("fixed", f"{fixed:.1f} s", f"{bare_fixed:.1f} s", "", "12 s"),
        (
            "per million rows",
            f"{marginal:.1f} s",
            f"{bare_marginal:.1f} s",
            f"{marginal / bare_marginal:.2f} x",
            "1.6 x",
        ),
        (
            "peak memory",
            f"{peak:,.0f} MiB",
            f"{bare_peak:,.0f} MiB",
            f"{peak / bare_peak:.2f} x",
            "1 x",
        ),
    ],
)
