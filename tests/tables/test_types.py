"""A value of any type comes out of `to_contract` as it went in, or its row is in quarantine with a
reason, whatever the contract expects: never another value, never a traceback.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import dataframely as dy
import polars as pl
import pytest

from .conftest import Rendered

TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
SUMMER = datetime(2024, 3, 31, 2, 30)  # a time that clocks in Berlin do not show
BIG = 2**53 + 1
TEXTS = ["1", " 0 ", "x", "", "  ", None, "1.0", "7.", "1e3", "4503599627370497.5", f"{BIG}", "yes"]
TEXTS += ["1.00000000000000000001", "9223372036854775808", "-0", "inf", "nan", "1e400", "14.75"]
TEXTS += ["2024-03-31", "2024-03-31 02:30:00", "2024-10-27T02:30", "2024-01-01 10:00:00.1234567"]
TEXTS += ["0000-01-01", "2024-02-30", "10:30", "a", "B", "٣", "é", "1,5", "TRUE", "\t1\n"]
RAW: dict[str, pl.Series] = {
    "text": pl.Series(TEXTS),
    "categorical": pl.Series(TEXTS, dtype=pl.Categorical),
    "enum": pl.Series(["1", "0", "x", None], dtype=pl.Enum(["x", "0", "1"])),
    "truth": pl.Series([True, False, None]),
    "bytes": pl.Series([0, 1, 2, -1, None], dtype=pl.Int8),
    "integers": pl.Series([0, 1, 3, 300, -1, BIG, 2**62 + 1, 19723, None]),
    "unsigned": pl.Series([0, 1, 2**64 - 1], dtype=pl.UInt64),
    "floats": pl.Series([0.0, 1.0, 0.3, float("nan"), float("inf"), 1e300, 2.0**63, -0.0, None]),
    "short floats": pl.Series([0.0, 1.0, 0.1, 2.0**60], dtype=pl.Float32),
    "decimals": pl.Series([Decimal("14.75"), Decimal("1.00"), Decimal("0.00"), None]),
    "long decimals": pl.Series(
        [Decimal("1.00000000000000000001"), Decimal(1), Decimal(10**15 + 1)]
    ),
    "days": pl.Series([date(2024, 1, 1), date(2024, 3, 31), None]),
    "days of year 0": pl.Series([-719_528, -719_893], dtype=pl.Int32).cast(pl.Date),
    "moments": pl.Series([datetime(2024, 1, 1), datetime(2024, 1, 1, 23, 59), SUMMER, None]),
    "fine moments": pl.Series([datetime(2024, 1, 1, 0, 0, 0, 1)]),
    "milliseconds": pl.Series(
        [datetime(2024, 1, 1), datetime(9000, 1, 1)], dtype=pl.Datetime("ms")
    ),
    "in UTC": pl.Series([datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, 15, tzinfo=UTC)]),
    "in Tokyo": pl.Series(
        [datetime(2024, 1, 1, 15), datetime(2024, 1, 1)], dtype=pl.Datetime("us", "UTC")
    ).dt.convert_time_zone("Asia/Tokyo"),
    "times": pl.Series([time(10, 30), time(0), None]),
    "durations": pl.Series([timedelta(days=1), timedelta(microseconds=1), None]),
    "binary": pl.Series([b"1", b"\xff", None]),
    "lists": pl.Series([[1, 300], [], None]),
    "lists of texts": pl.Series([["1"], ["x"], None]),
    "arrays": pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int64, 2)),
    "structs": pl.Series([{"x": 1}, {"x": 300}, None]),
    "nothing": pl.Series([None, None]),
}
EXPECTED: dict[str, dy.Column] = {
    "truth": dy.Bool(nullable=True),
    "integer": dy.Int64(nullable=True),
    "byte": dy.Int8(nullable=True),
    "unsigned": dy.UInt16(nullable=True),
    "float": dy.Float64(nullable=True, allow_inf=True, allow_nan=True),
    "finite": dy.Float64(nullable=True),
    "short float": dy.Float32(nullable=True),
    "decimal": dy.Decimal(12, 2, nullable=True),
    "text": dy.String(nullable=True),
    "words": dy.String(nullable=True, regex=r"^\w*$"),
    "digits": dy.Enum(["0", "1"], nullable=True),
    "answers": dy.Enum(["yes", "no", "a"], nullable=True),
    "category": dy.Categorical(nullable=True),
    "day": dy.Date(nullable=True),
    "moment": dy.Datetime(nullable=True),
    "milliseconds": dy.Datetime(nullable=True, time_unit="ms"),
    "nanoseconds": dy.Datetime(nullable=True, time_unit="ns"),
    "in Berlin": dy.Datetime(nullable=True, time_zone="Europe/Berlin"),
    "in UTC": dy.Datetime(nullable=True, time_zone="UTC"),
    "time": dy.Time(nullable=True),
    "duration": dy.Duration(nullable=True),
    "list": dy.List(dy.Int8(nullable=True), nullable=True),
    "struct": dy.Struct({"x": dy.Int8(nullable=True)}, nullable=True),
}


def number_of(value: Any) -> Fraction | None:
    """What a number is, or a text that writes one; truth is none."""
    try:
        return None if isinstance(value, bool) else Fraction(value)
    except (TypeError, ValueError, OverflowError):
        return None


def is_same(before: Any, after: Any, expected: Any) -> bool:  # noqa: PLR0911 - one by type
    """Whether a value came out as it went in; by Python's own types, and not as it is done."""
    if isinstance(before, pl.Series):
        return list(before) == list(after)
    text = before.strip() if isinstance(before, str) else before
    if isinstance(before, bool) or isinstance(after, bool):
        return TRUTH.get(str(text).lower(), text) == TRUTH.get(str(after).lower(), after)
    if isinstance(after, str):
        if isinstance(before, datetime):
            return datetime.fromisoformat(after) == before
        if isinstance(before, float):
            return abs(float(after) - before) <= 1e-7 * abs(before)
        return after in ({before, text} if isinstance(before, str) else {str(before)})
    if isinstance(after, int | float | Decimal):
        return is_same_number(text, after, expected)
    if isinstance(after, datetime):
        return is_same_moment(text, after, expected)
    if isinstance(after, date):
        day = datetime.fromisoformat(text) if isinstance(text, str) else before
        midnight = not isinstance(day, datetime) or day.time() == time(0)
        return midnight and after == (day.date() if isinstance(day, datetime) else day)
    if isinstance(after, time):
        return bool(after == (time.fromisoformat(text) if isinstance(text, str) else before))
    return bool(before == after)


