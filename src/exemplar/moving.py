"""Take a team's edits along where the template renamed, split or merged a file.

An edit is taken along whole or not at all: a three-way merge of the old release at the old path
into the new release at the new one. Of the parts of a split file exactly one has to fit it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from .merging import REFUSED, Settled, settle
from .rendering import Entry, Files

Moves = Mapping[str, Sequence[str]]
"""The new paths of each old one, as `copier.yml` states them: of all releases, for ever."""


Labels = tuple[str, str, str]


class Carried(NamedTuple):
    """What moves between two releases do to the files of a project."""

    places: dict[str, list[str]]
    """Where each old path went; where the edit of it went, once that is known."""
    settled: dict[str, Settled]
    """What happens to the old paths and to the new ones."""


def carry(ours: Files, before: Files, after: Files, moves: Moves, labels: Labels) -> Carried:
    """Settle every path that a move concerns: `before` and `after` are two releases as rendered,
    `ours` is what the project has at the paths of both.
    """
    origins = {
        path: parts for path in sorted(before) if (parts := find(path, before, after, moves))
    }
    places, settled, files = dict(origins), dict[str, Settled](), dict(after)
    for path, parts in origins.items():
        edit = ours.get(path)
        if edit is None:
            settled[path] = Settled("stays deleted", None)
        elif edit == before[path]:
            settled[path] = Settled("moved", None)
        else:
            merged = {part: settle(edit, before[path], files[part], labels) for part in parts}
            fitting = [part for part in parts if merged[part].fate != "conflict"]
            if len(fitting) == 1 and (entry := merged[fitting[0]].entry):
                files[fitting[0]], places[path] = entry, fitting
                settled[path] = Settled("carried", None)
            else:
                settled[path] = Settled("conflict" if len(parts) == 1 else "split", edit)
    for place in sorted({part for parts in origins.values() for part in parts}):
        sources = {path for path, parts in origins.items() if place in parts}
        sources |= {place} if place in before and place not in origins else set()
        theirs = files[place] if sources & set(ours) else None  # None: the team deleted all of it
        if place not in origins:
            settled[place] = arrive(ours.get(place), before.get(place), theirs, labels)
        elif settled[place].fate not in REFUSED:  # a part stays where the whole was
            settled[place] = settled[place]._replace(entry=theirs)
    return Carried(places, settled)


def arrive(ours: Entry | None, base: Entry | None, theirs: Entry | None, labels: Labels) -> Settled:
    """What happens to a path to which a move leads, where `theirs` has the edits that came along;
    the team may have something there already.
    """
    if ours is not None:
        return settle(ours, base, theirs, labels)
    return Settled("stays deleted" if theirs is None else "arrived", theirs)


def find(path: str, before: Files, after: Files, moves: Moves) -> list[str]:
    """Where the new release has what the old one had at a path; empty where no move concerns it.

    One part of a split file may stay where the whole was. A project that has another part has that
    split behind it.
    """
    parts = list(follow(path, moves))
    if path in after and any(part in before for part in parts if part != path):
        return []
    return [part for part in parts if part in after]


def follow(path: str, moves: Moves) -> Iterator[str]:
    """Every path to which moves lead from a path, one move after the other."""
    ahead, passed = [*moves.get(path, ())], set[str]()
    while ahead:
        place = ahead.pop(0)
        if place not in passed:
            passed.add(place)
            ahead += moves.get(place, ())
            yield place
