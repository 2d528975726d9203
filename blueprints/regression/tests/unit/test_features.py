"""Each derived feature on a row made by hand, and what holds for all features together."""

from datetime import date
from math import log

import dataframely as dy
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from project.contract import ENTITY, PERSONAL, TARGET, TIME, Row
from project.features import CATEGORIES, NUMBERS, features


def feature(name: str, row: pl.DataFrame, **changes: object) -> object:
    """The value of one feature for one row, after `changes` to the row."""
    changed = row.with_columns(
        pl.lit(value, dtype=row.schema[column]).alias(column) for column, value in changes.items()
    )
    return features(changed)[name].item()


def test_twice_the_power_is_the_same_step_for_a_weak_and_a_strong_car(point: pl.DataFrame) -> None:
    powers = pl.Series([50, 100, 200], dtype=pl.Int64)
    steps = features(pl.concat([point] * 3).with_columns(power_kw=powers))["log_power"].diff()
    assert steps.to_list()[1:] == pytest.approx([log(2), log(2)])


def test_km_per_year_is_the_mileage_over_the_age(point: pl.DataFrame) -> None:
    driven = feature("km_per_year", point, mileage_km=90_000, age_months=60)
    assert driven == pytest.approx(18_000)


@pytest.mark.parametrize("age", [0, 3, 6])
def test_km_per_year_counts_the_first_half_year_as_half_a_year(
    point: pl.DataFrame, age: int
) -> None:
    driven = feature("km_per_year", point, mileage_km=4_000, age_months=age, owners=1)
    assert driven == pytest.approx(8_000)


@pytest.mark.parametrize(
    ("week", "season"),
    [
        (date(2025, 2, 24), "winter"),
        (date(2025, 3, 3), "spring"),
        (date(2025, 6, 2), "summer"),
        (date(2025, 9, 1), "autumn"),
        (date(2025, 12, 1), "winter"),
    ],
)
def test_a_season_is_three_months_and_winter_begins_in_december(
    point: pl.DataFrame, week: date, season: str
) -> None:
    assert feature("season", point, week=week) == season


def test_features_are_the_listed_columns_and_nothing_that_identifies(point: pl.DataFrame) -> None:
    columns = features(point).columns
    assert columns == [*NUMBERS, *CATEGORIES]
    assert not {ENTITY, TIME, TARGET, *PERSONAL} & set(columns)


def test_numbers_are_numbers_and_categories_are_enums(sample: pl.DataFrame) -> None:
    schema = features(sample).schema
    for name in NUMBERS:
        assert schema[name].is_numeric(), name
    for name in CATEGORIES:
        assert isinstance(schema[name], pl.Enum), name


def test_features_need_no_target_and_do_not_follow_which_car_or_which_year(
    sample: pl.DataFrame,
) -> None:
    others = sample.with_columns(pl.col("car").reverse(), pl.col("week").dt.offset_by("1y"))
    assert_frame_equal(features(others.drop(TARGET)), features(sample))


def test_no_feature_is_infinite_on_any_row(every_row: pl.DataFrame) -> None:
    floats = features(every_row).select(pl.selectors.float())
    assert floats.select(pl.all().is_finite().all()).row(0) == (True,) * floats.width


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(0, 30))
def test_a_row_has_the_same_features_in_any_company_and_order(seed: int, cut: int) -> None:
    rows = Row.sample(30, generator=dy.random.Generator(seed))
    together = features(rows)
    assert together.height == rows.height
    assert_frame_equal(together, pl.concat([features(rows[:cut]), features(rows[cut:])]))
    assert_frame_equal(together.reverse(), features(rows.reverse()))