def is_same_number(before: Any, after: Any, expected: Any) -> bool:
    """Equal as fractions; as close as the type allows where either has binary ones."""
    if str(before).lower() in ("nan", "inf", "1e400"):
        return str(float(before)) == str(after)
    exact = number_of(before) == number_of(after)
    if exact or expected.is_integer() or not isinstance(before, str | float | Decimal):
        return exact
    size = abs(float(before))
    if "e" not in str(before) and size >= (2**23 if expected == pl.Float32 else 2**52):
        return False
    close = 1e-7 if expected == pl.Float32 or isinstance(after, Decimal) else 0
    return abs(float(after) - float(before)) <= close * size


def is_same_moment(before: Any, after: datetime, expected: Any) -> bool:
    if isinstance(before, str):
        if before.partition(".")[2][6:].strip("0") and expected.time_unit != "ns":
            return False
        before = datetime.fromisoformat(before)
    if not isinstance(before, datetime):
        before = datetime(before.year, before.month, before.day)
    if before.tzinfo is not None and after.tzinfo is None:
        return "UTC" in str(before.tzinfo) and before.replace(tzinfo=None) == after
    return before == (after if before.tzinfo else after.replace(tzinfo=None))


def check_value(before: Any, after: Any, expected: pl.DataType) -> str | None:
    """What is wrong with what became of a value, if anything."""
    try:
        same = is_same(before, after, expected)
    except (TypeError, ValueError):
        same = False
    return None if same else f"{before!r} became {after!r}"


