"""From a table to a decision: `exemplar new --table` beside `exemplar new --defaults`, and the
challenger beside a default gradient boosting on the same rows.

Run it with a table, its target, and more options of `adopt` where the table needs them:

    uv run python benchmarks/adopt.py ../shared/data/telco-churn.csv Churn

a second time for a warm package cache. `--only` leaves out the repository without a table.
"""

import json
import sys
import tempfile
from pathlib import Path

from measure import ROOT, run, table

BESIDE = Path(__file__).with_name("default_boosting.py")

source, target, *options = [word for word in sys.argv[1:] if word != "--only"]
with tempfile.TemporaryDirectory() as scratch:
    folder = Path(scratch)
    new = ["uv", "run", "exemplar", "new", "--defaults"]
    words = ["--table", str(Path(source).resolve()), "--target", target, *options]
    adopted = run([*new, str(folder / "adopted"), *words], ROOT)
    rows = [("exemplar new --table", f"{adopted.seconds:.1f} s", "")]
    if "--only" not in sys.argv:
        plain = run([*new, str(folder / "plain")], ROOT)
        times = f"{adopted.seconds / plain.seconds:.2f} x, aim: 1.6 x"
        rows += [("exemplar new --defaults", f"{plain.seconds:.1f} s", times)]
    project = folder / "adopted"
    run(["uv", "run", "python", str(BESIDE), "beside.json"], project)
    beside = json.loads((project / "beside.json").read_text())
    decision = json.loads((project / "reports/decision.json").read_text())

for model in ("rule", "challenger", "default boosting"):
    rows += [(f"{beside['metric']} of the {model}", beside[model], "")]
rows += [
    ("challenger less default boosting", beside["difference"], beside["words"]),
    ("columns", beside["columns"], ""),
    (f"decision: {decision['verdict']}", decision["challenger"], ""),
]
table(f"From {Path(source).name} to a decision", rows)
print(f"\n  {decision['sentence']}")
