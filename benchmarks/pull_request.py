"""The lanes of pull-request.yml, command by command, in a fresh clone with a warm cache.

Run it with `uv run python benchmarks/pull_request.py`. The commands are read from the workflow. The
seconds that count are those of an otherwise idle machine with two cores.
"""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml
from measure import IDENTITY, render, run, table

AIMS = {"code": 60.0, "model, reproducing": 120.0, "model, verifying": 60.0}
REPRODUCE = "uv run dvc repro --force"
SYNC = "uv sync --frozen"


def list_commands(workflow: dict[str, Any], job: str) -> list[str]:
    """Return the commands of a job, the shared set-up first."""
    return [SYNC, *(step["run"] for step in workflow["jobs"][job]["steps"] if "run" in step)]


def git(folder: Path, *words: str) -> None:
    """Run git with the identity of the benchmarks."""
    subprocess.run(["git", *words], cwd=folder, check=True, env=os.environ | IDENTITY)


def time_lane(folder: Path, steps: list[str]) -> tuple[float, list[tuple[str, str]]]:
    """Return the seconds of all commands, and of each one, as a laptop runs them."""
    base = {"GITHUB_BASE_REF": "main"}
    costs = [(line, run(["bash", "-ec", line], folder, **base).seconds) for line in steps]
    return sum(took for _, took in costs), [(line, f"{took:.1f} s") for line, took in costs]


with tempfile.TemporaryDirectory() as scratch:
    churn, shared = render(Path(scratch) / "churn"), Path(scratch) / "storage"
    run(["uv", "run", "dvc", "remote", "modify", "storage", "url", str(shared)], churn)
    run(["uv", "run", "dvc", "repro"], churn)
    git(churn, "add", "--all")
    git(churn, "commit", "--quiet", "--message", "First")
    git(churn, "branch", "--move", "--force", "main")
    run(["uv", "run", "dvc", "push", "--quiet"], churn)
    text = (churn / ".github/workflows/pull-request.yml").read_text(encoding="utf-8")
    workflow = yaml.safe_load(text)
    model = list_commands(workflow, "model")
    lanes = {
        "code": list_commands(workflow, "code"),
        "model, verifying": [line for line in model if line != REPRODUCE],
        "model, reproducing": model,
    }
    rows: list[tuple[str, ...]] = []
    for number, (name, steps) in enumerate({"(warming up)": lanes["code"], **lanes}.items()):
        clone = Path(scratch) / str(number) / "churn"
        git(Path(scratch), "clone", "--quiet", f"file://{churn}", str(clone))
        seconds, each = time_lane(clone, steps)
        if number:
            aim = f"{seconds / AIMS[name]:.2f} of {AIMS[name]:.0f} s"
            rows += [(name, f"{seconds:.1f} s", aim), *((f"  {a}", b, "") for a, b in each)]

table("The lanes of a pull request, 20,000 customers, a fresh clone each", rows)
