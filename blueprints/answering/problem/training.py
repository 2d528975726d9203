"""Answering, training: how candidates and the rule are fitted, how far off they are, and what
they predict.

Only fitting needs scikit-learn, and importing it takes longer than a whole stage: the functions
that fit import it themselves.
"""

from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..edge.errors import Fixable
from .action import read_own
from .target import NONE, TRUTH

ANSWER_COLUMNS = ["intent", "score", "said", "cost", "ms"]
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

    decides: bool = False
    """Whether the model is a rule that says by itself (`act`) which of its answers are sent."""

    def fit(self, model: Any, x: pl.DataFrame, y: pl.Series) -> Self:
        """Learn the chances of a fitted `model` on rows `x` with the intents `y`."""
        answers = require_answers(model.answers(x), x)
        score, right = answers["score"].to_numpy(), (answers["intent"] == y).to_numpy()
        over = (answers["intent"] == NONE).to_numpy()
        self.model = model
        lines = [_fit_sigmoid(score[part], right[part]) for part in (~over, over)]
        self.slope, self.start = (np.array(each) for each in zip(*lines, strict=True))
        return self

    def answers(self, x: pl.DataFrame) -> pl.DataFrame:
        """The model's answer to each row, with the chance that its intent is right as `right`."""
        answers = require_answers(self.model.answers(x), x)
        over = (answers["intent"] == NONE).to_numpy().astype(int)
        odds = self.start[over] + self.slope[over] * answers["score"].to_numpy()
        return answers.with_columns(right=pl.Series(1 / (1 + np.exp(-odds)), dtype=pl.Float64))


def require_answers(answers: pl.DataFrame, x: pl.DataFrame) -> pl.DataFrame:
    """The answers of a model.

    Raises:
        ValueError: they lack a column or a row.
    """
    if sorted(answers.columns) != sorted(ANSWER_COLUMNS) or answers.height != x.height:
        raise ValueError(
            f"answers with the columns {', '.join(answers.columns)} and {answers.height:,} rows; "
            f"needed are {', '.join(ANSWER_COLUMNS)} and {x.height:,} rows"
        )
    return answers


def _fit_sigmoid(score: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[float, float]:
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
    candidate: Any,
    x: pl.DataFrame,
    y: pl.Series,
    x_val: pl.DataFrame,
    y_val: pl.Series,
    cluster: pl.Series | None = None,
) -> tuple[Any, list[Any]]:
    """A candidate fitted on training rows, its chances taken from validation rows."""
    return Sure().fit(candidate.fit(x, y.cast(TRUTH).to_numpy()), x_val, y_val.cast(TRUTH)), []


def fit_rule(rule: Any, x: pl.DataFrame, y: pl.Series) -> Any:
    """The rule, its chances taken from training rows."""
    sure = Sure().fit(rule.fit(x, y.cast(TRUTH).to_numpy()), x, y.cast(TRUTH))
    sure.decides = hasattr(rule, "act")
    return sure


LOSS = "brier"
"""What the choice between candidates goes by."""


def compute_loss(predictions: pl.DataFrame, y: pl.Series) -> NDArray[np.float64]:
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
    not); of a rule that decides by itself also `OWN` (String), the intent that it answers.
    """
    predictions = model.answers(x).select(
        p_intent=pl.col("intent").fill_null(NONE),
        p_right="right",
        p_said=pl.col("said").fill_null(""),
        p_cost="cost",
        p_ms="ms",
    )
    if not model.decides:
        return predictions
    own = read_own(model.model.act(x), x.height, NONE)
    if strange := own.filter((own != NONE) & (own != predictions["p_intent"])).head(1).to_list():
        raise Fixable(
            "model.py: rule: act: expected the intent of `answers`, or none where a person "
            f"answers, found {strange[0]!r}. Next: fix model.py, then uv run dvc repro"
        )
    return predictions.with_columns(own)


def measure_judge(model: Any) -> dict[str, str | float] | None:
    """How far to trust the judge of `model.py`: the share of `HAND_LABELS` that it agrees with, and
    Wilson's interval (1927).
    """
    from scipy.stats import binomtest

    labels = getattr(model, "HAND_LABELS", [])
    if not labels:
        return None
    answers, meanings = zip(*labels, strict=True)
    judgements, _ = model.Judge().fit().rests_on(list(answers))
    agreed = int((judgements == pl.Series(meanings)).sum())
    bounds = binomtest(agreed, len(labels)).proportion_ci(0.95, method="wilson")
    sentence = f"The judge agrees with hand labels in {agreed} of {len(labels)} answers "
    sentence += f"({agreed / len(labels):.0%}; {bounds.low:.0%} to {bounds.high:.0%})."
    return {
        "told": sentence,
        "agreement": agreed / len(labels),
        "lower": float(bounds.low),
        "upper": float(bounds.high),
        "n": len(labels),
    }
