"""What is done today, as a model."""

import numpy as np
import polars as pl

from project.contract import TARGET
from project.features import features
from project.model import ACTION, rule


def test_the_rule_gives_each_row_shares_that_add_up_to_one(sample: pl.DataFrame) -> None:
    rows = features(sample)
    fitted = rule().fit(rows, sample[TARGET].to_numpy())
    shares = fitted.predict_proba(rows)
    assert shares.shape == (sample.height, sample[TARGET].n_unique())
    assert np.allclose(shares.sum(axis=1), 1)
    assert set(fitted.classes_) == set(sample[TARGET])


def test_the_stand_in_knows_no_more_than_two_answers_tell(sample: pl.DataFrame) -> None:
    rows = features(sample)
    shares = rule().fit(rows, sample[TARGET].to_numpy()).predict_proba(rows)
    trees = shares.shape[1] if shares.shape[1] > 2 else 1
    assert len(np.unique(shares, axis=0)) <= 3**trees


def test_the_rule_acts_on_some_and_tells_them_apart_from_the_others(
    every_row: pl.DataFrame,
) -> None:
    rows = features(every_row)
    fitted = rule().fit(rows, every_row[TARGET].to_numpy())
    done = fitted.act(rows)
    assert set(done) == {ACTION, "none"}
    likely = fitted.predict_proba(rows)[:, 0]
    assert len(np.unique(likely[done == ACTION])) == 1
    assert len(np.unique(likely[done == "none"])) == 1
