"""`start`: git, environment, champion, pipeline, first commit, then the decision."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from rich.console import Console

from .checks import check
from .edge.errors import Fixable

PACKAGE = __name__.partition(".")[0]
AGAIN = f"uv run {PACKAGE} start"
STAGE = re.compile(r"^Running stage '(.+)':")
UNREACHABLE = re.compile(r"fetch|connect|dns|network|timed out|tunnel|certificate", re.IGNORECASE)
NAMELESS = "git does not know who you are, so nothing was committed."
SHOWN = 15  # lines of a failed command's output

console = Console(highlight=False, markup=False, soft_wrap=True)


def main() -> int:
    """Do every step that is not done yet; a failed step leaves what was made before."""
    root = project(Path.cwd())
    with step("git"):
        outer = repository(root)
    if outer:
        console.print(f"  This folder lies in the repository {outer}, which keeps its history.")
    with step("environment"):
        environment(root)
    with step("champion"):
        champion(root)
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


def project(folder: Path) -> Path:
    """The generated repository that a folder belongs to."""
    for root in (folder, *folder.parents):
        if (root / "dvc.yaml").exists():
            return root
    raise Fixable(f"{folder}: expected to be inside the project, found no dvc.yaml here or above")


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


def champion(root: Path) -> None:
    """Put the rule in charge, unless a champion is there; bring it where only its pointer is."""
    pointer = "models/champion.dvc"
    rule = [sys.executable, "-m", f"{PACKAGE}.delivery.models.in_charge", "models/champion"]
    if not (root / pointer).exists():
        call(rule, root)
        dvc(root, "add", "--quiet", "models/champion")
    elif not (root / "models/champion").exists():
        then = (root / pointer).read_text(encoding="utf-8")
        call(rule, root)  # needs no storage where the rule is still in charge
        dvc(root, "add", "--quiet", "models/champion")
        if (root / pointer).read_text(encoding="utf-8") != then:
            (root / pointer).write_text(then, encoding="utf-8")
            shutil.rmtree(root / "models/champion")
            dvc(root, "pull", pointer)


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


def dvc(root: Path, *arguments: str, follow: Callable[[str], None] | None = None) -> None:
    """Run DVC of this environment."""
    call(
        [sys.executable, "-m", "dvc", *arguments],
        root,
        shown=["uv", "run", "dvc", *arguments],
        follow=follow,
    )


def succeeds(command: list[str], root: Path) -> bool:
    """Whether a question to git is answered with yes."""
    return subprocess.run(command, cwd=root, capture_output=True, check=False).returncode == 0


def call(
    command: list[str],
    root: Path,
    *,
    shown: list[str] | None = None,
    follow: Callable[[str], None] | None = None,
) -> None:
    """Run a command; where it fails, say what it said last and what to run again."""
    # Without bytecode every stage compiles its imports again: twice the time of the pipeline.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    first = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
    last: deque[str] = deque(maxlen=SHOWN)
    with subprocess.Popen(
        command,
        cwd=root,
        env={**kept, "PATH": first, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line.rstrip())
            if follow:
                follow(line)
    if process.returncode:
        said = [line for line in last if line]
        hint = (
            "\nIt looks as if the package index that this machine is set up with cannot be reached."
            if "sync" in command and UNREACHABLE.search(" ".join(said))
            else ""
        )
        raise Fixable(
            f"Failed, with exit code {process.returncode}: {' '.join(shown or command)}\n"
            + "\n".join(f"    {line}" for line in said)
            + f"{hint}\nWhat was made is kept. When this is fixed, go on with: {AGAIN}"
        )
