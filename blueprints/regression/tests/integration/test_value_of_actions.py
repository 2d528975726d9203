"""Answers and money: prices come from the brief, and a person is asked where that pays."""

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


def priced(brief: outcomes.PricedBrief, **changes: float | None) -> outcomes.PricedBrief:
    return brief.replace(value=changes)


def test_the_brief_prices_an_answer_to_the_targets_question(
    point: pl.DataFrame, brief: outcomes.PricedBrief
) -> None:
    assert contract.Row.columns()[contract.TARGET].dtype.is_numeric()
    assert point[contract.TARGET].is_finite().all()
    assert brief.value.per_unit_too_high < 0
    assert brief.value.per_unit_too_low < 0


def test_each_unit_is_worth_what_the_brief_says(
    sample: pl.DataFrame, brief: outcomes.PricedBrief
) -> None:
    price = brief.value
    results = outcomes.build_outcomes(predicted(sample), brief)
    assert results["outcome"].to_list() == sample[contract.TARGET].to_list()
    for done, outcome, answer, value in results.select(
        "action", "outcome", "answer", "value"
    ).iter_rows():
        beyond = max(0, abs(answer - outcome) - price.free_within)
        each = price.per_unit_too_high if answer > outcome else price.per_unit_too_low
        review = done == outcomes.REVIEW
        assert value == pytest.approx(price.review if review else beyond * each)


def test_the_dearer_it_is_to_be_too_high_the_lower_the_answer(
    sample: pl.DataFrame, brief: outcomes.PricedBrief
) -> None:
    rows = at_prices(sample)
    careful, bold = (
        outcomes.act(rows, priced(brief, per_unit_too_high=-high, per_unit_too_low=-1.0))["answer"]
        for high in (4.0, 0.25)
    )
    assert (careful < bold).all()


def test_a_person_is_asked_where_that_is_cheaper_and_no_more_often_than_the_brief_allows(
    sample: pl.DataFrame, brief: outcomes.PricedBrief
) -> None:
    rows = at_prices(sample)

    def count_reviews(brief: outcomes.PricedBrief) -> int:
        return int((outcomes.build_outcomes(rows, brief)["action"] == outcomes.REVIEW).sum())

    free, dear, none = (count_reviews(priced(brief, review=price)) for price in (-1e-9, -1e9, None))
    assert free > dear == none == 0
    few = brief.replace(value={"review": -1e-9}, decision={"at_most": 1, "out_of": 10})
    assert count_reviews(few) == sample.height // 10
    assert count_reviews(brief.replace(value={"review": -1e9}, risk="high")) == sample.height


def test_ten_parts_act_as_the_whole_does_and_keep_to_capacity_in_each_period(
    sample: pl.DataFrame, brief: outcomes.PricedBrief
) -> None:
    rows = at_prices(sample)
    limit = {"at_most": 1, "out_of": 10, "every": "day"}
    few = brief.replace(value={"review": -1e-9}, decision=limit)
    ranked = [outcomes.rank(part, few) for part in rows.iter_slices(max(rows.height // 10, 1))]
    acted = outcomes.cut(pl.concat(ranked), few)
    assert acted.equals(outcomes.act(rows, few))
    period = action.find_periods(rows, "day")
    taken = acted.select(outcomes.takes_room(few).alias("taken")).with_columns(period)
    counts = taken.group_by("period").agg(pl.col("taken").sum(), room=(pl.len() / 10).ceil())
    assert counts["taken"].sum() == rows.height // 10
    assert counts.filter(pl.col("taken") > pl.col("room")).is_empty()


def test_what_the_rule_answers_is_taken_as_it_is_whatever_errors_cost(
    sample: pl.DataFrame, brief: outcomes.PricedBrief
) -> None:
    rows = predicted(sample)
    if not action.has_own(rows):
        pytest.skip("the rule does not decide by itself")
    own = rows[action.OWN]
    dear = priced(brief, per_unit_too_high=-9.0, review=-1e9).replace(
        decision={"at_most": 1, "out_of": 10_000}, risk="medium"
    )
    acted = outcomes.act(rows, dear)
    assert ((acted["action"] == outcomes.REVIEW) == own.is_nan()).all()
    assert acted["answer"].filter(own.is_not_nan()).equals(own.drop_nans().alias("answer"))


def test_the_interval_holds_as_many_as_it_says(every_row: pl.DataFrame) -> None:
    outcomes = pl.read_parquet("data/outcomes/challenger.parquet")
    assert outcomes.height < every_row.height
    held = outcomes["outcome"].is_between(outcomes["lower"], outcomes["upper"]).mean()
    assert isinstance(held, float)
    assert abs(held - 0.90) < 0.05


def test_the_score_moves_as_the_business_knows_it_must(every_row: pl.DataFrame) -> None:
    challenger, _ = model_folder.load(Path("models/challenger"))
    score = pl.col("p_50")
    x = features.features(every_row)
    for name, sign in model.DIRECTION.items():
        step = x[name].std()
        stepped = x.with_columns((pl.col(name) + step).cast(x.schema[name]))
        after, now = (training.predict(challenger, each).select(score) for each in (stepped, x))
        moved = sign * (after - now).to_series()
        assert (moved > -1e-9).all(), (
            f"{name}: {(moved <= -1e-9).sum():,} of {x.height:,} rows move the wrong way"
        )
