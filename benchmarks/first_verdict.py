"""To the first verdict, a full run, and a run with nothing to do, beside 0.3.3.

Run it with `uv run python benchmarks/first_verdict.py`, a second time for a warm package cache. The
two are measured in turn. CPU seconds, of all processes together, tell more than the clock where
other work runs on the machine.
"""

import resource
import subprocess
import tempfile
from pathlib import Path

from measure import ROOT, Cost, run, table

from exemplar.releases import find_releases, tag_releases

OLD = "0.3.3"
TIMES = 2  # of each run after the first


def measure(command: list[str], folder: Path) -> tuple[float, float]:
    """Return the seconds by the clock, and those of CPU, of a command and all that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    cost: Cost = run(command, folder)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return cost.seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def render(template: Path, version: str, folder: Path) -> None:
    """Render a version of the template from a clone."""
    words = ["--quiet", "--defaults", "--data=project_name=churn", f"--vcs-ref={version}"]
    run(["uv", "run", "copier", "copy", *words, str(template), str(folder)], ROOT)


def clone(folder: Path) -> Path:
    """A clone of this repository with its releases tagged."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    tag_releases(folder, [each for each in find_releases(ROOT) if each.version == OLD])
    return folder


with tempfile.TemporaryDirectory() as scratch:
    template = clone(Path(scratch) / "template")
    folders = {name: Path(scratch) / name / "churn" for name in (OLD, "now")}
    render(template, f"v{OLD}", folders[OLD])
    render(template, "HEAD", folders["now"])
    steps = {
        "start, to the first verdict": ("uv run churn start", 1),
        "dvc repro --force": ("uv run dvc repro --force", TIMES),
        "dvc repro, nothing to do": ("uv run dvc repro", 2 * TIMES),
    }
    rows: list[tuple[str, ...]] = [("", "0.3.3", "now", "ratio", "CPU 0.3.3", "now", "ratio")]
    for title, (command, times) in steps.items():
        costs: dict[str, list[tuple[float, float]]] = {name: [] for name in folders}
        for _ in range(times):
            for name, folder in folders.items():
                costs[name].append(measure(command.split(), folder))
        cells = []
        for kind in (0, 1):
            old, now = (min(cost[kind] for cost in costs[name]) for name in (OLD, "now"))
            cells += [f"{old:.1f} s", f"{now:.1f} s", f"{now / old:.2f} x"]
        rows.append((title, *cells))

table("To the first verdict, 20,000 customers (aim: 0.7 x)", rows)
