"""The models that challenge the rule: they fit what `features` returns, and keep what is known."""

import numpy as np
import polars as pl
import pytest

from project.contract import EXAMPLE, TARGET, Row
from project.features import NUMBERS, features
from project.model import DIRECTION, candidates

NAMES = sorted(candidates(seed=0))
OPTIONAL = [name for name, column in Row.columns().items() if column.nullable]


@pytest.mark.parametrize("name", NAMES)
def test_a_candidate_fits_and_the_same_seed_gives_the_same_model(
    sample: pl.DataFrame, name: str
) -> None:
    rows, target = features(sample), sample[TARGET].cast(pl.Float64).to_numpy()
    once, again = (candidates(seed=3)[name].fit(rows, target) for _ in range(2))
    answers = once.predict(rows)
    assert np.isfinite(answers).all()
    assert np.array_equal(answers, again.predict(rows))


@pytest.mark.parametrize("name", NAMES)
def test_a_candidate_takes_one_row_with_every_optional_value_missing(
    sample: pl.DataFrame, point: pl.DataFrame, name: str
) -> None:
    target = sample[TARGET].cast(pl.Float64).to_numpy()
    fitted = candidates(seed=3)[name].fit(features(sample), target)
    bare = point.with_columns(
        pl.lit(None, point.schema[column]).alias(column) for column in OPTIONAL
    )
    assert list(EXAMPLE) == bare.columns
    assert np.isfinite(fitted.predict(features(bare))).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_candidate_learns_more_from_its_rows_than_the_mean(
    sample: pl.DataFrame, name: str
) -> None:
    rows, target = features(sample), sample[TARGET].cast(pl.Float64).to_numpy()
    answers = candidates(seed=3)[name].fit(rows, target).predict(rows)
    assert np.abs(answers - target).mean() < np.abs(target.mean() - target).mean()


def test_directions_are_named_after_numeric_features() -> None:
    assert set(DIRECTION) <= set(NUMBERS)
