"""How a command ends: 0 done, 1 a gate says no (on stdout), 2 a person can mend it (on stderr)."""

import sys
from collections.abc import Callable
from typing import NoReturn


class Mendable(Exception):
    """What a person can mend: names the file, what was expected, what was found and the next
    command.
    """


class Refused(Exception):
    """A gate says no: the sentence goes to stdout."""


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a command and leave with its exit code; what a person can mend is one message and exit
    code 2.
    """
    try:
        sys.exit(main())
    except Refused as sentence:
        print(sentence)
        sys.exit(1)
    except Mendable as problem:
        print(problem, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("Stopped. What was finished is kept; run the same command to go on.", file=sys.stderr)
        sys.exit(130)
