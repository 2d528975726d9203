"""Classification: one row is one unit, it belongs to one class, and an action is worth what that
class makes of it.

Everything that differs between kinds of problem is here; the stages around it are the same for all.
Only training needs scikit-learn, and importing it takes longer than a whole other stage: the
functions for training import it themselves.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from . import intervals
from .errors import Mendable
from .intervals import Interval
from .words import Capacity, Curve, Metric

if TYPE_CHECKING:
    import dataframely as dy

NOTHING, REVIEW = "none", "review"
TRUTH = pl.String
"""What predictions and outcomes hold the target as."""

Brief = dict[str, Any]
COLUMNS = ["action", "outcome", "score", "value", "positive"]

TERMS: dict[str, tuple[pl.Expr, pl.Expr]] = {
    "value_per_1000": (pl.col("value") * 1000, pl.lit(1.0)),
    "recall": (
        (pl.col("positive") & (pl.col("action") != NOTHING)).cast(pl.Float64),
        pl.col("positive").cast(pl.Float64),
    ),
    "precision": (
        (pl.col("positive") & (pl.col("action") != NOTHING)).cast(pl.Float64),
        (pl.col("action") != NOTHING).cast(pl.Float64),
    ),
    "acted_share": ((pl.col("action") != NOTHING).cast(pl.Float64), pl.lit(1.0)),
}
"""Metric to (numerator, denominator) per unit of the outcomes table; the metric is the ratio of
their sums.
"""

SLICE_METRICS = ("value_per_1000", "recall", "precision")

# --- Training -----------------------------------------------------------------------------------


def fit(
    candidate: Any, x: pl.DataFrame, y: pl.Series, x_val: pl.DataFrame, y_val: pl.Series
) -> Any:
    """A candidate fitted on training rows, its probabilities calibrated on validation rows (Platt's
    sigmoid).
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator

    fitted = candidate.fit(x, y.cast(pl.String).to_numpy())
    return CalibratedClassifierCV(FrozenEstimator(fitted), method="sigmoid").fit(
        x_val, y_val.cast(pl.String).to_numpy()
    )


def fit_rule(rule: Any, x: pl.DataFrame, y: pl.Series) -> Any:
    """The rule with the shares it takes from training rows."""
    return rule.fit(x, y.cast(pl.String).to_numpy())


LOSS = "log_loss"
"""What the choice between candidates goes by."""


def loss(predictions: pl.DataFrame, y: pl.Series) -> NDArray[np.float64]:
    """What the choice between candidates goes by: the log loss of each row, in nats; prices play no
    part in it.
    """
    classes = _classes(predictions)
    truth = np.searchsorted(classes, y.cast(pl.String).to_numpy())
    p = _matrix(predictions, classes)[np.arange(len(truth)), truth]
    return -np.log(np.clip(p, np.finfo(np.float64).eps, 1))


def predict(model: Any, x: pl.DataFrame) -> pl.DataFrame:
    """One Float64 column `p_<class>` per class, in the order of the names."""
    probabilities = model.predict_proba(x)
    order = np.argsort(model.classes_)
    return pl.DataFrame({f"p_{model.classes_[k]}": probabilities[:, k] for k in order})


def yardstick(model: Any) -> dict[str, Any] | None:
    """How far what judges an answer can be trusted; None, because here that is the truth itself."""
    return None


POWER = "AUC"
"""What `power_alone` measures."""


def power_alone(feature: pl.Series, y: pl.Series, seed: int) -> float:
    """How well one feature alone tells the classes apart: AUC (one class against the rest, mean) on
    the other half.
    """
    from sklearn.metrics import roc_auc_score
    from sklearn.tree import DecisionTreeClassifier

    codes = feature.to_physical() if feature.dtype in (pl.Enum, pl.Categorical) else feature
    x = codes.cast(pl.Float64).fill_null(float("nan")).to_numpy().reshape(-1, 1)
    target = y.cast(pl.String).to_numpy()
    half = np.random.default_rng(seed).permutation(len(target)) % 2 == 0
    if set(target[half]) != set(target[~half]):
        return 0.5
    tree = DecisionTreeClassifier(max_depth=4, min_samples_leaf=5, random_state=seed).fit(
        x[half], target[half]
    )
    scores = tree.predict_proba(x[~half])
    scores = scores[:, 1] if scores.shape[1] == 2 else scores
    return float(roc_auc_score(target[~half], scores, multi_class="ovr", labels=tree.classes_))


# --- The target ---------------------------------------------------------------------------------


def unusable(target: "dy.Column") -> str | None:
    """What is wrong with the target's type in the contract, if anything."""
    if isinstance(target.dtype, pl.Enum):
        return None
    return f"expected a dy.Enum of the classes, found {type(target).__name__}"


