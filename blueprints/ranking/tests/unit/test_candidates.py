"""The models that challenge the rule: what they make of histories, contexts and unknown brands."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from project.contract import TARGET
from project.features import HISTORY, features
from project.model import candidates, square

NAMES = sorted(candidates(seed=0))


def fitted(name: str, rows: pl.DataFrame) -> Any:
    return candidates(seed=3)[name].fit(features(rows), rows[TARGET])


def after(model: Any, point: pl.DataFrame, history: str, **context: str) -> np.ndarray:
    """The scores of the example visit with this history."""
    columns = [pl.lit(value, point.schema[name]).alias(name) for name, value in context.items()]
    row = point.with_columns(pl.lit(history).alias(HISTORY), *columns)
    scores: np.ndarray = model.decision_function(features(row))[0]
    return scores


@pytest.fixture
def two_tastes(point: pl.DataFrame) -> pl.DataFrame:
    """Who knows alpenta wants norrvik or cairn, who knows kobra wants blokk; the newsletter sells
    bellamy, and an advert brings those who want nothing.
    """
    events = [
        ("alpenta trekko", "search", "norrvik:click", 60),
        ("trekko alpenta", "search", "cairn:order@5", 40),
        ("kobra skuff", "search", "blokk:click", 80),
        ("", "newsletter", "bellamy:click@1", 60),
        ("", "search", "ono:order", 60),
        ("kobra", "advert", "", 20),
        ("", "direct", "alpenta:click trekko:click kobra:click skuff:click", 10),
    ]
    row = point.with_columns(visitor=pl.lit("returning", point.schema["visitor"]))
    return pl.concat(
        row.with_columns(
            pl.lit(history).alias(HISTORY),
            came_from=pl.lit(way, point.schema["came_from"]),
            wanted=pl.lit(wanted),
        )
        for history, way, wanted, times in events
        for _ in range(times)
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_candidate_fits_and_the_same_seed_gives_the_same_model(
    sample: pl.DataFrame, name: str
) -> None:
    once, again = fitted(name, sample), fitted(name, sample)
    scores = once.decision_function(features(sample))
    assert scores.dtype == np.float64
    assert scores.shape == (sample.height, len(once.brands_))
    assert np.isfinite(scores).all()
    assert np.array_equal(scores, again.decision_function(features(sample)))


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_the_rows_plays_no_part(sample: pl.DataFrame, name: str) -> None:
    x = features(sample)
    once, again = (fitted(name, rows).decision_function(x) for rows in (sample, sample.reverse()))
    assert np.allclose(once, again, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_who_went_for_the_same_brands_is_shown_what_these_wanted_next(
    two_tastes: pl.DataFrame, point: pl.DataFrame, name: str
) -> None:
    model = fitted(name, two_tastes)
    outdoor, street = (
        str(model.brands_[after(model, point, history, came_from="search").argmax()])
        for history in ("alpenta", "kobra skuff")
    )
    assert outdoor in {"norrvik", "cairn"}
    assert street == "blokk"


@pytest.mark.parametrize("name", NAMES)
def test_what_came_by_a_place_further_down_counts_more(
    two_tastes: pl.DataFrame, point: pl.DataFrame, name: str
) -> None:
    model = fitted(name, two_tastes)  # cairn: 40 times at place 5, norrvik: 60 times by search
    scores = dict(zip(model.brands_, after(model, point, "alpenta trekko"), strict=True))
    assert scores["cairn"] > scores["norrvik"]


@pytest.mark.parametrize("name", NAMES)
def test_a_new_visitor_is_shown_what_sells_in_this_context(
    two_tastes: pl.DataFrame, point: pl.DataFrame, name: str
) -> None:
    model = fitted(name, two_tastes)
    scores = dict(zip(model.brands_, after(model, point, "", came_from="newsletter"), strict=True))
    elsewhere = dict(zip(model.brands_, after(model, point, "", came_from="search"), strict=True))
    assert max(scores, key=scores.__getitem__) == "bellamy"
    assert elsewhere["bellamy"] < scores["bellamy"]


@pytest.mark.parametrize("name", NAMES)
def test_a_brand_that_no_training_row_knows_changes_nothing(
    sample: pl.DataFrame, point: pl.DataFrame, name: str
) -> None:
    model = fitted(name, sample)
    plain = after(model, point, "norrvik ono")
    assert np.array_equal(after(model, point, "launched norrvik of-2027 ono"), plain)
    assert not np.array_equal(after(model, point, "norrvik pacer"), plain)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_history_gets_what_a_new_visitor_gets(
    sample: pl.DataFrame, point: pl.DataFrame, name: str
) -> None:
    model = fitted(name, sample)
    assert np.array_equal(after(model, point, "launched of-2027"), after(model, point, ""))


@pytest.mark.parametrize("name", NAMES)
def test_the_newest_brand_of_a_history_counts_most(
    two_tastes: pl.DataFrame, point: pl.DataFrame, name: str
) -> None:
    model = fitted(name, two_tastes)
    blokk = model.brands_.tolist().index("blokk")
    late, early = (after(model, point, one)[blokk] for one in ("kobra trekko", "trekko kobra"))
    assert late > early


@pytest.mark.parametrize("name", NAMES)
def test_scores_are_shares_of_all_brands_as_logarithms(sample: pl.DataFrame, name: str) -> None:
    scores = fitted(name, sample).decision_function(features(sample))
    assert np.exp(scores).sum(axis=1) == pytest.approx(np.ones(sample.height))


def test_a_damaged_matrix_of_lifts_is_refused() -> None:
    values, columns, starts = np.ones(2), np.array([0, 1]), np.array([0, 1, 2])
    assert square([values, columns, starts]).shape == (2, 2)
    with pytest.raises(ValueError, match="indices"):
        square([values, columns + 7, starts])
