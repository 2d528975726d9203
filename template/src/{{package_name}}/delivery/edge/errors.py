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


def in_team_code(fault: Exception) -> str | None:
    """An error that a file of the team's led to, with the line that did; None for any other."""
    frames = traceback.extract_tb(fault.__traceback__)
    lines = [frame for frame in frames if Path(frame.filename).parent == TEAM]
    if not lines:
        return None
    name, said = Path(lines[-1].filename).name, f"{type(fault).__name__}: {fault}"
    return (
        f"{name}, line {lines[-1].lineno}: expected to run, found {said}\n    {lines[-1].line}\n"
        f"Next: fix {name}, then uv run dvc repro"
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
    except Exception as fault:
        if (told := in_team_code(fault)) is None:
            raise
        print(told, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("Stopped. What was finished is kept; run the same command to go on.", file=sys.stderr)
        sys.exit(130)
