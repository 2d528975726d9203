"""From raw columns to the contract's types, with a reason for every row that does not fit."""

import re
from collections.abc import Callable, Iterable
from copy import copy
from types import ModuleType
from typing import Any, NamedTuple

import dataframely as dy
import polars as pl

from ..edge.errors import Fixable
from ..edge.explain import nearest
from ..problem import target
from .convert import convert, find_plain, has_value, is_kept
from .notation import agree
from .quarantine import TYPED
from .read import Read

NAMES = ("Row", "ENTITY", "TIME", "HORIZON", "TARGET", "SEGMENTS", "PERSONAL", "MEANT", "EXAMPLE")
OWN = ("row", "part", "reasons", "spot", TYPED)
"""Columns that stages add to the contract's."""
OF_UNITS = ("unit", "cluster", "target", *target.COLUMNS)
"""Columns of predictions and outcomes, which stand there beside the segments."""
WORDS = {
    "nullability": "is missing",
    "min": "is below the minimum",
    "min_exclusive": "is not above the minimum",
    "max": "is above the maximum",
    "max_exclusive": "is not below the maximum",
    "primary_key": "appears twice",
    "unique": "appears twice",
    "inf_nan": "is not a finite number",
    "nan": "is not a number",
    "inf": "is infinite",
    "regex": "is not in the required form",
}


def find_faults(contract: ModuleType) -> list[str]:
    """What is wrong with the names that `contract.py` defines, one sentence each."""
    missing = [name for name in NAMES if not hasattr(contract, name)]
    if missing:
        return [f"contract.py: expected the name {name}, found none" for name in missing]
    columns = contract.Row.columns()
    named = {"ENTITY": [contract.ENTITY], "TIME": [contract.TIME], "TARGET": [contract.TARGET]}
    named |= {"SEGMENTS": contract.SEGMENTS, "PERSONAL": contract.PERSONAL}
    unknown = [
        f"contract.py: {name} names `{column}`, which is no column of Row{nearest(column, columns)}"
        for name, its_columns in named.items()
        for column in its_columns
        if column is not None and column not in columns
    ]
    return unknown or [
        *_find_wrong_types(contract, columns),
        *_find_taken(contract, columns),
        *_find_unexplained_rules(contract),
    ]


def find_rules_on_target(contract: ModuleType) -> dict[str, str | None]:
    """Each rule that reads the target, by its name, with the reason that `MEANT` gives for it.

    Such a rule can take out of the test rows those that a model gets wrong. What the column of the
    target says of its own values (type, classes, `min`, `regex`) is what the target is, and no such
    rule; a `check` there is one.
    """
    row, name = contract.Row, contract.TARGET
    schema = {column: kind.dtype for column, kind in row.columns().items()}
    rules = {
        rule: _reads(its.expr, name, schema)
        for rule, its in row._validation_rules(with_cast=False).items()
        if not rule.startswith(f"{name}|") or rule.startswith(f"{name}|check")
    }
    return {rule: contract.MEANT.get(rule) or None for rule, reads in rules.items() if reads}


def _reads(expression: pl.Expr, name: str, schema: dict[str, pl.DataType]) -> bool:
    """Whether an expression reads a column: polars' plan names it, however it was chosen."""
    plan = pl.LazyFrame(schema=schema).select(expression.alias("rule")).explain(optimized=False)
    return f'col("{name}")' in plan


def _find_unexplained_rules(contract: ModuleType) -> list[str]:
    """Rules that read the target without a reason, one sentence each."""
    return [
        f"contract.py: rule `{rule}`: expected a rule that does not read the target "
        f"`{contract.TARGET}`, which could choose the rows that a model is judged on; found one. "
        f'If it is meant, say why: MEANT["{rule}"] = "…"'
        for rule, reason in find_rules_on_target(contract).items()
        if reason is None
    ]


def _find_wrong_types(contract: ModuleType, columns: dict[str, dy.Column]) -> list[str]:
    """Columns whose type the stages cannot work with, one sentence each."""
    faults = []
    if fault := target.find_fault(columns[contract.TARGET]):
        faults = [f"contract.py: TARGET `{contract.TARGET}`: {fault}"]
    time = columns.get(contract.TIME or "")
    if time is not None and not isinstance(time, dy.Date | dy.Datetime):
        fault = f"expected dy.Date or dy.Datetime, found {type(time).__name__}"
        faults += [f"contract.py: TIME `{contract.TIME}`: {fault}"]
    fault = "expected groups (dy.Enum, dy.String or dy.Bool), found numbers or times"
    return faults + [
        f"contract.py: SEGMENTS `{name}`: {fault}"
        for name in contract.SEGMENTS
        if columns[name].dtype.is_numeric() or columns[name].dtype.is_temporal()
    ]


