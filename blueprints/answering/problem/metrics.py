"""The metrics of an answering problem."""

import polars as pl

from ..edge.brief import Answers, Priced
from .metric import Bounds, Metric

ANSWERED = pl.col("right").is_not_null()
RIGHT = pl.col("right").fill_null(False)
PREPARED = pl.col("outcome") != "none"
PRICES, PRICED = Answers, "prices of `right`, `wrong` and `handed_over` answers"
"""The prices that such a problem has, as a type and in words."""

SLICES: tuple[str, ...] = ("value_per_1000", "precision", "answered_share")
"""The metrics that are shown for each slice."""


def find_highest_cost(outcomes: list[pl.DataFrame]) -> float:
    """What the dearest call of all cost, in money."""
    return max((float(cost) for table in outcomes for cost in table["cost"].top_k(1)), default=0.0)


def find_cost_bounds(brief: Priced[Answers], outcomes: list[pl.DataFrame]) -> Bounds:
    """What 1,000 units cost without a call, and where each call is the dearest that there was."""
    return 0.0, 1000 * find_highest_cost(outcomes)


def find_value_bounds(brief: Priced[Answers], outcomes: list[pl.DataFrame]) -> Bounds:
    """What 1,000 units are worth at the lowest price, with the dearest call, and at the highest."""
    price = brief.value
    worst = min(price.wrong, price.handed_over)
    return 1000 * (worst - find_highest_cost(outcomes)), 1000 * float(price.right)


METRICS = {
    "value_per_1000": Metric(
        "value per 1,000",
        "money, calls paid and hand-overs counted",
        "money",
        pl.col("value") * 1000,
        bounds=find_value_bounds,
        comparable=True,
    ),
    "answered_share": Metric(
        "answered share",
        "of all {unit}s, the share answered without a person",
        "share",
        ANSWERED,
        comparable=True,
    ),
    "right_share": Metric(
        "right share",
        "of all {unit}s, the share answered rightly",
        "share",
        RIGHT,
        comparable=True,
    ),
    "precision": Metric(
        "precision",
        "of the {unit}s answered, the share answered rightly",
        "share",
        RIGHT,
        ANSWERED,
    ),
    "recall": Metric(
        "recall",
        "of the {unit}s with a prepared answer, the share answered rightly",
        "share",
        RIGHT & PREPARED,
        PREPARED,
        comparable=True,
    ),
    "grounded_share": Metric(
        "grounded share",
        "of the answers that a model wanted to give, the share that rests on a prepared passage; "
        "the others are never sent",
        "share",
        pl.col("grounded").fill_null(False),
        pl.col("grounded").is_not_null(),
    ),
    "cost_per_1000": Metric(
        "cost per 1,000",
        "money paid for calls of the model",
        "money",
        pl.col("cost") * 1000,
        bounds=find_cost_bounds,
        comparable=True,
    ),
    "brier": Metric("Brier score", "error of the chances of being right; less is better", "number"),
    "ms": Metric("milliseconds", "how long a recorded answer took, on average", "number"),
    "unrecorded_share": Metric(
        "unrecorded share", "of all {unit}s, those without a recorded answer: handed over", "share"
    ),
}
"""Each metric by its name; those without a numerator are no ratio of sums (`extra_metrics`)."""
