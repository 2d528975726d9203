"""The contract accepts what it should, refuses what it should, and names columns that exist."""

from collections.abc import Iterator

import polars as pl
import pytest

from project.contract import ENTITY, EXAMPLE, PERSONAL, SEGMENTS, TARGET, TIME, Row

COLUMNS = Row.columns()


def list_wrong_values() -> Iterator[tuple[str, object, str]]:
    """A value of each kind that a column refuses, with the reason."""
    for name, column in COLUMNS.items():
        if not column.nullable:
            yield name, None, f"{name}|nullability"
        if column.dtype == pl.Enum:
            yield name, "no such value", f"{name}|dtype"
        for bound, step in (("min", -1), ("max", +1)):
            if (limit := getattr(column, bound, None)) is not None:
                yield name, limit + step, f"{name}|{bound}"


def test_the_example_row_satisfies_the_contract() -> None:
    assert list(EXAMPLE) == Row.column_names()
    dtypes = {name: column.dtype for name, column in COLUMNS.items()}
    assert Row.is_valid(pl.DataFrame([EXAMPLE], schema=dtypes))


@pytest.mark.parametrize(("column", "value", "reason"), list(list_wrong_values()))
def test_a_row_with_one_fault_is_refused_for_that_reason(
    point: pl.DataFrame, column: str, value: object, reason: str
) -> None:
    as_exported = point.with_columns(pl.selectors.enum().cast(pl.String))
    kind = as_exported.schema[column]
    broken = as_exported.with_columns(pl.lit(value, dtype=kind).alias(column))
    valid, refused = Row.filter(broken, cast=True)
    assert valid.is_empty()
    assert refused.counts() == {reason: 1}


def test_every_class_of_the_target_occurs(every_row: pl.DataFrame) -> None:
    kind = COLUMNS[TARGET].dtype
    classes = set(kind.categories) if isinstance(kind, pl.Enum) else set()
    assert classes <= set(every_row[TARGET])
    assert every_row[TARGET].n_unique() > 1


def test_the_roles_name_columns_of_the_contract() -> None:
    named = [ENTITY, TIME, TARGET, *SEGMENTS, *PERSONAL]
    assert {name for name in named if name is not None} <= set(COLUMNS)
    assert TARGET not in {ENTITY, TIME, *SEGMENTS}


def test_every_column_is_described_in_a_sentence() -> None:
    for name, column in COLUMNS.items():
        assert column.description, name
        assert column.description.endswith("."), name
