"""What the columns of a table hold, read without a contract: types, bounds, categories, and how
their texts write numbers, dates and missing values.
"""

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import polars as pl

from ..tables.convert import TRUTH, parse
from ..tables.notation import MISSING, count_decimals, read_numbers, read_times
from ..tables.read import PLAIN, Read
from .proposal import Kind

PAIRS = ({"yes", "no"}, {"true", "false"}, {"0", "1"})  # as the pipeline reads truth
BLANK = [word for word in MISSING if word != "None"]  # which is a category where others are
SENTINELS = (-1, -9, -99, -999, -9999, 99, 999, 9999, 99999, 999999)
FEWEST_SENTINELS = 5  # rows without which a number is an odd value
TRIED = 200  # texts that a form of dates is tried on
JUNK = 0.005  # share of values that may be no number, or no date: their rows go to quarantine
LEGIBLE = 1 - JUNK
FEW, MOST = 12, 50  # categories: so few are always some, and so many can be
REPEATED = 0.05  # share of the rows that categories between these may be
NEW = 0.0005  # chance that the next row has a category that no row had (Good-Turing)
COMMON = 5  # rows from which on a value of an open text is a common one
KNOWN = 100  # common values of an open text, at most
LONG = 5  # words of a text that is read and not counted
DATE_LIKE = (
    r"^\D{0,12}\d{1,4}\D{1,4}(\d{1,2}|[A-Za-z]{3,9})(\D{1,4}\d{1,4})?|^(19|20)\d{6}(T\d{6})?$"
)
MORE_DAYS = (  # that the pipeline reads where `dates` names them
    "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%b %d, %Y",
    "%d %B %Y", "%B %d, %Y", "%Y-%m", "%Y/%m", "%m/%Y", "%m.%Y", "%b %Y", "%b-%Y", "%b-%y",
    "%Y%m%d",
)  # fmt: skip
MORE_CLOCKS = (" %H%M%S", " %H:%M:%S%.f", " %H:%M", " %I:%M %p", " %I:%M:%S %p", ", %H:%M")
LIKE_NUMBER = r"^[^\w]{0,3}(?:EUR|USD|GBP|CHF|JPY)?[^\w]{0,2}\d"
YEARS = (1800, 2100)


class Content(NamedTuple):
    """What a column holds."""

    values: pl.Series
    """In the type of its kind, null where missing; of what has no kind, as it came."""

    kind: Kind
    nullable: bool = False
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()
    open: bool = False
    remark: str = ""
    missing: tuple[str, ...] = ()
    """Words that are taken for no value; without a kind of missing value, none."""

    forms: tuple[str, ...] = ()
    """How dates are written, where not year first; several where each could be meant."""

    sentinel: str | None = None
    """A number that seems to mean that there is no value."""

    doubt: str = ""
    """In which two ways the values can be read, where nobody knows which is meant."""

    has_nan: bool = False
    """Whether `not a number` stands among the values, which is missing too."""

    is_usable: bool = True
    """Whether a contract of one value for each cell can hold it."""

    @property
    def present(self) -> pl.Series:
        """The values that are there."""
        return self.values.drop_nulls()


