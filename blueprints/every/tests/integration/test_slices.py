"""Slices: the reports add up, and no slice is below what the brief asks for."""

import json
from pathlib import Path

import polars as pl
import pytest

from project import contract
from project.delivery.edge.brief import read_project_brief


def test_slices_of_the_report_are_those_of_the_outcomes(every_row: pl.DataFrame) -> None:
    reported = json.loads(Path("reports/slices.json").read_text())["segments"]
    outcomes = pl.read_parquet("data/outcomes/challenger.parquet")
    assert set(reported) == set(contract.SEGMENTS)
    assert outcomes.height < every_row.height
    for column, slices in reported.items():
        assert sum(part["n"] for part in slices) == outcomes.height
        for part in slices:
            rows = outcomes.filter(pl.col(column) == part["slice"].partition(" = ")[2])
            if rows["value"].has_nulls():  # nothing is worth anything while prices are unknown
                assert "value_per_1000" not in part["metrics"]
                continue
            worth = 1000 * rows["value"].sum() / rows.height
            assert part["metrics"]["value_per_1000"]["estimate"] == pytest.approx(worth)


def test_no_slice_is_below_a_guardrail_of_the_brief(every_row: pl.DataFrame) -> None:
    assert every_row.height > 0
    brief, _ = read_project_brief(Path("project-brief.md"))
    decision = json.loads(Path("reports/decision.json").read_text())
    assert len(decision["guardrails"]) == len(brief.guardrails)
    below = [
        f"{line['line']}: {part['slice']}"
        for line in decision["guardrails"]
        for part in line["slices"]
        if part["state"] == "violated"
    ]
    has_prices = decision["gain"]["estimate"] is not None  # without, no line decides yet
    assert not (has_prices and below)
