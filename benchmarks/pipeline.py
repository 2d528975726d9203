"""`dvc repro` of the example, full and with nothing to do, beside a project of one trivial stage.

Run it with `uv run python benchmarks/pipeline.py`.
"""

import tempfile
from pathlib import Path

from measure import best, render, run, table

ONE_STAGE = """stages:
  one:
    cmd: cp source.txt target.txt
    deps: [source.txt]
    outs: [target.txt]
"""

with tempfile.TemporaryDirectory() as scratch:
    churn = render(Path(scratch) / "churn")
    dvc = [str(churn / ".venv/bin/dvc")]
    path = {"PATH": f"{churn / '.venv/bin'}:/usr/local/bin:/usr/bin:/bin"}
    one = Path(scratch) / "one"
    (one / ".dvc").mkdir(parents=True)
    (one / ".dvc/config").write_text("[core]\n    analytics = false\n")
    (one / "dvc.yaml").write_text(ONE_STAGE)
    (one / "source.txt").write_text("source\n")
    run(["git", "init", "--quiet", "."], one)
    run([*dvc, "repro"], one, **path)
    first = run([*dvc, "repro"], churn, **path)
    full = best(run([*dvc, "repro", "--force"], churn, **path) for _ in range(2))
    nothing = best(run([*dvc, "repro"], churn, **path) for _ in range(3))
    trivial = best(run([*dvc, "repro"], one, **path) for _ in range(3))

table(
    "dvc repro, 20,000 customers",
    [
        ("first full run", f"{first.seconds:.1f} s", "aim: 15 s"),
        ("full run again", f"{full.seconds:.1f} s", "aim: 15 s"),
        (
            "nothing to do",
            f"{nothing.seconds:.2f} s",
            f"{nothing.seconds / trivial.seconds:.2f} x (aim: 1.3 x)",
        ),
        ("nothing to do, one trivial stage", f"{trivial.seconds:.2f} s", ""),
    ],
)
