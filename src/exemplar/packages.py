"""Merge `pyproject.toml` so that a team's packages never meet a change of the template's.

`uv add` sorts a package in between the lines of a list, which is an edit beside whatever the
template changes there. So the team's lines are taken out of the lists, the texts are merged, and
the lines are put back.
"""

import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

from .merging import Labels, Outcome, merge_entries
from .rendering import Entry

PYPROJECT = "pyproject.toml"
TEAM = "project.dependencies"
TEMPLATE = "dependency-groups.delivery"
"""The template's packages; those that a team has in this list move to the team's."""

TABLE = re.compile(r"\[([\w.-]+)\]\s*$")
LIST = re.compile(r"([\w-]+) = \[\s*$")
PACKAGE = re.compile(r"""\s+["']([A-Za-z0-9][A-Za-z0-9._-]*)""")


class Line(NamedTuple):
    """A line of `pyproject.toml`, the list in which it stands and the package that it names there;
    both are empty where there is none.
    """

    list: str
    package: str
    text: str


def merge_packages(
    ours: Entry | None, base: Entry | None, theirs: Entry | None, labels: Labels
) -> Outcome:
    """Merge three versions of `pyproject.toml`; packages that the team added are in the result.

    A list that does not have a line for each package is merged as text.
    """
    as_text = merge_entries(ours, base, theirs, labels)
    if ours is None or base is None or theirs is None or as_text.fate == "same":
        return as_text
    lines = list(read_lines(decode(ours)))
    own = find_own_packages(lines, list(read_lines(decode(base))))
    rest = "".join(line.text for line in lines if line not in own)
    outcome = merge_entries(encode(rest, ours), base, theirs, labels)
    if not own or outcome.entry is None or outcome.fate == "conflict":
        return as_text
    text = put_packages(decode(outcome.entry), own)
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return as_text
    return Outcome("merged", encode(text, outcome.entry))


def decode(entry: Entry) -> str:
    """Return the text of a file."""
    return entry.content.decode(errors="surrogateescape")


def encode(text: str, entry: Entry) -> Entry:
    """Return a file with another text."""
    return entry._replace(content=text.encode(errors="surrogateescape"))


def read_lines(text: str) -> Iterator[Line]:
    """Yield the lines of a `pyproject.toml`. The last of a list closes it."""
    table = name = ""
    for line in text.splitlines(keepends=True):
        package = PACKAGE.match(line) if name else None
        yield Line(name, re.sub(r"[-_.]+", "-", package[1]).lower() if package else "", line)
        if header := TABLE.match(line):
            table, name = header[1], ""
        elif name and line.startswith("]"):
            name = ""
        elif (start := LIST.match(line)) and table in ("project", "dependency-groups"):
            name = f"{table}.{start[1]}"


def find_own_packages(ours: list[Line], base: list[Line]) -> list[Line]:
    """Return the lines of packages in lists of the template's that are not the template's."""
    lists = {line.list for line in base}
    packages = {(line.list, line.package) for line in base}
    return [
        line
        for line in ours
        if line.package and line.list in lists and (line.list, line.package) not in packages
    ]


def put_packages(text: str, own: list[Line]) -> str:
    """Return the text with a team's packages at the end of their lists, or of the team's where
    the list is the template's or is no more.
    """
    lines = list(read_lines(text))
    lists = {line.list for line in lines} - {TEMPLATE}
    places = [(line.list if line.list in lists else TEAM, line.text) for line in own]
    merged = ""
    for line in lines:
        if line.text.startswith("]"):
            merged += "".join(package for place, package in places if place == line.list)
        merged += line.text
    return merged
