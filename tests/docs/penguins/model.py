"""What the station does today, and the models that challenge it."""

from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from .features import CATEGORIES, NUMBERS

DIRECTION: dict[str, int] = {}
"""What is known for certain: nothing here."""


class IslandRule(ClassifierMixin, BaseEstimator):
    """Each island is taken for the species that is commonest there."""

    classes_: NDArray[np.object_]
    """The classes, sorted."""

    islands_: list[str]
    """The islands, sorted."""

    shares_: NDArray[np.float64]
    """Share of each class (column) on each island (row)."""

    def fit(self, x: pl.DataFrame, y: Any) -> Self:
        """Learn how often each class occurs on each island."""
        species, island = np.asarray(y), x["island"].cast(pl.String).to_numpy()
        self.classes_, self.islands_ = np.unique(species), sorted(set(island))
        membership = species[:, None] == self.classes_
        self.shares_ = np.array([membership[island == name].mean(axis=0) for name in self.islands_])
        return self

    def predict_proba(self, x: pl.DataFrame) -> NDArray[np.float64]:
        """Return a row per row of `x` and a column per class, in the order of `classes_`."""
        return self.shares_.take(
            np.searchsorted(self.islands_, x["island"].cast(pl.String)), axis=0
        )

    def predict(self, x: pl.DataFrame) -> NDArray[np.object_]:
        """Return the likeliest class of each row of `x`."""
        likeliest: NDArray[np.object_] = self.classes_[self.predict_proba(x).argmax(axis=1)]
        return likeliest


def rule() -> IslandRule:
    """Return what is in charge today, unfitted. Every model has to be worth more than this."""
    return IslandRule()


def candidates(seed: int) -> dict[str, BaseEstimator]:
    """Return the challengers by name, unfitted; the same seed gives the same models."""
    columns = make_column_transformer(
        (StandardScaler(), NUMBERS), (OneHotEncoder(handle_unknown="ignore"), CATEGORIES)
    )
    return {
        "logistic regression": make_pipeline(
            columns, LogisticRegression(max_iter=1000, random_state=seed)
        ),
        "gradient boosting": HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=100,
            max_leaf_nodes=4,
            categorical_features="from_dtype",
            early_stopping=False,
            random_state=seed,
        ),
    }
