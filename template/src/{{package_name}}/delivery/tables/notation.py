"""How the texts of a column write numbers, dates and missing values: by agreement of the whole
column, and of the table where a column can be read in two ways. What cannot be told is asked.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from ..edge.errors import Fixable
from .convert import has_value, parse
from .read import PLAIN, Read

if TYPE_CHECKING:
    import dataframely as dy

MISSING = ["NA", "N/A", "n/a", "#N/A", "?", "-", "--", ".", "NULL", "null", "None", "NaN", "nan"]
DAYS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%Y%m%d")
VALUES = {"missing", "decimal", "thousands", "dates"}  # keys of `read` that concern values
CLOCKS = ("", " %H:%M:%S%.f", " %H:%M")
GROUPS = r"[ '\u2019\u00a0\u2009\u202f]"
SIGN = r"EUR|USD|GBP|CHF|JPY|[€$£¥%]"
NUMBER = r"^[+-]?(?:[1-9]\d{0,2}(?:GROUP\d{3})+|\d+|\d*DECIMAL\d)\d*(?:DECIMAL\d*)?$"


class Decimals(NamedTuple):
    """How many texts write a number only with a decimal point, only with a comma, or so that it can
    be read both ways (4.507); and one of these.
    """

    point: int
    comma: int
    either: int
    example: str | None

    @property
    def mark(self) -> str | None:
        """What most texts of the column have; None where none can be told."""
        if self.point == self.comma == 0:
            return None if self.either else "."
        return "," if self.comma > self.point else "."


def build_pattern(decimal: str, thousands: str | None = None) -> str:
    """A number with this decimal mark, whole thousands apart or not."""
    other = {".": ",", ",": r"\."}[decimal]
    group = rf"(?:{other}|{GROUPS})" if thousands is None else f"[{thousands}]"
    return NUMBER.replace("GROUP", group).replace("DECIMAL", rf"\{decimal}")


def strip_signs(text: pl.Series) -> pl.Series:
    """Texts without the sign of currency or percent that most of them have; null for a text with
    another sign, or without it.
    """
    plain = text.str.replace_all("\u2212", "-", literal=True)
    signs = plain.str.extract(f"({SIGN})").fill_null("")
    if (signs == "").all():
        return plain
    usual = signs.value_counts(sort=True)[signs.name][0]
    bare = plain.str.replace(rf"^([+-]?)\s?(?:{SIGN})\s?([+-]?)", "$1$2")
    bare = bare.str.replace(rf"\s?(?:{SIGN})$", "")
    return bare.set(signs != usual, None)


def count_decimals(text: pl.Series, read: Read) -> Decimals:
    """What the numbers among these texts say of their decimal mark; `read` may say it for them."""
    bare = strip_signs(text)
    point, comma = (bare.str.contains(build_pattern(m)).fill_null(False) for m in (".", ","))
    if mark := read.decimal or {".": ",", ",": "."}.get(read.thousands or ""):
        return Decimals(int(mark == "."), int(mark == ","), 0, None)
    either = point & comma & bare.str.contains("[.,]").fill_null(False)
    example = text.filter(either).head(1).to_list()
    return Decimals(
        int((point & ~comma).sum()),
        int((comma & ~point).sum()),
        int(either.sum()),
        next(iter(example), None),
    )


def read_numbers(text: pl.Series, plain: pl.Series, mark: str, read: Read) -> pl.Series:
    """Numbers with this decimal mark, in the type of `plain`, which holds them as they are read
    without one; null for other texts.
    """
    bare = strip_signs(text)
    bare = bare.set(~bare.str.contains(build_pattern(mark, read.thousands)), None)
    digits = bare.str.replace_all(rf"{GROUPS}|{'[.]' if mark == ',' else ','}", "")
    texts = digits.str.replace(mark, ".", literal=True).alias("text").to_frame()
    numbers = texts.select(parse(pl.col("text"), plain.dtype)).to_series().alias(plain.name)
    keeps_plain = mark == "." and read.thousands is None  # 1e-3 has no mark
    return (
        numbers.to_frame("new")
        .with_columns(old=plain)
        .select(pl.coalesce("old", "new").alias(plain.name))
        .to_series()
        if keeps_plain
        else numbers
    )


def list_forms(expected: Any, read: Read) -> Iterator[str]:
    """The forms in which dates, or moments, may be written."""
    if read.dates:
        yield from read.dates
    elif expected == pl.Date:
        yield from DAYS
    else:
        yield from (day + clock for day in DAYS for clock in CLOCKS)


def read_times(text: pl.Series, expected: Any, read: Read) -> dict[str, pl.Series]:
    """Dates or moments by the form that reads most of the texts; several forms where each could be
    meant, none where no form reads any.
    """
    ways: dict[str, pl.Series] = {}
    for form in list_forms(expected, read):
        # %Y takes fewer digits, too
        fits = text.set(~text.str.contains(r"\d{4}"), None) if "%Y" in form else text
        if form.startswith("%Y%m%d"):
            fits = text.set(~text.str.contains(r"^\d{8}(\D|$)"), None)
        times = pl.DataFrame({"t": fits}).select(parse(pl.col("t"), expected, form)).to_series()
        if times.len() > times.null_count():
            ways[form] = times
    most = max((times.len() - times.null_count() for times in ways.values()), default=0)
    best = {form: t for form, t in ways.items() if t.len() - t.null_count() == most}
    first = next(iter(best.values()), None)
    if first is not None and all(times.equals(first) for times in best.values()):
        return dict([next(iter(best.items()))])
    return best


def list_missing(column: "dy.Column", read: Read) -> list[str]:
    """The words that say that a value of the column is missing; none where it must not be, because
    such a word is then a value that cannot be read.
    """
    if not column.nullable:
        return []
    words = MISSING if read.missing is None else read.missing
    known = column.dtype.categories if isinstance(column.dtype, pl.Enum) else ()
    return [word for word in words if word not in known]


class Agreement(NamedTuple):
    """What the texts of a table agree on."""

    raw: pl.DataFrame
    """The table, null where a text is a word for a missing value."""

    typed: pl.DataFrame
    """The columns in the contract's types."""

    read: dict[str, Any]
    """What was seen that plain text does not have, as keys of `ingest: read:`."""