def _find_taken(contract: ModuleType, columns: dict[str, dy.Column]) -> list[str]:
    """Columns whose name the pipeline needs for itself, one sentence each."""
    taken = [name for name in columns if name in OWN]
    taken += [n for n in contract.SEGMENTS if n in OF_UNITS or n.startswith(("p_", "_"))]
    fault = "is a name that the pipeline itself uses; rename the column in the source"
    return [f"contract.py: `{name}` {fault}" for name in taken]


NO_FAULT = pl.DataFrame(schema={"row": pl.UInt32, "column": pl.String, "kind": pl.String})
PLAINLY = Read()
"""Nothing is said."""


class Conformed(NamedTuple):
    """Raw rows held against the contract."""

    valid: pl.DataFrame
    """`row` and the contract's columns in the contract's types."""

    quarantined: pl.DataFrame
    """`row`, the raw values of the contract's columns as text, and `reasons` (List[String])."""

    typed: pl.DataFrame
    """All rows in the contract's types; null where a value cannot be read."""

    read: dict[str, Any]
    """How texts were read that are not written in the plain way, as keys of `ingest: read:`."""


def to_contract(
    raw: pl.DataFrame, row: type[dy.Schema], read: Read = PLAINLY, earlier: Read = PLAINLY
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split raw rows (with a column `row`) into valid and quarantined ones: `Conformed` says which
    columns each has.

    Raises:
        Fixable: a column is missing, or can be read in two ways.
    """
    conformed = conform(raw, row, read, earlier)
    return conformed.valid, conformed.quarantined


def conform(
    raw: pl.DataFrame, row: type[dy.Schema], read: Read = PLAINLY, earlier: Read = PLAINLY
) -> Conformed:
    """Raw rows (with a column `row`) in the contract's types, and those that break it set aside.

    Text is read by the contract: blanks are missing values, and a value that does not survive the
    conversion (1.5 for an integer, "n/a" for a number that must be there) is a reason, never a
    silent null. `read` says how it is written; what it does not say, whole columns agree on, and
    where they can be read in two ways, `earlier`, how such tables were read before, decides.

    Raises:
        Fixable: a column is missing, or can be read in two ways.
    """
    columns = row.columns()
    require_columns(raw, columns)
    plain = convert_columns(raw, columns)
    read_again, typed, notation = agree(raw, plain, columns, read, earlier)
    numbered: type[dy.Schema] = type("Numbered", (row,), {"row": dy.UInt32()})
    kept, failure = numbered.filter(typed)
    faults = [NO_FAULT, *_find_unreadable(read_again, typed, columns)]
    faults += _find_broken_rules(failure.details(), typed)
    reasons = describe_faults(pl.concat(faults), columns)
    texts = write_as_text(raw.join(reasons, on="row", how="semi"), columns)
    quarantined = reasons.join(texts, on="row", maintain_order="left")
    valid = kept.join(reasons, on="row", how="anti", maintain_order="left")
    return Conformed(
        valid.select("row", *columns),
        quarantined.select("row", *columns, "reasons"),
        typed,
        notation,
    )


def allow_unknown(target: str, row: type[dy.Schema]) -> type[dy.Schema]:
    """The contract of rows whose target is not known yet: it may be missing, and a rule that needs
    it finds nothing wrong.
    """
    column = copy(row.columns()[target])
    column.nullable = True
    own_names = {
        name  # in Python, which is another one where the column has an alias
        for base in row.__mro__
        for name, own in vars(base).items()
        if isinstance(own, dy.Column) and (own.alias or name) == target
    }
    return type("Awaiting", (row,), dict.fromkeys(own_names, column))


def build_quick_check(row: type[dy.Schema]) -> Callable[[pl.DataFrame], pl.DataFrame | None]:
    """A function from rows in the contract's types to what `to_contract` gives for them, a tenth
    as long as that takes, or to None where a value might be lost or a rule broken.
    """
    columns = row.columns()
    converted = {
        name: convert(column.dtype, column)
        for name, column in columns.items()
        if not is_kept(column.dtype, column)
    }
    # Many expressions side by side: joined to a single one they take three times as long.
    rules = [rule.expr.alias(name) for name, rule in row._validation_rules(with_cast=False).items()]

    def check(rows: pl.DataFrame) -> pl.DataFrame | None:
        typed = rows.with_columns(**converted)
        if any(typed[name].null_count() > rows[name].null_count() for name in converted):
            return None
        # A rule that gives null for a row is not broken there, as in dataframely.
        kept = all(False not in results for results in typed.select(rules).iter_rows())
        return typed if kept else None

    return check


def convert_columns(raw: pl.DataFrame, columns: dict[str, dy.Column]) -> pl.DataFrame:
    """`row` and the contract's columns of raw rows, in the contract's types; null where a value
    cannot be read.
    """
    schema = raw.schema  # which polars makes anew each time
    plain = {column.name: column for column in find_plain(raw, columns)}
    return raw.select(
        "row",
        *(
            plain[name] if name in plain else convert(schema[name], column).alias(name)
            for name, column in columns.items()
        ),
    )


def write_as_text(raw: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    """`row` and these columns as text, for people: what polars does not write, Python does."""
    return raw.select("row", *(_write_column(raw[name]) for name in columns))


def _write_column(values: pl.Series) -> pl.Series:
    try:
        return values.cast(pl.String)
    except pl.exceptions.PolarsError:
        return pl.Series(values.name, [v if v is None else str(v) for v in values], pl.String)


def require_columns(raw: pl.DataFrame, columns: dict[str, dy.Column]) -> None:
    """Raise Fixable where a raw table lacks a column of the contract."""
    if missing := [name for name in columns if name not in raw.columns]:
        names = "; ".join(f"`{name}`{nearest(name, raw.columns)}" for name in missing)
        raise Fixable(
            f"data/raw.parquet: expected every column of contract.py, found none named {names}. "
            "Next: fix contract.py or the source, then uv run dvc repro"
        )


def _find_unreadable(
    raw: pl.DataFrame, typed: pl.DataFrame, columns: dict[str, dy.Column]
) -> list[pl.DataFrame]:
    """Values that the conversion from `raw` to `typed` has lost: `row`, `column`, `kind` (`dtype`),
    a table for each column.
    """
    converted = [
        name
        for name, column in columns.items()
        if not is_kept(raw.schema[name], column)
        and typed[name].null_count() > raw[name].null_count()
    ]
    return [
        raw.select("row", has_value(raw.schema[name], name).alias("has_value"))
        .filter(pl.col("has_value") & typed[name].is_null())
        .select("row", column=pl.lit(name), kind=pl.lit("dtype"))
        for name in converted
    ]


def _find_broken_rules(details: pl.DataFrame, typed: pl.DataFrame) -> list[pl.DataFrame]:
    """Rules that rows break, from dataframely's `details`: `row`, `column`, `kind`, a table for
    each rule. A rule of the whole row has its name in `column` and no `kind`.
    """
    faults = []
    for rule in (name for name in details.columns if name not in typed.columns):
        column, _, kind = rule.partition("|")
        rows = details.filter(pl.col(rule) == "invalid")
        faults.append(rows.select("row", column=pl.lit(column), kind=pl.lit(kind)))
    return faults


def describe_faults(faults: pl.DataFrame, columns: dict[str, dy.Column]) -> pl.DataFrame:
    """The `reasons` (List[String], sorted) of each row with faults (`row`, `column`, `kind`), in
    the order of the rows. What cannot be read is not reported as missing too.
    """
    kinds = faults.select("column", "kind").unique().iter_rows()
    words = {f"{column}|{kind}": describe_fault(column, kind, columns) for column, kind in kinds}
    unreadable = pl.col("kind").eq("dtype").any().over("row", "column")
    return (
        faults.filter(~(unreadable & (pl.col("kind") == "nullability")))
        .select("row", reasons=pl.concat_str("column", pl.lit("|"), "kind"))
        .with_columns(pl.col("reasons").replace_strict(words, return_dtype=pl.String))
        .group_by("row")
        .agg(pl.col("reasons").sort())
        .sort("row")
    )


def describe_fault(column: str, kind: str, columns: dict[str, dy.Column]) -> str:
    """A broken rule of a column (`age`, `min`) in words (`age is below the minimum`); of the row if
    it has no kind.
    """
    if kind == "dtype":
        return f"{column} is not {describe_type(columns[column])}"
    words = (
        WORDS.get(kind)
        or f"breaks {re.sub(r'^check_*', '', kind or column).replace('_', ' ') or 'its check'}"
    )
    return f"{column} {words}" if kind else f"the row {words}"


def describe_type(column: dy.Column) -> str:
    """A column's type in words, for a message."""
    if isinstance(column, dy.Enum):
        return f"one of {', '.join(column.categories)}"
    dtype = column.dtype
    if dtype.is_integer():
        return "a whole number"
    if dtype.is_numeric():
        return "a number"
    return {
        "Boolean": "true or false",
        "String": "text",
        "Time": "a time of day like 10:30",
        "Duration": "a duration",
        "Date": "a date like 2026-05-04",
        "Datetime": "a time like 2026-05-04 10:30",
    }.get(str(dtype).split("(")[0], str(dtype))
