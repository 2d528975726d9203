"""What the target of an answering problem may be, and what it looks like."""

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    import dataframely as dy

NONE, HAND_OVER = "none", "hand over"

TRUTH = pl.String
"""What predictions and outcomes hold the target as."""

COLUMNS = [
    "action", "outcome", "score", "value", "positive", "answer", "right", "grounded", "cost", "ms"
]  # fmt: skip


def find_fault(target: "dy.Column") -> str | None:
    """What is wrong with the target's type in the contract, if anything."""
    if not isinstance(target.dtype, pl.Enum):
        return f"expected a dy.Enum of the intents, found {type(target).__name__}"
    if NONE not in target.dtype.categories:
        return "expected `none` among the intents, for what has no prepared answer; it is missing"
    return None


def summarize(target: pl.Series) -> dict[str, int]:
    """What the target looks like, for `reports/data.json`: rows by intent."""
    counts = target.cast(pl.String).value_counts(name="n").drop_nulls().sort(target.name)
    return dict(counts.iter_rows())


def mark(target: pl.Series) -> pl.Series:
    """What each unit may tell: every unit tells."""
    return pl.Series("mark", ["unit"]).new_from_index(0, len(target))


def measure_level(target: pl.Series) -> dict[str, float]:
    """The share of each intent, for `reports/split.json`."""
    counts = summarize(target)
    return {name: count / max(sum(counts.values()), 1) for name, count in counts.items()}


LEVEL = "share"
"""How the figures of `measure_level` are written."""


def list_priced(target: pl.Series) -> list[str]:
    """What the brief has to price by its name: nothing here."""
    return []


VARIETY = "two intents or more"
"""What a target has to be for anything to be learned."""
