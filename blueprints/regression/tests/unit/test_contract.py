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
        ("car", "1234", "car|regex"),
        ("week", date(2025, 6, 3), "week|resolution"),
        ("make", "Umbra", "make|dtype"),
        ("fuel", "steam", "fuel|dtype"),
        ("age_months", 9_999, "age_months|max"),
        ("age_months", 2, "new_car_has_one_owner"),
        ("mileage_km", -90_000, "mileage_km|min"),
        ("power_kw", 0, "power_kw|min"),
        ("owners", 0, "owners|min"),
        ("service_book", "lost", "service_book|dtype"),
        ("region", None, "region|nullability"),
        ("price", 1.0, "price|min"),
        ("price", None, "price|nullability"),
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


@pytest.mark.parametrize("column", ["owners", "service_book"])
def test_what_the_papers_do_not_say_may_be_missing(point: pl.DataFrame, column: str) -> None:
    bare = point.with_columns(pl.lit(None, point.schema[column]).alias(column))
    assert Row.is_valid(bare)


def test_the_same_car_twice_in_one_week_is_refused(point: pl.DataFrame) -> None:
    _, refused = Row.filter(pl.concat([point, point]))
    assert refused.counts() == {"primary_key": 2}


def test_every_value_that_the_contract_lists_occurs(every_row: pl.DataFrame) -> None:
    for name, kind in Row.create_empty().schema.items():
        if isinstance(kind, pl.Enum):
            assert set(every_row[name].drop_nulls().unique()) == set(kind.categories), name


def test_the_roles_name_columns_of_the_contract() -> None:
    named = [ENTITY, TIME, TARGET, *SEGMENTS, *PERSONAL]
    assert {name for name in named if name is not None} <= set(Row.column_names())
    assert TARGET not in {ENTITY, TIME, *SEGMENTS}


def test_segments_have_a_fixed_list_of_values() -> None:
    schema = Row.create_empty().schema
    for name in SEGMENTS:
        assert isinstance(schema[name], pl.Enum), name
        assert not Row.columns()[name].nullable, name


def test_the_target_is_a_price_above_zero() -> None:
    price = Row.columns()[TARGET]
    assert price.dtype == pl.Float64
    assert not price.nullable
    assert getattr(price, "min", 0) > 0  # candidates learn its logarithm


def test_the_price_is_known_after_whole_weeks() -> None:
    assert timedelta(0) < HORIZON
    assert HORIZON % timedelta(weeks=1) == timedelta(0)


def test_every_column_is_described_in_a_sentence() -> None:
    for name, column in Row.columns().items():
        assert column.description, name
        assert column.description.endswith("."), name
