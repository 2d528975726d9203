"""What a path should hold after an update, from three versions of it: the project's, the old
template's and the new template's.

This does not use Copier: Copier's result is compared with it.
"""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

from .rendering import Entry, write_entry

Fate = Literal[
    "same",
    "new",
    "changed",
    "gone",
    "merged",
    "kept",
    "yours now",
    "stays deleted",
    "moved",
    "carried",
    "arrived",
    "conflict",
    "lost",
    "split",
]
REFUSALS: dict[str, str] = {
    "conflict": "edited by you and by the template, in the same place",
    "lost": "edited by you, and dropped or renamed by the template",
    "split": "edited by you, and split by the template; your edit fits none of the parts, or more "
    "than one",
}
Labels = tuple[str, str, str]
"""What conflict markers call the three versions: ours, base, theirs."""


class Outcome(NamedTuple):
    """What happens to a path, and the entry that it should hold afterwards.

    In a conflict the entry is text with conflict markers, or the project's own where the content
    is not text.
    """

    fate: Fate
    entry: Entry | None


def merge_entries(
    ours: Entry | None, base: Entry | None, theirs: Entry | None, labels: Labels
) -> Outcome:
    """Merge three versions of a path; None is a version without a file there.

    What only one side changed becomes as that side has it.
    """
    if theirs in (ours, base):
        return Outcome("same", ours)
    if ours == base:
        return Outcome("new" if ours is None else "gone" if theirs is None else "changed", theirs)
    if ours is None:
        return Outcome("stays deleted", None)
    if theirs is None:
        return Outcome("lost", ours)
    kind = theirs.kind if base is not None and ours.kind == base.kind else ours.kind
    sides = (ours, base or Entry("file", b""), theirs)
    if any(side.kind == "link" or b"\0" in side.content for side in sides):
        is_same = ours.content == theirs.content and ours.kind != "link" != theirs.kind
        return Outcome("merged" if is_same else "conflict", Entry(kind, ours.content))
    content, has_conflicts = merge_text([side.content for side in sides], labels)
    return Outcome("conflict" if has_conflicts else "merged", Entry(kind, content))


def merge_text(sides: list[bytes], labels: Labels) -> tuple[bytes, bool]:
    """Return the text with both changes, and whether it has conflict markers."""
    names = ["ours", "base", "theirs"]
    options = [word for label in labels for word in ("-L", label)]
    with TemporaryDirectory() as scratch:
        for name, content in zip(names, sides, strict=True):
            write_entry(Path(scratch) / name, Entry("file", content))
        completed = subprocess.run(
            ["git", "merge-file", "-p", *options, *names],
            cwd=scratch,
            capture_output=True,
            check=False,
        )
    if completed.returncode > 127 or completed.returncode < 0:
        raise OSError(completed.stderr.decode(errors="replace"))
    return completed.stdout, completed.returncode > 0
