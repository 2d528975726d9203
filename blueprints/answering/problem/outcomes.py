"""Answering: one row is one asking, the answer is a prepared passage or the same in other words,
and what is not surely worth answering is handed over to a person.

A model says which intent it would answer, what it would send, and what the call costs; how sure it
is becomes a chance on validation rows. Whatever rests on no prepared passage is never sent.
What a prediction leads to is here: the action, within the brief's capacity, and what it is worth.
"""

import numpy as np
import polars as pl

from ..edge.brief import Answers, Brief, Priced, require_kind
from ..statistics import influence
from ..statistics.interval import Interval
from .action import OWN, draw_lots, find_periods, find_room, has_own, list_segments, sum_best
from .metrics import PRICED, PRICES
from .target import COLUMNS, HAND_OVER, NONE
from .training import LOSS, compute_loss

PricedBrief = Priced[Answers]

DONE = pl.struct("action", "answer", "cost")
"""What a model did for each unit: where two did the same, their values are the same."""

RESULT = (
    pl.when("right")
    .then(pl.lit("right"))
    .when(~pl.col("right"))
    .then(pl.lit("wrong"))
    .otherwise(pl.lit(""))
)
"""What came of an action, in a word; empty where there is nothing to say of it."""


def require_prices(brief: Brief) -> PricedBrief:
    """The brief with its decision and its prices; Fixable where it has none."""
    return require_kind(brief, PRICES, PRICED)


