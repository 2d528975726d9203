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
def test_a_small_training_run_beats_the_rule_on_its_own_rows(
    sample: pl.DataFrame, name: str
) -> None:
    fitted, x, y = trained(sample, name)
    rule = training.fit_rule(model.rule(), x, y)
    by_model, by_rule = (
        training.compute_loss(training.predict(each, x), y) for each in (fitted, rule)
    )
    assert by_model.mean() < by_rule.mean()


@pytest.mark.parametrize("name", NAMES)
def test_training_twice_gives_the_same_scores(sample: pl.DataFrame, name: str) -> None:
    (once, x, _), (again, _, _) = trained(sample, name), trained(sample, name)
    assert training.predict(once, x).equals(training.predict(again, x))
