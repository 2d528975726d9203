"""The list of best sellers, as a model."""

import numpy as np
import polars as pl
import pytest

from project.contract import TARGET
from project.features import features
from project.model import BestSellers, rule


def visits(point: pl.DataFrame, wanted: list[str]) -> pl.DataFrame:
    """The example visit, once for each of `wanted`."""
    return pl.concat([point] * len(wanted)).with_columns(pl.Series(TARGET, wanted))


def ranked(fitted: BestSellers, rows: pl.DataFrame) -> list[str]:
    """The brands for the first of `rows`, best first."""
    scores = fitted.decision_function(features(rows))[0]
    return [str(fitted.brands_[place]) for place in np.argsort(-scores, kind="stable")]


def test_a_brand_with_more_orders_comes_first_however_often_others_are_clicked(
    point: pl.DataFrame,
) -> None:
    wanted = ["ono:order", "ono:order", "pacer:order", "diva:click", "diva:click", "diva:click"]
    rows = visits(point, wanted)
    fitted = rule().fit(features(rows), rows[TARGET])
    assert ranked(fitted, rows) == ["ono", "pacer", "diva"]
    assert fitted.act(features(rows)) == [["ono", "pacer", "diva"]] * len(rows)


@pytest.mark.parametrize(("place", "first"), [(1, "ono"), (9, "pacer")])
def test_an_order_that_came_by_a_place_further_down_counts_more(
    point: pl.DataFrame, place: int, first: str
) -> None:
    rows = visits(point, ["ono:order@1", "ono:order@1", f"pacer:order@{place}"])
    assert ranked(rule().fit(features(rows), rows[TARGET]), rows)[0] == first


def test_brands_are_those_of_the_events_and_not_of_the_histories(point: pl.DataFrame) -> None:
    rows = visits(point, ["ono:click", "", "diva:order@2 ono:click"])
    assert rule().fit(features(rows), rows[TARGET]).brands_.tolist() == ["diva", "ono"]


def test_everybody_is_shown_the_same_list(sample: pl.DataFrame) -> None:
    rows = features(sample)
    scores = rule().fit(rows, sample[TARGET]).decision_function(rows)
    assert scores.dtype == np.float64
    assert scores.shape[0] == sample.height
    assert (scores == scores[0]).all()
    assert len(np.unique(scores[0])) > 5


def test_the_list_does_not_depend_on_the_order_of_the_rows(sample: pl.DataFrame) -> None:
    once = rule().fit(features(sample), sample[TARGET])
    again = rule().fit(features(sample.reverse()), sample.reverse()[TARGET])
    assert np.allclose(once.shares_, again.shares_, rtol=0, atol=1e-12)