def act(predictions: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """`action` (String), `score` (Float64, its expected value in money) and `said` (String, what to
    send; null where it is handed over) for every prediction, within the brief's capacity.
    """
    return cut(rank(predictions, brief), brief)


def rank(predictions: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """What is best for each unit by itself: `action`, `score`, `said`; `score_over` where it is
    handed over; `claim` (Float64: by what units compete for room; null where there is no
    competing), `lot` and `period`.

    An answer is sent where it rests on a prepared passage and p * right + (1 - p) * wrong is more
    than a handing over is worth; the call is paid either way. With `risk: high` a person answers
    always. What the rule answers by itself is taken as it is.
    """
    price, decision = brief.value, brief.decision
    p = predictions["p_right"].fill_null(0.0).to_numpy()
    worth = p * price.right + (1 - p) * price.wrong
    sent = (predictions["p_intent"].fill_null(NONE) != NONE).to_numpy() & (brief.risk != "high")
    if has_own(predictions):
        sent = sent & (predictions[OWN] != NONE).to_numpy()
    else:
        sent = sent & (worth > price.handed_over)
    cost = _cost(predictions, brief).to_numpy()
    return pl.select(
        action=pl.when(pl.Series(sent)).then(pl.lit(decision.action)).otherwise(_hand_over(brief)),
        score=pl.Series(np.where(sent, worth, price.handed_over) - cost, dtype=pl.Float64),
        score_over=pl.Series(price.handed_over - cost, dtype=pl.Float64),
        said=pl.when(pl.Series(sent)).then(predictions["p_said"]),
        claim=None if has_own(predictions) else pl.Series(np.where(sent, worth, -np.inf)),
    ).with_columns(draw_lots(predictions), find_periods(predictions, decision.every))


def cut(ranked: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """What `act` gives, of ranked rows, whatever parts they came in: of each period only the surest
    answers are sent, as many as there is room for.
    """
    room = pl.when(find_room(ranked, brief.decision.capacity))
    return ranked.select(
        room.then("action").otherwise(_hand_over(brief)).alias("action"),
        room.then("score").otherwise("score_over").alias("score"),
        room.then("said").alias("said"),
    )


def _hand_over(brief: PricedBrief) -> pl.Expr:
    """What is done where no answer is sent."""
    return pl.lit(brief.decision.otherwise or HAND_OVER)


def takes_room(brief: PricedBrief) -> pl.Expr:
    """Whether a unit of the outcomes table takes some of the brief's capacity: an answer does."""
    return pl.col("action") == brief.decision.action


def _cost(predictions: pl.DataFrame, brief: PricedBrief) -> pl.Series:
    """What the call of each row costs: the price in the brief, or what was paid."""
    call = brief.value.call
    paid = predictions["p_cost"].fill_null(0.0)
    return paid if call == "measured" else pl.Series(np.full(predictions.height, -float(call)))


def build_outcomes(predictions: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """The outcomes table of one model.

    Columns: `unit` (UInt32), `cluster` and the segments (String), `action`, `outcome` (the true
    intent), `score`, `value` (money, the call paid), `positive` (whether the unit tells models
    apart: all do), `answer` (the intent sent, "none" where it was handed over), `right` (null where
    it was handed over), `grounded` (whether what the model wanted to say rests on a passage; null
    where it wanted to say nothing), `cost` (money) and `ms` (Float64, null where not recorded).
    """
    price, decision = brief.value, brief.decision
    segments = list_segments(predictions)
    intent, sent = pl.col("p_intent").fill_null(NONE), pl.col("action") == decision.action
    value = pl.when("right").then(price.right).when(~pl.col("right")).then(price.wrong)
    return (
        predictions.with_columns(
            act(predictions, brief).drop("said"), cost=_cost(predictions, brief)
        )
        .with_columns(
            unit="row",
            outcome="target",
            positive=pl.lit(True),
            answer=pl.when(sent).then(intent).otherwise(pl.lit(NONE)),
            right=pl.when(sent).then(intent == pl.col("target")),
            grounded=pl.when(pl.col("p_said").fill_null("") != "").then(intent != NONE),
            ms=pl.when(pl.col("p_ms") > 0).then("p_ms"),
        )
        .with_columns(value=value.otherwise(price.handed_over).cast(pl.Float64) - pl.col("cost"))
        .select("unit", "cluster", *segments, *COLUMNS)
    )


def extra_metrics(
    outcome: pl.DataFrame, predictions: pl.DataFrame, confidence: float
) -> dict[str, Interval]:
    """How honest the chances are (Brier score); where answers were recorded, how long they took and
    the share of questions that had none.
    """
    cluster = outcome["cluster"].to_numpy()
    has_answer = predictions["p_right"].is_not_null()
    each = compute_loss(predictions.filter(has_answer), predictions.filter(has_answer)["target"])
    metrics = {LOSS: influence.mean(each, cluster[has_answer.to_numpy()], confidence)}
    ms = predictions["p_ms"].fill_null(0.0)
    if (ms == 0).all():
        return metrics
    timed = (ms > 0).to_numpy()
    return metrics | {
        "ms": influence.mean(ms.to_numpy()[timed], cluster[timed], confidence),
        "unrecorded_share": influence.mean(
            (ms < 0).cast(pl.Float64).to_numpy(), cluster, confidence
        ),
    }


def calibration(outcome: pl.DataFrame, predictions: pl.DataFrame, bins: int = 10) -> pl.DataFrame:
    """The chance of being right against the share that is, in `bins` groups of equal size; of the
    units that a model could answer.

    Columns: `mean_predicted`, `observed` (Float64), `n` (UInt32).
    """
    answerable = predictions.filter(pl.col("p_intent") != NONE)
    return (
        answerable.select(p="p_right", y=pl.col("p_intent") == pl.col("target"))
        .with_columns(bin=((pl.col("p").rank("average") - 0.5) * bins // pl.len()))
        .group_by("bin")
        .agg(mean_predicted=pl.col("p").mean(), observed=pl.col("y").mean(), n=pl.len())
        .sort("bin")
        .drop("bin")
    )


def value_curve(predictions: pl.DataFrame, brief: PricedBrief, shares: list[float]) -> pl.DataFrame:
    """Value per 1,000 units if the surest `acted_share` of each period were answered and a person
    answered the others; what a model cannot answer is handed over at any share.

    Columns: `acted_share`, `value_per_1000` (Float64). Units of equal chance count with their mean
    value.
    """
    price = brief.value
    answerable = pl.col("p_intent").fill_null(NONE) != NONE
    p = pl.when(answerable).then("p_right").fill_null(-1.0)
    right = pl.col("p_intent") == pl.col("target")
    worth = pl.when(answerable & right).then(price.right).otherwise(price.wrong)
    gained = pl.when(answerable).then(worth - price.handed_over).otherwise(0.0)
    ranked = predictions.select(score=p, value=gained).with_columns(
        find_periods(predictions, brief.decision.every)
    )
    base = price.handed_over * ranked.height - float(_cost(predictions, brief).sum())
    values = [(earned + base) * 1000 / ranked.height for earned in sum_best(ranked, shares)]
    return pl.DataFrame({"acted_share": shares, "value_per_1000": values})
