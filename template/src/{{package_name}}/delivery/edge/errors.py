"""How a command ends: 0 done, 1 a gate says no (on stdout), 2 a person can fix it (on stderr)."""

import io
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

TEAM = Path(__file__).parents[2]  # the package: contract, features, model and what stands beside


class Fixable(Exception):
    """What a person can fix: names the file, what was expected, what was found and the next
    command.
    """


class Refused(Exception):
    """A gate says no: the sentence goes to stdout."""


def explain_team_error(error: Exception) -> str | None:
    """The message about an error in a file of the team's, with the line; None for any other."""
    frames = traceback.extract_tb(error.__traceback__)
    team_frames = [frame for frame in frames if Path(frame.filename).parent == TEAM]
    if not team_frames:
        return None
    last = team_frames[-1]
    name = Path(last.filename).name
    return (
        f"{name}, line {last.lineno}: expected to run, found {type(error).__name__}: {error}\n"
        f"    {last.line}\nNext: fix {name}, then uv run dvc repro"
    )


def require_own_code(folder: Path) -> None:
    """Make sure that the code that runs is that of the project which `folder` belongs to, as DVC
    and git record it.

    Raises:
        Fixable: it is that of another folder, or a copy that was installed.
    """
    projects = (root / "src" / TEAM.name for root in (folder, *folder.parents))
    own = next((code for code in projects if (code / "delivery").is_dir()), TEAM)
    if not own.samefile(TEAM):
        command = "uv sync --reinstall"
        if "UV_NO_EDITABLE" in os.environ:
            command = "unset UV_NO_EDITABLE, then uv sync"
        raise Fixable(
            f"{own}: expected this code to run, found that the code in {TEAM} runs here.\n"
            f"Next: {command}, then the same command again, with uv run before it"
        )


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a command with this project's code and leave with its exit code; what a person can fix is
    one message and exit code 2.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding != "utf-8":
            stream.reconfigure(errors="replace")  # for a terminal that lacks a character
    try:
        require_own_code(Path.cwd())
        sys.exit(main())
    except Refused as sentence:
        print(sentence)
        sys.exit(1)
    except Fixable as problem:
        print(problem, file=sys.stderr)
        sys.exit(2)
    except Exception as error:
        if (message := explain_team_error(error)) is None:
            raise
        print(message, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("Stopped. What was finished is kept; run the same command to go on.", file=sys.stderr)
        sys.exit(130)
