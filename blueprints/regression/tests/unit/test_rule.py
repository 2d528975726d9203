"""The price list by make and age, as a model."""

import numpy as np
import polars as pl
import pytest

from project.contract import TARGET
from project.features import features
from project.model import MedianRule, rule


def cars(point: pl.DataFrame, **columns: list[object]) -> pl.DataFrame:
    """Features of the example car, once for each value of `columns`."""
    new = [
        pl.Series(name, values, dtype=features(point).schema[name])
        for name, values in columns.items()
    ]
    return pl.concat([features(point)] * len(new[0])).with_columns(new)


@pytest.fixture
def listed(point: pl.DataFrame) -> MedianRule:
    """A price list from six sales: two makes, one and two years old."""
    sold = cars(
        point,
        make=["Lyra", "Lyra", "Lyra", "Lyra", "Vela", "Vela"],
        age_months=[12, 17, 23, 24, 12, 14],
    )
    return rule().fit(sold, [9_000.0, 10_000.0, 14_000.0, 7_000.0, 5_000.0, 6_000.0])


@pytest.mark.parametrize(
    ("make", "age", "price"),
    [
        ("Lyra", 12, 10_000),
        ("Lyra", 23, 10_000),
        ("Lyra", 24, 7_000),
        ("Lyra", 35, 7_000),
        ("Vela", 13, 5_500),
    ],
)
def test_the_list_gives_the_median_price_of_the_make_at_that_age_in_whole_years(
    listed: MedianRule, point: pl.DataFrame, make: str, age: int, price: float
) -> None:
    row = cars(point, make=[make], age_months=[age])
    assert listed.predict(row).tolist() == [price]


def test_a_person_values_the_cars_that_the_list_puts_at_2000_or_more(point: pl.DataFrame) -> None:
    fitted = rule().fit(cars(point, age_months=[12, 24]), [2_000.0, 1_999.0])
    offers = fitted.act(cars(point, age_months=[12, 24]))
    assert np.isnan(offers[0])
    assert offers[1] == 1_999


def test_an_age_that_was_never_sold_takes_the_median_of_its_make(
    listed: MedianRule, point: pl.DataFrame
) -> None:
    row = cars(point, make=["Lyra"], age_months=[120])
    assert listed.predict(row).tolist() == [9_500]


def test_a_make_that_was_never_sold_takes_the_median_of_all_cars(
    listed: MedianRule, point: pl.DataFrame
) -> None:
    row = cars(point, make=["Aster"], age_months=[12])
    assert listed.predict(row).tolist() == [8_000]


def test_cars_of_fifteen_years_and_more_count_as_one_age(point: pl.DataFrame) -> None:
    fitted = rule().fit(cars(point, age_months=[12, 180, 300]), [9_000.0, 900.0, 700.0])
    assert fitted.predict(cars(point, age_months=[179, 181, 400])).tolist() == [900, 800, 800]


def test_the_list_looks_at_make_and_age_alone(sample: pl.DataFrame) -> None:
    rows = features(sample)
    fitted = rule().fit(rows, sample[TARGET])
    others = rows.with_columns(pl.exclude("make", "age_months").reverse())
    assert np.array_equal(fitted.predict(others), fitted.predict(rows))


def test_a_car_has_the_same_price_in_any_company_and_order(sample: pl.DataFrame) -> None:
    rows = features(sample)
    fitted = rule().fit(rows, sample[TARGET])
    prices = fitted.predict(rows)
    assert prices.dtype == np.float64
    assert np.array_equal(fitted.predict(rows.reverse()), prices[::-1])
    assert fitted.predict(rows[5:6]).tolist() == [prices[5]]
    assert len(np.unique(prices)) > 30
