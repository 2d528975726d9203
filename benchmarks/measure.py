"""What the benchmarks share: a command's seconds and peak memory, a rendered repository, a table of
results.
"""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Benchmark"), ("EMAIL", "benchmark@example.com"))
}


class Cost(NamedTuple):
    """Wall-clock seconds, and MiB of the largest process among the command and its children."""

    seconds: float
    peak: float


def run(command: Sequence[str], folder: Path, **environment: str) -> Cost:
    """Run a command to its end; where it fails, show what it said and stop."""
    drop = {"PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"}
    inherited = {name: value for name, value in os.environ.items() if name not in drop}
    with tempfile.TemporaryFile("w+") as log:
        since = time.perf_counter()
        child = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, env=inherited | IDENTITY | environment
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - since
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            log.seek(0)
            raise SystemExit(f"{' '.join(command)} failed in {folder}:\n{log.read()}")
    return Cost(seconds, usage.ru_maxrss / 1024)


def best(costs: Iterable[Cost]) -> Cost:
    """The least disturbed of several runs."""
    return min(costs)


def render(folder: Path, *answers: str) -> Path:
    """A rendered repository, with its environment and bytecode, and the rule in charge."""
    command = ["uv", "run", "copier", "copy", "--quiet", "--defaults", "--vcs-ref=HEAD"]
    run([*command, "--data=project_name=churn", *answers, str(ROOT), str(folder)], ROOT)
    run(["git", "init", "--quiet", "."], folder)
    run(["uv", "sync", "--quiet", "--compile-bytecode"], folder)
    first = "churn.delivery.models.in_charge"
    run(["uv", "run", "python", "-m", first, "models/champion"], folder)
    run(["uv", "run", "dvc", "add", "--quiet", "models/champion"], folder)
    return folder


def edit(path: Path, pattern: str, new: str) -> None:
    """Replace the one place that `pattern` matches."""
    text, places = re.subn(pattern, lambda _: new, path.read_text(encoding="utf-8"))
    assert places == 1, f"{path}: {places} places like {pattern}"
    path.write_text(text, encoding="utf-8")


def table(title: str, rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows under a title, in columns."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    print(f"\n{title}")
    for row in rows:
        print(
            "  "
            + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
