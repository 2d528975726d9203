"""Commands that `start` and `bring` run: followed line by line, and explained where they fail."""

import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

from .errors import Fixable

PACKAGE = __name__.partition(".")[0]
AGAIN = f"uv run {PACKAGE} start"
UNREACHABLE = re.compile(r"fetch|connect|dns|network|timed out|tunnel|certificate", re.IGNORECASE)
SHOWN = 15  # lines of a failed command's output


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
