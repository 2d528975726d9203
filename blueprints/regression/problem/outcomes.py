"""Regression: one row is one unit, the answer is a number, and an error costs what the brief says.

A model gives each unit a distribution: the percentiles 5 to 95, spread around its prediction as
validation rows were. The answer is the percentile that loses least at the brief's two prices.
What a prediction leads to is here: the action, within the brief's capacity, and what it is worth.
"""

from functools import reduce

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..edge.brief import PRICES_NEXT, Brief, Errors, Priced, require_kind
from ..edge.errors import Fixable
from ..statistics import influence
from ..statistics.interval import Interval
from .action import OWN, draw_lots, find_periods, find_room, has_own, list_segments, sum_best
from .metrics import PRICED, PRICES
from .target import COLUMNS
from .training import LEVELS, LOSS, NAMES, compute_loss

NOTHING, REVIEW = "none", "review"

PricedBrief = Priced[Errors]

ANSWER = pl.when(~pl.col("action").is_in([NOTHING, REVIEW])).then("answer")
DONE = pl.struct("action", ANSWER.alias("answer"))
"""What a model did for each unit: where two did the same, their values are the same."""

ERROR = ANSWER - pl.col("outcome")
RESULT = (
    pl.when(ERROR > 0)
    .then(pl.lit("too high"))
    .when(ERROR < 0)
    .then(pl.lit("too low"))
    .when(ERROR == 0)
    .then(pl.lit("just right"))
    .otherwise(pl.lit(""))
)
"""What came of an action, in a word; empty where there is nothing to say of it."""


def require_prices(brief: Brief) -> PricedBrief:
    """The brief with its decision and its prices; Fixable where it has none."""
    return require_kind(brief, PRICES, PRICED)


