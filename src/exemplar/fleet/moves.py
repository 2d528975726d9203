"""What moved since an earlier look at the fleet."""

from collections.abc import Sequence
from typing import Any

from ..errors import Fixable
from ..review.reading import as_list, get
from .row import Row

WATCHED = (
    *("fault", "owner", "phase", "version", "verdict", "money", "champion", "score", "in_force"),
    *("review_by", "is_overdue", "is_simulated", "drift", "conflicts"),
)


def find_moves(old: Any, rows: Sequence[Row]) -> list[str]:
    """Return in a line each what is different from an earlier JSON of the fleet.

    Raises Fixable where that is something else.
    """
    earlier = get(old, "repositories")
    if not isinstance(earlier, list):
        raise Fixable(
            "--since: expected a file that exemplar fleet --json wrote, found something else"
        )
    before = {str(get(row, "path")): row for row in earlier}
    lines = [f"{row.name}: new" for row in rows if row.path not in before]
    for row in rows:
        if row.path in before:
            lines += compare_rows(before[row.path], row)
    paths = {row.path for row in rows}
    return lines + [f"{get(before[path], 'name')}: gone" for path in before if path not in paths]


def compare_rows(before: Any, row: Row) -> list[str]:
    """Return in a line each what moved in one repository."""
    lines = []
    for name in WATCHED:
        old, new = get(before, name), getattr(row, name)
        if name == "drift":
            old = None if old is None else [get(edit, "path") for edit in as_list(old)]
            new = None if new is None else [edit.path for edit in new]
        if name == "conflicts" and new is None:
            continue
        if old != new and not (old is None and new in ("", None)):
            title = name.removeprefix("is_").replace("_", " ")
            lines.append(f"{row.name}: {title} {format_value(old)} -> {format_value(new)}")
    return lines


def format_value(value: Any) -> str:
    """Return a value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return str(value) if value not in (None, "") else "none"
