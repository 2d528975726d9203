"""What the business does today, and the models that challenge it.

All are ordinary scikit-learn estimators: `fit` and `predict`, on the polars frame that `features`
returns and prices in GBP. The training stage fits all of them, learns on validation rows how far
each is off, and takes the one that is best there.
"""

from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from .features import CATEGORIES, NUMBERS

DIRECTION = {"age_months": -1, "mileage_km": -1, "km_per_year": -1, "log_power": +1}
"""What the business knows for certain: -1 where the price never rises as the feature rises, +1
where it never falls.
"""


class MedianRule(RegressorMixin, BaseEstimator):
    """The median price of the make at that age in whole years: what the buying desk does today.

    Cars of `oldest` years and more count as one age. A pair of make and age that was never sold
    takes the median of its make, and a make that was never sold takes that of all cars.

    `act` is what the desk does with it, whatever an error costs: it offers what the list says, and
    has a person value the car where that is `valued_from` GBP or more.
    """

    makes_: NDArray[np.object_]
    """Makes of the price list, a name per entry."""

    years_: NDArray[np.int64]
    """Ages of the price list in whole years; -1 is the entry for the make as a whole."""

    prices_: NDArray[np.float64]
    """Median prices of the price list, in GBP."""

    overall_: float
    """Median price of all cars, in GBP."""

    def __init__(self, oldest: int = 15, valued_from: float = 2_000) -> None:
        self.oldest = oldest
        self.valued_from = valued_from

    def fit(self, x: pl.DataFrame, y: Any) -> Self:
        """Learn the price list from the columns make and age_months, and the prices in GBP."""
        sold = self.entries(x).with_columns(price=pl.Series(np.asarray(y, dtype=np.float64)))
        every_age = sold.with_columns(years=pl.lit(-1, pl.Int64))
        listed = (
            pl.concat([sold, every_age])
            .group_by("make", "years")
            .agg(pl.col("price").median())
            .sort("make", "years")
        )
        self.makes_, self.years_, self.prices_ = (
            listed[name].to_numpy() for name in ("make", "years", "price")
        )
        self.overall_ = float(np.median(sold["price"].to_numpy()))
        return self

    def entries(self, x: pl.DataFrame) -> pl.DataFrame:
        """Return which entry each row of `x` looks up: make (String) and years (Int64)."""
        years = (pl.col("age_months") // 12).clip(0, self.oldest).cast(pl.Int64)
        return x.select(pl.col("make").cast(pl.String), years=years)

    def predict(self, x: pl.DataFrame) -> NDArray[np.float64]:
        """Return the listed price for each row of `x`, in GBP."""
        listed = pl.DataFrame(
            {"make": self.makes_.tolist(), "years": self.years_, "price": self.prices_},
            schema_overrides={"make": pl.String},
        )
        whole = listed.filter(pl.col("years") == -1).select("make", of_make="price")
        prices = (
            self.entries(x)
            .join(listed, on=["make", "years"], how="left", maintain_order="left")
            .join(whole, on="make", how="left", maintain_order="left")
        )
        return prices.select(pl.coalesce("price", "of_make", self.overall_)).to_series().to_numpy()

    def act(self, x: pl.DataFrame) -> NDArray[np.float64]:
        """Return what is offered today for each row of `x`, in GBP; not a number where a person
        values the car.
        """
        prices = self.predict(x)
        return np.where(prices < self.valued_from, prices, np.nan)


def rule() -> MedianRule:
    """Return what is in charge today, unfitted. Every model has to be worth more than this."""
    return MedianRule()


def candidates(seed: int) -> dict[str, BaseEstimator]:
    """Return the challengers by name, unfitted; the same seed gives the same models.

    Both learn the logarithm of the price: what makes a car dearer does so by a share of its price.
    """
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    columns = make_column_transformer(
        (numbers, NUMBERS), (OneHotEncoder(handle_unknown="ignore"), CATEGORIES)
    )
    boosting = HistGradientBoostingRegressor(
        loss="gamma",
        learning_rate=0.1,
        max_iter=150,
        max_leaf_nodes=12,
        min_samples_leaf=30,
        categorical_features="from_dtype",
        monotonic_cst=DIRECTION,
        early_stopping=False,
        random_state=seed,
    )
    return {
        "linear regression": TransformedTargetRegressor(
            make_pipeline(columns, Ridge(random_state=seed)), func=np.log, inverse_func=np.exp
        ),
        "gradient boosting": boosting,
    }
