"""Other programs, run one way: git, DVC, uv, gh and modules of this environment.

`run` returns a finished process whatever its exit code. `git`, `dvc` and `follow` return what was
printed; where the command failed they raise `CommandFailed`, which shows it and its last lines.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from .errors import Fixable

PACKAGE = __name__.partition(".")[0]
SHOWN = 15  # lines of a failed command's output
HOME = {
    "gh": "https://cli.github.com",
    "git": "https://git-scm.com",
    "uv": "https://docs.astral.sh/uv",
}
# Without bytecode every stage compiles its imports again: twice the time of the pipeline.
# What git says is looked at here, so it says it in English.
COMMON = MappingProxyType({"PYTHONDONTWRITEBYTECODE": None, "LANGUAGE": "en"})
DISTRUSTED = re.compile(r"git config --global --add safe\.directory .+")  # what git advises
# A file that nobody has added counts, whatever a person's git is set to show.
GIT = ("git", "-c", "status.showUntrackedFiles=normal")
WIDE = "10000"  # columns: nothing is broken at a terminal's width where no terminal is
Completed = subprocess.CompletedProcess[str]
Environment = Mapping[str, str | None]
"""Variables to set for a command; None takes one away."""


class CommandFailed(Fixable):
    """A command ended with an exit code that is no answer."""


def run(
    command: Sequence[str],
    folder: Path | None = None,
    *,
    stdin: str = "",
    environment: Environment = MappingProxyType({}),
) -> Completed:
    """Run a command in a folder (here, by default); the finished process, whatever its exit code.

    Its first word may be `dvc`, `python` or `pre-commit`: those of this environment.
    Raises Fixable where there is no such program or folder, or git takes the folder for somebody
    else's.
    """
    try:
        completed = subprocess.run(
            _words(command),
            cwd=folder,
            env=_environment({"COLUMNS": WIDE, **environment}),
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise _missing(command, folder, error) from None
    if completed.returncode and (distrusted := DISTRUSTED.search(completed.stderr)):
        raise Fixable(
            f"{folder or Path()}: expected a repository that is yours, found that its folder "
            f"belongs to somebody else, so that git does not use it. Next, if you trust it: "
            f"{distrusted[0]}"
        )
    return completed


def git(
    *arguments: str,
    folder: Path | None = None,
    stdin: str = "",
    environment: Environment = MappingProxyType({}),
    codes: Container[int] = (0,),
) -> str:
    """What git prints; raises CommandFailed on an exit code that is not among `codes`."""
    command = ["git", *arguments]
    completed = run(command, folder, stdin=stdin, environment=environment)
    if completed.returncode not in codes:
        raise failure(command, completed, folder)
    return completed.stdout


def dvc(*arguments: str, folder: Path | None = None) -> str:
    """What DVC of this environment prints; raises CommandFailed where it fails."""
    command = ["dvc", *arguments]
    completed = run(command, folder)
    if completed.returncode:
        raise failure(command, completed, folder)
    return completed.stdout


def succeeds(command: Sequence[str], folder: Path | None = None) -> bool:
    """Whether a command ends with exit code 0."""
    return run(command, folder).returncode == 0


def follow(
    command: Sequence[str], folder: Path, on_line: Callable[[str], None] = lambda line: None
) -> str:
    """Run a command, handing on each line as soon as it is printed; all of them, as one text.

    Raises CommandFailed where it fails.
    """
    lines = []
    with start(command, folder, environment={"PYTHONUNBUFFERED": "1"}) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            on_line(line)
    output = "".join(lines)
    if process.returncode:
        completed = subprocess.CompletedProcess(list(command), process.returncode, output, "")
        raise failure(command, completed, folder)
    return output


def start(
    command: Sequence[str], folder: Path, *, environment: Environment = MappingProxyType({})
) -> subprocess.Popen[str]:
    """Start a command that is awaited later; its errors are among its output.

    Raises Fixable where there is no such program or folder.
    """
    try:
        return subprocess.Popen(
            _words(command),
            cwd=folder,
            env=_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise _missing(command, folder, error) from None


def failure(
    command: Sequence[str], completed: Completed, folder: Path | None = None
) -> CommandFailed:
    """What to raise for a failed command: as a person types it, and its last lines."""
    output = completed.stderr.strip() or completed.stdout.strip()
    if command[0] == "git" and "not a git repository" in output:
        return CommandFailed(f"{folder or Path()}: expected a git repository, found: {output}")
    typed = command if command[0] in HOME else ["uv", "run", *command]
    lines = [line.rstrip() for line in output.splitlines() if line.strip()][-SHOWN:]
    first = f"Failed: {' '.join(typed)} (exit code {completed.returncode})"
    return CommandFailed("\n".join([first, *(f"    {line}" for line in lines)]))


def _words(command: Sequence[str]) -> list[str]:
    """A command with the program of this environment as its first word."""
    program, *arguments = command
    if program == "git":
        return [*GIT, *arguments]
    if program == "uv":
        return [os.environ.get("UV") or "uv", *arguments]
    module = {"dvc": ["-m", "dvc"], "pre-commit": ["-m", "pre_commit"], "python": []}
    return [sys.executable, *module[program], *arguments] if program in module else list(command)


def _environment(changes: Environment) -> dict[str, str]:
    """The variables of this process with changes; the programs of this environment come first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    merged = {**os.environ, "PATH": path, **COMMON, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def _missing(command: Sequence[str], folder: Path | None, error: OSError) -> Fixable:
    """The message for a program or a folder that is not there."""
    if folder is not None and not folder.is_dir():
        return Fixable(f"{folder}: expected a folder, found: {error.strerror}")
    home = f", from {HOME[command[0]]}" if command[0] in HOME else ""
    return Fixable(
        f"{command[0]}: expected to be installed, found: {error.strerror}. Next: install it{home}"
    )
