"""Answering: one row is one asking, the answer is a prepared passage or the same in other words,
and what is not surely worth answering is handed over to a person.

A model says which intent it would answer, what it would send, and what the call costs; how sure it
is becomes a chance on validation rows. Whatever rests on no prepared passage is never sent.
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

NONE, HAND_OVER = "none", "hand over"
TRUTH = pl.String
"""What predictions and outcomes hold the target as."""

Brief = dict[str, Any]
COLUMNS = [
    "action", "outcome", "score", "value", "positive", "answer", "right", "grounded", "cost", "ms"
]  # fmt: skip
NAMES = ["p_intent", "p_right", "p_said", "p_cost", "p_ms"]
FOUND = ["intent", "score", "said", "cost", "ms"]
"""The columns that a model's `answers` has to give."""

ANSWERED = pl.col("right").is_not_null()
RIGHT = pl.col("right").fill_null(False)
WANTED = pl.col("grounded").is_not_null()
PREPARED = pl.col("outcome") != NONE

TERMS: dict[str, tuple[pl.Expr, pl.Expr]] = {
    name: (of.cast(pl.Float64), all_of.cast(pl.Float64))
    for name, (of, all_of) in {
        "value_per_1000": (pl.col("value") * 1000, pl.lit(1)),
        "answered_share": (ANSWERED, pl.lit(1)),
        "right_share": (RIGHT, pl.lit(1)),
        "precision": (RIGHT, ANSWERED),
        "recall": (RIGHT & PREPARED, PREPARED),
        "grounded_share": (pl.col("grounded").fill_null(False), WANTED),
        "cost_per_1000": (pl.col("cost") * 1000, pl.lit(1)),
    }.items()
}
"""Metric to (numerator, denominator) per unit of the outcomes table; the metric is the ratio of
their sums.
"""

SLICE_METRICS = ("value_per_1000", "precision", "answered_share")


class Sure:
    """A fitted model, and what its scores are worth as chances of being right.

    Platt's sigmoid (Platt 1999, with his smoothed targets) on rows that the model did not learn
    from: one for answers, one for handing over, because a score may mean different things for both.
    """

    model: Any
    slope: NDArray[np.float64]
    """Of the log odds over the score: for answers, for handing over."""

    start: NDArray[np.float64]
    """The log odds at score 0: for answers, for handing over."""

    def fit(self, model: Any, x: pl.DataFrame, y: pl.Series) -> Self:
        """Learn the chances of a fitted `model` on rows `x` with the intents `y`."""
        found = checked(model.answers(x), x)
        score, right = found["score"].to_numpy(), (found["intent"] == y).to_numpy()
        over = (found["intent"] == NONE).to_numpy()
        self.model = model
        lines = [_sigmoid(score[part], right[part]) for part in (~over, over)]
        self.slope, self.start = (np.array(each) for each in zip(*lines, strict=True))
        return self

    def answers(self, x: pl.DataFrame) -> pl.DataFrame:
        """What the model found for each row, and as `right` the chance that its intent is."""
        found = checked(self.model.answers(x), x)
        over = (found["intent"] == NONE).to_numpy().astype(int)
        odds = self.start[over] + self.slope[over] * found["score"].to_numpy()
        return found.with_columns(right=pl.Series(1 / (1 + np.exp(-odds)), dtype=pl.Float64))


def checked(found: pl.DataFrame, x: pl.DataFrame) -> pl.DataFrame:
    """What a model's `answers` gave, if it has the columns and rows that it must."""
    if sorted(found.columns) != sorted(FOUND) or found.height != x.height:
        raise ValueError(
            f"answers with the columns {', '.join(found.columns)} and {found.height:,} rows; "
            f"needed are {', '.join(FOUND)} and {x.height:,} rows"
        )
    return found


