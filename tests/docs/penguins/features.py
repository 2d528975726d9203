"""The columns that a model sees, derived from one row at a time."""

import polars as pl

NUMBERS = ["bill_depth_mm", "flipper_length_mm", "body_mass_g", "bill_shape"]
"""Features with an order."""

CATEGORIES = ["island"]
"""Features without an order."""


def features(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the features of `rows`: same rows, same order, NUMBERS and then CATEGORIES."""
    return rows.with_columns(bill_shape=bill_shape()).select(*NUMBERS, *CATEGORIES)


def bill_shape() -> pl.Expr:
    """Length of the bill by its depth."""
    return pl.col("bill_length_mm") / pl.col("bill_depth_mm")
