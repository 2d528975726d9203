"""The metrics of a classification problem."""

import polars as pl

from ..edge.brief import Priced, Prices
from .metric import Bounds, Metric

ACTED = pl.col("action") != "none"
POSITIVE = pl.col("positive")
PRICES, PRICED = Prices, "a price of each action for each class"
"""The prices that such a problem has, as a type and in words."""

SLICES: tuple[str, ...] = ("value_per_1000", "recall", "precision")
"""The metrics that are shown for each slice."""


def find_value_bounds(brief: Priced[Prices], outcomes: list[pl.DataFrame]) -> Bounds:
    """What 1,000 units are worth at the lowest and at the highest price, in money."""
    prices = [price for action in brief.value.actions.values() for price in action.values()]
    return 1000 * min(0.0, *prices), 1000 * max(0.0, *prices)


METRICS = {
    "value_per_1000": Metric(
        "value per 1,000",
        "money, against doing nothing",
        "money",
        pl.col("value") * 1000,
        bounds=find_value_bounds,
        comparable=True,
    ),
    "recall": Metric(
        "recall",
        "of the positive {unit}s, the share acted on",
        "share",
        POSITIVE & ACTED,
        POSITIVE,
        comparable=True,
    ),
    "precision": Metric(
        "precision",
        "of the {unit}s acted on, the share that is positive",
        "share",
        POSITIVE & ACTED,
        ACTED,
    ),
    "acted_share": Metric("acted share", "of all {unit}s, the share acted on", "share", ACTED),
    "average_precision": Metric(
        "average precision", "how well the {unit}s are ordered; 1 is perfect", "number"
    ),
    "roc_auc": Metric(
        "AUC", "how often a positive {unit} comes before another; 0.5 is chance", "number"
    ),
    "brier": Metric("Brier score", "error of the probabilities; less is better", "number"),
}
"""Each metric by its name; those without a numerator are no ratio of sums (`extra_metrics`)."""
