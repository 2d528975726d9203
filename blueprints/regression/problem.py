"""Regression: one row is one unit, the answer is a number, and an error costs what the brief says.

A model gives each unit a distribution: the percentiles 5 to 95, spread around its prediction as
validation rows were. The answer is the percentile that loses least at the brief's two prices.
Everything that differs between kinds of problem is here; the stages around it are the same for all.
"""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from . import intervals
from .intervals import Interval
from .words import Capacity, Curve, Metric

if TYPE_CHECKING:
    import dataframely as dy

NOTHING, REVIEW = "none", "review"
TRUTH = pl.Float64
"""What predictions and outcomes hold the target as."""

LEVELS = np.arange(1, 20) / 20
"""The percentiles that a model gives, as shares: 0.05 to 0.95."""

NAMES = [f"p_{level * 100:02.0f}" for level in LEVELS]
PER_RANGE = 200  # calibration rows that tell the spread of one range of predictions
Brief = dict[str, Any]
COLUMNS = ["action", "outcome", "score", "value", "positive", "answer", "lower", "upper", "within"]

TERMS: dict[str, tuple[pl.Expr, pl.Expr]] = {
    "value_per_1000": (pl.col("value") * 1000, pl.lit(1.0)),
    "within": (pl.col("within").cast(pl.Float64), pl.lit(1.0)),
    "coverage": (
        pl.col("outcome").is_between("lower", "upper").cast(pl.Float64),
        pl.lit(1.0),
    ),
    "absolute_error": ((pl.col("answer") - pl.col("outcome")).abs(), pl.lit(1.0)),
    "mean_error": (pl.col("answer") - pl.col("outcome"), pl.lit(1.0)),
    "reviewed_share": ((pl.col("action") == REVIEW).cast(pl.Float64), pl.lit(1.0)),
}
"""Metric to (numerator, denominator) per unit of the outcomes table; the metric is the ratio of
their sums.
"""

SLICE_METRICS = ("value_per_1000", "within", "coverage")


