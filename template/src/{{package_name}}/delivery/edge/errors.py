"""How a command ends: 0 done, 1 a gate says no (on stdout), 2 a person can fix it (on stderr)."""

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


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a command and leave with its exit code; what a person can fix is one message and exit
    code 2.
    """
    try:
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
