"""The columns that a model sees, derived from one row at a time.

Each derived feature is a function without arguments that returns an expression, so it can be read,
tested and explained alone. No feature looks at another row: the service has only one.
"""

import polars as pl

HISTORY = "history"
"""The feature that says which brands the user went for before, the newest first."""

CONTEXT = ["came_from", "season"]
"""Features of the visit itself, without an order."""

NEWEST = 20
"""Brands of a history that count; older ones say little about today."""

SEASONS = pl.Enum(["winter", "spring", "summer", "autumn"])
"""Three months each; winter begins in December."""


def features(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the features of `rows`: same rows, same order, HISTORY and then CONTEXT.

    `rows` has the columns of `contract.Row`, with or without the target. User and day are left out
    on purpose: the first identifies, and of the second only the season comes back. So a user whom
    nobody knows yet is simply one with an empty history. The device is left out because a brand is
    the same on all of them; whether every device is served well is still judged.
    """
    return rows.select(newest_brands().alias(HISTORY), "came_from", season=season_of_visit())


def newest_brands() -> pl.Expr:
    """The NEWEST brands of the history, with spaces between; "" for a user without one."""
    return pl.col("history").str.split(" ").list.head(NEWEST).list.join(" ")


def season_of_visit() -> pl.Expr:
    """Season of the day of the visit, as SEASONS."""
    number = pl.col("day").dt.month().cast(pl.Int64) % 12 // 3
    return number.replace_strict(dict(enumerate(SEASONS.categories)), return_dtype=SEASONS)
