"""What is done today, as a model."""

import numpy as np
import polars as pl

from project.contract import TARGET
from project.features import features
from project.model import rule


def test_the_rule_gives_each_row_a_finite_number(sample: pl.DataFrame) -> None:
    rows, target = features(sample), sample[TARGET].cast(pl.Float64).to_numpy()
    answers = rule().fit(rows, target).predict(rows)
    assert answers.shape == (sample.height,)
    assert np.isfinite(answers).all()


def test_the_stand_in_knows_no_more_than_two_answers_tell(sample: pl.DataFrame) -> None:
    rows, target = features(sample), sample[TARGET].cast(pl.Float64).to_numpy()
    answers = rule().fit(rows, target).predict(rows)
    assert len(np.unique(answers)) <= 3
    assert target.min() <= answers.min() <= answers.max() <= target.max()


def test_the_rule_decides_what_it_answers(sample: pl.DataFrame) -> None:
    rows, target = features(sample), sample[TARGET].cast(pl.Float64).to_numpy()
    fitted = rule().fit(rows, target)
    assert np.array_equal(fitted.act(rows), fitted.predict(rows))
    assert len(np.unique(fitted.predict(rows))) > 1
