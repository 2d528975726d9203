"""Each derived feature on a row made by hand, and what holds for all features together."""

from datetime import date

import dataframely as dy
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from project.contract import ENTITY, TARGET, TIME, Row
from project.features import CONTEXT, HISTORY, NEWEST, features


def feature(name: str, row: pl.DataFrame, **changes: object) -> object:
    """The value of one feature for one row, after `changes` to the row."""
    changed = row.with_columns(
        pl.lit(value, dtype=row.schema[column]).alias(column) for column, value in changes.items()
    )
    return features(changed)[name].item()


def test_a_long_history_is_cut_to_its_newest_brands(point: pl.DataFrame) -> None:
    brands = [f"brand-{number}" for number in range(NEWEST + 5)]
    assert feature(HISTORY, point, history=" ".join(brands)) == " ".join(brands[:NEWEST])


@pytest.mark.parametrize("history", ["", "ono", "norrvik ono"])
def test_a_short_history_stays_as_it_is(point: pl.DataFrame, history: str) -> None:
    assert feature(HISTORY, point, history=history) == history


@pytest.mark.parametrize(
    ("day", "season"),
    [
        (date(2025, 2, 28), "winter"),
        (date(2025, 3, 1), "spring"),
        (date(2025, 6, 2), "summer"),
        (date(2025, 9, 1), "autumn"),
        (date(2025, 12, 1), "winter"),
    ],
)
def test_a_season_is_three_months_and_winter_begins_in_december(
    point: pl.DataFrame, day: date, season: str
) -> None:
    assert feature("season", point, day=day) == season


def test_features_are_the_listed_columns_and_not_who_or_when(point: pl.DataFrame) -> None:
    columns = features(point).columns
    assert columns == [HISTORY, *CONTEXT]
    assert not {ENTITY, TIME, TARGET} & set(columns)


def test_the_history_is_text_and_the_context_enums(sample: pl.DataFrame) -> None:
    schema = features(sample).schema
    assert schema[HISTORY] == pl.String
    for name in CONTEXT:
        assert isinstance(schema[name], pl.Enum), name


def test_features_need_no_target_and_do_not_follow_who_when_or_on_what(
    sample: pl.DataFrame,
) -> None:
    others = sample.with_columns(
        pl.col("user", "device").reverse(), pl.col("day").dt.offset_by("1y")
    )
    assert_frame_equal(features(others.drop(TARGET)), features(sample))


def test_no_feature_is_missing_on_any_row(every_row: pl.DataFrame) -> None:
    assert features(every_row).null_count().sum_horizontal().item() == 0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(0, 30))
def test_a_row_has_the_same_features_in_any_company_and_order(seed: int, cut: int) -> None:
    rows = Row.sample(30, generator=dy.random.Generator(seed))
    together = features(rows)
    assert together.height == rows.height
    assert_frame_equal(together, pl.concat([features(rows[:cut]), features(rows[cut:])]))
    assert_frame_equal(together.reverse(), features(rows.reverse()))
