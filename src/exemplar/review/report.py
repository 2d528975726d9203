"""Reviews as values, as JSON and as text for a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import Fixable
from .families import FAMILIES, Result, run_checks
from .host import Host
from .snapshot import Snapshot, take_snapshot
from .subject import Subject

VERSION = 1  # of the JSON; a key may be added, none is renamed
STATES = {True: "yes", False: "no", None: "?"}
WORDS = {0.0: "absent", 0.25: "¼", 0.5: "½", 1.0: "1"}


class Sums(NamedTuple):
    """What the checks of a family add up to."""

    ready: float
    """Of the checks' 0.5 each."""
    in_force: int
    """Checks that are shown to work."""
    unknown: int
    """Checks of which files cannot tell whether they are in force."""
    checks: int


class Score(NamedTuple):
    """The ML Test Score: the least of its four sections, as the paper defines it."""

    ready: float
    weakest: str
    """The section with the least that is ready."""
    in_force: int
    unknown: int
    """Items of the four sections that files cannot tell."""


class Review(NamedTuple):
    """A repository, and the result of each check by family."""

    name: str
    path: str
    head: str
    day: str
    is_simulated: bool
    results: Mapping[str, Sequence[Result]]

    def add_up(self, family: str) -> Sums:
        """Return the sums of a family."""
        findings = [result.finding for result in self.results[family]]
        return Sums(
            sum(finding.ready for finding in findings),
            sum(finding.in_force is True for finding in findings),
            sum(finding.in_force is None for finding in findings),
            len(findings),
        )

    @property
    def score(self) -> Score:
        """The ML Test Score."""
        sums = {family.name: self.add_up(family.name) for family in FAMILIES if family.is_scored}
        weakest = min(sums, key=lambda name: (sums[name].ready, sums[name].in_force))
        return Score(
            sums[weakest].ready,
            weakest,
            min(each.in_force for each in sums.values()),
            sum(each.unknown for each in sums.values()),
        )


def review_repository(folder: Path, today: date, host: Host | None = None) -> Review:
    """Return the review of a repository; raises Fixable where it cannot be read."""
    return review_snapshot(take_snapshot(folder, today), str(folder), host)


def review_snapshot(snapshot: Snapshot, path: str = "", host: Host | None = None) -> Review:
    """Return the review of the files of a repository."""
    return review_subject(Subject(snapshot, host or Host()), path)


def review_subject(subject: Subject, path: str = "") -> Review:
    """Return the review of what was read of a repository."""
    snapshot, results = subject.snapshot, run_checks(subject)
    return Review(
        snapshot.name, path, snapshot.head, str(snapshot.today), subject.is_simulated, results
    )


def to_json(review: Review) -> dict[str, Any]:
    """Return a review as JSON holds it."""
    return {
        "name": review.name,
        "path": review.path,
        "head": review.head,
        "simulated": review.is_simulated,
        "score": review.score._asdict(),
        "families": {
            family: {
                **review.add_up(family)._asdict(),
                "results": [result_to_json(result) for result in results],
            }
            for family, results in review.results.items()
        },
    }


def result_to_json(result: Result) -> dict[str, Any]:
    """Return the result of a check as JSON holds it."""
    finding = result.finding
    return {
        "code": result.code,
        "title": result.title,
        "grade": finding.grade,
        "ready": finding.ready,
        "in_force": finding.in_force,
        "evidence": [each._asdict() for each in finding.evidence],
        "next": finding.next,
    }


def find_moves(old: Any, review: Review) -> list[str]:
    """Return, in a line each, what is another grade than in an earlier review of the repository."""
    grades = read_grades(old, review.name)
    lines = []
    for results in review.results.values():
        for result in results:
            before, after = grades.get(result.code), result.finding.grade
            if before is not None and before != after:
                word = "lower" if after < before else "higher"
                lines.append(
                    f"{result.code} {word}, {format_grade(before)} -> "
                    f"{format_grade(after)}: {result.title}"
                )
    return lines


def read_grades(old: Any, name: str) -> dict[str, float]:
    """Return the grade of each check in an earlier JSON; raises Fixable where it is no such."""
    try:
        return {
            result["code"]: float(result["grade"])
            for review in old["repositories"]
            if review["name"] == name and "families" in review
            for family in review["families"].values()
            for result in family["results"]
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Fixable(
            "--since: expected a file that exemplar review --json wrote, found something else"
        ) from None


def format_grade(grade: float) -> str:
    """Return a grade as people write it: absent, ¼, ½, 1."""
    return WORDS.get(grade, f"{grade:g}")


def format_points(points: float) -> str:
    """Return points in quarters: 2¾."""
    whole, quarter = divmod(round(points * 4), 4)
    part = ("", "¼", "½", "¾")[quarter]
    return f"{whole}{part}" if whole or not part else part


def describe(review: Review, *, with_all: bool) -> Iterator[str]:
    """Yield the lines that a terminal shows below the table of families."""
    for results in review.results.values():
        for result in results:
            finding = result.finding
            if not with_all and finding.ready == 0.5 and finding.in_force is not False:
                continue
            if not with_all and finding.ready == 0.5 and review.is_simulated:
                continue
            state = STATES[finding.in_force]
            yield f"{result.code:<15}{format_grade(finding.ready):<8}{state:<5}{result.title}"
            yield from (f"{'':<28}{each.format()}" for each in finding.evidence if with_all)
            if finding.grade < 1:
                yield f"{'':<28}Next: {finding.next}"
