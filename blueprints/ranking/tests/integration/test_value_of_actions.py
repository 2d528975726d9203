"""Lists and money: prices come from the brief, and nothing is shown that is not worth its place."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from project import contract, features, model
from project.delivery.edge.brief import read_project_brief
from project.delivery.edge.errors import Fixable
from project.delivery.models import model_folder
from project.delivery.pipeline.predict import describe_units
from project.delivery.problem import action, outcomes, target, training

LISTED = ["fig", "plum", "pear", "quince", "sloe"]
"""Things by names that no data has; they only have to look like things."""


class Fixed:
    """A model that gives everybody the same scores."""

    def __init__(self, **scores: float) -> None:
        self.brands_ = list(scores)
        self.scores = list(scores.values())

    def decision_function(self, x: pl.DataFrame) -> np.ndarray:
        return np.tile(self.scores, (x.height, 1))


@pytest.fixture(scope="module")
def brief() -> outcomes.PricedBrief:
    return outcomes.require_prices(read_project_brief(Path("project-brief.md"))[0])


@pytest.fixture(scope="module")
def kind(brief: outcomes.PricedBrief) -> str:
    """The dearest kind of event."""
    prices = brief.value.events
    return str(max(prices, key=prices.__getitem__))


def predicted(rows: pl.DataFrame) -> pl.DataFrame:
    x = features.features(rows)
    rule = training.fit_rule(model.rule(), x, rows[contract.TARGET])
    return describe_units(rows.with_row_index("row")).hstack(training.predict(rule, x))


def listed(point: pl.DataFrame, kind: str, wanted: str, chances: list[float]) -> pl.DataFrame:
    """The example row with this truth, and LISTED with these chances; all events are of `kind`."""
    row = point.with_columns(pl.lit(wanted).alias(contract.TARGET)).with_row_index("row")
    missing = training.PLACES - len(chances)
    names = [*LISTED[: len(chances)], *[""] * missing]
    columns = dict(zip(training.NAMES, names, strict=True)) | {f"{training.OF}{kind}": 1.0}
    columns |= dict(zip(training.CHANCES, [*chances, *[0.0] * missing], strict=True))
    return describe_units(row).with_columns(
        pl.lit(value).alias(name) for name, value in columns.items()
    )


def outcome(predictions: pl.DataFrame, brief: outcomes.PricedBrief) -> dict[str, Any]:
    return outcomes.build_outcomes(predictions, brief).row(0, named=True)


def priced(brief: outcomes.PricedBrief, most: int = 5, **changes: Any) -> outcomes.PricedBrief:
    """The brief with a list of at most `most`, and with these changes of its prices."""
    return brief.replace(value=changes, decision={"at_most": most})


def test_the_brief_prices_every_kind_of_event(
    every_row: pl.DataFrame, brief: outcomes.PricedBrief
) -> None:
    kinds = set(target.parse_events(every_row[contract.TARGET])["event"])
    assert kinds <= set(brief.value.events)
    with pytest.raises(Fixable, match=f"found none for {min(kinds)}"):
        outcomes.act(predicted(every_row.head(500)), priced(brief, events={}))


def test_models_weigh_places_as_the_brief_does(
    every_row: pl.DataFrame, brief: outcomes.PricedBrief
) -> None:
    places = target.parse_events(every_row[contract.TARGET])["place"].drop_nulls()
    every = [model.rule(), *model.candidates(0).values()]
    weighing = {getattr(one, "noticed", 1.0) for one in every}
    assert places.is_empty() or weighing == {brief.value.noticed}


def test_each_list_is_worth_what_the_brief_says(
    sample: pl.DataFrame, brief: outcomes.PricedBrief
) -> None:
    value = brief.value
    results = outcomes.build_outcomes(predicted(sample), brief)
    assert results["outcome"].to_list() == sample[contract.TARGET].to_list()
    assert results["positive"].to_list() == (sample[contract.TARGET] != "").to_list()
    for shown, outcome, worth in results.select("shown", "outcome", "value").iter_rows():
        things = shown.split()
        earned = dict.fromkeys(things, 0.0)
        for word in outcome.split():
            thing, _, rest = word.partition(":")
            event, _, place = rest.partition("@")
            if thing in things:
                weight = 1 / value.noticed ** (int(place or 1) - 1)
                earned[thing] = max(earned[thing], weight * value.events[event])
        looked = [value.noticed**place for place in range(len(things))]
        expected = sum(share * worth for share, worth in zip(looked, earned.values(), strict=True))
        assert worth == pytest.approx(expected + value.shown * len(things))


def test_an_event_by_a_place_further_down_counts_for_those_who_did_not_look_so_far(
    point: pl.DataFrame, brief: outcomes.PricedBrief, kind: str
) -> None:
    noticed = priced(brief, noticed=0.5, shown=0.0)
    top, lower = (
        outcome(listed(point, kind, f"fig:{kind}{place}", [0.5]), noticed) for place in ("", "@3")
    )
    assert top["value"] == brief.value.events[kind]
    assert lower["value"] == pytest.approx(4 * top["value"])
    assert (top["found"], lower["found"]) == (1, 4)


def test_what_is_wanted_twice_counts_once_and_as_the_dearer(
    point: pl.DataFrame, brief: outcomes.PricedBrief, kind: str
) -> None:
    prices = {kind: 4.0, "glance": 0.1}
    both, dear = (
        outcome(listed(point, kind, wanted, [0.5]), priced(brief, events=prices))
        for wanted in (f"fig:glance fig:{kind}", f"fig:{kind}")
    )
    assert both | {"outcome": ""} == dear | {"outcome": ""}


def test_the_higher_what_is_wanted_stands_the_more_a_list_is_worth(
    point: pl.DataFrame, brief: outcomes.PricedBrief, kind: str
) -> None:
    free = priced(brief, shown=0.0, noticed=0.9)
    results = [
        outcome(listed(point, kind, f"{thing}:{kind}", [0.5] * 5), free)
        for thing in [*LISTED, "grape"]
    ]
    for earlier, later in pairwise(results):
        assert earlier["value"] > later["value"]
        assert earlier["ndcg"] > later["ndcg"]
    assert results[0]["ndcg"] == 1
    assert results[-1]["ndcg"] == results[-1]["value"] == 0


def test_a_thing_is_shown_only_where_it_is_expected_to_earn_more_than_it_costs(
    point: pl.DataFrame, brief: outcomes.PricedBrief, kind: str
) -> None:
    row = listed(point, kind, "", [0.5, 0.4, 0.3])
    for cost, shown in ((-0.1, "fig plum pear"), (-0.28, "fig plum"), (-0.6, "")):
        prices: dict[str, Any] = {"noticed": 0.8, "events": {kind: 1.0}, "shown": cost}
        worth = [0.5, 0.4 * 0.8, 0.3 * 0.8**2][: len(shown.split())]
        acted = outcomes.act(row, priced(brief, **prices)).row(0, named=True)
        assert acted["shown"] == shown.split()
        assert acted["action"] == (brief.decision.action if shown else outcomes.NOTHING)
        assert acted["score"] == pytest.approx(sum(worth) + cost * len(worth))


def test_no_list_is_longer_than_the_brief_allows(
    sample: pl.DataFrame, brief: outcomes.PricedBrief
) -> None:
    rows = predicted(sample)
    for most in (1, 3, training.PLACES):
        shown = outcomes.act(rows, priced(brief, most, shown=0.0))["shown"]
        assert shown.list.len().max() == most
    with pytest.raises(Fixable, match="at_most up to 20, found 21"):
        outcomes.act(rows, priced(brief, 21))


def test_the_best_come_first_and_equal_ones_by_their_names(
    sample: pl.DataFrame, brief: outcomes.PricedBrief, kind: str
) -> None:
    x = features.features(sample)
    wanted = pl.Series(contract.TARGET, [f"sloe:{kind}", ""] * (sample.height // 2))
    of_four = training.fit_rule(
        _fits(Fixed(plum=1.0, fig=1.0 + 1e-12, sloe=2.0, pear=0.0)), x, wanted
    )
    predictions = training.predict(of_four, x)
    assert predictions.null_count().sum_horizontal().item() == 0
    assert list(predictions.row(0)[:5]) == ["sloe", "fig", "plum", "pear", ""]
    rows = describe_units(sample.with_row_index("row")).hstack(predictions)
    acted = outcomes.act(rows, priced(brief, 4, shown=0.0))
    assert acted["shown"][0].to_list() == ["sloe", "fig", "plum", "pear"]


def _fits(fixed: Fixed) -> Any:
    """A rule that learns nothing."""
    fixed.fit = lambda x, y: fixed  # type: ignore[attr-defined]
    return fixed


def test_the_order_of_the_rule_is_taken_as_it_is_whatever_a_place_costs(
    sample: pl.DataFrame, brief: outcomes.PricedBrief
) -> None:
    rows = predicted(sample)
    if not action.has_own(rows):
        pytest.skip("the rule does not decide by itself")
    acted = outcomes.act(rows, priced(brief, 3, shown=-1e6))
    own = rows[action.OWN].str.split(" ").list.head(3)
    assert acted["shown"].equals(own.alias("shown"))
    assert (
        outcomes.act(action.drop_own(rows), priced(brief, 3, shown=-1e6))["shown"].list.len().sum()
        == 0
    )


def test_what_no_model_knows_counts_as_missed(
    point: pl.DataFrame, brief: outcomes.PricedBrief, kind: str
) -> None:
    row = listed(point, kind, f"of-2027:{kind} fig:{kind}", [0.5, 0.5])
    result = outcome(row, priced(brief, shown=0.0))
    assert (result["wanted"], result["found"]) == (2.0, 1.0)
    assert 0 < result["ndcg"] < 1


def test_a_row_that_a_model_could_not_take_is_shown_nothing(
    point: pl.DataFrame, brief: outcomes.PricedBrief, kind: str
) -> None:
    row = listed(point, kind, f"fig:{kind}", [0.5])
    blank = row.with_columns(
        pl.lit(None, row.schema[name]).alias(name) for name in row.columns if name[:2] == "p_"
    )
    result = outcome(blank, brief)
    assert (result["action"], result["value"], result["shown"]) == (outcomes.NOTHING, 0.0, "")
    assert result["wanted"] == 1


@pytest.mark.point
def test_a_truth_that_cannot_be_read_is_named(kind: str) -> None:
    with pytest.raises(Fixable, match=f"found 'fig={kind}'"):
        target.parse_events(pl.Series([f"fig:{kind}", f"fig={kind}"]))


def test_the_chances_of_what_is_shown_come_true(every_row: pl.DataFrame) -> None:
    outcomes = pl.read_parquet("data/outcomes/challenger.parquet")
    assert outcomes.height < every_row.height
    expected, actual = (float(outcomes[name].sum()) for name in ("expected", "found"))
    assert 0.5 < actual / expected < 2


def test_no_chance_is_above_that_of_a_better_place(every_row: pl.DataFrame) -> None:
    challenger, _ = model_folder.load(Path("models/challenger"))
    chances = model_folder.score(challenger, every_row).select(training.CHANCES).to_numpy()
    assert (np.diff(chances, axis=1) <= 0).all()
    assert chances.min() >= 0
    assert chances.max() < 1
