"""The columns that a model sees, derived from one row at a time.

Each derived feature is a function without arguments that returns an expression, so it can be read,
tested and explained alone. No feature looks at another row: the service has only one.
"""

import polars as pl

NUMBERS = [
    "tenure_months",
    "months_left",
    "monthly_charge",
    "data_gb",
    "support_calls",
    "survey_score",
    "price_rise",
    "usage_drop",
    "price_per_gb",
    "free_to_leave",
]
"""Features with an order; `free_to_leave` is 0 or 1 to a model."""

CATEGORIES = ["plan", "region"]
"""Features without an order."""


def features(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the features of `rows`: same rows, same order, NUMBERS and then CATEGORIES.

    `rows` has the columns of `contract.Row`, with or without the target. Customer, week and age
    band are left out on purpose: the first two identify, the third is only there to judge by.
    """
    derived = rows.with_columns(
        price_rise=price_rise(),
        usage_drop=usage_drop(),
        price_per_gb=price_per_gb(),
        free_to_leave=free_to_leave(),
    )
    return derived.select(*NUMBERS, *CATEGORIES)


def price_rise() -> pl.Expr:
    """Rise of the charge over three months: 0.1 is 10 % more. Null for new customers."""
    return pl.col("monthly_charge") / pl.col("monthly_charge_before") - 1


def usage_drop() -> pl.Expr:
    """Share of last month's data use that is gone: 1 is all of it, below 0 is a rise, at least -1.

    Null in the first month, and where nothing was used before.
    """
    before = pl.col("data_gb_before")
    drop = 1 - pl.col("data_gb") / before
    return pl.when(before > 0).then(drop.clip(-1, 1))


def price_per_gb() -> pl.Expr:
    """GBP paid per GB used; one GB is added, so that little use gives no huge price."""
    return pl.col("monthly_charge") / (pl.col("data_gb") + 1)


def free_to_leave() -> pl.Expr:
    """Whether nothing binds the customer for longer than the eight weeks that are predicted."""
    return pl.col("months_left") <= 2