def _sigmoid(score: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and start of the log odds of being right; a flat line where there is nothing to learn
    from.
    """
    from sklearn.linear_model import LogisticRegression

    hits, misses = int(right.sum()), int((~right).sum())
    target = np.where(right, (hits + 1) / (hits + 2), 1 / (misses + 2))
    if len(np.unique(score)) < 2:
        share = (hits + 1) / (hits + misses + 2)
        return 0.0, float(np.log(share / (1 - share)))
    twice, sides = np.tile(score, 2).reshape(-1, 1), np.repeat([1, 0], len(score))
    line = LogisticRegression(C=1e6, tol=1e-8, max_iter=1000)
    line.fit(twice, sides, sample_weight=np.concatenate([target, 1 - target]))
    return float(line.coef_[0, 0]), float(line.intercept_[0])


# --- Training -----------------------------------------------------------------------------------


def fit(
    candidate: Any, x: pl.DataFrame, y: pl.Series, x_val: pl.DataFrame, y_val: pl.Series
) -> Any:
    """A candidate fitted on training rows, its chances taken from validation rows."""
    return Sure().fit(candidate.fit(x, y.cast(TRUTH).to_numpy()), x_val, y_val.cast(TRUTH))


def fit_rule(rule: Any, x: pl.DataFrame, y: pl.Series) -> Any:
    """The rule, its chances taken from training rows."""
    return Sure().fit(rule.fit(x, y.cast(TRUTH).to_numpy()), x, y.cast(TRUTH))


LOSS = "brier"
"""What the choice between candidates goes by."""


def loss(predictions: pl.DataFrame, y: pl.Series) -> NDArray[np.float64]:
    """The Brier score of each row, from 0 (surely right) to 1 (surely wrong); prices play no part.

    Of an intent given the chance p it is ((1 - p)^2) / 2 if that was asked for and (1 + p^2) / 2 if
    not: Brier's sum over all intents (1950), what is left of the chance being spread over so many
    that it adds nothing. To say "none" is an answer like any other, so that a model gains nothing
    by handing over what it could know.
    """
    right = predictions["p_intent"] == y.cast(TRUTH)
    p = predictions["p_right"].to_numpy()
    return np.where(right.to_numpy(), (1 - p) ** 2, 1 + p**2) / 2


def predict(model: Any, x: pl.DataFrame) -> pl.DataFrame:
    """For each row `p_intent` (String, "none": hand over), `p_right` (Float64, the chance that it
    is that), `p_said` (String, what would be sent), `p_cost` (Float64, money) and `p_ms` (Float64,
    milliseconds: 0 where nothing is timed, -1 where an answer should have been recorded and was
    not).
    """
    return model.answers(x).select(
        p_intent=pl.col("intent").fill_null(NONE),
        p_right="right",
        p_said=pl.col("said").fill_null(""),
        p_cost="cost",
        p_ms="ms",
    )


def yardstick(model: Any) -> dict[str, Any] | None:
    """How far to trust the judge of `model.py`: the share of `HAND_LABELS` that it agrees with, and
    Wilson's interval (1927).
    """
    from scipy.stats import binomtest

    labels = getattr(model, "HAND_LABELS", [])
    if not labels:
        return None
    said, meant = zip(*labels, strict=True)
    found, _ = model.Judge().fit().rests_on(list(said))
    agreed = int((found == pl.Series(meant)).sum())
    ends = binomtest(agreed, len(labels)).proportion_ci(0.95, method="wilson")
    told = f"The judge agrees with hand labels in {agreed} of {len(labels)} answers "
    told += f"({agreed / len(labels):.0%}; {ends.low:.0%} to {ends.high:.0%})."
    return {
        "told": told,
        "agreement": agreed / len(labels),
        "lower": float(ends.low),
        "upper": float(ends.high),
        "n": len(labels),
    }


POWER = "share of intents that it tells"
"""What `power_alone` measures."""

RECURS = 10  # rows that a value of text has on average, for it to count as a code


def power_alone(feature: pl.Series, y: pl.Series, seed: int) -> float:
    """How often one feature alone tells the intent, on the other half: a number by a small tree, a
    code by what it mostly stood for.

    A text whose values hardly recur is no code, and is compared with the intent's name only: that
    the same words mean the same is what the questions are there for.
    """
    from sklearn.tree import DecisionTreeClassifier

    half = pl.Series(np.random.default_rng(seed).permutation(len(y)) % 2 == 0)
    if feature.dtype.is_numeric() or feature.dtype.is_temporal() or feature.dtype == pl.Boolean:
        x = feature.cast(pl.Float64).fill_null(float("nan")).to_numpy().reshape(-1, 1)
        tree = DecisionTreeClassifier(max_leaf_nodes=200, min_samples_leaf=5, random_state=seed)
        names, known = y.cast(TRUTH).to_numpy(), half.to_numpy()
        return float(tree.fit(x[known], names[known]).score(x[~known], names[~known]))
    table = pl.DataFrame({"value": feature.cast(pl.String), "intent": y.cast(TRUTH), "half": half})
    named = table.select((pl.col("value") == pl.col("intent")).fill_null(False).mean()).item()
    if feature.n_unique() * RECURS > len(feature):
        return float(named)
    counted = table.filter("half").group_by("value", "intent").len()
    mostly = counted.sort("len", "intent", descending=[True, False]).unique("value", keep="first")
    tested = table.filter(~pl.col("half")).join(
        mostly, on="value", how="left", suffix="_mostly", nulls_equal=True
    )
    told = tested.select((pl.col("intent") == pl.col("intent_mostly")).fill_null(False).mean())
    return float(max(named, told.item()))


# --- The target ---------------------------------------------------------------------------------


def unusable(target: "dy.Column") -> str | None:
    """What is wrong with the target's type in the contract, if anything."""
    if not isinstance(target.dtype, pl.Enum):
        return f"expected a dy.Enum of the intents, found {type(target).__name__}"
    if NONE not in target.dtype.categories:
        return "expected `none` among the intents, for what has no prepared answer; found it not"
    return None


def balance(target: pl.Series) -> dict[str, int]:
    """What the target looks like, for `reports/data.json`: rows by intent."""
    counts = target.cast(pl.String).value_counts(name="n").drop_nulls().sort(target.name)
    return dict(counts.iter_rows())


VARIED = "two intents or more"
"""What a target has to be for anything to be learned."""


# --- Action and outcome -------------------------------------------------------------------------


def act(predictions: pl.DataFrame, brief: Brief) -> pl.DataFrame:
    """`action` (String), `score` (Float64, its expected value in money) and `said` (String, what to
    send; null where it is handed over) for every prediction.

    An answer is sent where it rests on a prepared passage and p * right + (1 - p) * wrong is more
    than a handing over is worth; the call is paid either way. With `at_most` of `out_of`, only
    the surest are sent; ties are broken by a hash of the unit, so that no order of rows favours
    anyone. With `risk: high` a person answers always.
    """
    price, decision = brief["value"], brief["decision"]
    p = predictions["p_right"].fill_null(0.0).to_numpy()
    worth = p * price["right"] + (1 - p) * price["wrong"]
    sent = (predictions["p_intent"].fill_null(NONE) != NONE).to_numpy()
    sent = sent & (worth > price["handed_over"]) & (brief["risk"] != "high")
    if decision["at_most"] is not None:
        room = int(len(p) * decision["at_most"] / decision["out_of"])
        lot = predictions["row"].to_numpy().astype(np.uint64) * np.uint64(2654435761)
        order = np.lexsort((lot % np.uint64(2**32), -np.where(sent, worth, -np.inf)))
        sent[order[room:]] = False
    words = np.where(sent, decision["action"], decision["otherwise"] or HAND_OVER)
    score = np.where(sent, worth, price["handed_over"]) - _cost(predictions, brief).to_numpy()
    action = pl.Series("action", words.tolist(), dtype=pl.String)
    told = pl.select(pl.when(pl.Series(sent)).then(predictions["p_said"]).alias("said"))
    return pl.DataFrame({"action": action, "score": score}).hstack(told)


def _cost(predictions: pl.DataFrame, brief: Brief) -> pl.Series:
    """What the call of each row costs: the price in the brief, or what was paid."""
    call = brief["value"]["call"]
    paid = predictions["p_cost"].fill_null(0.0)
    return paid if call == "measured" else pl.Series(np.full(predictions.height, -float(call)))


def outcomes(predictions: pl.DataFrame, brief: Brief) -> pl.DataFrame:
    """The outcomes table of one model.

    Columns: `unit` (UInt32), `cluster` and the segments (String), `action`, `outcome` (the true
    intent), `score`, `value` (money, the call paid), `positive` (whether the unit tells models
    apart: all do), `answer` (the intent sent, "none" where it was handed over), `right` (null where
    it was handed over), `grounded` (whether what the model wanted to say rests on a passage; null
    where it wanted to say nothing), `cost` (money) and `ms` (Float64, null where not recorded).
    """
    price, decision = brief["value"], brief["decision"]
    segments = [
        name for name in predictions.columns if name not in ("row", "cluster", "target", *NAMES)
    ]
    intent, sent = pl.col("p_intent").fill_null(NONE), pl.col("action") == decision["action"]
    value = pl.when("right").then(price["right"]).when(~pl.col("right")).then(price["wrong"])
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
        .with_columns(value=value.otherwise(price["handed_over"]).cast(pl.Float64) - pl.col("cost"))
        .select("unit", "cluster", *segments, *COLUMNS)
    )


