"""`exemplar fleet`: all repositories of a lead at one look, from files and history alone."""

import json
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ..errors import Fixable
from ..new import find_template
from ..review import read_json, write
from ..review.report import format_points
from .moves import find_moves
from .page import build_page
from .row import Row, inspect
from .template import compare_version, find_conflicts, find_drift, list_versions, open_template

VERSION = 1  # of the JSON, as in schema.json; a key may be added, none is renamed


def fleet(
    folders: list[Path],
    *,
    list_file: Path | None,
    json_file: Path | None,
    html_file: Path | None,
    since: Path | None,
    template: str | None,
    conflicts: bool,
) -> int:
    """Show a row for each repository; return 0. One that cannot be read is a row with its fault."""
    folders = [*folders, *(read_list(list_file) if list_file else [])]
    if not folders:
        raise Fixable(
            "fleet: expected repositories, found none. Next: exemplar fleet PATH, or --from LIST"
        )
    old = read_json(since) if since else None
    rows = inspect_all(folders, find_template(template), date.today(), conflicts=conflicts)
    moves = find_moves(old, rows) if since else None
    if json_file is None or str(json_file) != "-":
        show(rows, moves)
    if json_file is not None:
        write(json_file, json.dumps(to_json(rows, moves), indent=1, ensure_ascii=False) + "\n")
    if html_file is not None:
        write(html_file, build_page(rows, moves, date.today()))
    return 0


def read_list(path: Path) -> list[Path]:
    """Return the folders that a list names, one a line, as seen from the list; `#` is a comment."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Fixable(f"{path}: expected a list of folders, one a line, found: {error}") from None
    names = [line.partition(" #")[0].strip() for line in lines]
    return [
        path.parent / Path(name).expanduser() for name in names if name and not name.startswith("#")
    ]


def inspect_all(
    folders: Sequence[Path], source: str, today: date, *, conflicts: bool = False
) -> list[Row]:
    """Return a row for each repository, worked out by as many processes as there are processors."""
    with open_template(source) as clone:
        versions = list_versions(clone)
        work = partial(inspect_one, clone, versions, today, conflicts)
        count = min(len(folders), os.cpu_count() or 1)
        if count == 1:
            return [work(folder) for folder in folders]
        with ProcessPoolExecutor(count, multiprocessing.get_context("fork")) as processes:
            return list(processes.map(work, folders))


def inspect_one(
    clone: Path, versions: list[str], today: date, conflicts: bool, folder: Path
) -> Row:
    """Return the row of a repository, with what the template says of it."""
    row, snapshot, answers = inspect(folder, today)
    if snapshot is None or answers is None or not answers.version:
        return row
    standing = compare_version(versions, answers.version)
    return row._replace(
        behind=standing.behind if standing else None,
        drift=find_drift(clone, snapshot, answers),
        conflicts=find_conflicts(clone, folder) if conflicts else None,
    )


def to_json(rows: Sequence[Row], moves: list[str] | None) -> dict[str, Any]:
    """Return the fleet as JSON holds it, as schema.json describes it."""
    return {
        "version": VERSION,
        "day": str(date.today()),
        "repositories": [
            row._asdict()
            | {"drift": None if row.drift is None else [edit._asdict() for edit in row.drift]}
            for row in rows
        ],
        **({} if moves is None else {"moves": moves}),
    }


WIDTH = 200  # of a table that goes to a file
HEADINGS = (
    *("repository", "owner", "phase", "template", "verdict", "worth", "decided", "champion"),
    *("score", "to look at"),
)


def show(rows: Sequence[Row], moves: list[str] | None) -> None:
    """Print a table, then what moved, then what cannot be read."""
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else WIDTH)
    table = Table(*HEADINGS, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*format_row(row))
    console.print(table)
    if moves is not None:
        print("\nSince then:", *(moves or ["nothing moved"]), sep="\n  ")
    for row in rows:
        if row.fault:
            print(f"{row.name}: {row.fault}", file=sys.stderr)


def format_row(row: Row) -> Iterator[str]:
    """Yield the cells of a row."""
    days = "" if row.champion_days is None else f", {row.champion_days} days"
    yield from (row.name, row.owner, row.phase)
    yield row.version + (f", {row.behind} behind" if row.behind else "")
    yield from (row.verdict, row.money.partition(" per ")[0], row.decided, row.champion + days)
    yield "" if row.score is None else f"{format_points(row.score)} {row.weakest}"
    yield ", ".join(find_concerns(row))


def find_concerns(row: Row) -> Iterator[str]:
    """Yield what a lead looks at first."""
    if row.fault:
        yield "cannot be read (below)"
    if row.is_overdue:
        yield f"review was due {row.review_by}"
    if row.is_simulated:
        yield "simulated"
    if row.drift:
        yield f"{len(row.drift)} of the template's files edited"
    if row.drift is None and row.version:
        yield "not rendered by this template"
    if row.conflicts:
        yield f"the next update conflicts in {len(row.conflicts)}"