def act(predictions: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """`action` (String), `score` (Float64, its expected value in money) and `answer` (Float64), a
    person deciding within the brief's capacity.
    """
    return cut(rank(predictions, brief), brief)


def rank(predictions: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """What is best for each unit by itself: `action`, `score`, `answer`; `action_alone` and
    `score_alone` where no person has time for it; `claim` (Float64: by what units compete for a
    person; null where there is no competing), `lot` and `period`.

    The answer is the percentile at which being too high and being too low are expected to cost the
    same: low / (low + high) of the way (the newsvendor's; Arrow, Harris and Marschak 1951). Where a
    review costs less than the answer is expected to, a person decides; with `risk: high` always.
    What the rule answers by itself is taken as it is; a person decides where it gives no number.
    """
    answer, cost = _answered(predictions, brief)
    unanswered, price = np.isnan(cost), brief.value.review
    saved = np.nan_to_num(cost + (price or 0.0), nan=np.inf)  # without an answer, a person has to
    review, claim = np.full(len(answer), False), None
    if price is not None:
        review = saved > 0
        claim = np.where(review, saved, -np.inf)
    if has_own(predictions):
        review, claim = _find_handed_over(predictions, brief), None
    if brief.risk == "high":
        review, claim = np.full(len(answer), True), None
    alone = np.where(unanswered, NOTHING, np.array(brief.decision.action, dtype=object))
    score = np.where(unanswered, 0.0, -cost)
    return pl.DataFrame(
        {
            "action": np.where(review, REVIEW, alone).tolist(),
            "score": np.where(review, price or 0.0, score),
            "answer": answer,
            "action_alone": alone.tolist(),
            "score_alone": score,
            "claim": claim,
        },
        schema_overrides={"action": pl.String, "action_alone": pl.String, "claim": pl.Float64},
    ).with_columns(draw_lots(predictions), find_periods(predictions, brief.decision.every))


def cut(ranked: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """What `act` gives, of ranked rows, whatever parts they came in: of each period a person
    decides where that saves most, as often as there is room for.
    """
    room = pl.when(find_room(ranked, brief.decision.capacity))
    return ranked.select(
        room.then("action").otherwise("action_alone").alias("action"),
        room.then("score").otherwise("score_alone").alias("score"),
        "answer",
    )


def _find_handed_over(predictions: pl.DataFrame, brief: PricedBrief) -> NDArray[np.bool_]:
    """Where the rule by itself gives no number, because a person decides today."""
    over = predictions[OWN].is_nan().to_numpy()
    if brief.value.review is None and over.any():
        known = "Next: add `review:` to value in the brief, then uv run dvc repro"
        raise Fixable(
            f"model.py: rule: act: expected a number for each row, found {over.sum():,} without: "
            "a person decides there, and the brief has no price for it. "
            f"{known if brief.value.is_known else PRICES_NEXT}"
        )
    return over


def takes_room(brief: PricedBrief) -> pl.Expr:
    """Whether a unit of the outcomes table takes some of the brief's capacity: a person's time."""
    return pl.col("action") == REVIEW


def build_outcomes(predictions: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """The outcomes table of one model.

    Columns: `unit` (UInt32), `cluster` and the segments (String), `action`, `outcome` (Float64, the
    truth), `score`, `value` (money against knowing the truth: 0 at best), `positive` (whether the
    unit tells models apart: all do), `answer`, `lower` and `upper` (Float64, the ends of the 90 %
    interval) and `within` (whether the answer is within the tolerance).
    """
    price = brief.value
    segments = list_segments(predictions)
    error = pl.col("answer") - pl.col("outcome")
    beyond = (error.abs() - price.free_within).clip(lower_bound=0)
    each = pl.when(error > 0).then(price.per_unit_too_high).otherwise(price.per_unit_too_low)
    value = (
        pl.when(pl.col("action") == REVIEW)
        .then(pl.lit(price.review or 0.0))
        .when(pl.col("action") == NOTHING)
        .then(0.0)
        .otherwise(beyond * each)
    )
    return (
        predictions.select(
            pl.col("row").alias("unit"),
            "cluster",
            *segments,
            outcome=pl.col("target"),
            lower=pl.col(NAMES[0]),
            upper=pl.col(NAMES[-1]),
        )
        .with_columns(act(predictions, brief))
        .with_columns(
            value=value,
            positive=pl.lit(True),
            within=(error.abs() <= price.free_within).fill_null(False),
        )
        .with_columns(pl.col("answer", "lower", "upper").fill_nan(None))
        .select("unit", "cluster", *segments, *COLUMNS)
    )


def extra_metrics(
    outcome: pl.DataFrame, predictions: pl.DataFrame, confidence: float
) -> dict[str, Interval]:
    """How good the whole distribution is: the mean pinball loss of the percentiles."""
    has_answer = predictions.select(NAMES).to_series().is_not_nan()
    losses = compute_loss(predictions.filter(has_answer), predictions.filter(has_answer)["target"])
    cluster = outcome.filter(has_answer)["cluster"].to_numpy()
    return {LOSS: influence.mean(losses, cluster, confidence)}


def calibration(outcome: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
    """Percentiles against the share of units whose truth lies below.

    Columns: `mean_predicted`, `observed` (Float64), `n` (UInt32).
    """
    below = [(pl.col("target") < pl.col(name)).mean().alias(name) for name in NAMES]
    return pl.DataFrame(
        {
            "mean_predicted": LEVELS,
            "observed": predictions.fill_nan(None).select(below).row(0),
            "n": pl.Series([predictions.height] * len(NAMES), dtype=pl.UInt32),
        }
    )


def value_curve(predictions: pl.DataFrame, brief: PricedBrief, shares: list[float]) -> pl.DataFrame:
    """Value per 1,000 units if only the surest `acted_share` of each period were answered, and a
    person decided the others at the price of a review (at none, where the brief has no such price).

    Columns: `acted_share`, `value_per_1000` (Float64).
    """
    review = brief.value.review or 0.0
    alone = brief.replace(risk="low", value={"review": None})
    ranked = build_outcomes(predictions, alone).with_columns(
        find_periods(predictions, brief.decision.every)
    )
    n = ranked.height
    worth = [
        (earned + review * (n - max(int(share * n), 1))) * 1000 / n
        for share, earned in zip(shares, sum_best(ranked, shares), strict=True)
    ]
    return pl.DataFrame({"acted_share": shares, "value_per_1000": worth})


def _answered(
    predictions: pl.DataFrame, brief: PricedBrief
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The answer of each row, and its expected cost (above zero); NaN where a model has none."""
    value = brief.value
    high, low = -value.per_unit_too_high, -value.per_unit_too_low
    percentiles = predictions.select(
        pl.col(NAMES).cast(pl.Float64).fill_null(float("nan"))
    ).to_numpy()
    place = np.clip(low / (low + high), LEVELS[0], LEVELS[-1]) * 20 - 1
    under = min(int(place), len(LEVELS) - 2)
    share = place - under
    answer = (1 - share) * percentiles[:, under] + share * percentiles[:, under + 1]
    if has_own(predictions):
        own = predictions[OWN].to_numpy()
        answer = np.where(np.isnan(own), answer, own)
    error = answer[:, None] - percentiles
    beyond = np.maximum(np.abs(error) - value.free_within, 0)
    costs = beyond * np.where(error > 0, high, low)
    # One after the other: numpy's own mean of a single row has another last digit than of several.
    return answer, reduce(np.add, costs.T) / costs.shape[1]
