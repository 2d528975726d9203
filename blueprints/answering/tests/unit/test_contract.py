"""The contract accepts what it should, refuses what it should, and names columns that exist."""

from datetime import date, timedelta

import polars as pl
import pytest

from project.contract import (
    ENTITY,
    EXAMPLE,
    HORIZON,
    INTENTS,
    PERSONAL,
    SEGMENTS,
    TARGET,
    TIME,
    Row,
)


def test_the_example_row_satisfies_the_contract() -> None:
    assert list(EXAMPLE) == Row.column_names()
    assert Row.is_valid(
        pl.DataFrame([EXAMPLE], schema_overrides={"recorded": pl.String}), cast=True
    )


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("question", "123", "question|regex"),
        ("wording", "  ", "wording|regex"),
        ("repeat", 0, "repeat|min"),
        ("asked_on", date(1925, 6, 2), "asked_on|min"),
        ("channel", "fax", "channel|dtype"),
        ("kind", "prepaired", "kind|dtype"),
        ("kind", None, "what_was_read_has_a_kind"),
        ("kind", "hostile", "only_prepared_questions_have_an_intent"),
        ("recorded", "Your refund is on its way.", "recorded|regex"),
        ("intent", "ask_again", "intent|dtype"),
        ("intent", "none", "only_prepared_questions_have_an_intent"),
        ("intent", None, "intent|nullability"),
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


def test_a_question_need_not_have_recorded_answers(point: pl.DataFrame) -> None:
    assert point["recorded"].to_list() == [None]
    assert Row.is_valid(point)
    recorded = pl.lit('{"a1": {"said": "Your refund is on its way.", "ms": 300, "cost": 0.0001} }')
    assert Row.is_valid(point.with_columns(recorded=recorded))


def test_a_repeat_is_another_row_and_the_same_repeat_is_refused(point: pl.DataFrame) -> None:
    again = point.with_columns(repeat=pl.lit(2, pl.Int64))
    assert Row.is_valid(pl.concat([point, again]))
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


def test_target_and_segments_have_a_fixed_list_of_values() -> None:
    schema = Row.create_empty().schema
    for name in (TARGET, *SEGMENTS):
        assert isinstance(schema[name], pl.Enum), name
        # Whose intent is known has a kind: a rule of the contract.
        assert not Row.columns()[name].nullable or name == "kind", name


def test_the_target_has_none_for_what_is_not_prepared() -> None:
    kind = Row.create_empty().schema[TARGET]
    assert isinstance(kind, pl.Enum)
    assert kind.categories.to_list() == [*INTENTS, "none"]


def test_what_was_asked_for_is_known_after_whole_days() -> None:
    assert timedelta(0) < HORIZON
    assert HORIZON % timedelta(days=1) == timedelta(0)


def test_every_column_is_described_in_a_sentence() -> None:
    for name, column in Row.columns().items():
        assert column.description, name
        assert column.description.endswith("."), name