def check(rendered: Rendered, name: str, values: pl.Series) -> Iterator[str]:
    """What is wrong with what becomes of a column, as each type that a contract can expect."""
    conform, missing = rendered.load("tables.conform"), rendered.load("tables.notation").MISSING
    row: type[dy.Schema] = type("Row", (dy.Schema,), dict(EXPECTED))
    raw = pl.DataFrame(dict.fromkeys(EXPECTED, values)).with_row_index("row")
    typed = conform.convert_columns(raw, row.columns())
    valid, wrong = conform.to_contract(raw, row)
    assert sorted([*valid["row"], *wrong["row"]]) == [*range(raw.height)]
    reasons = dict(wrong.select("row", "reasons").iter_rows())
    for expected, column in row.columns().items():
        assert typed[expected].dtype == column.dtype
        for number in range(raw.height):
            was_read = typed[expected].is_not_null()[number]
            has_reason = any(r.startswith(f"{expected} is ") for r in reasons.get(number, ()))
            before = None if "year 0" in name else values[number]
            is_blank = before is None or str(before).strip() in ("", *missing)
            if not was_read and not has_reason and not is_blank:
                yield f"{name} as {expected}: {before!r} is gone"
            if was_read and before is not None:
                fault = check_value(before, typed[expected][number], column.dtype)
                yield from [f"{name} as {expected}: {fault}"] if fault else []


def test_every_value_of_every_type_comes_out_as_it_went_in_or_with_a_reason(
    rendered: Rendered,
) -> None:
    assert len(RAW) * len(EXPECTED) >= 500
    faults = [fault for name, values in RAW.items() for fault in check(rendered, name, values)]
    assert not faults, "\n".join(faults)


CERTAIN = {
    "integers for classes": (pl.Series([0, 1]), dy.Enum(["0", "1"]), ["0", "1"]),
    "whole floats for classes": (pl.Series([0.0, 1.0]), dy.Enum(["0", "1"]), ["0", "1"]),
    "truth for classes": (pl.Series([False, True]), dy.Enum(["no", "yes"]), ["no", "yes"]),
    "truth for digits": (pl.Series([False, True]), dy.Enum(["0", "1"]), ["0", "1"]),
    "categories for integers": (pl.Series(["1"], dtype=pl.Categorical), dy.Int64(), [1]),
    "whole decimals": (pl.Series([Decimal("14.00")]), dy.Int64(), [14]),
    "decimals": (pl.Series([Decimal("14.75")]), dy.Float64(), [14.75]),
    "zeros and ones for truth": (pl.Series([0, 1]), dy.Bool(), [False, True]),
    "midnight for a day": (pl.Series([datetime(2024, 1, 1)]), dy.Date(), [date(2024, 1, 1)]),
    "midnight in Tokyo": (RAW["in Tokyo"].head(1), dy.Date(), [date(2024, 1, 2)]),
    "summer time": (
        pl.Series(["2024-06-01 10:00"]),
        dy.Datetime(time_zone="Europe/Berlin"),
        [datetime(2024, 6, 1, 10, tzinfo=ZoneInfo("Europe/Berlin"))],
    ),
    "a blank text": (pl.Series(["", "  "]), dy.String(), ["", "  "]),
    "smaller lists": (pl.Series([[1]]), dy.List(dy.Int8(nullable=True)), [[1]]),
}
"""What has to be read, beside what must not be."""


