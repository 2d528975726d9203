"""What the business does today, and the models that challenge it.

All are ordinary scikit-learn estimators: `fit`, `predict_proba` and `classes_`, on the polars frame
that `features` returns. The training stage fits all of them, calibrates the candidates on
validation rows and takes the one that is best there.
"""

from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from .features import CATEGORIES, NUMBERS

DIRECTION = {"support_calls": +1, "price_rise": +1}
"""What the business knows for certain: +1 where the risk of leaving never falls as it rises."""


class RetentionRule(ClassifierMixin, BaseEstimator):
    """Call those on a flexible plan who rang support twice: what the retention squad does today.

    The squad has no order within its list: everyone on it counts as equally likely to leave.
    `act` is what the squad does, whatever a call is worth.
    """

    classes_: NDArray[np.object_]
    """The classes, sorted."""

    shares_: NDArray[np.float64]
    """Share of each class among the customers off the list (first row) and on it (second)."""

    def __init__(self, calls: int = 2) -> None:
        self.calls = calls

    def fit(self, x: pl.DataFrame, y: Any) -> Self:
        """Learn the shares of the classes; an empty group takes those of everybody."""
        outcome, listed = np.asarray(y), self.listed(x)
        self.classes_ = np.unique(outcome)
        ended = outcome[:, None] == self.classes_
        groups = [ended[~listed], ended[listed]]
        self.shares_ = np.array([(g if len(g) else ended).mean(axis=0) for g in groups])
        return self

    def listed(self, x: pl.DataFrame) -> NDArray[np.bool_]:
        """Return for each row of `x` whether the customer is on the squad's list."""
        often = pl.col("support_calls") >= self.calls
        return x.select((pl.col("plan") == "flexible") & often).to_series().to_numpy()

    def predict_proba(self, x: pl.DataFrame) -> NDArray[np.float64]:
        """Return a row per row of `x` and a column per class, in the order of `classes_`."""
        return self.shares_.take(self.listed(x).astype(int), axis=0)

    def act(self, x: pl.DataFrame) -> NDArray[np.str_]:
        """Return what is done today for each row of `x`: an action of the brief, or "none"."""
        return np.where(self.listed(x), "call", "none")

    def predict(self, x: pl.DataFrame) -> NDArray[np.object_]:
        """Return the likelier class of each row of `x`."""
        likelier: NDArray[np.object_] = self.classes_[self.predict_proba(x).argmax(axis=1)]
        return likelier


def rule() -> RetentionRule:
    """Return what is in charge today, unfitted. Every model has to be worth more than this."""
    return RetentionRule()


def candidates(seed: int) -> dict[str, BaseEstimator]:
    """Return the challengers by name, unfitted; the same seed gives the same models."""
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    columns = make_column_transformer(
        (numbers, NUMBERS), (OneHotEncoder(handle_unknown="ignore"), CATEGORIES)
    )
    return {
        "logistic regression": make_pipeline(
            columns, LogisticRegression(max_iter=1000, random_state=seed)
        ),
        "gradient boosting": HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=150,
            max_leaf_nodes=8,
            min_samples_leaf=40,
            categorical_features="from_dtype",
            # The constraint is on the class that sorts last, and that is `stays`.
            monotonic_cst={name: -sign for name, sign in DIRECTION.items()},
            early_stopping=False,
            random_state=seed,
        ),
    }
