"""The families of checks, in the order in which they are shown."""

from typing import NamedTuple

from . import data, delivery, engineering, infrastructure, model, monitoring, people
from .finding import Check, Finding
from .subject import Subject


class Family(NamedTuple):
    """A group of checks; those of the ML Test Score count for it."""

    name: str
    title: str
    checks: tuple[Check, ...]
    is_scored: bool = False


FAMILIES = (
    Family("Data", "Features and data", data.CHECKS, is_scored=True),
    Family("Model", "Model development", model.CHECKS, is_scored=True),
    Family("Infra", "ML infrastructure", infrastructure.CHECKS, is_scored=True),
    Family("Monitor", "Monitoring", monitoring.CHECKS, is_scored=True),
    Family("Delivery", "Delivery", delivery.CHECKS),
    Family("Engineering", "Engineering", engineering.CHECKS),
    Family("People", "People", people.CHECKS),
)


class Result(NamedTuple):
    """A check, by the name that the paper gives it, and what it found."""

    code: str
    """As in `Data 1`."""
    title: str
    finding: Finding


def run_checks(subject: Subject) -> dict[str, list[Result]]:
    """Return the result of every check, by family."""
    return {
        family.name: [
            Result(f"{family.name} {number}", describe(check), add_days(check(subject), subject))
            for number, check in enumerate(family.checks, start=1)
        ]
        for family in FAMILIES
    }


def add_days(finding: Finding, subject: Subject) -> Finding:
    """Return a finding whose evidence has the day of each file's last commit, where it is known."""
    days = subject.snapshot.dates
    dated = [
        each._replace(date=each.date or (days[each.path].isoformat() if each.path in days else ""))
        for each in finding.evidence
    ]
    return finding._replace(evidence=dated)


def describe(check: Check) -> str:
    """Return the first paragraph of a check's docstring: its message."""
    return " ".join((check.__doc__ or "").partition("\n\n")[0].split()).rstrip(".")
