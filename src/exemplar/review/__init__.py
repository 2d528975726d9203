"""`exemplar review`: which practices a repository has set up, and which are shown to work."""

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ..errors import Fixable
from .families import FAMILIES
from .host import read_host
from .report import VERSION, Review, describe, find_moves, format_points, review_repository, to_json

console = Console(highlight=False, markup=False, soft_wrap=True)


def review(
    folders: list[Path],
    *,
    json_file: Path | None,
    host_files: list[Path],
    since: Path | None,
    with_all: bool,
) -> int:
    """Print a review of each repository; return 0, or 2 where one could not be read.

    Those that cannot be read are named at the end, and the others are reviewed all the same.
    """
    if host_files and len(folders) > 1:
        raise Fixable(
            "--host: expected one repository, found several. Next: review them one by one"
        )
    host, old = read_host(host_files), read_json(since) if since else None
    reviews: list[Review] = []
    faults: dict[str, str] = {}
    for folder in folders:
        try:
            reviews.append(review_repository(folder, date.today(), host))
        except Fixable as error:
            faults[str(folder)] = str(error)
    if json_file is None or str(json_file) != "-":
        for each in reviews:
            show(each, find_moves(old, each) if since else None, with_all=with_all)
    if json_file is not None:
        write_json(json_file, reviews, faults)
    for fault in faults.values():
        print(fault, file=sys.stderr)
    return 2 if faults else 0


def read_json(path: Path) -> Any:
    """Return what a JSON file holds; raises Fixable where it holds none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Fixable(f"{path}: expected JSON, found: {error}") from None


def write_json(path: Path, reviews: list[Review], faults: dict[str, str]) -> None:
    """Write the reviews, and the faults of what could not be read; `-` is the terminal."""
    content = {
        "version": VERSION,
        "day": str(date.today()),
        "repositories": [
            *map(to_json, reviews),
            *(
                {"name": Path(folder).name, "path": folder, "fault": faults[folder]}
                for folder in faults
            ),
        ],
    }
    write(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def write(path: Path, text: str) -> None:
    """Write a text to a file; `-` is the terminal."""
    if str(path) == "-":
        print(text, end="")
    else:
        path.write_text(text, encoding="utf-8")


def show(each: Review, moves: list[str] | None, *, with_all: bool) -> None:
    """Print the table of families, the ML Test Score, what moved, and what is missing."""
    table = Table("family", box=None, pad_edge=False, title_justify="left")
    for name in ("ready", "in force", "cannot be told"):
        table.add_column(name, justify="right")
    for family in FAMILIES:
        sums = each.add_up(family.name)
        table.add_row(
            family.title,
            f"{format_points(sums.ready)} of {format_points(sums.checks / 2)}",
            f"{sums.in_force} of {sums.checks}",
            str(sums.unknown or ""),
        )
    simulated = ", simulated: nothing of it counts as in force" if each.is_simulated else ""
    console.print(f"{each.name} at {each.head[:10]}{simulated}\n")
    console.print(table)
    score = each.score
    console.print(
        "\nML Test Score, the least of its four sections: "
        f"{format_points(score.ready)} ready (weakest: {score.weakest}), "
        f"{score.in_force} in force, {score.unknown} unknown\n"
    )
    if moves is not None:
        console.print(
            "\n".join(["Since then:", *(f"  {line}" for line in moves or ["nothing moved"])])
        )
        console.print()
    for line in describe(each, with_all=with_all):
        console.print(line)
    console.print()
