"""What a check finds: how far a practice is set up, whether it is shown to work, and where."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

ABSENT, THERE, REACHED = 0.0, 0.25, 0.5


class Evidence(NamedTuple):
    """Where something stands, and what it is."""

    path: str
    line: int = 0
    """The first is 1; 0 where the whole file is meant."""
    note: str = ""
    date: str = ""
    """The day of the last change, as in `2026-11-29`; empty where it does not matter."""

    def format(self) -> str:
        """Return the evidence as people write it: `path:line (date): note`."""
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}{f' ({self.date})' if self.date else ''}" + (
            f": {self.note}" if self.note else ""
        )


class Proof(NamedTuple):
    """Whether a practice is shown to work; None where files cannot tell."""

    is_shown: bool | None
    evidence: Sequence[Evidence] = ()


UNKNOWN = Proof(None)


class Finding(NamedTuple):
    """The result of a check."""

    ready: float
    """0 absent; 0.25 a file is there; 0.5 it is parsed and a required step of CI reaches it."""
    in_force: bool | None
    """Whether a dated proof within 90 days belongs to HEAD and is not simulated; None where files
    cannot tell."""
    evidence: Sequence[Evidence]
    next: str
    """The command, or the page, that brings the practice further."""

    @property
    def grade(self) -> float:
        """1 where the practice is shown to work, else how far it is set up."""
        return 1.0 if self.in_force else self.ready


def weigh(
    present: Sequence[Evidence],
    reached: Sequence[Evidence],
    proof: Proof = UNKNOWN,
    *,
    next: str,
) -> Finding:
    """Return the finding for what is there, what CI reaches of it, and what shows that it works.

    What is not there is not reached, and what CI does not reach is not in force, whatever a file
    says.
    """
    if not present:
        return Finding(ABSENT, False, [], next)
    if not reached:
        return Finding(THERE, False, [*present[:2], *proof.evidence], next)
    return Finding(REACHED, proof.is_shown, [*reached[:2], *proof.evidence], next)


Check = Callable[..., Finding]
