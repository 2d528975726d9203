"""`docs/releases.md`: every change of the champion, for people; and the names of the changes."""

import re
from pathlib import Path

from ..edge.files import replace_file
from ..edge.repository import qualify
from ..edge.shell import git
from ..models.in_charge import Gain, Promotion
from ..statistics.interval import Interval

RECORD = Path("docs/releases.md")
HEADING = re.compile(r"^## (\S+) (((?:champion|rollback)-\d+): .+)$", re.MULTILINE)
ROLLED_BACK = re.compile(r"^## \S+ rollback-\d+: (champion-\d+) gives way", re.MULTILINE)
BEGINNING = "# Releases\n\nWhich model took charge when, and why; newest last.\n"


def read_record() -> str:
    """The record; '' where nothing was promoted yet."""
    return RECORD.read_text(encoding="utf-8") if RECORD.exists() else ""


def list_changes() -> list[tuple[str, str, str]]:
    """Date, title and tag of each change on record, oldest first."""
    return parse_changes(read_record())


def parse_changes(record: str) -> list[tuple[str, str, str]]:
    """Date, title and tag of each change in the text of a record, oldest first."""
    return HEADING.findall(record)


def list_rolled_back() -> list[str]:
    """The tags of the champions that were rolled back, oldest first."""
    return ROLLED_BACK.findall(read_record())


def next_tag(kind: str) -> str:
    """The next of `champion-1, champion-2, …` (or `rollback-…`).

    The record counts as well as the tags, which a clone may lack.
    """
    recorded = re.findall(rf"{kind}-\d+", read_record())
    own = qualify("")
    tags = git("tag", "--list", f"{own}{kind}-*").split()
    names = [*(tag.removeprefix(own) for tag in tags), *recorded]
    numbers = [int(match[1]) for name in names if (match := re.fullmatch(rf"{kind}-(\d+)", name))]
    return f"{kind}-{max(numbers, default=0) + 1}"


def append_change(change: Promotion, model: str) -> None:
    """Append a change to the record; `model` is the hash by which DVC knows the champion."""
    facts = {
        "Verdict": f"{change.verdict}. {change.sentence}",
        "Why": change.because,
        "Who": change.by,
        "Gain": change.gain and format_gain(change.gain),
        "Looks": change.looks,
        "Data": ", ".join(f"{part} {digest[:12]}" for part, digest in change.data.items()),
        "Model": model,
    }
    lines = [f"- {name}: {fact}" for name, fact in facts.items() if fact]
    text = read_record() or BEGINNING
    text += f"\n## {change.date} {change.title}\n\n" + "\n".join(lines) + "\n"
    with replace_file(RECORD) as part:
        part.write_text(text, encoding="utf-8")


def format_gain(gain: Gain) -> str:
    """A gain with its bounds, its unit and the number of units that it rests on."""
    interval = Interval(gain.estimate, gain.lower, gain.upper).format("{:,.0f}".format)
    return f"{interval} {gain.unit}, n = {gain.n:,}"