def hold_against(rendered: Rendered, values: pl.Series, column: dy.Column) -> list[pl.DataFrame]:
    """Valid and quarantined rows of a table with one column, `c`."""
    row: type[dy.Schema] = type("Row", (dy.Schema,), {"c": column})
    raw = pl.DataFrame({"c": values}).with_row_index("row")
    return list(rendered.load("tables.conform").to_contract(raw, row))


@pytest.mark.parametrize("name", CERTAIN)
def test_what_means_the_same_is_read(rendered: Rendered, name: str) -> None:
    values, column, expected = CERTAIN[name]
    valid, wrong = hold_against(rendered, values, column)
    assert wrong.is_empty(), wrong["reasons"].to_list()
    assert valid["c"].to_list() == expected


UNLIKE: dict[str, tuple[pl.Series, dy.Column, str]] = {
    "a fraction": (RAW["decimals"].head(1), dy.Int64(), "c is not a whole number"),
    "truth as a number": (RAW["truth"].head(1), dy.Float64(), "c is not a number"),
    "0.3 as truth": (pl.Series([0.3]), dy.Bool(), "c is not true or false"),
    "3 as a day": (pl.Series([3]), dy.Date(), "c is not a date like 2026-05-04"),
    "a day with a time": (pl.Series([SUMMER]), dy.Date(), "c is not a date like 2026-05-04"),
    "a day of year 0": (RAW["days of year 0"].head(1), dy.Date(), "c is not a date like"),
    "a hole in local time": (
        pl.Series(["2024-03-31 02:30"]),
        dy.Datetime(time_zone="Europe/Berlin"),
        "c is not a time like",
    ),
    "an hour that comes twice": (
        pl.Series(["2024-10-27 02:30"]),
        dy.Datetime(time_zone="Europe/Berlin"),
        "c is not a time like",
    ),
    "too many digits": (pl.Series([f"{BIG}"]), dy.Float64(), "c is not a number"),
    "cut digits": (pl.Series(["4503599627370497.5"]), dy.Int64(), "c is not a whole number"),
    "a list": (pl.Series([[1]]), dy.Int64(), "c is not a whole number"),
}


@pytest.mark.parametrize("name", UNLIKE)
def test_what_would_change_has_one_reason(rendered: Rendered, name: str) -> None:
    values, column, reason = UNLIKE[name]
    valid, wrong = hold_against(rendered, values, column)
    assert valid.is_empty()
    (reasons,) = wrong["reasons"].to_list()
    assert len(reasons) == 1
    assert reasons[0].startswith(reason)


def test_a_target_with_an_alias_may_be_unknown(rendered: Rendered) -> None:
    class Row(dy.Schema):
        x = dy.Int64()
        churned = dy.Enum(["0", "1"], alias="has left?")

    conform = rendered.load("tables.conform")
    rows = pl.DataFrame({"x": [1, None], "has left?": pl.Series([None, None], dtype=pl.String)})
    awaiting = conform.allow_unknown("has left?", Row)
    valid, wrong = conform.to_contract(rows.with_row_index("row"), awaiting)
    assert valid.to_dicts() == [{"row": 0, "x": 1, "has left?": None}]
    assert wrong["reasons"].to_list() == [["x is missing"]]


def test_a_plain_number_is_read_quickly_as_it_is_read_with_care(rendered: Rendered) -> None:
    convert = rendered.load("tables.convert")
    columns = [dy.Int64, dy.Int8, dy.UInt64, dy.Float64, dy.Float32]
    read = 0
    for text in TEXTS:
        raw = pl.DataFrame({"a": [text, "7", None]})
        for kind in columns:
            row: type[dy.Schema] = type("Row", (dy.Schema,), {"a": kind(nullable=True)})
            column = row.columns()["a"]
            quick = convert.find_plain(raw, {"a": column})
            careful = raw.select(convert.convert(pl.String(), column).alias("a"))
            read += quick.width
            assert quick.width == 0 or quick.equals(careful), (text, kind)
            if text == "1":
                assert quick.width == 1
    assert read > 20
