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
        ("user", "123", "user|regex"),
        ("day", date(1970, 1, 1), "day|min"),
        ("visitor", "staff", "visitor|dtype"),
        ("visitor", "new", "new_visitor_has_no_history"),
        ("device", "watch", "device|dtype"),
        ("came_from", None, "came_from|nullability"),
        ("history", "norrvik, ono", "history|regex"),
        ("history", "Norrvik", "history|regex"),
        ("history", None, "history|nullability"),
        ("wanted", "ono", "wanted|regex"),
        ("wanted", "ono:sold", "wanted|regex"),
        ("wanted", "ono:order@0", "wanted|regex"),
        ("wanted", "ono:order  tempo:click", "wanted|regex"),
        ("wanted", None, "wanted|nullability"),
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


@pytest.mark.parametrize("wanted", ["", "ono:click", "ono:order@4", "haus-nr7:click@12 ono:order"])
def test_a_visit_may_end_without_an_event_or_with_several(point: pl.DataFrame, wanted: str) -> None:
    assert Row.is_valid(point.with_columns(wanted=pl.lit(wanted)))


def test_a_brand_that_nobody_has_heard_of_is_a_brand(point: pl.DataFrame) -> None:
    new = point.with_columns(history=pl.lit("launched-today"), wanted=pl.lit("also-new:order"))
    assert Row.is_valid(new)


def test_the_same_user_twice_on_one_day_is_refused(point: pl.DataFrame) -> None:
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


def test_what_was_wanted_is_known_after_whole_days() -> None:
    assert timedelta(0) < HORIZON
    assert HORIZON % timedelta(days=1) == timedelta(0)


def test_every_column_is_described_in_a_sentence() -> None:
    for name, column in Row.columns().items():
        assert column.description, name
        assert column.description.endswith("."), name
