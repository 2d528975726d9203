"""The contract accepts what it should, refuses what it should, and names columns that exist."""

from datetime import date, timedelta

import polars as pl
import pytest

from project.contract import (
    ENTITY,
    EXAMPLE,
    HORIZON,
    PERSONAL,
    SEGMENTS,
    TARGET,
    TIME,
    Row,
)


def test_the_example_row_satisfies_the_contract() -> None:
    assert list(EXAMPLE) == Row.column_names()
    assert Row.is_valid(pl.DataFrame([EXAMPLE]), cast=True)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("customer", "1234", "customer|regex"),
        ("week", date(2025, 6, 3), "week|resolution"),
        ("tenure_months", -1, "tenure_months|min"),
        ("plan", "family 2011", "plan|dtype"),
        ("months_left", 5, "flexible_plan_has_no_months_left"),
        ("monthly_charge", -22.0, "monthly_charge|min"),
        ("monthly_charge_before", 0.0, "monthly_charge_before|min"),
        ("data_gb", -0.1, "data_gb|min"),
        ("data_gb_before", 9999.0, "data_gb_before|max"),
        ("support_calls", -1, "support_calls|min"),
        ("survey_score", 6, "survey_score|max"),
        ("region", None, "region|nullability"),
        ("age_band", "0-17", "age_band|dtype"),
        ("outcome", None, "outcome|nullability"),
    ],
)
def test_a_row_with_one_fault_is_refused_for_that_reason(
    point: pl.DataFrame, column: str, value: object, reason: str
) -> None:
    as_exported = point.with_columns(pl.selectors.enum().cast(pl.String))
    kind = as_exported.schema[column]
    broken = as_exported.with_columns(pl.lit(value, dtype=kind).alias(column))
    valid, refused = Row.filter(broken, cast=True)
    assert valid.is_empty()
    assert refused.counts() == {reason: 1}


def test_the_same_customer_twice_in_one_week_is_refused(point: pl.DataFrame) -> None:
    _, refused = Row.filter(pl.concat([point, point]))
    assert refused.counts() == {"primary_key": 2}


def test_every_value_that_the_contract_lists_occurs(every_row: pl.DataFrame) -> None:
    for name, kind in Row.create_empty().schema.items():
        if isinstance(kind, pl.Enum):
            assert set(every_row[name].unique()) == set(kind.categories), name


def test_the_roles_name_columns_of_the_contract() -> None:
    named = [ENTITY, TIME, TARGET, *SEGMENTS, *PERSONAL]
    assert {name for name in named if name is not None} <= set(Row.column_names())
    assert TARGET not in {ENTITY, TIME, *SEGMENTS}


def test_target_and_segments_have_a_fixed_list_of_values() -> None:
    schema = Row.create_empty().schema
    for name in (TARGET, *SEGMENTS):
        assert isinstance(schema[name], pl.Enum), name
        assert not Row.columns()[name].nullable, name
    assert schema[TARGET] == pl.Enum(["leaves", "stays"])


def test_the_outcome_is_known_after_whole_weeks() -> None:
    assert timedelta(0) < HORIZON
    assert HORIZON % timedelta(weeks=1) == timedelta(0)


def test_every_column_is_described_in_a_sentence() -> None:
    for name, column in Row.columns().items():
        assert column.description, name
        assert column.description.endswith("."), name
