"""The price map: at which ratio of prices which model is worth more, while these are unknown."""

from typing import Any

import polars as pl

from ..problem import outcomes
from ..problem.metric import find_bounds
from ..statistics import joint
from .comparison import (
    PRIMARY,
    Comparison,
    Evaluate,
    Terms,
    build_paired_terms,
    estimate,
    has_too_few,
)

RATIOS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
"""What a wrong action costs for each 1 that a right one earns; in a regression problem, what each 1
too high costs for each 1 that 1 too low costs.
"""


def build_price_map(
    new: pl.DataFrame, old: pl.DataFrame, brief: outcomes.PricedBrief, settings: Evaluate
) -> list[dict[str, Any]]:
    """The content of `price_map` in `reports/metrics.json`, from predictions of the challenger
    (`new`) and the champion: for each `ratio` of prices the gain per 1,000 units, where both prices
    add up to 1. The intervals hold for all ratios at once.
    """
    pairs = [compare_at(ratio, new, old, brief, settings) for ratio in RATIOS]
    terms = [build_terms_at(pair) for pair in pairs]
    confidence = joint.find_confidence(
        [each.table for each in terms], settings.confidence, settings.seed
    )
    wider = settings.model_copy(update={"confidence": confidence})
    return [
        {"ratio": ratio} | estimate(each, wider, too_few=has_too_few(pair.new))._asdict()
        for ratio, pair, each in zip(RATIOS, pairs, terms, strict=True)
    ]


def build_terms_at(pair: Comparison) -> Terms:
    """The terms of the gain. Where both models did the same for these units, they may still differ
    for others: at extreme prices nearly all units are acted on, or none.
    """
    low, high = find_bounds(PRIMARY, pair.brief, pair.new, pair.old)
    return build_paired_terms(pair, PRIMARY)._replace(extremes=(low - high, high - low))


def compare_at(
    ratio: float,
    new: pl.DataFrame,
    old: pl.DataFrame,
    brief: outcomes.PricedBrief,
    settings: Evaluate,
) -> Comparison:
    """What both models would do, and what came of it, at prices of this ratio."""
    right, wrong = 1 / (1 + ratio), ratio / (1 + ratio)
    priced = brief.model_copy(update={"value": brief.value.weigh(right, wrong)})
    after, before = (outcomes.build_outcomes(predictions, priced) for predictions in (new, old))
    return Comparison(after, before, priced, settings)
