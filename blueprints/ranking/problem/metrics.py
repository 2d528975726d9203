"""The metrics of a ranking problem."""

import polars as pl

from ..edge.brief import Priced, Shown
from .metric import Bounds, Metric

VALUE = pl.col("value") * 1000
PRICES, PRICED = Shown, "the price of showing a thing (`shown`) and of each event that follows"
"""The prices that such a problem has, as a type and in words."""

SLICES: tuple[str, ...] = ("value_per_1000", "ndcg", "recall_at_k")
"""The metrics that are shown for each slice."""


def find_value_bounds(brief: Priced[Shown], outcomes: list[pl.DataFrame]) -> Bounds:
    """What 1,000 units of a cluster of usual size are worth where they come to as little, and as
    much, as any cluster did: one visit may earn much, but nobody has only such visits.
    """
    sums = pl.concat(
        table.group_by("cluster").agg(pl.len().alias("n"), worth=VALUE.sum().round(6))
        for table in outcomes
    )
    usual = (pl.col("n") ** 2).sum() / pl.col("n").sum()
    low, high = sums.select(
        low=pl.col("worth").min() / usual, high=pl.col("worth").max() / usual
    ).row(0)
    return min(low, 0.0), max(high, 0.0)


METRICS = {
    "value_per_1000": Metric(
        "value per 1,000",
        "money, against showing nothing",
        "money",
        VALUE,
        bounds=find_value_bounds,
        comparable=True,
    ),
    "ndcg": Metric(
        "nDCG",
        "how near the lists come to the best possible order, over {unit}s with an event",
        "share",
        pl.col("ndcg"),
        pl.col("positive"),
        comparable=True,
    ),
    "recall_at_k": Metric(
        "recall at k",
        "of what was wanted, the share that was shown",
        "share",
        pl.col("found"),
        pl.col("wanted"),
        comparable=True,
    ),
    "head_share": Metric(
        "head share",
        "of what was shown, the share that belongs to the few that make half of all events",
        "share",
        pl.col("in_head"),
        pl.col("places"),
    ),
    "catalogue": Metric(
        "catalogue", "of all that anybody wanted, the share that was on any list", "share"
    ),
}
"""Each metric by its name; those without a numerator are no ratio of sums (`extra_metrics`)."""
