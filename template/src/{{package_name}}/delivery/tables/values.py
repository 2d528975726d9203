"""Values of Python, as databases and workbooks give them, as columns: each as it is, or a message.

Whole numbers, numbers, text, truth, dates, times and bytes keep their type. Decimals and UUIDs
become text, which loses nothing; so does JSON. A time with a zone becomes the same moment in UTC.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import polars as pl

ZONED = pl.Datetime("us", "UTC")
LOCAL = pl.Datetime("us")
DTYPES: dict[type, Any] = {
    bool: pl.Boolean(),
    int: pl.Int64(),
    float: pl.Float64(),
    str: pl.String(),
    bytes: pl.Binary(),
    date: pl.Date(),
    datetime: LOCAL,
    time: pl.Time(),
    timedelta: pl.Duration("us"),
    Decimal: pl.String(),
    UUID: pl.String(),
}
WRITTEN = {pl.String(), pl.Int64(), pl.Float64(), pl.Boolean(), pl.Date(), LOCAL}
"""Types whose values text can hold beside other text, as the contract reads them there."""
EXACT = 2**53  # up to here a float keeps every whole number


class Unfit(Exception):
    """Values that one column cannot hold as they are; what they are."""


def build_column(name: str, values: Sequence[Any]) -> pl.Series:
    """Values as a column of the type that they have in common; None is null.

    Raises:
        Unfit: they have none, or would change.
    """
    kinds = {type(value) for value in values} - {type(None)}
    if dict in kinds:
        values = [
            v if v is None else json.dumps(v, ensure_ascii=False, default=str) for v in values
        ]
        return pl.Series(name, values, pl.String)
    if list in kinds:
        return _build_lists(name, values, kinds)
    dtype = find_dtype(values, kinds)
    try:
        return pl.Series(name, convert_values(values, dtype), dtype, strict=True)
    except (TypeError, OverflowError, ValueError, pl.exceptions.PolarsError):
        raise Unfit(f"a value that is none of type {dtype}") from None


def find_dtype(values: Iterable[Any], kinds: set[type]) -> Any:
    """The type of the column that holds values of these kinds."""
    if unknown := sorted(kind.__name__ for kind in kinds - DTYPES.keys()):
        raise Unfit(f"values of type {', '.join(unknown)}")
    dtypes = {DTYPES[kind] for kind in kinds}
    if kinds & {datetime, time}:
        zoned = {type(v) for v in values if isinstance(v, datetime | time) and v.tzinfo is not None}
        if time in zoned:
            raise Unfit("times of day with a time zone")
        local = {type(v) for v in values if isinstance(v, datetime) and v.tzinfo is None}
        dtypes |= {ZONED} if zoned else set()
        dtypes -= set() if local else {LOCAL}
    return find_common(dtypes)


def find_common(dtypes: Iterable[Any]) -> Any:
    """The type that holds the values of all of these types.

    Raises:
        Unfit: there is none.
    """
    kinds = set(dtypes) - {pl.Null()}
    if len(kinds) < 2:
        return next(iter(kinds), pl.Null())
    if all(isinstance(kind, pl.List) for kind in kinds):
        return pl.List(find_common(kind.inner for kind in kinds))
    if kinds == {pl.Int64(), pl.Float64()}:
        return pl.Float64()
    if kinds == {pl.Date(), LOCAL}:
        return LOCAL
    if pl.String() in kinds and kinds <= WRITTEN:
        return pl.String()
    raise Unfit(f"values of types {', '.join(sorted(str(kind) for kind in kinds))} in one column")


def convert_values(values: Sequence[Any], dtype: Any) -> Sequence[Any]:
    """The values as Python has those of a column's type.

    Raises:
        Unfit: a whole number among numbers has more digits than these keep.
    """
    if dtype == pl.String:
        return [_write(value) for value in values]
    if dtype == pl.Float64:
        if any(isinstance(value, int) and abs(value) > EXACT for value in values):
            raise Unfit("numbers, and among them whole ones of more than 15 digits")
        return [None if value is None else float(value) for value in values]
    if dtype == ZONED:
        return [None if value is None else value.astimezone(UTC) for value in values]
    if dtype == LOCAL:
        return [datetime.combine(v, time()) if type(v) is date else v for v in values]
    return values


def _write(value: Any) -> str | None:
    """A value as text; a decimal with all of its digits and without an exponent."""
    if value is None or isinstance(value, str):
        return value
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _build_lists(name: str, values: Sequence[Any], kinds: set[type]) -> pl.Series:
    """Lists of values of one type."""
    if kinds != {list}:
        raise Unfit("lists among other values")
    inner = [value for part in values if part is not None for value in part]
    dtype = find_dtype(inner, {type(value) for value in inner} - {type(None)})
    lists = [None if part is None else convert_values(part, dtype) for part in values]
    try:
        return pl.Series(name, lists, strict=True).cast(pl.List(dtype))  # a type named takes 20 x
    except (TypeError, OverflowError, ValueError, pl.exceptions.PolarsError):
        raise Unfit(f"lists with a value that is none of type {dtype}") from None


def join_columns(parts: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
    """Tables with the same names one below the other, each column of a type that holds all.

    Raises:
        Unfit: there is no such type, named with the column.
    """
    schemas = [part.collect_schema() for part in parts]
    common = {}
    for name in schemas[0]:
        try:
            common[name] = find_common(schema[name] for schema in schemas)
            require_exact(parts, schemas, name, common[name])
        except Unfit as problem:
            raise Unfit(f"`{name}`: {problem}") from None
    return pl.concat([part.cast(pl.Schema(common)) for part in parts])


def require_exact(
    parts: Sequence[pl.LazyFrame], schemas: Sequence[pl.Schema], name: str, dtype: Any
) -> None:
    """Raise Unfit where a whole number has more digits than a column of numbers keeps."""
    for part, schema in zip(parts, schemas, strict=True):
        if dtype != pl.Float64 or schema[name] != pl.Int64:
            continue
        if part.select((pl.col(name).abs() > EXACT).any()).collect().item():
            raise Unfit("numbers, and among them whole ones of more than 15 digits")
