"""What is done today, and the models that challenge it.

All are ordinary scikit-learn estimators: `fit` and `predict`, on the polars frame that `features`
returns. The training stage fits all of them, learns on validation rows how far each is off, and
takes the one that is best there.
"""

from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from .features import CATEGORIES, NUMBERS, TEXTS

DIRECTION: dict[str, int] = {}
"""What is known for certain: -1 where the target never rises as a feature rises, +1 where it never
falls.
"""

LOGARITHM = False
"""Whether candidates learn the logarithm of the target: for one above zero, of which a few values
are far larger than most.
"""

TODAY = "ANSWER"
"""What is answered today: a number made of features, in SQL."""


class TodaysRule(RegressorMixin, BaseEstimator):
    """Answer TODAY, as it is done today; the usual value where that is missing."""

    usual_: float
    """The median of the target."""

    def fit(self, x: pl.DataFrame, y: Any) -> Self:
        """Learn the usual value."""
        self.usual_ = float(np.median(np.asarray(y, dtype=np.float64)))
        return self

    def predict(self, x: pl.DataFrame) -> NDArray[np.float64]:
        """Return what is answered today for each row of `x`."""
        answer = pl.sql_expr(TODAY).cast(pl.Float64).fill_nan(None).fill_null(self.usual_)
        return x.select(answer).to_series().to_numpy()

    def act(self, x: pl.DataFrame) -> NDArray[np.float64]:
        """Return the same: whatever an error costs, it is what is done."""
        return self.predict(x)


def leave_out_texts(x: pl.DataFrame) -> pl.DataFrame:
    """Return the features that trees can ask for."""
    return x.select(*NUMBERS, *CATEGORIES)


def exponentiate(logarithms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the logarithms are of; a row far from all others has a finite answer, too."""
    return np.exp(np.clip(logarithms, -50, 50))


def rule_of_today() -> TodaysRule:
    """Return what is done today, unfitted. Every model has to be worth more than this."""
    return TodaysRule()


def rule_to_replace() -> BaseEstimator:
    """Return a STAND-IN for what is done today, unfitted: nobody has said yet what that is.

    It asks two questions, one after the other, and takes the mean. Replace it with what is done
    today; until then a gain over the rule says nothing about your business.
    """
    return HistGradientBoostingRegressor(
        max_iter=1,
        learning_rate=1.0,
        max_leaf_nodes=3,
        categorical_features="from_dtype",
        early_stopping=False,
        random_state=0,
    )


def rule_to_replace_beside_texts() -> BaseEstimator:
    """Return a STAND-IN for what is done today, unfitted: nobody has said yet what that is.

    It asks two questions, one after the other, and takes the mean. Replace it with what is done
    today; until then a gain over the rule says nothing about your business.
    """
    questions = HistGradientBoostingRegressor(
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
    return DummyRegressor(strategy="median")


def candidates(seed: int) -> dict[str, BaseEstimator]:
    """Return the challengers by name, unfitted; the same seed gives the same models."""
    numbers = make_pipeline(
        SimpleImputer(add_indicator=True, keep_empty_features=True), StandardScaler()
    )
    columns = make_column_transformer(
        (numbers, NUMBERS), (OneHotEncoder(handle_unknown="ignore"), CATEGORIES)
    )
    return {
        "linear regression": scale_target(make_pipeline(columns, Ridge(random_state=seed))),
        "gradient boosting": HistGradientBoostingRegressor(
            loss="gamma" if LOGARITHM else "squared_error",
            max_iter=200,
            max_leaf_nodes=16,
            categorical_features="from_dtype",
            monotonic_cst=DIRECTION or None,
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
    boosting = HistGradientBoostingRegressor(
        loss="gamma" if LOGARITHM else "squared_error",
        max_iter=200,
        max_leaf_nodes=16,
        categorical_features="from_dtype",
        monotonic_cst=DIRECTION or None,
        early_stopping=False,
        random_state=seed,
    )
    return {
        "linear regression with words": scale_target(
            make_pipeline(columns, Ridge(random_state=seed))
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
        "linear regression of words": scale_target(make_pipeline(words, Ridge(random_state=seed)))
    }


def scale_target(model: BaseEstimator) -> BaseEstimator:
    """Return the model, or where LOGARITHM says so, one that learns the logarithm by it."""
    if not LOGARITHM:
        return model
    return TransformedTargetRegressor(
        model, func=np.log, inverse_func=exponentiate, check_inverse=False
    )
