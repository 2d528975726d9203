"""What the target of a regression problem may be, and what it looks like."""

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import dataframely as dy

TRUTH = pl.Float64
"""What predictions and outcomes hold the target as."""

COLUMNS = ["action", "outcome", "score", "value", "positive", "answer", "lower", "upper", "within"]


def find_fault(target: "dy.Column") -> str | None:
    """What is wrong with the target's type in the contract, if anything."""
    if target.dtype.is_numeric():
        return None
    return f"expected a number (dy.Float64 or dy.Int64), found {type(target).__name__}"


def summarize(target: pl.Series) -> dict[str, float]:
    """What the target looks like, for `reports/data.json`: percentiles by name."""
    shares = {"lowest": 0.0, "10 %": 0.1, "median": 0.5, "90 %": 0.9, "highest": 1.0}
    if target.n_unique() < 2:
        return {}
    values = {name: target.quantile(share, "linear") for name, share in shares.items()}
    return {name: float(value) for name, value in values.items() if value is not None}


def mark(target: pl.Series) -> pl.Series:
    """What each unit may tell: every unit tells."""
    return pl.Series("mark", ["unit"]).new_from_index(0, len(target))


def measure_level(target: pl.Series) -> dict[str, float]:
    """Mean and median, for `reports/split.json`."""
    levels = {"mean": target.mean(), "median": target.median()}
    return {name: float(level) for name, level in levels.items() if isinstance(level, int | float)}


LEVEL = "number"
"""How the figures of `measure_level` are written."""


def list_priced(target: pl.Series) -> list[str]:
    """What the brief has to price by its name: nothing here."""
    return []


VARIETY = "numbers that differ"
"""What a target has to be for anything to be learned."""
