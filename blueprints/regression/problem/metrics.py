"""The metrics of a regression problem."""

import polars as pl

from ..edge.brief import Errors
from .metric import Metric

ERROR = pl.col("answer") - pl.col("outcome")
PRICES, PRICED = Errors, "a price of each unit that an answer is too high and too low"
"""The prices that such a problem has, as a type and in words."""

SLICES: tuple[str, ...] = ("value_per_1000", "within", "coverage")
"""The metrics that are shown for each slice."""

METRICS = {
    "value_per_1000": Metric(
        "value per 1,000",
        "money, against knowing the truth",
        "money",
        pl.col("value") * 1000,
        comparable=True,
    ),
    "within": Metric(
        "within",
        "share of answers within the tolerance",
        "share",
        pl.col("within"),
        comparable=True,
    ),
    "coverage": Metric(
        "coverage",
        "share of {unit}s whose truth is inside the 90% interval",
        "share",
        pl.col("outcome").is_between("lower", "upper"),
        comparable=True,
    ),
    "absolute_error": Metric(
        "absolute error",
        "how far answers are off, on average",
        "money",
        ERROR.abs(),
        comparable=True,
    ),
    "mean_error": Metric(
        "mean error",
        "above zero: too high on average; the prices say which is wanted",
        "money",
        ERROR,
        comparable=True,
    ),
    "reviewed_share": Metric(
        "reviewed share",
        "of all {unit}s, the share that a person decides",
        "share",
        pl.col("action") == "review",
        comparable=True,
    ),
    "pinball_loss": Metric(
        "pinball loss", "error of the whole distribution; less is better", "money"
    ),
}
"""Each metric by its name; those without a numerator are no ratio of sums (`extra_metrics`)."""
