"""A sheet of a workbook is read with the types of its cells, or refused with a message."""

import sys
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from .conftest import Rendered

HEADER = ["customer", "code", "spend", "day", "at", "clock", "left", "note", "mixed", "share"]
EIGHT = time(8)
ROWS: list[list[Any]] = [
    [
        10115,
        "007",
        1.5,
        date(2024, 5, 1),
        datetime(2024, 5, 1, 10, 30),
        time(8),
        True,
        "é\nb",
        5,
        1,
    ],
    [7, "08", 2.0, None, datetime(2024, 5, 2), None, False, None, "n/a", 0.12],
    [8, None, 1e16, date(2024, 5, 3), None, time(9, 15), None, " ", date(2024, 5, 4), None],
]
Read = Callable[..., pl.DataFrame]


def write(path: Path, *sheets: dict[tuple[int, int], list[list[Any]]], merged: str = "") -> None:
    """A real workbook: for each sheet, blocks of cells by their first row and column."""
    book = xlsxwriter.Workbook(path)
    forms = {date: "yyyy-mm-dd", datetime: "yyyy-mm-dd hh:mm", time: "hh:mm", float: "0 %"}
    styles = {kind: book.add_format({"num_format": form}) for kind, form in forms.items()}
    for blocks in sheets:
        sheet = book.add_worksheet()
        for (top, left), rows in blocks.items():
            for n, row in enumerate(rows, top):
                for m, value in enumerate(row, left):
                    if value is not None:
                        sheet.write(n, m, value, styles.get(type(value)))
        sheet.write_blank(top + len(rows) + 30, 40, None, styles[date])
        if merged:
            sheet.merge_range(merged, "Total" if merged[1] > "2" else "Report of May")
    book.close()


@pytest.fixture
def read(rendered: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """`read("t.xlsx", sheet="May")`: the source as ingest has it."""
    monkeypatch.chdir(tmp_path)
    sources, settings = rendered.load("tables.sources"), rendered.load("tables.read")
    return lambda source, **how: sources.read_source(
        settings.Ingest(source=source, read=settings.Read(**how))
    )


def test_cells_keep_their_types_and_nothing_beside_the_table_is_read(
    rendered: Rendered, read: Read, tmp_path: Path
) -> None:
    title, total = [["Report of May"]], [["Total", None, 3.5]]
    write(Path("t.xlsx"), {(0, 1): title, (2, 1): [HEADER, *ROWS], (7, 1): total}, merged="B1:D1")
    rows = read("t.xlsx")
    assert rows.columns == HEADER
    assert rows["customer"].to_list() == [10115, 7, 8]
    assert rows["code"].to_list() == ["007", "08", None]
    assert rows["spend"].to_list() == [1.5, 2.0, 1e16]
    assert rows["day"].to_list() == [date(2024, 5, 1), None, date(2024, 5, 3)]
    assert rows["at"].to_list() == [datetime(2024, 5, 1, 10, 30), datetime(2024, 5, 2), None]
    assert rows["clock"].to_list() == [EIGHT, None, time(9, 15)]
    assert rows["left"].to_list() == [True, False, None]
    assert rows["note"].to_list() == ["é\nb", None, " "]
    assert rows["mixed"].to_list() == ["5", "n/a", "2024-05-04"]
    assert rows["share"].to_list() == [1.0, 0.12, None]
    settings = rendered.load("tables.read")
    table = rendered.load("tables.files").scan_file(Path("t.xlsx"), settings.Read(), tmp_path / "s")
    assert table.seen == {"skip": 2, "skip_last": 2}
    assert read("t.xlsx", **table.seen).equals(rows)


def test_the_sheet_is_named_where_there_are_several(rendered: Rendered, read: Read) -> None:
    fixable = rendered.load("edge.errors").Fixable
    write(Path("t.xlsx"), {(0, 0): [["a"], [1]]}, {(0, 0): [["b"], [2]]})
    with pytest.raises(fixable, match=r"found `Sheet1`, `Sheet2`. Next: .* sheet: Sheet1"):
        read("t.xlsx")
    with pytest.raises(fixable, match="expected a sheet 'May', found `Sheet1`"):
        read("t.xlsx", sheet="May")
    assert read("t.xlsx", sheet="Sheet2").to_dict(as_series=False) == {"b": [2]}


SHEETS: dict[str, tuple[dict[tuple[int, int], list[list[Any]]], str, str]] = {
    "nothing": ({(0, 0): [[None]]}, "", "expected rows, found an empty table"),
    "a name alone": ({(0, 0): [["a", "b"]]}, "", "expected rows, found an empty table"),
    "the same name twice": ({(0, 0): [["a", "a"], [1, 2]]}, "", "expected each column once"),
    "no name": ({(0, 0): [["a", None], [1, 2], [3, None]]}, "", "found no such row"),
    "a note at the side": (
        {(0, 0): [["a", "b"], [1, 2]], (1, 5): [["see me"]], (4, 5): [["x"]]},
        "",
        "expected a row with a name for each column, found no such row",
    ),
    "merged cells": ({(0, 0): [["a", "b"], [1, 2]]}, "A3:B4", "found merged ones (A3:B4)"),
    "times and numbers": (
        {(0, 0): [["a"], [1], [EIGHT]]}, "", "`a`: expected values of one kind, found values of"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHEETS)
def test_what_is_no_table_is_refused_by_name(rendered: Rendered, read: Read, name: str) -> None:
    blocks, merged, words = SHEETS[name]
    write(Path("t.xlsx"), blocks, merged=merged)
    with pytest.raises(rendered.load("edge.errors").Fixable) as error:
        read("t.xlsx")
    assert words in str(error.value)
    assert "Next: " in str(error.value)


def test_what_is_no_workbook_and_what_reads_them_are_named(
    rendered: Rendered, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixable = rendered.load("edge.errors").Fixable
    Path("t.xlsx").write_bytes(b"PK\x03\x04" + bytes(40))
    with pytest.raises(fixable, match=r"t.xlsx: expected a workbook, found .*Zip"):
        read("t.xlsx")
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(fixable, match="Next: uv add --dev python-calamine"):
        read("t.xlsx")
