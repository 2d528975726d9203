"""Each kind of problem on its example: seconds from nothing to a decision and of a full run, beside
those of classification in the same run, and what the rule and the challenger are worth.

Run it with `uv run python benchmarks/problems.py`, a second time for a warm package cache.
"""

import json
import tempfile
from pathlib import Path

from measure import ROOT, run, table

PROBLEMS = ("classification", "regression", "ranking", "answering")


def format_interval(interval: dict[str, float]) -> str:
    """Return a figure with its interval as text."""
    return f"{interval['estimate']:,.0f} ({interval['lower']:,.0f} to {interval['upper']:,.0f})"


rows: list[tuple[str, ...]] = []
first = 0.0
for problem in PROBLEMS:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "project-of-mine"
        words = ["uv", "run", "exemplar", "new", str(folder), "--defaults"]
        new = run([*words, "--answer", f"problem={problem}"], ROOT)
        path = {"PATH": f"{folder / '.venv/bin'}:/usr/local/bin:/usr/bin:/bin"}
        full = run(["dvc", "repro", "--force"], folder, **path)
        first = first or full.seconds
        metrics = json.loads((folder / "reports/metrics.json").read_text(encoding="utf-8"))
        decision = json.loads((folder / "reports/decision.json").read_text(encoding="utf-8"))
        money = (
            format_interval(metrics[model]["value_per_1000"]) for model in ("rule", "challenger")
        )
        times = f"{full.seconds:.1f} s", f"{full.seconds / first:.2f} x"
        rows.append(
            (problem, f"{new.seconds:.1f} s", *times, *money, format_interval(decision["gain"]))
        )

head = ("", "to a decision", "full run", "", "rule per 1,000", "challenger", "gain")
table("Four kinds of problem, each on its example", [head, *rows])
