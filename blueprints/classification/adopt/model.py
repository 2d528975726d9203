"""What is done today, and the models that challenge it.

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
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from .features import CATEGORIES, NUMBERS, TEXTS

DIRECTION: dict[str, int] = {}
"""What is known for certain: +1 where acting never becomes less right as a feature rises."""

TODAY = "CONDITION"
"""Where something is done today: a condition on features, in SQL."""

ACTION = "act"
"""What is done there; the brief has a price for it."""


class TodaysRule(ClassifierMixin, BaseEstimator):
    """Act where TODAY holds, as it is done today; all rows there count as equally likely."""

    classes_: NDArray[np.object_]
    """The classes, sorted."""

    shares_: NDArray[np.float64]
    """Share of each class where nothing is done (first row) and where something is (second)."""

    def fit(self, x: pl.DataFrame, y: Any) -> Self:
        """Learn the shares of the classes; an empty group takes those of everybody."""
        outcome, listed = np.asarray(y), self.listed(x)
        self.classes_ = np.unique(outcome)
        ended = outcome[:, None] == self.classes_
        groups = [ended[~listed], ended[listed]]
        self.shares_ = np.array([(g if len(g) else ended).mean(axis=0) for g in groups])
        return self

    def listed(self, x: pl.DataFrame) -> NDArray[np.bool_]:
        """Return for each row of `x` whether TODAY holds; it does not where a value is missing."""
        holds = pl.sql_expr(TODAY).cast(pl.Boolean).fill_null(False)
        return x.select(holds).to_series().to_numpy()

    def predict_proba(self, x: pl.DataFrame) -> NDArray[np.float64]:
        """Return a row per row of `x` and a column per class, in the order of `classes_`."""
        return self.shares_.take(self.listed(x).astype(int), axis=0)

    def act(self, x: pl.DataFrame) -> NDArray[np.str_]:
        """Return what is done today for each row of `x`: ACTION, or "none"."""
        return np.where(self.listed(x), ACTION, "none")

    def predict(self, x: pl.DataFrame) -> NDArray[np.object_]:
        """Return the likelier class of each row of `x`."""
        likelier: NDArray[np.object_] = self.classes_[self.predict_proba(x).argmax(axis=1)]
        return likelier


def leave_out_texts(x: pl.DataFrame) -> pl.DataFrame:
    """Return the features that trees can ask for."""
    return x.select(*NUMBERS, *CATEGORIES)


def rule_of_today() -> TodaysRule:
    """Return what is done today, unfitted. Every model has to be worth more than this."""
    return TodaysRule()


def rule_to_replace() -> BaseEstimator:
    """Return a STAND-IN for what is done today, unfitted: nobody has said yet what that is.

    It asks two questions, one after the other, and goes by what came of it. Replace it with what
    is done today; until then a gain over the rule says nothing about your business.
    """
    return HistGradientBoostingClassifier(
        max_iter=1,
        learning_rate=1.0,
        max_leaf_nodes=3,
        categorical_features="from_dtype",
        early_stopping=False,
        random_state=0,
    )


def rule_to_replace_beside_texts() -> BaseEstimator:
    """Return a STAND-IN for what is done today, unfitted: nobody has said yet what that is.

    It asks two questions, one after the other, and goes by what came of it. Replace it with what
    is done today; until then a gain over the rule says nothing about your business.
    """
    questions = HistGradientBoostingClassifier(
        max_iter=1,
        learning_rate=1.0,
        max_leaf_nodes=3,
        categorical_features="from_dtype",
        early_stopping=False,
        random_state=0,
    )
    return make_pipeline(FunctionTransformer(leave_out_texts), questions)


def rule_to_replace_of_texts() -> BaseEstimator:
    """Return a STAND-IN for what is done today, unfitted: nobody has said yet what that is.

    It says the same of every row. Replace it with what is done today; until then a gain over the
    rule says nothing about your business.
    """
    return DummyClassifier(strategy="prior")


def candidates(seed: int) -> dict[str, BaseEstimator]:
    """Return the challengers by name, unfitted; the same seed gives the same models."""
    numbers = make_pipeline(
        SimpleImputer(add_indicator=True, keep_empty_features=True), StandardScaler()
    )
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
            categorical_features="from_dtype",
            early_stopping=False,
            random_state=seed,
        ),
    }


def candidates_beside_texts(seed: int) -> dict[str, BaseEstimator]:
    """Return the challengers by name, unfitted; the same seed gives the same models."""
    numbers = make_pipeline(
        SimpleImputer(add_indicator=True, keep_empty_features=True), StandardScaler()
    )
    columns = make_column_transformer(
        (numbers, NUMBERS),
        (OneHotEncoder(handle_unknown="ignore"), CATEGORIES),
        *((TfidfVectorizer(max_features=20_000), name) for name in TEXTS),
    )
    boosting = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=150,
        max_leaf_nodes=8,
        categorical_features="from_dtype",
        early_stopping=False,
        random_state=seed,
    )
    return {
        "logistic regression with words": make_pipeline(
            columns, LogisticRegression(max_iter=1000, random_state=seed)
        ),
        "gradient boosting without words": make_pipeline(
            FunctionTransformer(leave_out_texts), boosting
        ),
    }


def candidates_of_texts(seed: int) -> dict[str, BaseEstimator]:
    """Return the challengers by name, unfitted; the same seed gives the same models."""
    words = make_column_transformer(
        *((TfidfVectorizer(max_features=20_000), name) for name in TEXTS)
    )
    return {
        "logistic regression of words": make_pipeline(
            words, LogisticRegression(max_iter=1000, random_state=seed)
        ),
    }
