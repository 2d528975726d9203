"""The contract holds on every row that the pipeline lets through; nothing else comes through."""

import polars as pl

from project import contract
from project.delivery.tables.conform import to_contract


def test_every_valid_row_keeps_the_contract(every_row: pl.DataFrame) -> None:
    assert every_row.height > 0
    assert contract.Row.is_valid(every_row)


def test_a_hand_written_row_comes_through_unchanged(point: pl.DataFrame) -> None:
    valid, wrong = to_contract(point.with_row_index("row"), contract.Row)
    assert valid.drop("row").equals(point)
    assert wrong.is_empty()


def test_a_target_that_is_none_is_set_aside_with_its_reason(point: pl.DataFrame) -> None:
    strange = point.with_columns(pl.lit("what is this?").alias(contract.TARGET)).with_row_index(
        "row"
    )
    valid, wrong = to_contract(strange, contract.Row)
    assert valid.is_empty()
    assert [r for r in wrong["reasons"].item() if r.startswith(f"{contract.TARGET} is not ")]


def test_a_missing_value_is_set_aside_in_every_column_that_needs_one(point: pl.DataFrame) -> None:
    needed = [name for name, column in contract.Row.columns().items() if not column.nullable]
    blank = point.cast(pl.String)
    rows = pl.concat(blank.with_columns(pl.lit(" ").alias(name)) for name in needed).with_row_index(
        "row"
    )
    valid, wrong = to_contract(rows, contract.Row)
    texts = [name for name in needed if contract.Row.columns()[name].dtype == pl.String]
    assert valid.height <= len(
        texts
    )  # a blank is a text like any other, unless the contract says how it looks
    reasons = [reason for row in wrong["reasons"] for reason in row]
    assert all(f"{name} is missing" in reasons for name in needed if name not in texts)
