"""Actions and money: prices come from the brief, capacity is kept, and the reports add up."""

import json
from pathlib import Path

import polars as pl
import pytest

from project import contract, features, model
from project.delivery.pipeline import brief, problem
from project.delivery.pipeline.predict import described


@pytest.fixture(scope="module")
def told() -> problem.Brief:
    return brief.read(Path("project-brief.md"))[0].model_dump(mode="json")


def predicted(rows: pl.DataFrame) -> pl.DataFrame:
    x = features.features(rows)
    rule = problem.fit_rule(model.rule(), x, rows[contract.TARGET])
    return described(rows.with_row_index("row")).hstack(problem.predict(rule, x))


def test_the_brief_prices_the_classes_of_the_contract(
    point: pl.DataFrame, told: problem.Brief
) -> None:
    target = contract.Row.columns()[contract.TARGET].dtype
    assert isinstance(target, pl.Enum)
    assert point.schema[contract.TARGET] == target
    classes = set(target.categories)
    assert all(set(prices) == classes for prices in told["value"]["actions"].values())


def test_each_unit_is_worth_what_the_brief_says(sample: pl.DataFrame, told: problem.Brief) -> None:
    found = problem.outcomes(predicted(sample), told)
    assert found.height == sample.height
    assert found["outcome"].to_list() == sample[contract.TARGET].to_list()
    prices = told["value"]["actions"]
    for action, outcome, value in found.select("action", "outcome", "value").iter_rows():
        if action == problem.REVIEW:
            best = max(0.0, *(price[outcome] for price in prices.values()))
            assert value == pytest.approx(best + told["value"]["review"])
        else:
            assert value == (0 if action == problem.NOTHING else prices[action][outcome])


def test_no_more_units_are_acted_on_than_the_brief_allows(
    sample: pl.DataFrame, told: problem.Brief
) -> None:
    rows = predicted(sample)
    cheap = told | {"decision": told["decision"] | {"at_most": 1, "out_of": 10}}
    generous = told["value"] | {
        "actions": {a: dict.fromkeys(p, 1.0) for a, p in told["value"]["actions"].items()}
    }
    acted = problem.outcomes(rows, cheap | {"value": generous})["action"] != problem.NOTHING
    assert acted.sum() == sample.height // 10


def test_slices_of_the_report_are_those_of_the_outcomes(every_row: pl.DataFrame) -> None:
    reported = json.loads(Path("reports/slices.json").read_text())["segments"]
    outcomes = pl.read_parquet("data/outcomes/challenger.parquet")
    assert set(reported) == set(contract.SEGMENTS)
    assert outcomes.height < every_row.height
    for column, slices in reported.items():
        assert sum(part["n"] for part in slices) == outcomes.height
        for part in slices:
            rows = outcomes.filter(pl.col(column) == part["slice"].partition(" = ")[2])
            worth = 1000 * rows["value"].sum() / rows.height
            assert part["metrics"]["value_per_1000"]["estimate"] == pytest.approx(worth)


def test_no_slice_is_below_a_guardrail_of_the_brief(
    every_row: pl.DataFrame, told: problem.Brief
) -> None:
    assert every_row.height > 0
    decision = json.loads(Path("reports/decision.json").read_text())
    assert len(decision["guardrails"]) == len(told["guardrails"])
    below = [
        f"{line['line']}: {part['slice']}"
        for line in decision["guardrails"]
        for part in line["slices"]
        if part["state"] == "violated"
    ]
    assert not below