def bounds(metric: str, brief: Brief, *outcome: pl.DataFrame) -> tuple[float, float]:
    """The lowest and highest numerator of one unit; of a cost, up to the dearest that there was."""
    if metric not in ("value_per_1000", "cost_per_1000"):
        return 0.0, 1.0
    dearest = max(
        (float(cost) for table in outcome for cost in table["cost"].top_k(1)), default=0.0
    )
    if metric == "cost_per_1000":
        return 0.0, 1000 * dearest
    price = brief["value"]
    worst = min(price["wrong"], price["handed_over"])
    return 1000 * (worst - dearest), 1000 * float(price["right"])


def extra_metrics(
    outcome: pl.DataFrame, predictions: pl.DataFrame, confidence: float
) -> dict[str, Interval]:
    """How honest the chances are (Brier score); where answers were recorded, how long they took and
    the share of questions that had none.
    """
    cluster = outcome["cluster"].to_numpy()
    known = predictions["p_right"].is_not_null()
    each = loss(predictions.filter(known), predictions.filter(known)["target"])
    found = {LOSS: intervals.mean(each, cluster[known.to_numpy()], confidence)}
    ms = predictions["p_ms"].fill_null(0.0)
    if (ms == 0).all():
        return found
    timed = (ms > 0).to_numpy()
    return found | {
        "ms": intervals.mean(ms.to_numpy()[timed], cluster[timed], confidence),
        "unrecorded_share": intervals.mean(
            (ms < 0).cast(pl.Float64).to_numpy(), cluster, confidence
        ),
    }


