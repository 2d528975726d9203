"""What a path should be after an update, from what it is, what the template was, and now is.

It never asks Copier: it is what Copier's result is held against.
"""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

from .rendering import Entry, put

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
REFUSED: dict[str, str] = {
    "conflict": "edited by you and by the template, in the same place",
    "lost": "edited by you, and dropped or renamed by the template",
    "split": "edited by you, and split by the template; not exactly one part takes your edit",
}


class Settled(NamedTuple):
    """What happens to a path, and what should stand there (with conflict markers, where text
    cannot be merged; what the team has, where something else cannot).
    """

    fate: Fate
    entry: Entry | None


def settle(
    ours: Entry | None, base: Entry | None, theirs: Entry | None, labels: tuple[str, str, str]
) -> Settled:
    """Three-way: what only one side changed is as that side has it."""
    if theirs in (ours, base):
        return Settled("same", ours)
    if ours == base:
        return Settled("new" if ours is None else "gone" if theirs is None else "changed", theirs)
    if ours is None:
        return Settled("stays deleted", None)
    if theirs is None:
        return Settled("lost", ours)
    kind = theirs.kind if base is not None and ours.kind == base.kind else ours.kind
    sides = (ours, base or Entry("file", b""), theirs)
    if any(side.kind == "link" or b"\0" in side.content for side in sides):
        content_same = ours.content == theirs.content and ours.kind != "link" != theirs.kind
        return Settled("merged" if content_same else "conflict", Entry(kind, ours.content))
    content, conflicts = merge([side.content for side in sides], labels)
    return Settled("conflict" if conflicts else "merged", Entry(kind, content))


def merge(sides: list[bytes], labels: tuple[str, str, str]) -> tuple[bytes, bool]:
    """Text with both changes, and whether some of it has conflict markers."""
    with TemporaryDirectory() as scratch:
        names = ["ours", "base", "theirs"]
        for name, content in zip(names, sides, strict=True):
            put(Path(scratch) / name, Entry("file", content))
        words = [word for label in labels for word in ("-L", label)]
        done = subprocess.run(
            ["git", "merge-file", "-p", *words, *names],
            cwd=scratch,
            capture_output=True,
            check=False,
        )
    if done.returncode > 127 or done.returncode < 0:
        raise OSError(done.stderr.decode(errors="replace"))
    return done.stdout, done.returncode > 0
