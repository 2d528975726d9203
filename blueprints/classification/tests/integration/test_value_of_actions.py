"""Actions and money: prices come from the brief, and capacity is kept."""

from pathlib import Path

import polars as pl
import pytest

from project import contract, features, model
from project.delivery.edge.brief import read_project_brief
from project.delivery.models import model_folder
from project.delivery.pipeline.predict import describe_units
from project.delivery.problem import action, outcomes, training


@pytest.fixture(scope="module")
def brief() -> outcomes.PricedBrief:
    return outcomes.require_prices(read_project_brief(Path("project-brief.md"))[0])


def predicted(rows: pl.DataFrame) -> pl.DataFrame:
    x = features.features(rows)
    rule = training.fit_rule(model.rule(), x, rows[contract.TARGET])
    return describe_units(rows.with_row_index("row")).hstack(training.predict(rule, x))


def at_prices(rows: pl.DataFrame) -> pl.DataFrame:
    """The rule's predictions without what it decides by itself."""
    return action.drop_own(predicted(rows))


def test_the_brief_prices_the_classes_of_the_contract(
    point: pl.DataFrame, brief: outcomes.PricedBrief
) -> None:
    target = contract.Row.columns()[contract.TARGET].dtype
    assert isinstance(target, pl.Enum)
    assert point.schema[contract.TARGET] == target
    classes = set(target.categories)
    assert all(set(prices) == classes for prices in brief.value.actions.values())


def test_each_unit_is_worth_what_the_brief_says(
    sample: pl.DataFrame, brief: outcomes.PricedBrief
) -> None:
    results = outcomes.build_outcomes(predicted(sample), brief)
    assert results.height == sample.height
    assert results["outcome"].to_list() == sample[contract.TARGET].to_list()
    prices = brief.value.actions
    for done, outcome, value in results.select("action", "outcome", "value").iter_rows():
        if done == outcomes.REVIEW:
            assert brief.value.review is not None
            best = max(0.0, *(price[outcome] for price in prices.values()))
            assert value == pytest.approx(best + brief.value.review)
        else:
            assert value == (0 if done == outcomes.NOTHING else prices[done][outcome])


def test_no_more_units_are_acted_on_than_the_brief_allows(
    sample: pl.DataFrame, brief: outcomes.PricedBrief
) -> None:
    rows = at_prices(sample)
    generous = {a: dict.fromkeys(p, 1.0) for a, p in brief.value.actions.items()}
    few = brief.replace(decision={"at_most": 1, "out_of": 10}, value={"actions": generous})
    acted = outcomes.build_outcomes(rows, few)["action"] != outcomes.NOTHING
    assert acted.sum() == sample.height // 10


def test_ten_parts_act_as_the_whole_does_and_keep_to_capacity_in_each_period(
    sample: pl.DataFrame, brief: outcomes.PricedBrief
) -> None:
    rows = at_prices(sample)
    generous = {a: dict.fromkeys(p, 1.0) for a, p in brief.value.actions.items()}
    limit = {"at_most": 1, "out_of": 10, "every": "day"}
    few = brief.replace(decision=limit, value={"actions": generous})
    ranked = [outcomes.rank(part, few) for part in rows.iter_slices(max(rows.height // 10, 1))]
    acted = outcomes.cut(pl.concat(ranked), few)
    assert acted.equals(outcomes.act(rows, few))
    period = action.find_periods(rows, "day")
    taken = acted.select(outcomes.takes_room(few).alias("taken")).with_columns(period)
    counts = taken.group_by("period").agg(pl.col("taken").sum(), room=(pl.len() / 10).ceil())
    assert counts["taken"].sum() == rows.height // 10
    assert counts.filter(pl.col("taken") > pl.col("room")).is_empty()


def test_what_the_rule_decides_is_taken_as_it_is_whatever_it_costs(
    sample: pl.DataFrame, brief: outcomes.PricedBrief
) -> None:
    rows = predicted(sample)
    if not action.has_own(rows):
        pytest.skip("the rule does not decide by itself")
    dear = {a: dict.fromkeys(p, -1e6) for a, p in brief.value.actions.items()}
    few = brief.replace(
        decision={"at_most": 1, "out_of": 10_000}, value={"actions": dear}, risk="medium"
    )
    assert outcomes.act(rows, few)["action"].equals(rows[action.OWN].alias("action"))


def test_the_score_moves_as_the_business_knows_it_must(
    every_row: pl.DataFrame, brief: outcomes.PricedBrief
) -> None:
    challenger, _ = model_folder.load(Path("models/challenger"))
    prices = brief.value.actions.values()
    acting = sorted({f"p_{c}" for action in prices for c, price in action.items() if price > 0})
    score = pl.sum_horizontal(acting)
    x = features.features(every_row)
    for name, sign in model.DIRECTION.items():
        step = x[name].std()
        stepped = x.with_columns((pl.col(name) + step).cast(x.schema[name]))
        after, now = (training.predict(challenger, each).select(score) for each in (stepped, x))
        moved = sign * (after - now).to_series()
        assert (moved > -1e-9).all(), (
            f"{name}: {(moved <= -1e-9).sum():,} of {x.height:,} rows move the wrong way"
        )
