"""Run commands, git among them."""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from .errors import Fixable

DISTRUSTED = re.compile(r"git config --global --add safe\.directory .+")  # what git advises
QUIET = (
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.fsmonitor=false"),  # a repository can name a command here, and below
    *("-c", "log.showSignature=false"),
    *("-c", "advice.detachedHead=false"),
    *("-c", "status.showUntrackedFiles=normal"),
)


class GitError(Exception):
    """A git command failed; the message is what git printed."""


def run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command without input and return how it ended.

    If this process is interrupted, the command is ended first: what it was changing can then be
    undone without a race.
    """
    process: subprocess.Popen[str] | None = None
    try:
        with delay_interrupts():
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="surrogateescape",
            )
        output, errors = process.communicate()
    except BaseException:
        if process is not None:
            process.terminate()
            process.wait()
        raise
    return subprocess.CompletedProcess(command, process.returncode, output, errors)


@contextmanager
def delay_interrupts() -> Iterator[None]:
    """Hold Ctrl-C back until the end of the block; a process that is being started is then known.

    Raises KeyboardInterrupt at the end, if Ctrl-C was pressed meanwhile.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    interrupts: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if interrupts:
        raise KeyboardInterrupt


def git(folder: Path, *arguments: str | Path, **environment: str) -> str:
    """Run git in a folder, without hooks and without questions, and return its output.

    Raises GitError where git fails or is not installed, and Fixable where it takes the folder for
    somebody else's.
    """
    try:
        completed = run(
            ["git", *QUIET, *map(str, arguments)],
            folder,
            {**os.environ, "GIT_TERMINAL_PROMPT": "0", "LANGUAGE": "en", **environment},
        )
    except OSError as error:
        raise GitError(f"{error.strerror}: {error.filename}") from None
    if completed.returncode:
        message = completed.stderr.strip() or completed.stdout.strip()
        if distrusted := DISTRUSTED.search(message):
            raise Fixable(
                f"{folder}: expected a repository that is yours, found that its folder belongs to "
                f"somebody else, so that git does not use it. Next, if you trust it: "
                f"{distrusted[0]}"
            )
        raise GitError(message or f"exit {completed.returncode}")
    return completed.stdout


def try_git(folder: Path, *arguments: str | Path) -> str | None:
    """Run git in a folder and return its output, or None where it fails."""
    try:
        return git(folder, *arguments).rstrip("\n")
    except GitError:
        return None


def list_entries(folder: Path, *arguments: str | Path) -> list[str]:
    """Run a git command with `-z` and return the entries that it lists."""
    return [entry for entry in git(folder, *arguments).split("\0") if entry]


def create_commit(
    top: Path, tree: str, parents: list[str], *, message: str = "scratch", is_scratch: bool = True
) -> str:
    """Create a commit of a tree and return its id; no hook runs and no branch moves.

    It is signed where git is set up to sign, unless it is for a scratch repository.
    """
    options = [word for parent in parents for word in ("-p", parent)]
    if not is_scratch and try_git(top, "config", "--type=bool", "commit.gpgSign") == "true":
        options.append("-S")
    return git(top, "commit-tree", tree, *options, "-m", message).strip()
