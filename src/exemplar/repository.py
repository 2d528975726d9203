"""What the toolkit asks git, and what git answers."""

import os
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

QUIET = ("-c", f"core.hooksPath={os.devnull}", "-c", "advice.detachedHead=false")


class GitError(Exception):
    """Git said no; the message is what it said."""


def run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command that asks nothing. Where this is stopped, the command has ended too: what it
    was at can be undone without a race.
    """
    running: subprocess.Popen[str] | None = None
    try:
        with late():
            running = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="surrogateescape",
            )
        out, err = running.communicate()
    except BaseException:
        if running is not None:
            running.terminate()
            running.wait()
        raise
    return subprocess.CompletedProcess(command, running.returncode, out, err)


@contextmanager
def late() -> Iterator[None]:
    """Let Ctrl-C count at the end: a command that is only just starting would be lost sight of."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def git(folder: Path, *arguments: str | Path, **environment: str) -> str:
    """Run git in a folder, without hooks and without questions; what it printed."""
    try:
        asked = run(
            ["git", *QUIET, *map(str, arguments)],
            folder,
            {**os.environ, "GIT_TERMINAL_PROMPT": "0", **environment},
        )
    except OSError as error:
        raise GitError(f"{error.strerror}: {error.filename}") from None
    if asked.returncode:
        raise GitError(asked.stderr.strip() or asked.stdout.strip() or f"exit {asked.returncode}")
    return asked.stdout


def answers(folder: Path, *arguments: str | Path) -> str | None:
    """What git printed, or None where it said no."""
    try:
        return git(folder, *arguments).rstrip("\n")
    except GitError:
        return None


def listed(folder: Path, *arguments: str | Path) -> list[str]:
    """What a command with `-z` lists."""
    return [entry for entry in git(folder, *arguments).split("\0") if entry]


def commit(top: Path, tree: str, parents: list[str], *, message: str = "scratch") -> str:
    """The id of a new commit of a tree, made without hooks; no branch moves."""
    words = [word for parent in parents for word in ("-p", parent)]
    return git(top, "commit-tree", tree, *words, "-m", message).strip()
