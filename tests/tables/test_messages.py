"""A message about rows in quarantine shows all reasons, a value and its line; nothing personal."""

import dataframely as dy
import polars as pl

from .conftest import Rendered


class Row(dy.Schema):
    age = dy.Int64(min=0)
    email = dy.String(regex="@")


def test_all_reasons_are_shown_with_a_value_its_count_and_its_line(rendered: Rendered) -> None:
    ages = ["n", "-1", "n", "30", "-2", "40"]
    raw = pl.DataFrame({"age": ages, "email": ["a@b"] * 4 + ["nobody"] * 2}).with_row_index("row")
    _, wrong = rendered.load("tables.conform").to_contract(raw, Row)
    describe = rendered.load("tables.quarantine").describe_reasons
    lines = raw.select("row", line=pl.col("row").cast(pl.Int64) + 2)
    assert describe(wrong, ["email"], lines) == (
        "age is below the minimum (2 rows): '-1', 1 times, first in line 3; "
        "age is not a whole number (2 rows): 'n', 2 times, first in line 2; "
        "email is not in the required form (2 rows): first in line 6"
    )
    assert "'nobody', 2 times" in describe(wrong, [])


def test_a_row_is_found_by_its_line_in_the_file(rendered: Rendered) -> None:
    find = rendered.load("pipeline.validate").find_lines
    ingest = rendered.load("tables.read").Ingest
    rows = pl.DataFrame({"a": ["1", "x\ny", "3"], "b": [None, "\n", "z"]}).with_row_index("row")
    lines = find(ingest(source="t.csv.gz"), rows, {"skip": 3})
    assert lines is not None
    assert lines["line"].to_list() == [5, 6, 9]
    assert find(ingest(source="t.parquet"), rows, {}) is None
