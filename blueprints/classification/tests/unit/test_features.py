"""Each derived feature on a row made by hand, and what holds for all features together."""

from datetime import timedelta

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


def test_price_rise_is_the_share_by_which_the_charge_went_up(point: pl.DataFrame) -> None:
    risen = feature("price_rise", point, monthly_charge=22.0, monthly_charge_before=20.0)
    assert risen == pytest.approx(0.1)


def test_price_rise_is_unknown_for_a_new_customer(point: pl.DataFrame) -> None:
    assert feature("price_rise", point, monthly_charge_before=None) is None


def test_usage_drop_is_the_share_of_use_that_is_gone(point: pl.DataFrame) -> None:
    assert feature("usage_drop", point, data_gb=6.0, data_gb_before=8.0) == pytest.approx(0.25)


def test_usage_drop_is_never_below_minus_one(point: pl.DataFrame) -> None:
    assert feature("usage_drop", point, data_gb=90.0, data_gb_before=1.0) == -1


@pytest.mark.parametrize("before", [None, 0.0])
def test_usage_drop_is_unknown_without_earlier_use(
    point: pl.DataFrame, before: float | None
) -> None:
    assert feature("usage_drop", point, data_gb=5.0, data_gb_before=before) is None


@pytest.mark.parametrize(("used", "price"), [(6.0, 3.0), (0.0, 21.0)])
def test_price_per_gb_is_finite_even_without_use(
    point: pl.DataFrame, used: float, price: float
) -> None:
    assert feature("price_per_gb", point, monthly_charge=21.0, data_gb=used) == pytest.approx(price)


@pytest.mark.parametrize(("months", "free"), [(0, True), (2, True), (3, False)])
def test_a_customer_is_free_to_leave_up_to_two_months_before_the_end(
    point: pl.DataFrame, months: int, free: bool
) -> None:
    assert feature("free_to_leave", point, plan="one year", months_left=months) is free


def test_features_are_the_listed_columns_and_nothing_that_identifies(point: pl.DataFrame) -> None:
    columns = features(point).columns
    assert columns == [*NUMBERS, *CATEGORIES]
    assert not {ENTITY, TIME, TARGET, *PERSONAL} & set(columns)


def test_numbers_are_numbers_and_categories_are_enums(sample: pl.DataFrame) -> None:
    schema = features(sample).schema
    for name in NUMBERS:
        assert schema[name].is_numeric() or schema[name] == pl.Boolean, name
    for name in CATEGORIES:
        assert isinstance(schema[name], pl.Enum), name


def test_features_need_no_target_and_do_not_follow_who_or_when(sample: pl.DataFrame) -> None:
    others = sample.with_columns(
        pl.col("customer").reverse(), pl.col("age_band").reverse(), pl.col("week") + timedelta(7)
    )
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
