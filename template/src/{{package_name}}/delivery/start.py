"""`start`: git, environment, champion, pipeline, first commit, then the decision."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from importlib.util import cache_from_source, find_spec
from pathlib import Path

from rich.console import Console

from .checks import check, subfolder
from .edge.errors import Fixable
from .edge.files import find_project, write_text
from .edge.repository import (
    ANSWERS,
    MAIN,
    Written,
    find_main_branch,
    find_usual_branch,
    read_main_branch,
)
from .edge.shell import PACKAGE, CommandFailed, follow, git, run, succeeds
from .promotion.first import put_in_charge
from .verdict.decision import DECISION, read_decision

AGAIN = f"uv run {PACKAGE} start"
UNREACHABLE = re.compile(r"fetch|connect|dns|network|timed out|tunnel|certificate", re.IGNORECASE)
LIBRARIES = (
    "skops.io",
    "sklearn.ensemble",
    "matplotlib.figure",
    "mlflow.store.tracking.sqlalchemy_store",
    "alembic.command",
)
"""What the longest stages import, in their order."""
IMPORT = """\
import importlib, sys
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ImportError:
        pass
"""
STAGE = re.compile(r"^Running stage '(.+)':")
UNREAD = f"""\
  NOTHING CHECKS COMMITS AND PULL REQUESTS HERE YET: git and the code host read hooks and workflows
  at the root of the repository only, and this folder lies below it.
  Next: {subfolder.INSTALL} writes them there, for the files of this folder"""
GIT_FILES = (".gitignore", ".gitattributes")
NAMELESS = "git does not know who you are, so nothing was committed."

console = Console(highlight=False, markup=False, soft_wrap=True)

Write = Callable[[Path], Written]


def main(write: Write | None = None) -> int:
    """Do every step that is not done yet; a failed step leaves what was made before.

    `write` is done before the pipeline runs, on the project's folder.
    """
    root = find_project(Path.cwd())
    with compiling_libraries():
        return run_steps(root, write)


def run_steps(root: Path, write: Write | None) -> int:
    """Do the steps; raises Fixable with the command that goes on from there."""
    with step("git"):
        outer = prepare_repository(root)
        merged_files = [] if is_committed(root) else complete_git_files(root)
    if merged_files:
        console.print(f"  Your {' and '.join(merged_files)} now has the template's lines, too.")
    if outer:
        console.print(f"  This folder lies in the repository {outer}, which keeps its history.")
    write_main_branch(root)
    with step("environment"):
        install_environment(root)
    with step("champion"):
        put_in_charge(root)
    os.chdir(root)
    written = write_first(write, root) if write else None
    with step("pipeline"):
        check.inputs(date.today())
        run_pipeline(root)
    with step("commit"):
        has_commit = commit(root, written)
    with step("hooks"):
        is_unread = bool(subfolder.find_faults(root))
        is_checked = is_unread or subfolder.install_hooks(root)
    if is_unread:
        console.print(UNREAD)
    if not is_checked:
        console.print(f"  {subfolder.UNCHECKED}")
    console.print("\n" + describe_decision(root))
    if written:
        console.print(written.closing)
    if not has_commit:
        raise Fixable(
            f"\n{NAMELESS} Run these two, then again: {AGAIN}\n"
            '    git config --global user.name "Your Name"\n'
            '    git config --global user.email "you@example.com"'
        )
    return 0


def write_first(write: Write, root: Path) -> Written:
    """Do what is done before the pipeline runs, which may ask questions; the line that says so."""
    since = time.monotonic()
    written = write(root)
    console.print(f"  {'drafts':<15}{time.monotonic() - since:6.1f} s")
    return written


def prepare_repository(root: Path) -> Path | None:
    """Make sure that git keeps the history; the outer repository if that does already."""
    if shutil.which("git") is None:
        raise Fixable(
            f"git: expected to be installed, found no such command. Install it, then {AGAIN}"
        )
    completed = run(["git", "rev-parse", "--show-toplevel"], root)
    if completed.returncode:
        branch = read_main_branch(root)
        branch = find_usual_branch(root) if branch == MAIN else branch
        git("init", "--quiet", "-b", branch, folder=root)
        return None
    top = Path(completed.stdout.strip()).resolve()
    if top == root.resolve():
        return None
    if succeeds(["git", "check-ignore", "--quiet", "."], root):
        raise Fixable(
            f"{root}: expected to be kept by git, found that the repository around it, {top}, "
            f"ignores this folder. Move it elsewhere, or run git init here, then {AGAIN}"
        )
    return top


def write_main_branch(root: Path) -> None:
    """Before the first commit, write the main branch that git has into the answers and the
    workflows, where it is another than they name.
    """
    known, actual, answers = read_main_branch(root), find_main_branch(root), root / ANSWERS
    if known == actual or is_committed(root) or not answers.exists():
        return
    lines = [line for line in answers.read_text("utf-8").splitlines() if "main_branch" not in line]
    write_text("\n".join([*lines, f"main_branch: {actual}", ""]), answers)
    named = re.compile(rf"^( *(?:branches: \[|ref: )){re.escape(known)}\b", re.MULTILINE)
    for path in (root / ".github/workflows").glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        if (edited := named.sub(rf"\g<1>{actual}", text)) != text:
            write_text(edited, path)
    console.print(f"  The main branch is {actual}, in the workflows and for promotions as well.")


def complete_git_files(root: Path) -> list[str]:
    """Bring the template's lines into the files for git that were here before it, which Copier
    keeps; the names of those that changed.
    """
    merged_files = []
    for name in GIT_FILES:
        path = root / name
        template = Path(__file__).with_name(f"{name[1:]}.txt").read_text(encoding="utf-8")
        own = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        needed = [line for line in template.splitlines() if not line.startswith("#")]
        if not set(needed) <= {*own, ""}:
            added = [line for line in own if line not in needed]
            path.write_text(template + "\n".join([*added, ""]), encoding="utf-8", newline="\n")
            merged_files.append(name)
    return merged_files


def install_environment(root: Path) -> None:
    """Install what `pyproject.toml` names, from the index that this machine is set up with."""
    if not (os.environ.get("UV") or shutil.which("uv")):
        raise Fixable(
            f"uv: expected to be installed, found none. python -m pip install uv, then {AGAIN}"
        )
    try:
        follow(["uv", "sync"], root)
    except CommandFailed as problem:
        if not UNREACHABLE.search(str(problem)):
            raise
        raise CommandFailed(
            f"{problem}\nIt looks as if the package index that this machine is set up with cannot "
            "be reached."
        ) from None


@contextmanager
def compiling_libraries() -> Iterator[None]:
    """In a new environment, have Python compile on another core what later stages will import; what
    is left of it stops with the block.
    """
    first = find_spec("sklearn")
    is_new = first and first.origin and not Path(cache_from_source(first.origin)).exists()
    if not is_new or sys.dont_write_bytecode:
        yield
        return
    command = [sys.executable, "-c", IMPORT, *LIBRARIES]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            yield
        finally:
            child.kill()


def run_pipeline(root: Path) -> None:
    """Run what changed, with a line for each stage that ran."""
    running: list[tuple[str, float]] = []

    def finish() -> None:
        if running:
            stage, since = running.pop()
            console.print(f"    {stage:<13}{time.monotonic() - since:6.1f} s")

    def show(line: str) -> None:
        if stage := STAGE.match(line):
            finish()
            running.append((stage[1], time.monotonic()))

    follow(["dvc", "repro"], root, show)
    finish()


def is_committed(root: Path) -> bool:
    """Whether the last commit has what the template made, and not only what was here before."""
    return succeeds(["git", "rev-parse", "--verify", "--quiet", "HEAD:./dvc.yaml"], root)


def commit(root: Path, written: Written | None = None) -> bool:
    """Make the first commit of the template's files, unless there is one, or else one of what was
    written; False if git does not know who commits.
    """
    is_first = not is_committed(root)
    if not is_first and written is None:
        return True
    if not all(
        succeeds(["git", "var", f"GIT_{who}_IDENT"], root) for who in ("AUTHOR", "COMMITTER")
    ):
        return False
    paths = ["."] if is_first else list_made(root, written.paths if written else [])
    message = written.message if written else "Start from the template"
    git("add", "--all", "--", *paths, folder=root)
    if git("status", "--porcelain", "--untracked-files=no", "--", *paths, folder=root):
        git("commit", "--quiet", "--message", message, "--", *paths, folder=root)
    return True


def list_made(root: Path, written: list[Path]) -> list[str]:
    """What a verb wrote and what the pipeline made of it: paths from the root that git can add."""
    paths = [path.relative_to(root).as_posix() for path in (*written, *root.glob("models/*.dvc"))]
    known = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", folder=root)
    is_known = set(known.split("\0"))
    return [path for path in [*paths, "dvc.lock", "uv.lock"] if path in is_known] + ["reports"]


def describe_decision(root: Path) -> str:
    """What the pipeline decided, in one sentence, and where to look."""
    return (
        f"{read_decision(root / DECISION).sentence}\n\n"
        "The report    reports/report.html (as text: reports/report.md)\n"
        "What decides  project-brief.md\n"
        "Next          uv run pytest, and README.md"
    )


@contextmanager
def step(name: str) -> Iterator[None]:
    """One progress line, with seconds; where a command fails, which one to run again."""
    since = time.monotonic()
    try:
        with console.status(name):
            yield
    except CommandFailed as problem:
        raise Fixable(
            f"{problem}\nWhat was made is kept. When this is fixed, go on with: {AGAIN}"
        ) from None
    console.print(f"  {name:<15}{time.monotonic() - since:6.1f} s")
