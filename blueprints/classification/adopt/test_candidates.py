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
    rows, outcome = features(sample), sample[TARGET].to_numpy()
    once, again = (candidates(seed=3)[name].fit(rows, outcome) for _ in range(2))
    shares = once.predict_proba(rows)
    assert np.array_equal(shares, again.predict_proba(rows))
    assert np.allclose(shares.sum(axis=1), 1)
    assert np.ptp(shares[:, 0]) > 0.01


@pytest.mark.parametrize("name", NAMES)
def test_a_candidate_takes_one_row_with_every_optional_value_missing(
    sample: pl.DataFrame, point: pl.DataFrame, name: str
) -> None:
    fitted = candidates(seed=3)[name].fit(features(sample), sample[TARGET].to_numpy())
    bare = point.with_columns(
        pl.lit(None, point.schema[column]).alias(column) for column in OPTIONAL
    )
    assert list(EXAMPLE) == bare.columns
    assert np.isfinite(fitted.predict_proba(features(bare))).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_candidate_learns_more_from_its_rows_than_how_frequent_each_class_is(
    sample: pl.DataFrame, name: str
) -> None:
    rows, outcome = features(sample), sample[TARGET].to_numpy()
    fitted = candidates(seed=3)[name].fit(rows, outcome)
    ended = outcome[:, None] == fitted.classes_
    chance = np.broadcast_to(ended.mean(axis=0), ended.shape)
    assert -np.log(fitted.predict_proba(rows)[ended]).mean() < -np.log(chance[ended]).mean()


def test_directions_are_named_after_numeric_features() -> None:
    assert set(DIRECTION) <= set(NUMBERS)