def find_contents(
    table: pl.DataFrame,
    read: Read,
    dates: Mapping[str, str] = MappingProxyType({}),
    missing: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> dict[str, Content]:
    """What each column of a table holds. `read` says how texts are written; `dates` and `missing`,
    by column, in which form, and which values are none.
    """
    table = table.with_columns(pl.col(n).cast(pl.String) for n in dates if is_whole(table[n]))
    counts = {name: count_values(table[name]) for name in table.columns if is_text(table[name])}
    mark = read.decimal or agree_on_mark(counts, read)
    if mark is None and read.separator in (None, PLAIN):
        mark = "."
    contents = {}
    for name in table.columns:
        words = missing.get(name, ())
        if name in counts:
            own = read.model_copy(update={"dates": [dates[name]]}) if name in dates else read
            content = read_text(table[name], counts[name], own, mark, words)
        else:
            content = read_typed(table[name], words)
        contents[name] = content
    return contents


def is_text(column: pl.Series) -> bool:
    """Whether the values of a column are text that can mean anything."""
    return column.dtype == pl.String


def is_whole(column: pl.Series) -> bool:
    """Whether the values of a column came as whole numbers."""
    return column.dtype.is_integer()


def count_values(text: pl.Series) -> pl.DataFrame:
    """The texts of a column without blanks around them, `value`, and their rows, `n`; the most
    frequent first.
    """
    values = text.cast(pl.String).str.strip_chars().rename("value").drop_nulls()
    counts = values.filter(values != "").value_counts(name="n")
    return counts.sort("n", "value", descending=[True, False])


def agree_on_mark(counts: Mapping[str, pl.DataFrame], read: Read) -> str | None:
    """The decimal mark of a table: a comma or a point where all columns that show one show the
    same, else None.
    """
    marks = set()
    for texts in counts.values():
        if not texts["value"].str.contains("[.,]").any():
            continue
        numbers = texts.filter(pl.col("value").str.contains(LIKE_NUMBER))["value"]
        if numbers.len() > texts.height / 2:
            decimals = count_decimals(numbers, read)
            marks |= {decimals.mark} if decimals.point + decimals.comma else set()
    return marks.pop() if len(marks) == 1 else None


def read_text(
    raw: pl.Series, counts: pl.DataFrame, read: Read, mark: str | None, words: tuple[str, ...]
) -> Content:
    """What a column of text holds."""
    none = [*BLANK, *words] if read.missing is None else [*read.missing, *words]
    used = tuple(sorted(set(counts["value"]) & set(none)))
    present = counts.filter(~pl.col("value").is_in(used))
    nullable = present["n"].sum() < raw.len()
    if present.is_empty():
        return Content(pl.Series(raw.name, [None] * raw.len(), pl.String), "text", nullable=True)
    content = (
        read_truth(raw, present)
        or (read_plain_numbers(raw, present, mark, words) if read.dates is None else None)
        or read_dates(raw, present, read)
        or read_as_numbers(raw, present, read, mark, words)
        or read_words(raw, present)
    )
    return content._replace(
        nullable=content.nullable or nullable, missing=tuple(sorted({*used, *content.missing}))
    )


def spread(raw: pl.Series, values: pl.Series, texts: pl.Series) -> pl.Series:
    """The values of texts in the rows of a column; null for other texts."""
    pairs = pl.DataFrame({"text": texts, "value": values})
    rows = pl.DataFrame({"text": raw.cast(pl.String).str.strip_chars()})
    joined = rows.join(pairs, on="text", how="left", maintain_order="left")
    return joined["value"].alias(raw.name)


def read_truth(raw: pl.Series, counts: pl.DataFrame) -> Content | None:
    """Yes and no, true and false, 1 and 0; None for anything else."""
    if counts.height > MOST:  # some write True and true
        return None
    lower = counts["value"].str.to_lowercase()
    if set(lower) not in PAIRS:
        return None
    values = lower.replace_strict(TRUTH, return_dtype=pl.Boolean)
    return Content(spread(raw, values, counts["value"]), "bool")


def read_plain_numbers(
    raw: pl.Series, counts: pl.DataFrame, mark: str | None, words: tuple[str, ...]
) -> Content | None:
    """Numbers that are written with digits, and a point where that is the decimal mark; None for
    others, and for what may be days: 20261129.
    """
    texts = counts["value"]
    if texts.str.contains(r"^-?(0|[1-9]\d{0,6}|[1-9]\d{8,14})$").all():
        return bound(spread(raw, texts.cast(pl.Int64), texts), words)
    if mark == "." and texts.str.contains(r"^-?(0|[1-9]\d{0,14})(\.\d+)?$").all():
        return bound(spread(raw, texts.cast(pl.Float64), texts), words)
    return None


def read_dates(raw: pl.Series, counts: pl.DataFrame, read: Read) -> Content | None:
    """Days, or moments; None where the texts are none."""
    if read.dates is None and share_of(counts, counts["value"].str.contains(DATE_LIKE)) < LEGIBLE:
        return None
    kinds: tuple[tuple[Kind, Any], ...] = (("date", pl.Date), ("datetime", pl.Datetime("us")))
    for kind, dtype in kinds:
        ways = read_ways(counts, dtype, read)
        shares = {form: share_of(counts, times.is_not_null()) for form, times in ways.items()}
        best = max(shares.values(), default=0.0)
        if best < LEGIBLE:
            continue
        meant = tuple(form for form, share in shares.items() if share == best)
        forms = meant if meant[0] else ()
        doubt = f"dates like {' or '.join(forms)}" if len(forms) > 1 else ""
        return Content(
            spread(raw, ways[meant[0]], counts["value"]), kind, forms=forms, doubt=doubt,
            remark=describe_rest(counts, best),
        )  # fmt: skip
    return None


def read_ways(counts: pl.DataFrame, dtype: Any, read: Read) -> dict[str, pl.Series]:
    """Texts as days, or moments, by the forms that could be meant: "" is year first. Forms are
    tried on some of the texts before all of them are read.
    """
    texts = counts["value"]
    plain = counts.select(parse(pl.col("value"), dtype)).to_series()
    if share_of(counts, plain.is_not_null()) == 1:
        return {"": plain}
    clocks = ("",) if dtype == pl.Date else MORE_CLOCKS
    more = [day + clock for day in MORE_DAYS for clock in clocks]
    sample = texts.sample(min(TRIED, texts.len()), seed=0)
    for how in (read, read.model_copy(update={"dates": more}))[: 1 if read.dates else 2]:
        tried = read_times(sample, dtype, how)
        if all(times.null_count() > sample.len() / 2 for times in tried.values()):
            continue
        return {"": plain} | read_times(texts, dtype, read.model_copy(update={"dates": [*tried]}))
    return {"": plain}


def share_of(counts: pl.DataFrame, flags: pl.Series) -> float:
    """The share of rows whose values have a flag."""
    return int(counts["n"].filter(flags.fill_null(False)).sum()) / int(counts["n"].sum())


def describe_rest(counts: pl.DataFrame, share: float) -> str:
    """How many rows cannot be read; nothing where all can."""
    rest = round(int(counts["n"].sum()) * (1 - share))
    return f"{rest:,} rows cannot be read, and will be set aside" if rest else ""


def read_as_numbers(
    raw: pl.Series, counts: pl.DataFrame, read: Read, mark: str | None, words: tuple[str, ...]
) -> Content | None:
    """Numbers; None where the texts are none, or have zeros before them, as codes have."""
    texts = counts["value"]
    if share_of(counts, texts.str.contains(LIKE_NUMBER)) < 0.5:
        return None
    if share_of(counts, texts.str.contains(r"^0\d+$")) > JUNK:
        return None
    decimals = count_decimals(texts, read)
    own = decimals.mark or mark or "."
    is_doubtful = decimals.mark is None and mark is None
    plain = counts.select(parse(pl.col("value"), pl.Float64())).to_series()
    numbers = (
        plain if own == "." and not plain.null_count() else read_numbers(texts, plain, own, read)
    )
    others = counts.filter(numbers.is_null())
    names = others.filter(~pl.col("value").str.contains(r"\d"))
    absent = tuple(names["value"]) if names.height <= 3 else ()
    rest = int(others.filter(~pl.col("value").is_in(absent))["n"].sum())
    if rest > JUNK * int(counts["n"].sum()) or numbers.null_count() == texts.len():
        return None
    has_fractions = texts.filter(numbers.is_not_null()).str.contains(rf"\d*\{own}\d|[eE]").any()
    whole = (numbers.drop_nulls().abs() < 2.0**53).all() and not has_fractions
    values = spread(raw, numbers.cast(pl.Int64) if whole else numbers, texts)
    content = bound(values, words)
    return content._replace(
        missing=(*content.missing, *absent), nullable=content.nullable or bool(absent),
        doubt="numbers like 9.999: a fraction, or thousands" if is_doubtful else "",
        remark=f"{rest:,} rows cannot be read, and will be set aside" if rest else "",
    )  # fmt: skip


def read_typed(raw: pl.Series, words: tuple[str, ...]) -> Content:
    """What a column with a type holds."""
    dtype, nullable = raw.dtype, raw.null_count() > 0
    if isinstance(dtype, pl.Enum | pl.Categorical):
        text = raw.cast(pl.String)
        return read_words(text, count_values(text))._replace(nullable=nullable)
    if dtype == pl.Datetime:
        return read_typed_moments(raw)
    if dtype.is_numeric():
        return read_typed_numbers(raw, words)
    kinds: dict[Any, Kind] = {pl.Boolean: "bool", pl.Date: "date", pl.Null: "text"}
    if dtype in kinds:
        values = raw.cast(pl.String) if dtype == pl.Null else raw
        return Content(values, kinds[dtype], nullable)
    return Content(raw, "text", nullable, remark=f"{describe(dtype)} in each cell", is_usable=False)


def read_typed_moments(raw: pl.Series) -> Content:
    """Moments without a zone, or in UTC; others cannot be moved without a change."""
    zone, nullable = raw.dtype.time_zone, raw.null_count() > 0  # type: ignore[attr-defined]
    if zone in (None, "UTC"):
        return Content(raw.dt.replace_time_zone(None), "datetime", nullable)
    remark = f"times of {zone}: write them in UTC in the source"
    return Content(raw, "datetime", nullable, remark=remark, is_usable=False)


def describe(dtype: pl.DataType) -> str:
    """A type that no contract holds, in words."""
    if isinstance(dtype, pl.List | pl.Array):
        return "a list"
    if isinstance(dtype, pl.Struct):
        return "a record"
    names = {pl.Binary: "bytes", pl.Duration: "a duration", pl.Time: "a time of day"}
    return next((words for kind, words in names.items() if dtype == kind), "an object")


def read_typed_numbers(raw: pl.Series, words: tuple[str, ...]) -> Content:
    """Numbers, or truth where all are 1 and 0."""
    if raw.dtype == pl.Decimal:
        scale = raw.dtype.scale  # type: ignore[attr-defined]
        raw = raw.cast(pl.Float64 if scale else pl.Int64, strict=False)
    if raw.dtype.is_integer():
        if (raw.cast(pl.Int64, strict=False).null_count()) > raw.null_count():
            return Content(
                raw.cast(pl.String), "text", remark="numbers too long to be read as such"
            )
        raw = raw.cast(pl.Int64)
    if not raw.null_count() and set(raw.unique().head(3)) == {0, 1}:
        return Content(raw.cast(pl.Boolean), "bool")
    return bound(raw, words)


def bound(values: pl.Series, words: tuple[str, ...] = ()) -> Content:
    """Numbers with bounds, and the number that seems to mean that there is no value."""
    kind: Kind = "int" if values.dtype.is_integer() else "float"
    none = pl.Series([float(word) for word in words if is_number(word)], dtype=pl.Float64)
    if none.len():
        values = values.set(values.cast(pl.Float64).is_in(none.implode()), None)
    finite = values if kind == "int" else values.set(~values.is_finite(), None)
    nullable = values.null_count() > 0 or (kind == "float" and bool(values.is_nan().any()))
    present = finite.drop_nulls()
    if present.is_empty():
        return Content(values, kind, nullable)
    sentinel = find_sentinel(present)
    low, high = float(present.min()), float(present.max())  # type: ignore[arg-type]
    if kind == "int" and YEARS[0] <= low and high <= YEARS[1] and is_year(values.name):
        low, high = YEARS
    else:
        low, high = round_out(low, -1) if low < 0 else 0.0, round_out(high, 1) if high > 0 else 0.0
    return Content(
        finite if kind == "int" else values.fill_nan(None), kind, nullable, low, high,
        sentinel=None if sentinel is None else f"{sentinel}",
        has_nan=kind == "float" and bool(values.is_nan().any()),
    )  # fmt: skip


def is_number(word: str) -> bool:
    """Whether a word is a number."""
    return re.fullmatch(r"-?\d+(\.\d+)?", word) is not None


def is_year(name: str) -> bool:
    """Whether a column is of years, by its name."""
    return re.search(r"(^|_)(year|yr|jahr|annee|anno|vintage)(_|$)", write_snake(name)) is not None


def find_form(values: pl.Series) -> str | None:
    """How whole numbers can stand for times: years, days like 20261129, seconds since 1970."""
    low, high = values.min(), values.max()
    if values.dtype.is_integer() and low is not None and high is not None:
        spans = {"%Y": YEARS, "%Y%m": (180001, 210012), "%Y%m%d": (18000101, 21001231)}
        spans |= {"%s": (100_000_000, 4_102_444_800)}
        for form, (first, last) in spans.items():
            if first <= int(low) and int(high) <= last:  # type: ignore[arg-type]
                return form
    return None


def write_snake(name: str) -> str:
    """A name in small letters and underscores: `customerID` as `customer_id`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"\W+", "_", parted).strip("_").lower()


def find_sentinel(present: pl.Series) -> int | None:
    """The number, far from all others and more frequent than chance, that some write for `no
    value`.
    """
    for number in SENTINELS:
        rows = int((present == number).sum())
        if not FEWEST_SENTINELS <= rows < present.len() / 2:
            continue
        others = present.filter(present != number)
        least, most = float(others.min()), float(others.max())  # type: ignore[arg-type]
        if (number < 0 <= least and most > 1) or (
            number > 0 and number > 3 * most >= 0 and number > 90
        ):
            return number
    return None


def round_out(value: float, sign: int) -> float:
    """The next of 1, 2, 5, 10, … from twice a value on, away from zero."""
    size = abs(value) * 2
    power = 10.0 ** math.floor(math.log10(size)) if size else 1.0
    return sign * next(step * power for step in (1, 2, 5, 10, 20) if step * power >= size)


def read_words(raw: pl.Series, counts: pl.DataFrame) -> Content:
    """Categories, a text whose common values are categories, or any other text."""
    rows, distinct = int(counts["n"].sum()), counts.height
    values, texts = spread(raw, counts["value"], counts["value"]), counts["value"]
    if distinct > FEW and share_of(counts, texts.str.contains(r"[^|;]\s*[|;]\s*[^|;]")) > 0.2:
        return Content(values, "text", remark="a list in each cell")
    if distinct > MOST and count_words(texts) >= LONG:
        return Content(values, "text", remark="free text")
    once = counts.filter(pl.col("n") == 1).height / max(rows, 1)
    if distinct <= FEW or distinct <= min(MOST, REPEATED * rows):
        if once <= NEW:
            return Content(values, "category", categories=tuple(texts.sort()))
        return Content(values, "text", categories=list_common(counts), open=True)
    common = list_common(counts)
    covered = counts.filter(pl.col("value").is_in(common))["n"].sum()
    if common and covered >= rows / 2:
        return Content(values, "text", categories=common, open=True)
    is_code = share_of(counts, texts.str.contains(r"^0\d+$")) > JUNK
    codes = ", codes with a leading zero" if is_code else ""
    remark = f"{distinct:,} different texts in {rows:,} rows{codes}"
    return Content(values, "text", remark=remark)


def count_words(texts: pl.Series) -> float:
    """How many words a text has on average."""
    return float(texts.str.count_matches(r"\S+").mean() or 0)  # type: ignore[arg-type]


def list_common(counts: pl.DataFrame) -> tuple[str, ...]:
    """The values of an open text that enough rows have, sorted; the most frequent at least."""
    common = counts.filter(pl.col("n") >= COMMON).head(KNOWN)
    return tuple((common if common.height else counts.head(1))["value"].sort())
