"""A raw column in the contract's type: each value as it went in, or null, which is then a reason.

What would be cut, rounded away, moved to another day, or taken for something else is null: 1.5 is
no whole number, 3 is no day of 1970, and midnight in Tokyo is not the day before.
"""

import math
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    import dataframely as dy

# Year first: left to guess, polars would take 05/04 for the 5th of April without a word.
MOMENTS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")
TIMES = ("%H:%M:%S%.f", "%H:%M")
TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
TEXTS = (pl.String, pl.Categorical, pl.Enum)
EXACT = 15  # digits that a Float64 always keeps
WHOLE = {pl.Float64: 2.0**52, pl.Float32: 2.0**23}  # from here on, a float has no fractions
DIGITS = {"ms": 3, "us": 6, "ns": 9}  # of a second that a unit of time keeps


def has_value(dtype: pl.DataType, name: str) -> pl.Expr:
    """Whether a raw column of this type has a value: neither null nor, in text, blank."""
    value = pl.col(name)
    if dtype in TEXTS:
        return value.cast(pl.String).str.strip_chars().fill_null("") != ""
    return value.is_not_null()


def is_kept(dtype: pl.DataType, column: "dy.Column") -> bool:
    """Whether every value of a raw column stays as it is."""
    same = dtype == column.dtype or column.dtype in (pl.Null, pl.Object)
    return same and not isinstance(dtype, pl.String | pl.Categorical | pl.Date | pl.Datetime)


def convert(dtype: pl.DataType, column: "dy.Column") -> pl.Expr:
    """A raw column in the contract's type; null where a value cannot be read or would change."""
    value, expected = pl.col(column.name), column.dtype
    if is_kept(dtype, column):
        return value
    if dtype in TEXTS:
        text = value.cast(pl.String)
        return text if expected == pl.String else parse(text.str.strip_chars(), expected)
    if dtype == pl.Decimal and expected != pl.String:
        text = value.cast(pl.String)  # exact, where a cast may not be
        whole = text.str.replace(r"\.0*$", "")
        return parse(whole if expected.is_integer() else text, expected)
    return _convert_typed(value, dtype, expected)


def find_plain(raw: pl.DataFrame, columns: "dict[str, dy.Column]") -> pl.DataFrame:
    """The columns of text in which every value is a plain number, as numbers of the contract's
    types: what `convert` gives, a fifth as long as that takes.
    """
    schema = raw.schema
    dtypes: dict[str, Any] = {
        name: column.dtype
        for name, column in columns.items()
        if schema[name] == pl.String and (column.dtype.is_integer() or column.dtype.is_float())
    }
    numbers = raw.select(
        pl.col(name).str.strip_chars().cast(dtype, strict=False) for name, dtype in dtypes.items()
    )
    largest = numbers.select(pl.all().abs().max())
    return numbers.select(
        name
        for name, dtype in dtypes.items()
        if numbers[name].null_count() == raw[name].null_count()
        and not (largest[name].item() or 0) >= WHOLE.get(dtype, math.inf)
    )


def _convert_typed(value: pl.Expr, dtype: pl.DataType, expected: Any) -> pl.Expr:
    if dtype == pl.Boolean:
        return _convert_truth(value, expected)
    if dtype.is_numeric():
        return _convert_number(value, dtype, expected)
    if dtype.is_temporal():
        return _convert_time(value, dtype, expected)
    if isinstance(dtype, pl.List | pl.Struct):
        return _convert_parts(value, dtype, expected)
    return _null(expected)


def _null(expected: Any) -> pl.Expr:
    return pl.lit(None, expected)


def _omit_blanks(text: pl.Expr) -> pl.Expr:
    return pl.when(text.str.strip_chars() != "").then(text)


def parse(text: pl.Expr, expected: Any, form: str | None = None) -> pl.Expr:
    """Text without blanks around it as the contract's type: polars casts neither dates nor truth,
    and cuts numbers. `form` is that of dates and moments; without one, year first.
    """
    if expected == pl.Boolean:
        return text.str.to_lowercase().replace_strict(TRUTH, default=None, return_dtype=pl.Boolean)
    if expected.is_temporal():
        return _parse_temporal(text, expected, form)
    if expected.is_integer():
        return pl.coalesce(text.cast(expected, strict=False), _parse_whole(text, expected))
    if expected.is_float():
        return _parse_float(text, expected)
    if expected in TEXTS:
        return _omit_blanks(text).cast(expected, strict=False)
    return _parse_decimal(text, expected) if expected == pl.Decimal else _null(expected)


