"""Carry a team's edits to the new place where the template renamed, split or merged a file.

An edit is carried whole or not at all: a three-way merge of the old release at the old path
into the new release at the new one. Of the parts of a split file exactly one has to fit the edit.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from .merging import REFUSALS, Labels, Outcome, merge_entries
from .rendering import Entry, Files

Moves = Mapping[str, Sequence[str]]
"""The new paths of each old one, as `copier.yml` states them: of all releases, for ever."""


class CarriedEdits(NamedTuple):
    """What moves between two releases do to the files of a project."""

    places: dict[str, list[str]]
    """Where each old path went; only where its edit went, once that is known."""
    outcomes: dict[str, Outcome]
    """What happens to the old paths and to the new ones."""


def carry_edits(
    ours: Files, before: Files, after: Files, moves: Moves, labels: Labels
) -> CarriedEdits:
    """Return what happens to every path that a move concerns.

    `before` and `after` are two releases as rendered; `ours` is what the project has at the paths
    of both.
    """
    origins = {
        path: parts for path in sorted(before) if (parts := find_parts(path, before, after, moves))
    }
    places, outcomes, files = dict(origins), dict[str, Outcome](), dict(after)
    for path, parts in origins.items():
        edit = ours.get(path)
        if edit is None:
            outcomes[path] = Outcome("stays deleted", None)
        elif edit == before[path]:
            outcomes[path] = Outcome("moved", None)
        elif target := find_target(
            edit, before[path], {part: files[part] for part in parts}, labels
        ):
            part, files[part] = target
            places[path], outcomes[path] = [part], Outcome("carried", None)
        else:
            outcomes[path] = Outcome("conflict" if len(parts) == 1 else "split", edit)
    for place in sorted({part for parts in origins.values() for part in parts}):
        sources = {path for path, parts in origins.items() if place in parts}
        sources |= {place} if place in before and place not in origins else set()
        theirs = files[place] if sources & set(ours) else None  # None: the team deleted all of it
        if place not in origins:
            outcomes[place] = merge_arrival(ours.get(place), before.get(place), theirs, labels)
        elif outcomes[place].fate not in REFUSALS:  # a part stays where the whole was
            outcomes[place] = outcomes[place]._replace(entry=theirs)
    return CarriedEdits(places, outcomes)


def find_target(edit: Entry, base: Entry, parts: Files, labels: Labels) -> tuple[str, Entry] | None:
    """Return the one part that the edit of a whole file fits, with the edit in it.

    None where it fits no part, or more than one.
    """
    merged = {path: merge_entries(edit, base, part, labels) for path, part in parts.items()}
    fitting = [
        (path, outcome.entry)
        for path, outcome in merged.items()
        if outcome.fate != "conflict" and outcome.entry is not None
    ]
    return fitting[0] if len(fitting) == 1 else None


def merge_arrival(
    ours: Entry | None, base: Entry | None, theirs: Entry | None, labels: Labels
) -> Outcome:
    """Return what happens to a path to which a move leads; the team may have a file there already.

    `theirs` holds the edits that were carried.
    """
    if ours is not None:
        return merge_entries(ours, base, theirs, labels)
    return Outcome("stays deleted" if theirs is None else "arrived", theirs)


def find_parts(path: str, before: Files, after: Files, moves: Moves) -> list[str]:
    """Return where the new release has what the old one had at a path; empty where nothing moved.

    One part of a split file may stay where the whole was. A project that has another part already
    has made that split earlier.
    """
    parts = list(follow_moves(path, moves))
    if path in after and any(part in before for part in parts if part != path):
        return []
    return [part for part in parts if part in after]


def follow_moves(path: str, moves: Moves) -> Iterator[str]:
    """Yield every path to which moves lead from a path, one move after the other."""
    queue, visited = [*moves.get(path, ())], set[str]()
    while queue:
        place = queue.pop(0)
        if place not in visited:
            visited.add(place)
            queue += moves.get(place, ())
            yield place
