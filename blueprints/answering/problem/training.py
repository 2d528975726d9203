"""Answering, training: how candidates and the rule are fitted, how far off they are, and what
they predict.

Only fitting needs scikit-learn, and importing it takes longer than a whole stage: the functions
that fit import it themselves.
"""

from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .target import NONE, TRUTH

FOUND = ["intent", "score", "said", "cost", "ms"]
"""The columns that a model's `answers` has to give."""


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