def _parse_temporal(text: pl.Expr, expected: Any, form: str | None) -> pl.Expr:
    if expected == pl.Date:
        text, form = _add_day(text, form or "%Y-%m-%d")
        return _require_year(text.str.to_date(form, strict=False))
    if isinstance(expected, pl.Datetime):
        forms = (form,) if form else MOMENTS
        return pl.coalesce(_parse_moment(text, expected, form) for form in forms)
    if expected == pl.Time:
        return pl.coalesce(text.str.to_time(form, strict=False) for form in TIMES)
    return _null(expected)


def _add_day(text: pl.Expr, form: str) -> tuple[pl.Expr, str]:
    """Texts and their form, with the first day of the month or year where the form has none."""
    for code, first in (("%m", "01"), ("%d", "01")):
        has_month = code == "%m" and ("%b" in form or "%B" in form)
        if code not in form and not has_month:
            text, form = text + pl.lit(f"~{first}"), f"{form}~{code}"
    return text, form


def _parse_whole(text: pl.Expr, expected: Any) -> pl.Expr:
    """Texts like 7.0 and 1e3 as integers; null for so many digits that a float would cut them."""
    number = pl.when(text.str.len_bytes() <= EXACT).then(text.cast(pl.Float64, strict=False))
    return _convert_whole(number, expected)


def _parse_float(text: pl.Expr, expected: Any) -> pl.Expr:
    """Text as the nearest number; null for whole numbers, and longer ones, of which digits before
    the point would change.
    """
    number = text.cast(expected, strict=False)
    is_long = number.is_finite() & (number.abs() >= WHOLE[expected])
    is_changed = text.cast(pl.Int128, strict=False).ne_missing(number.cast(pl.Int128, strict=False))
    has_exponent = text.str.contains_any(["e", "E"])
    return pl.when(~(is_long & is_changed) | has_exponent).then(number)


def _parse_decimal(text: pl.Expr, expected: pl.Decimal) -> pl.Expr:
    """Text as a decimal; null where it has more digits behind the point than there is room for."""
    is_plain = text.str.contains(r"^[+-]?\d*(\.\d{0," + str(expected.scale) + r"}0*)?$")
    return pl.when(is_plain).then(text.cast(expected, strict=False))


def _parse_moment(text: pl.Expr, expected: pl.Datetime, form: str) -> pl.Expr:
    """Text as a time in one form, null for others; a Z at the end is read where UTC is meant. Null,
    too, where the clock of a time zone never shows the time, or shows it twice.
    """
    zone = expected.time_zone
    plain = text.str.strip_suffix("Z") if zone in (None, "UTC") else text
    cut = r"\.\d{" + str(DIGITS[expected.time_unit]) + r"}\d*[1-9]"
    if form.endswith("%.f"):
        plain = pl.when(~plain.str.contains(cut)).then(plain)
    spaced = plain.str.replace("T", " ")
    moment = _require_year(spaced.str.to_datetime(form, time_unit=expected.time_unit, strict=False))
    if expected.time_unit == "ns":  # which begins anew after 2262: polars makes 1715 of 2300
        year = spaced.str.to_datetime(form, time_unit="us", strict=False).dt.year()
        moment = pl.when(moment.dt.year() == year).then(moment)
    return _localize(moment, zone)


def _localize(moment: pl.Expr, zone: str | None) -> pl.Expr:
    """What the clock of a zone shows as the time there; null for what it never shows, or twice."""
    if zone is None:
        return moment
    return moment.dt.replace_time_zone(zone, non_existent="null", ambiguous="null")


def _require_year(moment: pl.Expr) -> pl.Expr:
    """Dates from year 1 to 9999, null for others: no calendar of a person's has them."""
    return pl.when(moment.dt.year().is_between(1, 9999)).then(moment)


def _convert_truth(value: pl.Expr, expected: Any) -> pl.Expr:
    """True and false as text, or as the two categories that mean them; no number."""
    if expected == pl.String:
        return value.cast(pl.String)
    if not isinstance(expected, pl.Enum):
        return _null(expected)
    words = [word for word in expected.categories if word.lower() in TRUTH]
    named = {TRUTH[word.lower()]: word for word in words}
    if not len(named) == len(words) == 2:
        return _null(expected)
    return value.replace_strict(named, default=None, return_dtype=pl.String).cast(expected)


def _convert_number(value: pl.Expr, dtype: pl.DataType, expected: Any) -> pl.Expr:
    """Numbers as other numbers that are equal; 1 and 0 as truth; as text, or categories."""
    if expected == pl.Boolean:
        return pl.when(value == 1).then(True).when(value == 0).then(False)
    if expected in TEXTS:
        return _name_number(value, dtype, expected)
    if expected.is_integer():
        whole = _convert_whole(value, expected) if dtype.is_float() else value
        return whole.cast(expected, strict=False)
    if expected.is_float():
        return _convert_to_float(value, dtype, expected)
    return (
        _parse_decimal(value.cast(pl.String), expected)
        if expected == pl.Decimal
        else _null(expected)
    )


