"""What the retention squad does today, as a model."""

import numpy as np
import polars as pl
import pytest

from project.contract import TARGET
from project.features import features
from project.model import rule


@pytest.mark.parametrize(
    ("plan", "calls", "listed"),
    [
        ("flexible", 2, True),
        ("flexible", 5, True),
        ("flexible", 1, False),
        ("one year", 2, False),
        ("two years", 5, False),
    ],
)
def test_the_list_holds_flexible_plans_with_two_support_calls(
    point: pl.DataFrame, plan: str, calls: int, listed: bool
) -> None:
    row = features(point).with_columns(
        pl.lit(plan, dtype=point.schema["plan"]).alias("plan"),
        pl.lit(calls, dtype=pl.Int64).alias("support_calls"),
    )
    assert rule().listed(row).tolist() == [listed]
    assert rule().act(row).tolist() == ["call" if listed else "none"]


def test_the_rule_learns_how_many_leave_on_and_off_its_list(point: pl.DataFrame) -> None:
    calls = pl.DataFrame({"support_calls": [2, 3, 2, 4, 0, 0, 1, 0, 1]})
    rows = pl.concat([features(point)] * 9).with_columns(calls["support_calls"])
    outcome = ["leaves"] * 3 + ["stays"] + ["leaves"] + ["stays"] * 4
    fitted = rule().fit(rows, outcome)
    assert fitted.classes_.tolist() == ["leaves", "stays"]
    on_list, off_list = fitted.predict_proba(rows)[[0, -1]]
    assert on_list == pytest.approx([0.75, 0.25])
    assert off_list == pytest.approx([0.2, 0.8])
    assert fitted.predict(rows).tolist() == ["leaves"] * 4 + ["stays"] * 5


def test_where_nobody_is_on_the_list_everybody_counts(point: pl.DataFrame) -> None:
    bound = pl.concat([features(point)] * 4).with_columns(support_calls=pl.lit(0, pl.Int64))
    fitted = rule().fit(bound, ["leaves", "stays", "stays", "stays"])
    assert fitted.predict_proba(features(point))[0] == pytest.approx([0.25, 0.75])


def test_the_rule_gives_each_row_shares_that_add_up_to_one(sample: pl.DataFrame) -> None:
    rows = features(sample)
    shares = rule().fit(rows, sample[TARGET]).predict_proba(rows)
    assert shares.shape == (sample.height, 2)
    assert np.allclose(shares.sum(axis=1), 1)
    assert len(np.unique(shares[:, 0])) == 2
