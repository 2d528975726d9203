"""A sheet of a workbook as a table: numbers, dates and truth as the cells have them."""

from collections.abc import Sequence
from datetime import date, datetime, time
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl

from ..edge.errors import Fixable
from ..edge.parameters import NEXT
from .files import is_header
from .read import Read
from .values import EXACT, Unfit, build_column

Cell = str | float | bool | date | datetime | time | None
Rows = list[list[Cell]]


def read_workbook(path: Path, read: Read) -> tuple[Rows, int]:
    """The cells of a table from its header on, and the rows above that; None for a cell that is
    empty, or holds an error such as #N/A. Rows and columns without a value at the edges are left
    out.

    Raises:
        Fixable: it is no workbook, has several sheets, or no header.
    """
    try:
        reader = import_module("python_calamine")
    except ModuleNotFoundError:
        raise Fixable(
            f"{path}: expected the package python-calamine, which reads workbooks, found none. "
            "Next: uv add --dev python-calamine, then the same command again"
        ) from None
    try:
        book = reader.CalamineWorkbook.from_path(str(path))
        sheet = book.get_sheet_by_name(choose_sheet(path, book.sheet_names, read))
        cells = sheet.to_python(skip_empty_area=False)
        merged = sheet.merged_cell_ranges or []
    except reader.CalamineError as error:
        raise Fixable(f"{path}: expected a workbook, found {error}. {NEXT}") from None
    rows = [[None if cell == "" else cell for cell in row] for row in cells]
    while rows and not has_value(rows[-1]):
        rows.pop()
    used = [n for n, column in enumerate(zip(*rows, strict=True)) if has_value(column)]
    skip = find_header(path, rows, used, read)
    require_apart(path, merged, skip)
    return [[row[n] for n in used] for row in rows[skip:]], skip


def has_value(cells: Sequence[Cell]) -> bool:
    """Whether one of the cells is filled."""
    return any(cell is not None for cell in cells)


def choose_sheet(path: Path, sheets: list[str], read: Read) -> str:
    """The sheet that is named, or else the only one."""
    if read.sheet in sheets:
        return str(read.sheet)
    if read.sheet is None and len(sheets) == 1:
        return sheets[0]
    names = ", ".join(f"`{name}`" for name in sheets[:20])
    expected = "the name of a sheet" if read.sheet is None else f"a sheet {read.sheet!r}"
    raise Fixable(
        f"{path}: expected {expected}, found {names}. Next: say which under `ingest: read:` in "
        f"params.yaml, for example sheet: {sheets[0] if sheets else 'Sheet1'}"
    )


def find_header(path: Path, rows: Rows, used: list[int], read: Read) -> int:
    """The rows above the header, which is the first with a name for each column that has values."""
    if len(rows) < 2:
        raise Fixable(f"{path}: expected rows, found an empty table. {NEXT}")
    full = (n for n, row in enumerate(rows) if all(row[column] is not None for column in used))
    skip = next(full, None) if read.skip is None else min(read.skip, len(rows) - 1)
    if skip is not None:
        names = [rows[skip][column] for column in used]
        nameless = [name_column(n) for n, name in zip(used, names, strict=True) if name is None]
        is_certain = read.skip is not None or skip == 0
        if not nameless and (is_certain or is_header([str(name) for name in names])):
            return skip
    place = f"none in column {nameless[0]}" if skip is not None and nameless else "no such row"
    raise Fixable(
        f"{path}: expected a row with a name for each column, found {place}. Next: delete what "
        "stands beside the table, or say under `ingest: read:` in params.yaml how many rows stand "
        "above the names, for example skip: 2"
    )


def name_column(number: int) -> str:
    """How a workbook calls the column of a number, from 0: A, B, ..., Z, AA."""
    letters = ""
    while number >= 0:
        letters, number = chr(ord("A") + number % 26) + letters, number // 26 - 1
    return letters


def require_apart(path: Path, merged: list[tuple[Any, Any]], skip: int) -> None:
    """Raise Fixable where cells of the table are merged: only the first of them has the value."""
    within = [(first, last) for first, last in merged if last[0] >= skip]
    if within:
        places = [f"{name_column(f[1])}{f[0] + 1}:{name_column(t[1])}{t[0] + 1}" for f, t in within]
        raise Fixable(
            f"{path}: expected a value in each cell, found merged ones ({', '.join(places[:10])}). "
            "Next: unmerge them and fill each, then uv run dvc repro"
        )


def build_table(path: Path, names: list[str], rows: Rows) -> pl.DataFrame:
    """Rows of cells as a table. A workbook knows no whole numbers: those of a column are whole if
    all are.
    """
    columns = []
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        try:
            columns.append(build_column(name, shorten_whole(values)))
        except Unfit as problem:
            raise Fixable(
                f"{path}: `{name}`: expected values of one kind, found {problem}. "
                "Next: write them in one way, then uv run dvc repro"
            ) from None
    return pl.DataFrame(columns)


def shorten_whole(values: Sequence[Cell]) -> Sequence[Cell]:
    """Numbers without a fraction as whole ones, where no number of the column has one."""
    numbers = [value for value in values if isinstance(value, float)]
    if not all(value.is_integer() and abs(value) <= EXACT for value in numbers):
        return values
    return [int(value) if isinstance(value, float) else value for value in values]
