"""`start`: git, environment, champion, pipeline, first commit, then the decision."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from rich.console import Console

from .checks import check
from .edge.errors import Fixable
from .edge.files import find_project
from .edge.shell import AGAIN, call, dvc, succeeds
from .promotion.first import put_in_charge

STAGE = re.compile(r"^Running stage '(.+)':")
NAMELESS = "git does not know who you are, so nothing was committed."

console = Console(highlight=False, markup=False, soft_wrap=True)


def main() -> int:
    """Do every step that is not done yet; a failed step leaves what was made before."""
    root = find_project(Path.cwd())
    with step("git"):
        outer = repository(root)
    if outer:
        console.print(f"  This folder lies in the repository {outer}, which keeps its history.")
    with step("environment"):
        environment(root)
    with step("champion"):
        put_in_charge(root)
    with step("pipeline"):
        os.chdir(root)
        check.inputs(date.today())
        pipeline(root)
    with step("commit"):
        named = commit(root)
    with step("hooks"):
        hooked = outer is not None or hooks(root)
    if not hooked:
        console.print("  Commits go unchecked here; uv run pre-commit install says why.")
    console.print("\n" + decision(root))
    if not named:
        raise Fixable(
            f"\n{NAMELESS} Run these two, then again: {AGAIN}\n"
            '    git config --global user.name "Your Name"\n'
            '    git config --global user.email "you@example.com"'
        )
    return 0


def repository(root: Path) -> Path | None:
    """Make sure that git keeps the history; the outer repository if that does already."""
    if shutil.which("git") is None:
        raise Fixable(
            f"git: expected to be installed, found no such command. Install it, then {AGAIN}"
        )
    found = subprocess.run(
        ["git", "rev-parse", "--show-toplevel"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode:
        call(["git", "init", "--quiet", "-b", "main"], root)
        return None
    top = Path(found.stdout.strip()).resolve()
    if top == root.resolve():
        return None
    if succeeds(["git", "check-ignore", "--quiet", "."], root):
        raise Fixable(
            f"{root}: expected to be kept by git, found that the repository around it, {top}, "
            f"ignores this folder. Move it elsewhere, or run git init -b main here, then {AGAIN}"
        )
    return top


def environment(root: Path) -> None:
    """Install what `pyproject.toml` names, from the index that this machine is set up with."""
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise Fixable(
            f"uv: expected to be installed, found none. python -m pip install uv, then {AGAIN}"
        )
    call([uv, "sync"], root)


def pipeline(root: Path) -> None:
    """Run what changed, with a line for each stage that ran."""
    running: list[tuple[str, float]] = []

    def finish() -> None:
        if running:
            stage, since = running.pop()
            console.print(f"    {stage:<13}{time.monotonic() - since:6.1f} s")

    def follow(line: str) -> None:
        if found := STAGE.match(line):
            finish()
            running.append((found[1], time.monotonic()))

    dvc(root, "repro", follow=follow)
    finish()


def commit(root: Path) -> bool:
    """Make the first commit here, unless there is one; False if git does not know who commits."""
    if succeeds(["git", "rev-parse", "--verify", "--quiet", "HEAD:./"], root):
        return True
    if not all(
        succeeds(["git", "var", f"GIT_{who}_IDENT"], root) for who in ("AUTHOR", "COMMITTER")
    ):
        return False
    call(["git", "add", "--all", "."], root)
    call(["git", "commit", "--quiet", "--message", "Start from the template", "--", "."], root)
    return True


def hooks(root: Path) -> bool:
    """Let git run the checks of `.pre-commit-config.yaml`, where that is, before each commit; False
    where git has a `core.hooksPath` of its own.
    """
    return not (root / ".pre-commit-config.yaml").exists() or succeeds(
        [sys.executable, "-m", "pre_commit", "install"], root
    )


def decision(root: Path) -> str:
    """What the pipeline decided, in one sentence, and where to look."""
    found = json.loads((root / "reports/decision.json").read_text(encoding="utf-8"))
    return (
        f"{found['sentence']}\n\n"
        "The report    reports/report.html (as text: reports/report.md)\n"
        "What decides  project-brief.md\n"
        "Next          uv run pytest, and README.md"
    )


@contextmanager
def step(name: str) -> Iterator[None]:
    """One progress line, with seconds."""
    since = time.monotonic()
    with console.status(name):
        yield
    console.print(f"  {name:<15}{time.monotonic() - since:6.1f} s")