def balance(target: pl.Series) -> dict[str, int]:
    """What the target looks like, for `reports/data.json`: rows by class."""
    counts = target.cast(pl.String).value_counts(name="n").drop_nulls().sort(target.name)
    return dict(counts.iter_rows())


VARIED = "two classes or more"
"""What a target has to be for anything to be learned."""


# --- Action and outcome -------------------------------------------------------------------------


def act(predictions: pl.DataFrame, brief: Brief) -> pl.DataFrame:
    """`action` (String) and `score` (Float64, the action's expected value in money) for every
    prediction.

    The action is the column of probabilities times prices that is highest, nothing being worth 0
    and a review one more action: a person finds the truth and acts on it. With `at_most` of
    `out_of`, only the best keep their action; ties are broken by a hash of the unit, so that no
    order of rows favours anyone.
    """
    prices, names = _prices(predictions, brief)
    expected = _matrix(predictions, _classes(predictions)) @ prices.T
    if brief["risk"] == "high":
        expected[:, [name != REVIEW for name in names]] = -np.inf
    unknown = np.isnan(expected).any(axis=1)  # a row that a model could not take
    expected[unknown] = 0.0
    best = expected.argmax(axis=1)
    score = expected.max(axis=1)
    wanted = score > 0
    decision = brief["decision"]
    if decision["at_most"] is not None:
        room = int(len(score) * decision["at_most"] / decision["out_of"])
        lot = (predictions["row"].to_numpy().astype(np.uint64) * np.uint64(2654435761)) % np.uint64(
            2**32
        )
        wanted[np.lexsort((lot, -score))[room:]] = False
    chosen = np.where(wanted, np.array(names, dtype=object)[best], NOTHING)
    return pl.DataFrame({"action": pl.Series(chosen.tolist(), dtype=pl.String), "score": score})


def outcomes(predictions: pl.DataFrame, brief: Brief) -> pl.DataFrame:
    """The outcomes table of one model.

    Columns: `unit` (UInt32), `cluster` and the segments (String), `action`, `outcome` (the true
    class), `score`, `value` (money against doing nothing), `positive` (acting on the unit was worth
    more than nothing).
    """
    prices, names = _prices(predictions, brief)
    classes = _classes(predictions)
    segments = [
        c
        for c in predictions.columns
        if c not in ("row", "cluster", "target") and not c.startswith("p_")
    ]
    acted = act(predictions, brief)
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
        .with_columns(acted)
        .join(worth, on=["action", "outcome"], how="left", maintain_order="left")
        .with_columns(positive=pl.col("outcome").is_in(acting))
        .select("unit", "cluster", *segments, *COLUMNS)
    )


def bounds(metric: str, brief: Brief, *_: pl.DataFrame) -> tuple[float, float]:
    """The lowest and highest numerator that one unit can have."""
    if metric != "value_per_1000":
        return 0.0, 1.0
    prices = [price for action in brief["value"]["actions"].values() for price in action.values()]
    return 1000 * min(0.0, *prices), 1000 * max(0.0, *prices)


def extra_metrics(
    outcome: pl.DataFrame, predictions: pl.DataFrame, confidence: float
) -> dict[str, Interval]:
    """How well the units are ordered and how honest the probabilities are: average precision, AUC,
    Brier score.

    For several classes the score is the expected value of acting, and the Brier score sums over
    classes.
    """
    classes = _classes(predictions)
    positive, score, cluster = (
        outcome[name].to_numpy() for name in ("positive", "score", "cluster")
    )
    truth = predictions["target"].to_numpy()[:, None] == np.array(classes)
    p = np.nan_to_num(_matrix(predictions, classes), nan=1 / len(classes))
    error = ((p - truth) ** 2).sum(axis=1) / (2 if len(classes) == 2 else 1)
    return {
        "average_precision": intervals.average_precision(positive, score, cluster, confidence),
        "roc_auc": intervals.roc_auc(positive, score, cluster, confidence),
        "brier": intervals.mean(error, cluster, confidence),
    }


# --- In words and pictures ----------------------------------------------------------------------

FEW = "positive units"
"""What there must be enough of for a figure to be sure."""

METRICS = {
    "value_per_1000": Metric("value per 1,000", "money, against doing nothing", "money"),
    "recall": Metric("recall", "of the positive {unit}s, the share acted on", "share"),
    "precision": Metric(
        "precision", "of the {unit}s acted on, the share that is positive", "share"
    ),
    "acted_share": Metric("acted share", "of all {unit}s, the share acted on", "share"),
    "average_precision": Metric(
        "average precision", "how well the {unit}s are ordered; 1 is perfect", "number"
    ),
    "roc_auc": Metric(
        "AUC", "how often a positive {unit} comes before another; 0.5 is chance", "number"
    ),
    "brier": Metric("Brier score", "error of the probabilities; less is better", "number"),
}

