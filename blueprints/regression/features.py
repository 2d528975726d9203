"""The columns that a model sees, derived from one row at a time.

Each derived feature is a function without arguments that returns an expression, so it can be read,
tested and explained alone. No feature looks at another row: the service has only one.
"""

import polars as pl

NUMBERS = ["age_months", "mileage_km", "log_power", "owners", "km_per_year"]
"""Features with an order."""

CATEGORIES = ["make", "fuel", "service_book", "region", "season"]
"""Features without an order."""

SEASONS = pl.Enum(["winter", "spring", "summer", "autumn"])
"""Three months each; winter begins in December."""


def features(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the features of `rows`: same rows, same order, NUMBERS and then CATEGORIES.

    `rows` has the columns of `contract.Row`, with or without the target. Car and week are left out
    on purpose: the first identifies, and of the second only the season comes back.
    """
    derived = rows.with_columns(
        log_power=log_power(), km_per_year=km_per_year(), season=season_of_sale()
    )
    return derived.select(*NUMBERS, *CATEGORIES)


def log_power() -> pl.Expr:
    """Natural logarithm of the power in kW: twice the power is the same step anywhere."""
    return pl.col("power_kw").log()


def km_per_year() -> pl.Expr:
    """Distance driven per year of age, in km; half a year is the least that counts as age, so that
    a new car's first trip gives no huge number.
    """
    return pl.col("mileage_km") / (pl.col("age_months").clip(6) / 12)


def season_of_sale() -> pl.Expr:
    """Season of the Monday of the sale, as SEASONS."""
    number = pl.col("week").dt.month().cast(pl.Int64) % 12 // 3
    return number.replace_strict(dict(enumerate(SEASONS.categories)), return_dtype=SEASONS)
