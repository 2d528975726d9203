"""What a model sees of a question: its words, and nothing else that could tell who asked."""

import dataframely as dy
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from project.contract import ENTITY, PERSONAL, TARGET, TIME, Row
from project.features import FEATURES, features


def text(point: pl.DataFrame, wording: str) -> str:
    """The feature `text` of the example row in another wording."""
    return str(features(point.with_columns(wording=pl.lit(wording)))["text"].item())


@pytest.mark.parametrize(
    "wording",
    [
        "where is my refund?",
        "WHERE is my Refund?",
        "  where is my refund? ",
        "where  is\nmy refund?",
        "where is my refund???!?",
    ],
)
def test_case_spaces_and_repeated_marks_make_no_difference(
    point: pl.DataFrame, wording: str
) -> None:
    assert text(point, wording) == "where is my refund?"


def test_a_curly_quote_is_a_straight_one(point: pl.DataFrame) -> None:
    assert text(point, "it doesn\u2019t work") == "it doesn't work"


def test_words_and_numbers_stay_as_they_are(point: pl.DataFrame) -> None:
    assert text(point, "refund of 3.95, not 50") == "refund of 3.95, not 50"


def test_features_are_the_listed_columns_and_nothing_that_identifies(point: pl.DataFrame) -> None:
    columns = features(point).columns
    assert columns == FEATURES
    assert not {ENTITY, TIME, TARGET} & set(columns)
    assert set(PERSONAL) & set(columns) == {"recorded"}


def test_features_need_no_target_and_do_not_follow_who_or_when_or_of_what_kind(
    sample: pl.DataFrame,
) -> None:
    others = sample.with_columns(
        pl.col("question", "kind", "channel", "repeat").reverse(),
        pl.col("asked_on").dt.offset_by("1y"),
    )
    assert_frame_equal(features(others.drop(TARGET)), features(sample))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(0, 30))
def test_a_row_has_the_same_features_in_any_company_and_order(seed: int, cut: int) -> None:
    rows = Row.sample(30, generator=dy.random.Generator(seed))
    together = features(rows)
    assert together.height == rows.height
    assert_frame_equal(together, pl.concat([features(rows[:cut]), features(rows[cut:])]))
    assert_frame_equal(together.reverse(), features(rows.reverse()))
