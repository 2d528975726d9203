"""What the target of a classification problem may be, and what it looks like."""

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import dataframely as dy

TRUTH = pl.String
"""What predictions and outcomes hold the target as."""

COLUMNS = ["action", "outcome", "score", "value", "positive"]


def find_fault(target: "dy.Column") -> str | None:
    """What is wrong with the target's type in the contract, if anything."""
    if isinstance(target.dtype, pl.Enum):
        if "_action" in target.dtype.categories:
            return "expected no class called `_action`, a name that the pipeline itself uses"
        return None
    return f"expected a dy.Enum of the classes, found {type(target).__name__}"


def summarize(target: pl.Series) -> dict[str, int]:
    """What the target looks like, for `reports/data.json`: rows by class."""
    counts = target.cast(pl.String).value_counts(name="n").drop_nulls().sort(target.name)
    return dict(counts.iter_rows())


def mark(target: pl.Series) -> pl.Series:
    """What each unit may tell: its class; the brief's prices say which classes are positive."""
    return target.cast(pl.String)


def measure_level(target: pl.Series) -> dict[str, float]:
    """The share of each class, for `reports/split.json`."""
    counts = summarize(target)
    return {name: count / max(sum(counts.values()), 1) for name, count in counts.items()}


LEVEL = "share"
"""How the figures of `measure_level` are written."""


def list_priced(target: pl.Series) -> list[str]:
    """What the brief has to price: each class."""
    return target.cast(pl.String).drop_nulls().unique().to_list()


VARIETY = "two classes or more"
"""What a target has to be for anything to be learned."""
