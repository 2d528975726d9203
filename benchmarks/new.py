"""From nothing to a decision: rendering beside `copier --version`, and `exemplar new --defaults`.

Run it with `uv run python benchmarks/new.py`, a second time for a warm package cache.
"""

import tempfile
from pathlib import Path

from measure import ROOT, best, run, table

with tempfile.TemporaryDirectory() as scratch:
    folder = Path(scratch)
    version = best(run(["uv", "run", "copier", "--version"], ROOT) for _ in range(3))
    copy = ["uv", "run", "copier", "copy", "--quiet", "--defaults", "--vcs-ref=HEAD", str(ROOT)]
    rendered = best(run([*copy, str(folder / f"copy{i}")], ROOT) for i in range(3))
    new = run(["uv", "run", "exemplar", "new", str(folder / "churn"), "--defaults"], ROOT)

table(
    "From nothing to a decision",
    [
        ("copier --version", f"{version.seconds:.2f} s", ""),
        ("copier copy", f"{rendered.seconds:.2f} s", f"{rendered.seconds / version.seconds:.1f} x"),
        ("exemplar new --defaults", f"{new.seconds:.1f} s", "aim: 45 s with a warm package cache"),
    ],
)
