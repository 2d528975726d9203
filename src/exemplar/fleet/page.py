"""The fleet as one HTML page that needs nothing else: sort, filter, print."""

from collections.abc import Sequence
from datetime import date
from html import escape
from pathlib import Path

from ..review.report import format_points
from .row import Row

HERE = Path(__file__).parent
HEADINGS = (
    *("Repository", "Owner", "Phase", "Template", "Behind", "Verdict", "Worth", "Decided"),
    *("Champion", "Days", "ML Test Score", "Weakest", "Review by", "Data", "Edited files"),
)


def build_page(rows: Sequence[Row], moves: list[str] | None, today: date) -> str:
    """Return the page; no address of anything else is in it."""
    headings = "".join(
        f'<th scope="col"><button type="button">{name}</button></th>' for name in HEADINGS
    )
    body = "\n".join(f"<tr>{build_cells(row)}</tr>" for row in rows)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fleet, {today}</title>
<style>
{(HERE / "page.css").read_text()}</style>
</head>
<body>
<main>
<h1>Fleet</h1>
<p>{len(rows)} repositories, read on {today} from their files and histories.</p>
{build_moves(moves)}<label for="filter">Show only rows with these words</label>
<input id="filter" type="search" autocomplete="off">
<output for="filter">{len(rows)} of {len(rows)} shown</output>
<div class="scroll" tabindex="0" role="region" aria-label="Repositories">
<table>
<caption>Press a heading to sort. The ML Test Score is what is ready, of 3½, in the weakest of
its four sections.</caption>
<thead><tr>{headings}</tr></thead>
<tbody>
{body}
</tbody>
</table>
</div>
</main>
<script>
{(HERE / "page.js").read_text()}</script>
</body>
</html>
"""


def build_moves(moves: list[str] | None) -> str:
    """Return what moved as a list; nothing where nobody asked."""
    if moves is None:
        return ""
    lines = "".join(f"<li>{escape(line)}</li>" for line in moves or ["Nothing moved."])
    return f"<h2>What moved</h2>\n<ul>{lines}</ul>\n"


def build_cells(row: Row) -> str:
    """Return the cells of a row."""
    fault = f'<br><span class="bad">{escape(row.fault)}</span>' if row.fault else ""
    overdue = '<br><span class="bad">overdue</span>' if row.is_overdue else ""
    simulated = {True: "simulated", False: "real", None: ""}[row.is_simulated]
    score = "" if row.score is None else format_points(row.score)
    count = "" if row.drift is None else len(row.drift)
    return "".join(
        [
            f'<th scope="row">{escape(row.name)}{fault}</th>',
            *map(build_cell, (row.owner, row.phase, row.version)),
            build_number(row.behind),
            build_cell(row.verdict, "bad" if row.verdict == "hold" else ""),
            build_cell(row.money),
            build_cell(row.decided, "day"),
            build_cell(row.champion),
            build_number(row.champion_days),
            f'<td class="number" data-sort="{"" if row.score is None else row.score}">{score}</td>',
            build_cell(row.weakest),
            f'<td class="day">{escape(row.review_by)}{overdue}</td>',
            build_cell(simulated),
            f'<td data-sort="{count}">{build_drift(row)}</td>',
        ]
    )


def build_cell(text: str, style: str = "") -> str:
    """Return a cell with a text."""
    return f'<td class="{style}">{escape(text)}</td>' if style else f"<td>{escape(text)}</td>"


def build_number(number: int | None) -> str:
    """Return a cell with a number, empty where there is none."""
    return f'<td class="number">{"" if number is None else number}</td>'


def build_drift(row: Row) -> str:
    """Return the edited files of the template's, with their patches below."""
    if row.drift is None:
        return "?" if row.version else ""
    conflicts = "".join(f"<br>in conflict: {escape(path)}" for path in row.conflicts or [])
    if not row.drift:
        return f"none{conflicts}"
    patches = escape("\n".join(edit.patch for edit in row.drift))
    return f"<details><summary>{len(row.drift)}</summary><pre>{patches}</pre></details>{conflicts}"