def agree(
    raw: pl.DataFrame,
    typed: pl.DataFrame,
    columns: dict[str, "dy.Column"],
    read: Read,
    earlier: Read,
) -> Agreement:
    """Read again what texts write in another way than the plain one.

    `typed` holds the columns as they are read in the plain way; what cannot be read is null there.
    `read` says how it is written; `earlier`, how it was read before, decides where the table itself
    can be read in two ways.

    Raises:
        Fixable: columns can be read in two ways that are not the same; all of them are named.
    """
    raw, typed = omit_numbers(raw, typed, columns, read)
    doubtful = find_doubtful(raw, typed, columns, read, earlier)
    if not doubtful:
        return Agreement(raw, typed, {})
    texts = {name: raw[name].cast(pl.String).str.strip_chars() for name in doubtful}
    words: set[str] = set()
    for name, text in texts.items():
        is_word = text.is_in(list_missing(columns[name], read)) & (text != "")
        words.update(text.filter(is_word).unique())
        texts[name] = text.set(is_word | (text == ""), None)
    plain = pl.DataFrame(list(texts.values())).select(
        parse(pl.col(name), columns[name].dtype).alias(name) for name in texts
    )
    numbers, marks, doubts = agree_on_numbers(texts, plain, read, earlier)
    times, forms, more_doubts = agree_on_times(texts, plain, read, earlier)
    if doubts or more_doubts:
        raise Fixable("\n".join([*doubts, *more_doubts]))
    notation: dict[str, Any] = {"missing": sorted(words)} if words else {}
    notation |= {"decimal": ","} if marks == {","} else {}
    notation |= {"dates": sorted(forms)} if forms else {}
    typed = typed.with_columns(plain.with_columns(*numbers, *times))
    return Agreement(raw.with_columns(texts.values()), typed, notation)


