"""What holds for all features together; a hand-made row for each that you derive goes here, too."""

import polars as pl
from polars.testing import assert_frame_equal

from project.contract import ENTITY, PERSONAL, TARGET, TIME
from project.features import CATEGORIES, KNOWN, NUMBERS, OTHER, TEXTS, features


def test_features_are_the_listed_columns_and_nothing_that_identifies(point: pl.DataFrame) -> None:
    columns = features(point).columns
    assert columns == [*NUMBERS, *CATEGORIES]
    assert not {ENTITY, TIME, TARGET, *PERSONAL} & set(columns)


def test_features_are_the_listed_columns_with_texts_and_nothing_that_identifies(
    point: pl.DataFrame,
) -> None:
    columns = features(point).columns
    assert columns == [*NUMBERS, *CATEGORIES, *TEXTS]
    assert not {ENTITY, TIME, TARGET, *PERSONAL} & set(columns)


def test_numbers_are_numbers_and_categories_are_enums(sample: pl.DataFrame) -> None:
    schema = features(sample).schema
    for name in NUMBERS:
        assert schema[name].is_numeric() or schema[name] == pl.Boolean, name
    for name in CATEGORIES:
        assert isinstance(schema[name], pl.Enum), name


def test_no_text_is_missing(sample: pl.DataFrame) -> None:
    texts = features(sample).select(TEXTS)
    assert sum(texts.null_count().row(0)) == 0
    assert (texts.select(pl.all().str.len_chars().max()).row(0)) > (0,) * len(TEXTS)


def test_a_value_that_is_not_known_becomes_other(point: pl.DataFrame) -> None:
    for name, known in KNOWN.items():
        seen, unseen, missing = (
            features(point.with_columns(pl.lit(value, pl.String).alias(name)))[name].item()
            for value in (known[0], "never seen before", None)
        )
        assert (seen, unseen, missing) == (known[0], OTHER, None), name


def test_features_need_no_target(sample: pl.DataFrame) -> None:
    assert_frame_equal(features(sample.drop(TARGET)), features(sample))


def test_a_row_has_the_same_features_in_any_company_and_order(sample: pl.DataFrame) -> None:
    together = features(sample)
    assert together.height == sample.height
    assert_frame_equal(together, pl.concat([features(sample[:7]), features(sample[7:])]))
    assert_frame_equal(together.reverse(), features(sample.reverse()))


def test_no_feature_is_infinite_on_any_row(every_row: pl.DataFrame) -> None:
    floats = features(every_row).select(pl.selectors.float())
    for name in floats.columns:
        assert floats[name].is_infinite().sum() == 0, name
