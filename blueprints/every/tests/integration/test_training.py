"""Training: a candidate learns something on a few hundred rows, and learns the same thing twice."""

from typing import Any

import polars as pl
import pytest

from project import contract, features, model
from project.delivery.problem import training

NAMES = sorted(name for name, one in model.candidates(0).items() if not hasattr(one, "lacks"))


def trained(rows: pl.DataFrame, name: str) -> tuple[Any, pl.DataFrame, pl.Series]:
    x, y = features.features(rows), rows[contract.TARGET]
    fitted, _ = training.fit(model.candidates(0)[name], x, y, x, y)
    return fitted, x, y


@pytest.mark.parametrize("name", NAMES)
def test_a_small_training_run_learns_from_the_target(sample: pl.DataFrame, name: str) -> None:
    fitted, x, y = trained(sample, name)
    mixed = y.sample(fraction=1, shuffle=True, seed=7)
    by_chance, _ = training.fit(model.candidates(0)[name], x, mixed, x, mixed)
    learned, unlearned = (
        training.compute_loss(training.predict(each, x), y).mean() for each in (fitted, by_chance)
    )
    assert learned < unlearned


@pytest.mark.parametrize("name", NAMES)
def test_training_twice_gives_the_same_scores(sample: pl.DataFrame, name: str) -> None:
    (once, x, _), (again, _, _) = trained(sample, name), trained(sample, name)
    assert training.predict(once, x).equals(training.predict(again, x))