class Spread:
    """A fitted model, and how far rows that it did not learn from lay from its predictions.

    The distances are kept as quantiles (the conformal ones of Vovk, Gammerman and Shafer 2005: a
    percentile of n distances is the one of rank level x (n + 1)) for each of a few ranges of
    predictions, because dear things vary more than cheap ones. Between the middles of two ranges
    they change evenly, and no percentile falls where the prediction rises.
    """

    model: Any
    middles: NDArray[np.float64]
    """The mean prediction of each range, ascending."""

    distances: NDArray[np.float64]
    """Truth minus prediction: a row per range, a column per level."""

    def fit(self, model: Any, x: pl.DataFrame, y: NDArray[np.float64]) -> Self:
        """Learn the distances of a fitted `model` on rows `x` with the truth `y`."""
        found = np.asarray(model.predict(x), dtype=np.float64)
        ranges = int(np.clip(len(y) // PER_RANGE, 1, 10))
        edges = np.quantile(found, np.arange(1, ranges) / ranges)
        which = np.searchsorted(np.unique(edges), found, side="right")
        parts = [which == k for k in np.unique(which)]
        self.model = model
        self.middles = np.array([found[part].mean() for part in parts])
        distances = np.array([_ranked(np.sort((y - found)[part])) for part in parts])
        rising = np.maximum.accumulate(self.middles[:, None] + distances, axis=0)
        self.distances = rising - self.middles[:, None]
        return self

    def percentiles(self, x: pl.DataFrame) -> NDArray[np.float64]:
        """The percentiles of each row: (rows, levels)."""
        found = np.asarray(self.model.predict(x), dtype=np.float64)
        apart = [np.interp(found, self.middles, distances) for distances in self.distances.T]
        return found[:, None] + np.column_stack(apart)


def _ranked(ascending: NDArray[np.float64]) -> NDArray[np.float64]:
    """The value at rank level x (n + 1) for each level, between two ranks the share of both."""
    ranks = LEVELS * (len(ascending) + 1) - 1
    return np.interp(ranks, np.arange(len(ascending)), ascending)


# --- Training -----------------------------------------------------------------------------------


def fit(
    candidate: Any, x: pl.DataFrame, y: pl.Series, x_val: pl.DataFrame, y_val: pl.Series
) -> Any:
    """A candidate fitted on training rows, its spread taken from validation rows."""
    return Spread().fit(candidate.fit(x, _numbers(y)), x_val, _numbers(y_val))


def fit_rule(rule: Any, x: pl.DataFrame, y: pl.Series) -> Any:
    """The rule with what it takes from training rows, spread as these were."""
    return Spread().fit(rule.fit(x, _numbers(y)), x, _numbers(y))


LOSS = "pinball_loss"
"""What the choice between candidates goes by, and the unit it is in."""


def loss(predictions: pl.DataFrame, y: pl.Series) -> NDArray[np.float64]:
    """The pinball loss of each row, the mean over its percentiles, in units of the target; prices
    play no part in it.

    The mean over levels is half the continuous ranked probability score (Gneiting and Ranjan 2011).
    """
    off = _numbers(y)[:, None] - predictions.select(NAMES).to_numpy()
    return np.asarray(np.maximum(LEVELS * off, (LEVELS - 1) * off).mean(axis=1))


def predict(model: Any, x: pl.DataFrame) -> pl.DataFrame:
    """One Float64 column `p_<percentile>` per level, ascending."""
    return pl.DataFrame(model.percentiles(x), schema=NAMES)


def yardstick(model: Any) -> dict[str, Any] | None:
    """How far what judges an answer can be trusted; None, because here that is the truth itself."""
    return None


POWER = "share of pairs in the right order"
"""What `power_alone` measures."""


def power_alone(feature: pl.Series, y: pl.Series, seed: int) -> float:
    """How well one feature alone orders the units: of two units, the chance that the one with the
    larger prediction (of a small tree, on the other half) has the larger target. This is what AUC
    is for two classes.
    """
    from scipy.stats import kendalltau
    from sklearn.tree import DecisionTreeRegressor

    codes = feature.to_physical() if feature.dtype in (pl.Enum, pl.Categorical) else feature
    x = codes.cast(pl.Float64).fill_null(float("nan")).to_numpy().reshape(-1, 1)
    target = _numbers(y)
    half = np.random.default_rng(seed).permutation(len(target)) % 2 == 0
    tree = DecisionTreeRegressor(max_leaf_nodes=200, min_samples_leaf=5, random_state=seed)
    tree.fit(x[half], target[half])
    order = kendalltau(tree.predict(x[~half]), target[~half]).statistic
    return 0.5 if np.isnan(order) else float((1 + order) / 2)


# --- The target ---------------------------------------------------------------------------------


def unusable(target: "dy.Column") -> str | None:
    """What is wrong with the target's type in the contract, if anything."""
    if target.dtype.is_numeric():
        return None
    return f"expected a number (dy.Float64 or dy.Int64), found {type(target).__name__}"


def balance(target: pl.Series) -> dict[str, float]:
    """What the target looks like, for `reports/data.json`: percentiles by name."""
    shares = {"lowest": 0.0, "10 %": 0.1, "median": 0.5, "90 %": 0.9, "highest": 1.0}
    if target.n_unique() < 2:
        return {}
    found = {name: target.quantile(share, "linear") for name, share in shares.items()}
    return {name: float(value) for name, value in found.items() if value is not None}


VARIED = "numbers that differ"
"""What a target has to be for anything to be learned."""


# --- Action and outcome -------------------------------------------------------------------------


def act(predictions: pl.DataFrame, brief: Brief) -> pl.DataFrame:
    """`action` (String), `score` (Float64, its expected value in money) and `answer` (Float64).

    The answer is the percentile at which being too high and being too low are expected to cost the
    same: low / (low + high) of the way (the newsvendor's; Arrow, Harris and Marschak 1951). Where a
    review costs less than the answer is expected to, a person decides; with `at_most` of `out_of`,
    only where that saves most. With `risk: high` a person decides always.
    """
    answer, cost = _answered(predictions, brief)
    value, decision = brief["value"], brief["decision"]
    action = np.full(len(answer), decision["action"], dtype=object)
    if value["review"] is not None:
        saved = cost + value["review"]
        asked = np.full(len(answer), True) if brief["risk"] == "high" else ~(saved <= 0)
        if decision["at_most"] is not None and brief["risk"] != "high":
            room = int(len(saved) * decision["at_most"] / decision["out_of"])
            most = np.nan_to_num(saved, nan=np.inf)  # without an answer, a person has to
            asked[np.lexsort((predictions["row"].to_numpy(), -most))[room:]] = False
        cost = np.where(asked, -value["review"], cost)
        action[asked] = REVIEW
    unanswered = np.isnan(cost)
    action[unanswered] = NOTHING
    return pl.DataFrame(
        {
            "action": pl.Series(action.tolist(), dtype=pl.String),
            "score": np.where(unanswered, 0.0, -cost),
            "answer": answer,
        }
    )


def outcomes(predictions: pl.DataFrame, brief: Brief) -> pl.DataFrame:
    """The outcomes table of one model.

    Columns: `unit` (UInt32), `cluster` and the segments (String), `action`, `outcome` (Float64, the
    truth), `score`, `value` (money against knowing the truth: 0 at best), `positive` (whether the
    unit tells models apart: all do), `answer`, `lower` and `upper` (Float64, the ends of the 90 %
    interval) and `within` (whether the answer is within the tolerance).
    """
    price = brief["value"]
    segments = [
        name for name in predictions.columns if name not in ("row", "cluster", "target", *NAMES)
    ]
    error = pl.col("answer") - pl.col("outcome")
    beyond = (error.abs() - price["free_within"]).clip(lower_bound=0)
    each = pl.when(error > 0).then(price["per_unit_too_high"]).otherwise(price["per_unit_too_low"])
    value = (
        pl.when(pl.col("action") == REVIEW)
        .then(pl.lit(price["review"] or 0.0))
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
            within=(error.abs() <= price["free_within"]).fill_null(False),
        )
        .with_columns(pl.col("answer", "lower", "upper").fill_nan(None))
        .select("unit", "cluster", *segments, *COLUMNS)
    )


def bounds(metric: str, brief: Brief, *outcome: pl.DataFrame) -> tuple[float, float]:
    """The lowest and highest numerator of one unit: of an amount, those that units had."""
    if metric in ("within", "coverage", "reviewed_share"):
        return 0.0, 1.0
    numerators = pl.concat(table.select(TERMS[metric][0]).to_series() for table in outcome)
    low, high = numerators.min(), numerators.max()
    assert isinstance(low, float)
    assert isinstance(high, float)
    return min(low, 0.0), max(high, 0.0)


def extra_metrics(
    outcome: pl.DataFrame, predictions: pl.DataFrame, confidence: float
) -> dict[str, Interval]:
    """How good the whole distribution is: the mean pinball loss of the percentiles."""
    known = predictions.select(NAMES).to_series().is_not_nan()
    lost = loss(predictions.filter(known), predictions.filter(known)["target"])
    cluster = outcome.filter(known)["cluster"].to_numpy()
    return {LOSS: intervals.mean(lost, cluster, confidence)}


# --- In words and pictures ----------------------------------------------------------------------

FEW = "units"
"""What there must be enough of for a figure to be sure."""

METRICS = {
    "value_per_1000": Metric("value per 1,000", "money, against knowing the truth", "money"),
    "within": Metric("within", "share of answers within the tolerance", "share"),
    "coverage": Metric(
        "coverage", "share of {unit}s whose truth is inside the 90% interval", "share"
    ),
    "absolute_error": Metric("absolute error", "how far answers are off, on average", "money"),
    "mean_error": Metric(
        "mean error", "above zero: too high on average; the prices say which is wanted", "money"
    ),
    "reviewed_share": Metric(
        "reviewed share", "of all {unit}s, the share that a person decides", "share"
    ),
    LOSS: Metric("pinball loss", "error of the whole distribution; less is better", "money"),
}

CALIBRATION = Curve(
    "Below a percentile should lie its share of the {unit}s (the diagonal)",
    ("percentile given", "share below it"),
    ("challenger's percentile", "below it"),
)


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


def value_curve(predictions: pl.DataFrame, brief: Brief, shares: list[float]) -> pl.DataFrame:
    """Value per 1,000 units if only the surest `acted_share` of them were answered, and a person
    decided the others at the price of a review (at none, where the brief has no such price).

    Columns: `acted_share`, `value_per_1000` (Float64).
    """
    review = brief["value"]["review"] or 0.0
    alone = brief | {"risk": "low", "value": brief["value"] | {"review": None}}
    earned = outcomes(predictions, alone).sort("score", descending=True)["value"].cum_sum()
    ends = [max(int(share * predictions.height), 1) for share in shares]
    worth = [earned[end - 1] + review * (predictions.height - end) for end in ends]
    return pl.DataFrame(
        {"acted_share": shares, "value_per_1000": [x * 1000 / predictions.height for x in worth]}
    )


def capacity(brief: Brief, unit: str) -> Capacity:
    """What the value curve shows, for the report."""
    review, currency = brief["value"]["review"], brief["value"]["currency"]
    told = f"If a person decided the {unit}s of which the model is least sure"
    told += f", at {currency} {-review:,g} each." if review else ", and that cost nothing."
    return Capacity(
        "What it would be worth to ask a person more often",
        told,
        f"share of {unit}s that are answered without a person",
        [0.5, 0.75, 0.9],
        None,
    )


def shares(target: dict[str, float]) -> tuple[list[str], list[list[str]]]:
    """What `balance` told, as a table: header and rows."""
    return ["target", ">value"], [[name, f"{value:,.6g}"] for name, value in target.items()]


def judged_on(n: int, positives: int, unit: str) -> str:
    """The units that the gain was judged on."""
    return f"Judged on {n:,} held-out {unit}s."


def prices(brief: Brief) -> tuple[list[str], list[list[str]]]:
    """The brief's prices as a table: header and rows."""
    value = brief["value"]
    money = value["currency"]
    rows = [
        ["an answer too high, for each 1", f"{money} {value['per_unit_too_high']:,g}"],
        ["an answer too low, for each 1", f"{money} {value['per_unit_too_low']:,g}"],
        ["either way, up to this", f"{value['free_within']:,g} free"],
    ]
    return ["against knowing the truth", ">price"], rows


def in_words(brief: Brief) -> str:
    """The decision and its prices in one clause: `offer for each car; each 1 too high costs …`."""
    decision, value = brief["decision"], brief["value"]
    free = f" beyond {value['free_within']:,g}" if value["free_within"] else ""
    words = f"{decision['action']} for each {decision['unit']}; each 1 too high costs "
    words += f"{value['currency']} {-value['per_unit_too_high']:,g}, each 1 too low "
    words += (
        f"{-value['per_unit_too_low']:,g},{free}" if free else f"{-value['per_unit_too_low']:,g}"
    )
    if value["review"] is not None:
        most = ""
        if decision["at_most"] is not None:
            most = f" at most {decision['at_most']:,} of {decision['out_of']:,}"
        words += f"; a person decides{most} where that is cheaper"
    return words


def _numbers(y: pl.Series) -> NDArray[np.float64]:
    return y.cast(pl.Float64).to_numpy()


def _answered(
    predictions: pl.DataFrame, brief: Brief
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The answer of each row, and its expected cost (above zero); NaN where a model has none."""
    value = brief["value"]
    high, low = -value["per_unit_too_high"], -value["per_unit_too_low"]
    percentiles = predictions.select(
        pl.col(NAMES).cast(pl.Float64).fill_null(float("nan"))
    ).to_numpy()
    place = np.clip(low / (low + high), LEVELS[0], LEVELS[-1]) * 20 - 1
    under = min(int(place), len(LEVELS) - 2)
    share = place - under
    answer = (1 - share) * percentiles[:, under] + share * percentiles[:, under + 1]
    error = answer[:, None] - percentiles
    beyond = np.maximum(np.abs(error) - value["free_within"], 0)
    return answer, (beyond * np.where(error > 0, high, low)).mean(axis=1)
