"""The models that challenge the rule: they fit what `features` returns, and keep what is known."""

import numpy as np
import polars as pl
import pytest

from project.contract import TARGET
from project.features import NUMBERS, features
from project.model import DIRECTION, candidates, rule

NAMES = sorted(candidates(seed=0))


@pytest.mark.parametrize("name", NAMES)
def test_a_candidate_fits_and_the_same_seed_gives_the_same_model(
    sample: pl.DataFrame, name: str
) -> None:
    rows, sold = features(sample), sample[TARGET].to_numpy()
    once, again = (candidates(seed=3)[name].fit(rows, sold) for _ in range(2))
    prices = once.predict(rows)
    assert prices.dtype == np.float64
    assert prices.shape == (sample.height,)
    assert np.array_equal(prices, again.predict(rows))


@pytest.mark.parametrize("name", NAMES)
def test_a_candidate_beats_the_price_list_on_rows_that_it_has_not_seen(
    sample: pl.DataFrame, name: str
) -> None:
    rows, sold = features(sample), sample[TARGET].to_numpy()
    half = sample.height // 2
    off = {
        model: np.abs(fitted.fit(rows[:half], sold[:half]).predict(rows[half:]) - sold[half:])
        for model, fitted in {"rule": rule(), name: candidates(seed=3)[name]}.items()
    }
    assert off[name].mean() < 0.8 * off["rule"].mean()


@pytest.mark.parametrize("name", NAMES)
def test_a_candidate_takes_one_row_with_every_optional_value_missing(
    sample: pl.DataFrame, point: pl.DataFrame, name: str
) -> None:
    fitted = candidates(seed=3)[name].fit(features(sample), sample[TARGET].to_numpy())
    bare = point.with_columns(
        pl.lit(None, point.schema[column]).alias(column) for column in ["owners", "service_book"]
    )
    assert fitted.predict(features(bare)).item() == pytest.approx(9_800, rel=0.4)


@pytest.mark.parametrize("name", NAMES)
def test_no_price_is_below_zero_however_old_the_car(sample: pl.DataFrame, name: str) -> None:
    fitted = candidates(seed=3)[name].fit(features(sample), sample[TARGET].to_numpy())
    old = sample.with_columns(
        age_months=pl.lit(600, pl.Int64), mileage_km=pl.lit(900_000, pl.Int64)
    )
    assert (fitted.predict(features(old)) > 0).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("column", "better", "worse"),
    [("age_months", 36, 120), ("mileage_km", 30_000, 200_000), ("power_kw", 150, 60)],
)
def test_an_older_a_further_driven_or_a_weaker_car_is_worth_less(
    sample: pl.DataFrame, point: pl.DataFrame, name: str, column: str, better: int, worse: int
) -> None:
    fitted = candidates(seed=3)[name].fit(features(sample), sample[TARGET].to_numpy())
    more, less = (
        fitted.predict(features(point.with_columns(pl.lit(value, pl.Int64).alias(column)))).item()
        for value in (better, worse)
    )
    assert less < 0.95 * more


def test_directions_are_named_after_numeric_features() -> None:
    assert set(DIRECTION) <= set(NUMBERS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("feature", sorted(DIRECTION))
def test_a_candidate_can_learn_each_direction_that_is_known(
    sample: pl.DataFrame, name: str, feature: str
) -> None:
    rows = features(sample).with_columns(pl.col(feature).shuffle(seed=3))  # else age moves along
    high = (rows[feature] > rows[feature].mean()).to_numpy()
    dear = high if DIRECTION[feature] > 0 else ~high
    fitted = candidates(seed=3)[name].fit(rows, np.where(dear, 12_000.0, 6_000.0))
    low, top = (
        rows.with_columns(pl.lit(value, rows.schema[feature]).alias(feature))
        for value in (rows[feature].min(), rows[feature].max())
    )
    change = np.log(fitted.predict(top) / fitted.predict(low)) * DIRECTION[feature]
    assert change.min() >= 0
    assert change.mean() > 0.2


@pytest.mark.parametrize("feature", sorted(DIRECTION))
def test_boosting_keeps_a_direction_even_where_sales_say_the_opposite(
    sample: pl.DataFrame, feature: str
) -> None:
    rows = features(sample)
    high = (rows[feature] > rows[feature].mean()).to_numpy()
    cheap = high if DIRECTION[feature] > 0 else ~high
    boosting = candidates(seed=3)["gradient boosting"]
    fitted = boosting.fit(rows, np.where(cheap, 6_000.0, 12_000.0))
    low, top = (
        rows.with_columns(pl.lit(value, rows.schema[feature]).alias(feature))
        for value in (rows[feature].min(), rows[feature].max())
    )
    assert ((fitted.predict(top) - fitted.predict(low)) * DIRECTION[feature]).min() >= 0
