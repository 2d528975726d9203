"""Whether the champion is the one that the newest promotion or rollback on record put in charge.

The record is `docs/releases.md`. What it said when a change was tagged, git has; a clone without
that tag can compare the pointer with the record alone.
"""

import re
from typing import NamedTuple

from ..edge.repository import qualify
from ..edge.shell import run
from ..models import in_charge
from ..promotion.pointer import CHAMPION, POINTER, parse_hash, read_hash
from ..promotion.record import RECORD, parse_changes, read_record

TAGS = ("champion-*", "rollback-*")
LOOKED_AT = 9  # newest tags: not every one of them need be of this project
BACK = f"then uv run dvc checkout --force {POINTER}, then uv run dvc repro"


class Tagged(NamedTuple):
    """The newest change that leads here and has a tag: the changes on record then, oldest first,
    and the hash of the champion; without any, '' and nothing.
    """

    tag: str
    changes: list[str]
    pointer: str


def find_fault(tagged: Tagged) -> str | None:
    """What is wrong with the champion, or with the record of it; None where both agree."""
    changes, pointer = list_tags(read_record()), read_hash()
    if changes[: len(tagged.changes)] != tagged.changes:
        return (
            f"{RECORD}: expected {', '.join(tagged.changes)}, which git has at {tagged.tag}, found "
            f"{', '.join(changes) or 'no change'}. "
            f"Next: git checkout {qualify(tagged.tag)} -- {RECORD} {POINTER}, {BACK}"
        )
    if not changes:
        return find_unpromoted()
    newest = changes[-1]
    sources = {
        RECORD: read_model(newest),
        "its tag": tagged.pointer if newest == tagged.tag else "",
    }
    for source, expected in sources.items():
        if expected and pointer != expected:
            return (
                f"{POINTER}: expected the champion of {newest} ({expected}, by {source}), found "
                f"another ({pointer}). "
                f"Next: git checkout {qualify(newest)} -- {RECORD} {POINTER}, {BACK}"
            )
    return None


def find_unpromoted() -> str | None:
    """A model in charge that nothing on record has promoted."""
    if in_charge.read_champion_card(CHAMPION).is_rule:
        return None
    return (
        f"{POINTER}: expected the rule, because {RECORD} has no promotion, found "
        f"{in_charge.read_name(CHAMPION)}. Next: git checkout of {POINTER} as it was before, {BACK}"
    )


def list_tags(record: str) -> list[str]:
    """The tag of each change in the text of a record, oldest first."""
    return [tag for _, _, tag in parse_changes(record)]


def read_tagged() -> Tagged:
    """The newest tagged change that leads here: the one whose record names most."""
    words = ["for-each-ref", "--merged=HEAD", "--sort=-creatordate", f"--count={LOOKED_AT}"]
    own = f"refs/tags/{qualify('')}"
    patterns = [own + pattern for pattern in TAGS]
    names = run(["git", *words, "--format=%(refname)", *patterns]).stdout.split()
    newest = Tagged("", [], "")
    for name in names:
        tag = name.removeprefix(own)
        changes = list_tags(run(["git", "show", f"{name}:./{RECORD.as_posix()}"]).stdout)
        if tag in changes and len(changes) > len(newest.changes):
            text = run(["git", "show", f"{name}:./{POINTER.as_posix()}"]).stdout
            newest = Tagged(tag, changes, parse_hash(text))
    return newest


def read_model(tag: str) -> str | None:
    """The hash of the champion that the record gives for a change."""
    part = re.search(rf"^## \S+ {tag}: .*?(?=^## |\Z)", read_record(), re.MULTILINE | re.DOTALL)
    model = part and re.search(r"^- Model: (\S+)$", part[0], re.MULTILINE)
    return model[1] if model else None


def describe(tagged: Tagged) -> str:
    """Who is in charge, and what of it could not be compared here."""
    changes, promotion = list_tags(read_record()), in_charge.read_promotion(CHAMPION)
    notes = [f"{in_charge.read_name(CHAMPION)} is in charge, as it is on record"]
    if changes and changes[-1] != tagged.tag:
        notes.append(
            f"{changes[-1]} has no tag in this clone, so only {RECORD} could be compared (a "
            "proposal has none yet; otherwise git fetch --unshallow --tags)"
        )
    if promotion and not promotion.files:
        notes.append(
            "an older release promoted it, so nothing but the pointer guards its predictions"
        )
    return "; ".join(notes)