# --- In words and pictures ----------------------------------------------------------------------

FEW = "units"
"""What there must be enough of for a figure to be sure."""

METRICS = {
    "value_per_1000": Metric(
        "value per 1,000", "money, calls paid and hand-overs counted", "money"
    ),
    "answered_share": Metric(
        "answered share", "of all {unit}s, the share answered without a person", "share"
    ),
    "right_share": Metric("right share", "of all {unit}s, the share answered rightly", "share"),
    "precision": Metric(
        "precision", "of the {unit}s answered, the share answered rightly", "share"
    ),
    "recall": Metric(
        "recall", "of the {unit}s with a prepared answer, the share answered rightly", "share"
    ),
    "grounded_share": Metric(
        "grounded share",
        "of the answers that a model wanted to give, the share that rests on a prepared passage; "
        "the others are never sent",
        "share",
    ),
    "cost_per_1000": Metric("cost per 1,000", "money paid for calls of the model", "money"),
    LOSS: Metric("Brier score", "error of the chances of being right; less is better", "number"),
    "ms": Metric("milliseconds", "how long a recorded answer took, on average", "number"),
    "unrecorded_share": Metric(
        "unrecorded share", "of all {unit}s, those without a recorded answer: handed over", "share"
    ),
}

CALIBRATION = Curve(
    "Of answers given a chance of 80%, 80% should be right (the diagonal)",
    ("chance of being right given", "share that is right"),
    ("challenger's chance", "right"),
)


