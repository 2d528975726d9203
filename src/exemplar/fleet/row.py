"""A row of the fleet: what a lead asks of one repository, from its files and its history."""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from ..answers import ANSWERS, Answers, parse_answers
from ..errors import Fixable
from ..review.people import parse_day
from ..review.reading import get
from ..review.report import Review, review_subject
from ..review.snapshot import Snapshot, run_git, take_snapshot
from ..review.subject import BRIEF, Subject

CHANGE = re.compile(r"^## (\S+) ((?:champion|rollback)-\d+): (.+)$", re.M)
TAKES, GIVES = re.compile(r"(.+) takes charge"), re.compile(r"gives way to (.+)$")


class Edit(NamedTuple):
    """A file of the template's that the team edited."""

    path: str
    added: int
    removed: int
    patch: str


class Row(NamedTuple):
    """What is known of one repository; empty where its files do not say."""

    name: str
    path: str
    fault: str = ""
    """Why the repository, its brief or its decision cannot be read."""
    owner: str = ""
    phase: str = ""
    version: str = ""
    """The version of the template; empty where it was not generated."""
    behind: int | None = None
    """Releases of the template after that one; None where that cannot be told."""
    verdict: str = ""
    money: str = ""
    """The gain in money, with its interval: `GBP 323 (105 to 526) per 1,000 customers`."""
    decided: str = ""
    """The day of the commit that brought the decision."""
    champion: str = ""
    champion_since: str = ""
    champion_days: int | None = None
    score: float | None = None
    """What is ready of the ML Test Score, the least of its four sections."""
    weakest: str = ""
    in_force: int | None = None
    review_by: str = ""
    is_overdue: bool = False
    is_simulated: bool | None = None
    drift: Sequence[Edit] | None = None
    """Files of the template's that the team edited; None where that cannot be told."""
    conflicts: Sequence[str] | None = None
    """Files that the next update refuses; None where nobody asked, or where it cannot be told."""


class Inspection(NamedTuple):
    """A row, and what the drift of its repository is worked out from."""

    row: Row
    snapshot: Snapshot | None
    answers: Answers | None


def inspect(folder: Path, today: date) -> Inspection:
    """Return the row of a repository; one that cannot be read is a row with its fault."""
    row = Row(folder.resolve().name, str(folder))
    try:
        snapshot = take_snapshot(folder, today)
        subject = Subject(snapshot)
        review = review_subject(subject, str(folder))
    except Fixable as error:
        return Inspection(row._replace(fault=str(error)), None, None)
    except Exception as error:  # one repository that surprises us does not hide the others
        fault = f"{type(error).__name__}: {error}"
        return Inspection(row._replace(fault=fault), None, None)
    text = snapshot.files.get(ANSWERS)
    answers = parse_answers(text) if text is not None else None
    return Inspection(fill(row, folder, subject, review, answers), snapshot, answers)


def fill(row: Row, folder: Path, subject: Subject, review: Review, answers: Answers | None) -> Row:
    """Return the row with what the files of a repository say."""
    brief, score, files = subject.brief, review.score, subject.snapshot.files
    decision = subject.report("reports/decision.json")
    review_by = str(brief.get("review_by") or "")
    day = parse_day(review_by)
    champion, since = find_champion(files.get("docs/releases.md", ""))
    start = parse_day(since)
    return row._replace(
        fault="; ".join(find_faults(subject, answers)),
        owner=str(brief.get("owner") or get(answers and answers.values, "owner") or ""),
        phase=str(brief.get("phase") or ""),
        version=answers.version.removeprefix("v") if answers else "",
        verdict=str(get(decision, "verdict") or ""),
        money=format_money(get(decision, "gain")),
        decided=find_day(folder, subject.snapshot, "reports/decision.json"),
        champion=champion if champion or "models/champion.dvc" not in files else "rule",
        champion_since=since,
        champion_days=(subject.snapshot.today - start).days if start else None,
        score=score.ready,
        weakest=score.weakest,
        in_force=score.in_force,
        review_by=review_by,
        is_overdue=day is not None and day < subject.snapshot.today,
        is_simulated=subject.is_simulated if answers or brief else None,
    )


def find_faults(subject: Subject, answers: Answers | None) -> list[str]:
    """Return what of a repository cannot be read, in a sentence each."""
    files = subject.snapshot.files
    faults = []
    if BRIEF in files and not subject.brief:
        faults.append(f"{BRIEF}: expected YAML between two lines ---, found none that can be read")
    if files.get("reports/decision.json") and subject.report("reports/decision.json") is None:
        faults.append("reports/decision.json: expected JSON, found none that can be read")
    if answers is not None and not answers.version:
        faults.append(
            f"{ANSWERS}: expected the template's version, found {answers.fault or 'none'}"
        )
    return faults


def find_champion(record: str) -> tuple[str, str]:
    """Return what is in charge by the record of releases, and since which day."""
    changes = CHANGE.findall(record)
    if not changes:
        return "", ""
    day, tag, title = changes[-1]
    match = TAKES.match(title) or GIVES.search(title)
    return f"{match[1] if match else title} ({tag})", day


def format_money(gain: Any) -> str:
    """Return a gain with its interval: `GBP 323 (105 to 526) per 1,000 customers`."""
    figures = [get(gain, key) for key in ("estimate", "lower", "upper")]
    if any(not isinstance(figure, (int, float)) for figure in figures):
        return ""
    currency, _, rest = str(get(gain, "unit") or "").partition(" ")
    estimate, lower, upper = (f"{figure:,.0f}" for figure in figures)
    return f"{currency} {estimate} ({lower} to {upper}) {rest}".strip()


def find_day(folder: Path, snapshot: Snapshot, path: str) -> str:
    """Return the day of the last commit that changed a file; empty where it is not in git."""
    if path not in snapshot.sizes:
        return ""
    if path in snapshot.dates:
        return snapshot.dates[path].isoformat()
    return run_git(folder, "log", "-1", "--format=%cs", "--no-ext-diff", "HEAD", "--", path).strip()
