"""Classification: one row is one unit, it belongs to one class, and an action is worth what that
class makes of it.

What a prediction leads to is here: the action, within the brief's capacity, and what it is worth.
"""

import numpy as np
import polars as pl

from ..edge.brief import NEXT, Brief, Priced, Prices, require_kind
from ..edge.errors import Fixable
from ..statistics import influence
from ..statistics.interval import Interval
from .action import OWN, draw_lots, find_periods, find_room, has_own, list_segments, sum_best
from .metrics import PRICED, PRICES
from .target import COLUMNS
from .training import read_classes, read_probabilities

NOTHING, REVIEW = "none", "review"

PricedBrief = Priced[Prices]

DONE = pl.col("action")
"""What a model did for each unit: where two did the same, their values are the same."""

RESULT = pl.col("outcome")
"""What came of an action, in a word; empty where there is nothing to say of it."""


def require_prices(brief: Brief) -> PricedBrief:
    """The brief with its decision and its prices; Fixable where it has none."""
    return require_kind(brief, PRICES, PRICED)


def act(predictions: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """`action` (String) and `score` (Float64, what the best action is expected to be worth, in
    money) for every prediction, within the brief's capacity.
    """
    return cut(rank(predictions, brief), brief)


def rank(predictions: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """What is best for each unit by itself: `action`, `score`, `claim` (Float64: by what units
    compete for room; null where there is no competing), `lot` and `period`.

    The action is the column of probabilities times prices that is highest, nothing being worth 0
    and a review one more action: a person finds the truth and acts on it. What the rule decides by
    itself is taken as it is, and prices do not cut it.
    """
    prices, names = _prices(predictions, brief)
    p = read_probabilities(predictions, read_classes(predictions))
    expected = np.zeros((len(p), len(prices)))
    for number in range(p.shape[1]):  # a product of matrices has another last digit elsewhere
        expected += p[:, [number]] * prices[:, number]
    if brief.risk == "high":
        expected[:, [name != REVIEW for name in names]] = -np.inf
    unknown = np.isnan(expected).any(axis=1)  # a row that a model could not take
    expected[unknown] = 0.0
    score = expected.max(axis=1)
    best = np.where(score > 0, np.array(names, dtype=object)[expected.argmax(axis=1)], NOTHING)
    ranked = pl.DataFrame(
        {"action": pl.Series(best.tolist(), dtype=pl.String), "score": score, "claim": score}
    ).with_columns(draw_lots(predictions), find_periods(predictions, brief.decision.every))
    if not has_own(predictions):
        return ranked
    return ranked.with_columns(_read_own_actions(predictions, names, brief), claim=None)


def cut(ranked: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """What `act` gives, of ranked rows, whatever parts they came in: of each period the best keep
    their action, as many as there is room for.
    """
    room = find_room(ranked, brief.decision.capacity)
    action = pl.when(room).then("action").otherwise(pl.lit(NOTHING)).alias("action")
    return ranked.select(action, "score")


def takes_room(brief: PricedBrief) -> pl.Expr:
    """Whether a unit of the outcomes table takes some of the brief's capacity."""
    return pl.col("action") != NOTHING


def _read_own_actions(predictions: pl.DataFrame, names: list[str], brief: PricedBrief) -> pl.Series:
    """`action`: what the rule does by itself; with `risk: high` a person decides instead."""
    own = predictions[OWN]
    if unknown := sorted(set(own) - {NOTHING, *names}):
        raise Fixable(
            f"model.py: rule: act: expected an action of the brief ({', '.join(names)}) or "
            f"{NOTHING}, found {unknown[0]!r}. Next: fix model.py, then uv run dvc repro"
        )
    if brief.risk == "high":
        own = own.set(own != NOTHING, REVIEW)
    return own.alias("action")


def build_outcomes(predictions: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """The outcomes table of one model.

    Columns: `unit` (UInt32), `cluster` and the segments (String), `action`, `outcome` (the true
    class), `score`, `value` (money against doing nothing), `positive` (acting on the unit was worth
    more than nothing).
    """
    prices, names = _prices(predictions, brief)
    classes = read_classes(predictions)
    segments = list_segments(predictions)
    actions = act(predictions, brief)
    cells = {(NOTHING, name): 0.0 for name in classes}
    cells |= {
        (a, c): float(prices[i, j]) for i, a in enumerate(names) for j, c in enumerate(classes)
    }
    worth = pl.DataFrame(
        [(a, c, v) for (a, c), v in cells.items()],
        schema=["action", "outcome", "value"],
        orient="row",
    )
    acting = [c for c in classes if any(cells[a, c] > 0 for a in names if a != REVIEW)]
    return (
        predictions.select(
            pl.col("row").alias("unit"), "cluster", *segments, outcome=pl.col("target")
        )
        .with_columns(actions)
        .join(worth, on=["action", "outcome"], how="left", maintain_order="left")
        .with_columns(positive=pl.col("outcome").is_in(acting))
        .select("unit", "cluster", *segments, *COLUMNS)
    )


def extra_metrics(
    outcome: pl.DataFrame, predictions: pl.DataFrame, confidence: float
) -> dict[str, Interval]:
    """How well the units are ordered and how honest the probabilities are: average precision, AUC,
    Brier score.

    For several classes the score is the expected value of acting, and the Brier score sums over
    classes.
    """
    classes = read_classes(predictions)
    positive, score, cluster = (
        outcome[name].to_numpy() for name in ("positive", "score", "cluster")
    )
    truth = predictions["target"].to_numpy()[:, None] == np.array(classes)
    p = np.nan_to_num(read_probabilities(predictions, classes), nan=1 / len(classes))
    error = ((p - truth) ** 2).sum(axis=1) / (2 if len(classes) == 2 else 1)
    return {
        "average_precision": influence.average_precision(positive, score, cluster, confidence),
        "roc_auc": influence.roc_auc(positive, score, cluster, confidence),
        "brier": influence.mean(error, cluster, confidence),
    }


def calibration(outcome: pl.DataFrame, predictions: pl.DataFrame, bins: int = 10) -> pl.DataFrame:
    """Predicted against observed share of positive units, in `bins` groups of equal size.

    Columns: `mean_predicted`, `observed` (Float64), `n` (UInt32).
    """
    acting = [f"p_{name}" for name in outcome.filter("positive")["outcome"].unique().sort()]
    frame = pl.DataFrame(
        {"p": predictions.select(pl.sum_horizontal(acting)).to_series(), "y": outcome["positive"]}
    )
    return (
        frame.with_columns(bin=((pl.col("p").rank("average") - 0.5) * bins // pl.len()))
        .group_by("bin")
        .agg(mean_predicted=pl.col("p").mean(), observed=pl.col("y").mean(), n=pl.len())
        .sort("bin")
        .drop("bin")
    )


def value_curve(predictions: pl.DataFrame, brief: PricedBrief, shares: list[float]) -> pl.DataFrame:
    """Value per 1,000 units if the best `acted_share` of each period were acted on: what more or
    less capacity would be worth.

    Columns: `acted_share`, `value_per_1000` (Float64). Units of equal score count with their mean
    value.
    """
    unlimited = brief.replace(decision={"at_most": None, "out_of": None})
    ranked = build_outcomes(predictions, unlimited).with_columns(
        find_periods(predictions, brief.decision.every)
    )
    worth = [earned * 1000 / ranked.height for earned in sum_best(ranked, shares)]
    return pl.DataFrame({"acted_share": shares, "value_per_1000": worth})


def _prices(predictions: pl.DataFrame, brief: PricedBrief) -> tuple[np.ndarray, list[str]]:
    """Actions by classes, in money; a review is worth the best action for the truth, less its own
    cost.
    """
    value, classes = brief.value, read_classes(predictions)
    names = list(value.actions)
    if fault := value.find_unpriced(classes):
        raise Fixable(f"project-brief.md: {fault}. {NEXT}")
    prices = np.array([[float(value.actions[name][c]) for c in classes] for name in names])
    if value.review is None:
        return prices, names
    return np.vstack([prices, np.maximum(prices.max(axis=0), 0) + value.review]), [
        *names,
        REVIEW,
    ]