def omit_numbers(
    raw: pl.DataFrame, typed: pl.DataFrame, columns: dict[str, "dy.Column"], read: Read
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both tables, null where a column that came as numbers has one that `read` calls missing."""
    numbers = [float(word) for word in read.missing or () if re.fullmatch(r"-?\d+(\.\d+)?", word)]
    names = [n for n, c in columns.items() if c.nullable and raw.schema[n].is_numeric()]
    if not numbers or not names:
        return raw, typed
    is_value = {name: ~raw[name].cast(pl.Float64).is_in(numbers).fill_null(False) for name in names}
    return (
        raw.with_columns(pl.when(is_value[name]).then(pl.col(name)).alias(name) for name in names),
        typed.with_columns(
            pl.when(is_value[name]).then(pl.col(name)).alias(name) for name in names
        ),
    )


def find_doubtful(
    raw: pl.DataFrame,
    typed: pl.DataFrame,
    columns: dict[str, "dy.Column"],
    read: Read,
    earlier: Read,
) -> list[str]:
    """Columns of text, where something else is expected, with a value that cannot be read; all of
    them where one of those is of numbers, or where the plain way is not known to be meant.
    """
    schema = raw.schema
    texts = [
        name
        for name, column in columns.items()
        if is_written(schema[name], column, read)
        and column.dtype not in (pl.String, pl.Categorical)
    ]
    fewer = [n for n in texts if typed[n].null_count() > raw[n].null_count()]
    counts = raw.select(has_value(raw.schema[name], name).sum().alias(name) for name in fewer)
    lost = [n for n in fewer if counts[n].item() > typed.height - typed[n].null_count()]
    has_numbers = any(columns[name].dtype.is_numeric() for name in lost)
    return texts if has_numbers or not is_plain(read, earlier) else lost


def is_written(dtype: pl.DataType, column: "dy.Column", read: Read) -> bool:
    """Whether values are text, or numbers that stand for times in a form that `read` names: 2026,
    20261129.
    """
    is_time = bool(read.dates) and dtype.is_integer() and column.dtype.is_temporal()
    return dtype in (pl.String, pl.Categorical) or is_time


def is_plain(read: Read, earlier: Read) -> bool:
    """Whether a point in a number is taken for the decimal mark where nothing else is known."""
    is_configured = bool(read.model_fields_set & VALUES) or earlier.decimal == ","
    return read.separator in (None, PLAIN) and not is_configured


def agree_on_numbers(
    texts: dict[str, pl.Series], plain: pl.DataFrame, read: Read, earlier: Read
) -> tuple[list[pl.Series], set[str], list[str]]:
    """The columns of numbers, the marks of all that have one, and what has to be asked."""
    names = [name for name in texts if plain.schema[name].is_numeric()]
    counts = {name: count_decimals(texts[name], read) for name in names}
    marks = {count.mark for count in counts.values() if count.mark and count.point + count.comma}
    common = next(iter(marks)) if len(marks) == 1 else earlier.decimal
    numbers, doubts = [], []
    for name, count in counts.items():
        mark = count.mark or common or choose_mark(count, texts[name], plain[name], read, earlier)
        if mark is None:
            options = ("decimal: '.'", "decimal: ','")
            doubts.append(describe_doubt(name, count.example, *options))
        elif mark == "," or read.thousands or not is_all_read(texts[name], plain[name]):
            numbers.append(read_numbers(texts[name], plain[name], mark, read))
    return numbers, {mark for mark in marks if mark}, doubts


def choose_mark(
    count: Decimals, text: pl.Series, plain: pl.Series, read: Read, earlier: Read
) -> str | None:
    """The mark of a column like 4.507, in a table that does not show it elsewhere; None where
    nobody knows.
    """
    if is_all_read(text, plain):
        return "." if is_plain(read, earlier) else None
    if plain.dtype.is_integer():  # whole numbers have thousands only
        return "," if "." in (count.example or "") else "."
    return None


def is_all_read(text: pl.Series, values: pl.Series) -> bool:
    """Whether each text has a value."""
    return text.null_count() == values.null_count()


def agree_on_times(
    texts: dict[str, pl.Series], plain: pl.DataFrame, read: Read, earlier: Read
) -> tuple[list[pl.Series], set[str], list[str]]:
    """The columns of dates and moments that are written in another form than year first, these
    forms, and what has to be asked.
    """
    times, forms, doubts = [], set(), []
    for name in (n for n in texts if plain.schema[n] in (pl.Date, pl.Datetime)):
        text, values = texts[name], plain[name]
        if is_all_read(text, values) and read.dates is None:
            continue
        ways = read_times(text, values.dtype, read)
        known = [form for form in ways if form in (earlier.dates or [])]
        ways = {form: ways[form] for form in known[:1] or ways}
        if len(ways) == 1 or (
            ways and next(iter(ways.values())).null_count() > values.null_count()
        ):
            ((form, better), *_) = ways.items()
            if read.dates or better.null_count() < values.null_count():
                times.append(better.alias(name))
                forms.add(form)
        elif ways:
            first, second, *_ = ways
            example = next(iter(text.filter(ways[first].is_not_null())), None)
            options = (f"dates: ['{first}']", f"dates: ['{second}']")
            doubts.append(describe_doubt(name, example, *options))
    return times, forms, doubts


def describe_doubt(name: str, example: str | None, first: str, second: str) -> str:
    """The question that a column poses which can be read in two ways; it may be personal, so that
    it shows no digit.
    """
    form = re.sub(r"\d", "9", example or "")
    return (
        f"`{name}`: expected values that can be read in one way only, found some like {form!r}. "
        f"Next: under `ingest: read:` in params.yaml, say either {first} or {second}"
    )