def _convert_to_float(value: pl.Expr, dtype: pl.DataType, expected: Any) -> pl.Expr:
    """The same number, or the nearest of a shorter float; null where it is too large to be kept."""
    number = value.cast(expected, strict=False)
    if dtype.is_float():
        return pl.when(number.is_finite() | ~value.is_finite()).then(number)
    return pl.when(number.cast(pl.Int128, strict=False) == value.cast(pl.Int128)).then(number)


def _name_number(value: pl.Expr, dtype: pl.DataType, expected: Any) -> pl.Expr:
    """Numbers as text, but no NaN; for a category, 1.0 is also 1."""
    value = pl.when(value.is_finite()).then(value) if dtype.is_float() else value
    named = value.cast(pl.String).cast(expected, strict=False)
    if not dtype.is_float() or expected == pl.String:
        return named
    whole = _convert_whole(value, pl.Int64).cast(pl.String).cast(expected, strict=False)
    return pl.coalesce(named, whole)


def _convert_whole(value: pl.Expr, expected: Any) -> pl.Expr:
    """Numbers without a fraction as integers, null for others: a plain cast would cut 1.5 to 1."""
    return pl.when(value.round() == value).then(value).cast(expected, strict=False)


def _convert_time(value: pl.Expr, dtype: pl.DataType, expected: Any) -> pl.Expr:
    """Dates and times as others that name the same day or moment; as text."""
    if expected == pl.String and dtype != pl.Duration:
        return value.cast(pl.String)
    if dtype == expected:
        return _require_year(value)
    if isinstance(dtype, pl.Date) and isinstance(expected, pl.Datetime):
        moment = _require_year(value).cast(pl.Datetime("us"))
        return _convert_moment(moment, pl.Datetime("us"), expected)
    if isinstance(dtype, pl.Datetime) and isinstance(expected, pl.Date | pl.Datetime):
        return _convert_moment(_require_year(value), dtype, expected)
    if isinstance(dtype, pl.Duration) and isinstance(expected, pl.Duration):
        return _keep_equal(value, dtype, expected)
    return _null(expected)


def _convert_moment(value: pl.Expr, dtype: pl.Datetime, expected: Any) -> pl.Expr:
    """The day that begins at the moment, or the same moment in another unit or zone. A time without
    a zone is what the clock there shows; where none is expected, UTC is what is meant, and another
    zone's clock is not known to be.
    """
    if expected == pl.Date:
        return pl.when(value.dt.time() == pl.time(0)).then(value.dt.date())
    return _move_moment(value, dtype, expected)


def _move_moment(value: pl.Expr, dtype: pl.Datetime, expected: pl.Datetime) -> pl.Expr:
    unit = pl.Datetime(expected.time_unit, dtype.time_zone)
    value = _keep_equal(value, dtype, unit)
    if dtype.time_zone == expected.time_zone:
        return value
    if dtype.time_zone is None:
        return _localize(value, expected.time_zone)
    if expected.time_zone is not None:
        return value.dt.convert_time_zone(expected.time_zone)
    return value.dt.replace_time_zone(None) if dtype.time_zone == "UTC" else _null(expected)


def _convert_parts(value: pl.Expr, dtype: pl.DataType, expected: Any) -> pl.Expr:
    """Lists and structs whose parts stay equal; null for others."""
    if not _has_like_parts(dtype, expected):
        return _null(expected)
    return _keep_equal(value, dtype, expected)


def _has_like_parts(dtype: Any, expected: Any) -> bool:
    """Whether two types differ only in which numbers are their parts."""
    if isinstance(dtype, pl.List) and isinstance(expected, pl.List):
        return _has_like_parts(dtype.inner, expected.inner)
    if isinstance(dtype, pl.Struct) and isinstance(expected, pl.Struct):
        pairs = zip(dtype.fields, expected.fields, strict=False)
        same = [f.name for f in dtype.fields] == [f.name for f in expected.fields]
        return same and all(_has_like_parts(a.dtype, b.dtype) for a, b in pairs)
    return bool(dtype == expected or (dtype.is_numeric() and expected.is_numeric()))


def _keep_equal(value: pl.Expr, dtype: Any, expected: Any) -> pl.Expr:
    """A cast that loses nothing: null where the way back gives another value."""
    converted = value.cast(expected, strict=False)
    return pl.when(converted.cast(dtype, strict=False).eq_missing(value)).then(converted)
