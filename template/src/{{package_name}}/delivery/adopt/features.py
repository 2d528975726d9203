"""The draft of `features.py`: the columns that a model sees, derived from one row at a time."""

from typing import NamedTuple

import polars as pl

from .contract import find_name, list_features
from .literals import quote, quote_all, to_snake_case
from .proposal import Column, Proposal

OTHER = "other"  # what rare values are to a model
YEAR = 366  # days in which each month comes around
FEATURES = '''\
"""The columns that a model sees, derived from one row at a time.

No feature looks at another row: the service has only one.
"""

import polars as pl

NUMBERS: list[str] = {numbers}
"""Features with an order; true and false are 1 and 0 to a model."""

CATEGORIES: list[str] = {categories}
"""Features without an order."""
{names}

def features(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the features of `rows`: same rows, same order, {order}.

    `rows` has the columns of `contract.Row`, with or without the target.
    """
    return rows{derived}.select({selected})
{functions}'''
TEXTS = '''
TEXTS: list[str] = {texts}
"""Features whose words a model reads; no text is an empty one."""
'''
KNOWN = '''
KNOWN: dict[str, list[str]] = {known}
"""Values of open categories that are common enough to learn from."""

OTHER = "other"
"""What any other value is to a model."""
'''
MERGE = '''

def merge_rare(name: str) -> pl.Expr:
    """Return a column with `other` where its value is not known; missing stays missing."""
    value = pl.col(name)
    is_kept = value.is_in(KNOWN[name]) | value.is_null()
    kept = pl.when(is_kept).then(value).otherwise(pl.lit(OTHER))
    return kept.cast(pl.Enum([*KNOWN[name], OTHER])).alias(name)
'''


class Derived(NamedTuple):
    """A feature that is made of a date: its name, what it is, and the expression as code."""

    name: str
    meaning: str
    expression: str


def draft_features(proposal: Proposal) -> str:
    """Return the text of `features.py` for a proposal."""
    columns = list_features(proposal)
    dates = list_dated(proposal)
    numbers = [column.name for column in columns if column.kind in ("int", "float", "bool")]
    categories = [c.name for c in columns if c.kind == "category" or c.open]
    texts = list_texts(proposal)
    known = "".join(
        f"    {quote(column.name)}: {quote_all(v for v in column.categories if v != OTHER)},\n"
        for column in columns
        if column.open
    )
    names = TEXTS.format(texts=quote_all(texts)) if texts else ""
    names += KNOWN.format(known="{\n" + known + "}") if known else ""
    return FEATURES.format(
        numbers=quote_all([*numbers, *(each.name for each in dates)]),
        categories=quote_all(categories),
        names=names,
        order="NUMBERS, CATEGORIES, TEXTS" if texts else "NUMBERS and then CATEGORIES",
        derived=write_derived(dates, has_known=bool(known), has_texts=bool(texts)),
        selected="*NUMBERS, *CATEGORIES, *TEXTS" if texts else "*NUMBERS, *CATEGORIES",
        functions=(MERGE if known else "") + "".join(map(write_function, dates)),
    )


def list_texts(proposal: Proposal) -> list[str]:
    """Return the names of the features that are free text."""
    return [c.name for c in list_features(proposal) if c.kind == "text" and not c.open]


def list_dated(proposal: Proposal) -> list[Derived]:
    """Return the features that are made of dates: how long ago each was, and what time it is."""
    time, names = find_name(proposal, "time"), {column.name for column in proposal.columns}
    dates = [column for column in list_features(proposal) if column.kind in ("date", "datetime")]
    derived = [derive_age(column, time) for column in dates if column.name != time]
    derived += derive_calendar(time, proposal.rows[time]) if time else []
    return [each for each in derived if each.name not in names]


def derive_age(column: Column, time: str | None) -> Derived:
    """The days from a date to the time of the row, or to 1970 where rows have no time."""
    name, day = to_snake_case(column.name), f"pl.col({quote(column.name)}).cast(pl.Date)"
    if time is None:
        return Derived(
            f"day_of_{name}", f"Days from 1970 on to `{column.name}`.", f'{day}.dt.epoch("d")'
        )
    age = f"(pl.col({quote(time)}).cast(pl.Date) - {day}).dt.total_days()"
    return Derived(f"days_since_{name}", f"Days from `{column.name}` to `{time}`.", age)


def derive_calendar(time: str, times: pl.Series) -> list[Derived]:
    """Weekday, month and hour of the time of a row, where rows differ in them; months only where
    they come around.
    """
    name, known = to_snake_case(time), times.drop_nulls()
    derived = []
    if known.dt.weekday().n_unique() > 1:
        expression = f"pl.col({quote(time)}).dt.weekday()"
        derived += [Derived(f"weekday_of_{name}", "Day of the week, 1 is Monday.", expression)]
    span = known.cast(pl.Date).max() - known.cast(pl.Date).min()  # type: ignore[operator]
    if span.days > 2 * YEAR:  # type: ignore[union-attr]
        expression = f"pl.col({quote(time)}).dt.month()"
        derived += [Derived(f"month_of_{name}", "Month of the year, from 1 on.", expression)]
    if known.dtype == pl.Datetime and known.dt.hour().n_unique() > 1:
        expression = f"pl.col({quote(time)}).dt.hour()"
        derived += [Derived(f"hour_of_{name}", "Hour of the day, from 0 on.", expression)]
    return derived


def write_derived(dates: list[Derived], *, has_known: bool, has_texts: bool) -> str:
    """The call that adds columns to the rows; nothing where none is derived."""
    arguments = ["*(merge_rare(name) for name in KNOWN)"] if has_known else []
    arguments += ['*(pl.col(name).fill_null("") for name in TEXTS)'] if has_texts else []
    arguments += [f"{each.name}={each.name}()" for each in dates]
    return f".with_columns({', '.join(arguments)})" if arguments else ""


def write_function(derived: Derived) -> str:
    """A derived feature as a function that can be read, tested and explained alone."""
    return (
        f"\n\ndef {derived.name}() -> pl.Expr:\n"
        f'    """{derived.meaning}"""\n'
        f"    return {derived.expression}\n"
    )
