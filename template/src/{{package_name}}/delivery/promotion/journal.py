"""What a change was doing when it was killed, so that the next call finishes or undoes it.

A file in a folder that git ignores; it is there only while a change is under way.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ..edge.errors import Fixable
from ..edge.files import write_json
from ..models.in_charge import Promotion, parse_promotion

JOURNAL = Path(".dvc/tmp/promotion.json")


@dataclass(frozen=True)
class Entry:
    """A change under way, the commit that it began from, and whether it is only to be proposed."""

    before: str
    change: Promotion
    proposed: bool


def write_entry(entry: Entry) -> None:
    """Write down what begins, before anything is changed."""
    write_json(asdict(entry), JOURNAL)


def read_entry() -> Entry | None:
    """What a killed call had begun; None where nothing is under way."""
    if not JOURNAL.exists():
        return None
    try:
        content = json.loads(JOURNAL.read_text(encoding="utf-8"))
        change = parse_promotion(content["change"])
        return Entry(content["before"], change, bool(content.get("proposed")))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise Fixable(
            f"{JOURNAL}: expected what a promotion or rollback had begun, found something else. "
            f"Next: git status; if the champion is as you want it, delete {JOURNAL}"
        ) from None


def close_entry() -> None:
    """The change is finished or undone."""
    JOURNAL.unlink()