CALIBRATION = Curve(
    "Where 10% is predicted, 10% should be positive (the diagonal)",
    ("predicted share of positive", "observed share"),
    ("challenger predicts", "observed"),
)


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


def value_curve(predictions: pl.DataFrame, brief: Brief, shares: list[float]) -> pl.DataFrame:
    """Value per 1,000 units if the best `acted_share` of them were acted on: what more or less
    capacity would be worth.

    Columns: `acted_share`, `value_per_1000` (Float64). Units of equal score count with their mean
    value.
    """
    unlimited = brief | {"decision": brief["decision"] | {"at_most": None, "out_of": None}}
    ordered = (
        outcomes(predictions, unlimited)
        .with_columns(pl.col("value").mean().over("score"))
        .sort("score", descending=True)
    )
    earned = ordered["value"].cum_sum()
    ends = [max(int(share * ordered.height), 1) - 1 for share in shares]
    return pl.DataFrame(
        {"acted_share": shares, "value_per_1000": earned.gather(ends) * 1000 / ordered.height}
    )


def capacity(brief: Brief, unit: str) -> Capacity:
    """What the value curve shows, for the report."""
    most, of = brief["decision"]["at_most"], brief["decision"]["out_of"]
    told, shares, mark = (
        f"The brief sets no limit on how many {unit}s are acted on.",
        [0.25, 0.5],
        None,
    )
    if most:
        now = most / of
        told = f"The brief has capacity for {most:,} of {of:,} {unit}s ({now:.1%})."
        shares, mark = [now / 2, now, min(2 * now, 1)], (now, "capacity today")
    heading = "What more or less capacity would be worth"
    return Capacity(heading, told, f"capacity, share of {unit}s", shares, mark)


def shares(target: dict[str, int]) -> tuple[list[str], list[list[str]]]:
    """What `balance` told, as a table: header and rows."""
    rows = sum(target.values())
    return ["target", ">rows", ">share"], [
        [name, f"{count:,}", f"{count / rows:.1%}"] for name, count in target.items()
    ]


def judged_on(n: int, positives: int, unit: str) -> str:
    """The units that the gain was judged on."""
    return (
        f"Judged on {n:,} held-out {unit}s, {positives:,} of them positive: "
        "acting on those is worth more than doing nothing."
    )


def prices(brief: Brief) -> tuple[list[str], list[list[str]]]:
    """The brief's prices as a table: header (`>`: to the right) and rows."""
    value = brief["value"]
    header = ["against doing nothing", *(f">{c}" for c in next(iter(value["actions"].values())))]
    return header, [
        [action, *(f"{value['currency']} {price:,g}" for price in priced.values())]
        for action, priced in value["actions"].items()
    ]


def in_words(brief: Brief) -> str:
    """The decision and its prices in one clause: `call at most 400 of 5,000 customers a week; a
    right call …`.
    """
    decision, value = brief["decision"], brief["value"]
    actions = decision["action"] if isinstance(decision["action"], list) else [decision["action"]]
    words = " or ".join(actions)
    if decision["at_most"] is not None:
        words += f" at most {decision['at_most']:,} of {decision['out_of']:,} {decision['unit']}s"
        words += f" a {decision['every']}" if decision["every"] else ""
    else:
        words += f" each {decision['unit']} for whom it pays"
    for action in actions:
        prices = value["actions"][action].values()
        right, wrong = max(prices), -min(prices)
        words += (
            f"; a right {action} earns {value['currency']} {right:,g}, a wrong one costs {wrong:,g}"
        )
    return words


def _classes(predictions: pl.DataFrame) -> list[str]:
    return [name.removeprefix("p_") for name in predictions.columns if name.startswith("p_")]


def _matrix(predictions: pl.DataFrame, classes: list[str]) -> np.ndarray:
    return predictions.select([f"p_{name}" for name in classes]).to_numpy()


def _prices(predictions: pl.DataFrame, brief: Brief) -> tuple[np.ndarray, list[str]]:
    """Actions by classes, in money; a review is worth the best action for the truth, less its own
    cost.
    """
    value, classes = brief["value"], _classes(predictions)
    names = list(value["actions"])
    priced = set(value["actions"][names[0]])
    if priced != set(classes):
        raise Mendable(
            "project-brief.md: value: expected a price for each class of the target "
            f"({', '.join(sorted(classes))}), found {', '.join(sorted(priced))}. "
            "Next: mend the brief, then uv run dvc repro"
        )
    prices = np.array([[float(value["actions"][name][c]) for c in classes] for name in names])
    if value["review"] is None:
        return prices, names
    return np.vstack([prices, np.maximum(prices.max(axis=0), 0) + value["review"]]), [
        *names,
        REVIEW,
    ]