def calibration(outcome: pl.DataFrame, predictions: pl.DataFrame, bins: int = 10) -> pl.DataFrame:
    """The chance of being right against the share that is, in `bins` groups of equal size; of the
    units that a model could answer.

    Columns: `mean_predicted`, `observed` (Float64), `n` (UInt32).
    """
    could = predictions.filter(pl.col("p_intent") != NONE)
    return (
        could.select(p="p_right", y=pl.col("p_intent") == pl.col("target"))
        .with_columns(bin=((pl.col("p").rank("average") - 0.5) * bins // pl.len()))
        .group_by("bin")
        .agg(mean_predicted=pl.col("p").mean(), observed=pl.col("y").mean(), n=pl.len())
        .sort("bin")
        .drop("bin")
    )


def value_curve(predictions: pl.DataFrame, brief: Brief, shares: list[float]) -> pl.DataFrame:
    """Value per 1,000 units if the surest `acted_share` of them were answered and a person answered
    the others; what a model cannot answer is handed over at any share.

    Columns: `acted_share`, `value_per_1000` (Float64). Units of equal chance count with their mean
    value.
    """
    price = brief["value"]
    could = pl.col("p_intent").fill_null(NONE) != NONE
    p = pl.when(could).then("p_right").fill_null(-1.0)
    right = pl.col("p_intent") == pl.col("target")
    worth = pl.when(could & right).then(price["right"]).otherwise(price["wrong"])
    gained = pl.when(could).then(worth - price["handed_over"]).otherwise(0.0)
    ordered = (
        predictions.select(p=p, gained=gained)
        .with_columns(pl.col("gained").mean().over("p"))
        .sort("p", descending=True)
    )
    n = ordered.height
    ends = [max(int(share * n), 1) - 1 for share in shares]
    base = price["handed_over"] * n - _cost(predictions, brief).sum()
    earned = ordered["gained"].cum_sum().gather(ends) + base
    return pl.DataFrame({"acted_share": shares, "value_per_1000": earned * 1000 / n})


def capacity(brief: Brief, unit: str) -> Capacity:
    """What the value curve shows, for the report."""
    most, of = brief["decision"]["at_most"], brief["decision"]["out_of"]
    return Capacity(
        "What it would be worth to answer more or less",
        f"If the {unit}s of which a model is surest were answered, and a person answered the "
        f"others at {brief['value']['currency']} {-brief['value']['handed_over']:,g} each.",
        f"share of {unit}s answered without a person",
        [0.25, 0.5, 0.75],
        (most / of, "at most, says the brief") if most else None,
    )


def shares(target: dict[str, int]) -> tuple[list[str], list[list[str]]]:
    """What `balance` told, as a table: header and rows."""
    rows = sum(target.values())
    return ["target", ">rows", ">share"], [
        [name, f"{count:,}", f"{count / rows:.1%}"] for name, count in target.items()
    ]


def judged_on(n: int, positives: int, unit: str) -> str:
    """The units that the gain was judged on."""
    return f"Judged on {n:,} held-out {unit}s."


def prices(brief: Brief) -> tuple[list[str], list[list[str]]]:
    """The brief's prices as a table: header and rows."""
    value = brief["value"]
    money, call = value["currency"], value["call"]
    named = {
        "a right answer": value["right"],
        "a wrong answer": value["wrong"],
        f"to {brief['decision']['otherwise'] or HAND_OVER}": value["handed_over"],
    }
    rows = [[name, f"{money} {price:,g}"] for name, price in named.items()]
    paid = "what was paid for it" if call == "measured" else f"{money} {call:,g}"
    return [f"for each {brief['decision']['unit']}", ">worth"], [*rows, ["a call", paid]]


def in_words(brief: Brief) -> str:
    """The decision and its prices in one clause: `answer each question where that pays, else …`."""
    decision, value = brief["decision"], brief["value"]
    action, otherwise = decision["action"], decision["otherwise"] or HAND_OVER
    most = ""
    if decision["at_most"] is not None:
        most = f", at most {decision['at_most']:,} of {decision['out_of']:,}"
    return (
        f"{action} each {decision['unit']} for which it pays{most}, {otherwise} the others; "
        f"a right answer is worth {value['currency']} {value['right']:,g}, a wrong one costs "
        f"{-value['wrong']:,g}, to {otherwise} costs {-value['handed_over']:,g}"
    )
