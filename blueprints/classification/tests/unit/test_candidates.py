"""The models that challenge the rule: they fit what `features` returns, and keep what is known."""

import numpy as np
import polars as pl
import pytest

from project.contract import TARGET
from project.features import NUMBERS, features
from project.model import DIRECTION, candidates

NAMES = sorted(candidates(seed=0))


@pytest.mark.parametrize("name", NAMES)
def test_a_candidate_fits_and_the_same_seed_gives_the_same_model(
    sample: pl.DataFrame, name: str
) -> None:
    rows = features(sample)
    once, again = (candidates(seed=3)[name].fit(rows, sample[TARGET]) for _ in range(2))
    shares = once.predict_proba(rows)
    assert np.array_equal(shares, again.predict_proba(rows))
    assert np.allclose(shares.sum(axis=1), 1)
    assert np.ptp(shares[:, 0]) > 0.05


@pytest.mark.parametrize("name", NAMES)
def test_a_candidate_takes_one_row_with_every_optional_value_missing(
    sample: pl.DataFrame, point: pl.DataFrame, name: str
) -> None:
    fitted = candidates(seed=3)[name].fit(features(sample), sample[TARGET])
    optional = ["monthly_charge_before", "data_gb_before", "survey_score"]
    bare = point.with_columns(
        pl.lit(None, point.schema[column]).alias(column) for column in optional
    )
    assert np.isfinite(fitted.predict_proba(features(bare))).all()


def test_directions_are_named_after_numeric_features() -> None:
    assert set(DIRECTION) <= set(NUMBERS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("feature", sorted(DIRECTION))
def test_a_candidate_can_learn_each_direction_that_is_known(
    sample: pl.DataFrame, name: str, feature: str
) -> None:
    rows = features(sample)
    high = (rows[feature] > rows[feature].mean()).fill_null(False)
    risky = high if DIRECTION[feature] > 0 else ~high
    leaves = risky.replace_strict({True: "leaves", False: "stays"}, return_dtype=pl.String)
    fitted = candidates(seed=3)[name].fit(rows, leaves)
    low, top = (
        rows.with_columns(pl.lit(value, rows.schema[feature]).alias(feature))
        for value in (rows[feature].min(), rows[feature].max())
    )
    column = fitted.classes_.tolist().index("leaves")
    change = (fitted.predict_proba(top) - fitted.predict_proba(low))[:, column]
    assert (change * DIRECTION[feature]).min() >= 0
    assert (change * DIRECTION[feature]).mean() > 0.2
