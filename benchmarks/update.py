"""`exemplar update` beside plain `copier update`, of the same edited project to the same version.

Run it with `uv run python benchmarks/update.py`. Both update from the tree as it stands to a
release that changes ten files of it. The fast lane is left out of both (uv does nothing here): it
takes as long as the project's own tests. Seconds of CPU say more where the machine has other work.
"""

import os
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from measure import IDENTITY, ROOT, table

ROUNDS = 3


def git(folder: Path, *arguments: str) -> None:
    """Run git with the identity of the benchmarks."""
    subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, env=os.environ | IDENTITY
    )


def make_repositories(scratch: Path) -> tuple[Path, Path]:
    """Make a clone of this template with a release above HEAD, and a project of the one before."""
    template, project = scratch / "template", scratch / "churn"
    git(scratch, "clone", "--quiet", str(ROOT), str(template))
    for name in ("copier.yml", "src", "template", "blueprints"):  # as they stand
        shutil.rmtree(template / name, ignore_errors=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, template / name)
    git(template, "add", "--all")
    git(template, "commit", "--quiet", "--allow-empty", "--message", "As it stands")
    git(template, "tag", "v9999.0.0")
    copier = ["uv", "run", "copier", "copy", "--quiet", "--defaults", str(template), str(project)]
    subprocess.run(copier, cwd=ROOT, check=True)
    for path in sorted((template / "template").rglob("*.py"))[:10]:
        path.write_text(path.read_text(encoding="utf-8") + "\n# of the next release\n")
    git(template, "commit", "--quiet", "--all", "--message", "Next")
    git(template, "tag", "v9999.1.0")
    with (project / "pytest.ini").open("a", encoding="utf-8") as file:
        file.write("# of the team\n")
    git(project, "init", "--quiet", "-b", "main")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Start")
    return template, project


def time_command(command: list[str], project: Path) -> tuple[float, float]:
    """Run a command in a copy of the project; return seconds by the clock and of CPU."""
    copy = project.with_name("copy") / project.name
    shutil.rmtree(copy.parent, ignore_errors=True)
    shutil.copytree(project, copy)
    nothing = {"UV": str(shutil.which("true")), "PYTHONDONTWRITEBYTECODE": ""}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    since = time.perf_counter()
    subprocess.run(
        command, cwd=copy, env=os.environ | IDENTITY | nothing, check=True, capture_output=True
    )
    clock = time.perf_counter() - since
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def best(rounds: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the least of each."""
    return min(clock for clock, _ in rounds), min(cpu for _, cpu in rounds)


with tempfile.TemporaryDirectory() as scratch:
    _, project = make_repositories(Path(scratch))
    bin_folder = ROOT / ".venv/bin"
    commands = {
        "copier update": [str(bin_folder / "copier"), "update", "--defaults", "--quiet"],
        "exemplar update": [str(bin_folder / "exemplar"), "update", "--yes"],
    }
    costs = {
        name: best([time_command(words, project) for _ in range(ROUNDS)])
        for name, words in commands.items()
    }

plain, ours = costs["copier update"], costs["exemplar update"]
table(
    "An update, without the project's own tests",
    [
        ("", "clock", "CPU", ""),
        ("copier update", f"{plain[0]:.2f} s", f"{plain[1]:.2f} s", ""),
        (
            "exemplar update",
            f"{ours[0]:.2f} s",
            f"{ours[1]:.2f} s",
            f"{ours[0] / plain[0]:.2f} x (aim: 1.5), {ours[1] / plain[1]:.2f} x of CPU",
        ),
    ],
)
