"""The draft of `contract.py`: what one row must look like, and what its columns are for."""

from datetime import UTC, datetime, timedelta

import polars as pl

from .literals import in_comment, name_attributes, quote, quote_all, write_number, write_value
from .proposal import Column, Proposal

TYPES = {
    "int": "Int64", "float": "Float64", "bool": "Bool", "date": "Date", "datetime": "Datetime",
    "category": "Enum", "text": "String",
}  # fmt: skip
LARGEST = 2.0**63  # beyond it no whole number lies
DESCRIPTIONS = {
    "target": "What is predicted.",
    "entity": "Who or what the row is about.",
    "time": "When everything in this row was known.",
}
CONTRACT = '''\
"""What one row must look like, and what its columns are for.

Drafted by `adopt` from {rows:,} rows. Read it, and say under `description` what each column is: the
service shows it. Rows that break it are set aside with the reasons.
"""

from datetime import {dates}

import dataframely as dy


class Row(dy.Schema):
    """One {unit}."""

{columns}

{ignored}
ENTITY: str | None = {entity}
"""Who or what a row is about; None if every row stands alone."""

TIME: str | None = {time}
"""When the row was known; None if the data has no time."""

HORIZON = {horizon}
"""The target is known this long after TIME; train and test are kept this far apart."""

TARGET = {target}
"""{meaning}"""

SEGMENTS: list[str] = {segments}
"""Groups for which a guardrail `where: each segment` must hold one by one."""

PERSONAL: list[str] = {personal}
"""Personal data: never in a log, and no feature unless features.py says so."""

MEANT: dict[str, str] = {nothing}
"""Features that alone give the target away, each with the reason why that is no leak."""

FORMER: dict[str, str] = {nothing}
"""Columns that were renamed, today's name first: `{former}`."""

EXAMPLE: dict[str, object] = {example}
"""A row that nobody has, of medians and commonest values: the service's example request."""
'''


def draft_contract(proposal: Proposal) -> str:
    """Return the text of `contract.py` for a proposal."""
    kept = list_kept(proposal)
    attributes = name_attributes(column.name for column in kept)
    values = {column.name: choose_example(column, proposal.rows[column.name]) for column in kept}
    lines = "\n".join(f"    {quote(name)}: {write_value(v)}," for name, v in values.items())
    example = "{\n" + lines + "\n}"
    keys = list_keys(proposal)
    answers = proposal.answers
    horizon = write_duration(answers.horizon)
    used = [name for name in ("UTC", "date", "datetime", "timedelta") if f"{name}(" in example]
    used += ["UTC"] if "=UTC" in example else []
    return CONTRACT.format(
        rows=proposal.rows.height,
        dates=", ".join(sorted({*used, "timedelta"}, key=lambda name: (not name.isupper(), name))),
        unit=in_comment(answers.unit or "row of the table"),
        columns="\n".join(
            write_column(column, attributes[column.name], proposal.rows, is_key=column.name in keys)
            for column in kept
        ),
        ignored=write_ignored(proposal),
        entity=write_value(find_name(proposal, "entity")),
        time=write_value(find_name(proposal, "time")),
        horizon=horizon,
        target=quote(proposal.target.name),
        meaning=write_meaning(answers.meaning),
        segments=quote_all(column.name for column in list_segments(proposal)),
        personal=quote_all(column.name for column in list_personal(proposal)),
        example=example,
        nothing="{}",
        former='{"tariff": "plan"}',
    )


def list_kept(proposal: Proposal) -> list[Column]:
    """Return the columns that a row has: those that a feature, a role or a judgement needs."""
    return proposal.find("target", "entity", "time", "segment", "feature")


def list_segments(proposal: Proposal) -> list[Column]:
    """Return the columns whose groups are judged one by one."""
    return [c for c in proposal.find("segment") if c.kind in ("category", "bool") or c.open]


def list_personal(proposal: Proposal) -> list[Column]:
    """Return the personal columns of a row: who it is about, and attributes of persons."""
    kept = list_kept(proposal)
    return [column for column in proposal.find("entity", "personal") if column in kept]


def list_features(proposal: Proposal) -> list[Column]:
    """Return the columns that a model sees."""
    return [column for column in proposal.find("feature") if column.role != "target"]


def find_name(proposal: Proposal, role: str) -> str | None:
    """Return the name of the column that has a role; None where no column has it."""
    return next((column.name for column in proposal.columns if column.role == role), None)


def list_keys(proposal: Proposal) -> list[str]:
    """Return the columns that together name a row once: entity and time, where they do."""
    names = [column.name for column in proposal.find("entity", "time")]
    if find_name(proposal, "entity") is None:
        return []
    rows = proposal.rows.select(names)
    is_key = rows.null_count().sum_horizontal().item() == 0 and rows.n_unique() == rows.height
    return names if is_key else []


def write_column(column: Column, attribute: str, rows: pl.DataFrame, *, is_key: bool) -> str:
    """One column of the contract as a line of code."""
    arguments = []
    if is_closed(column):
        arguments += [quote_all(column.categories)]
    if attribute != column.name:
        arguments += [f"alias={quote(column.name)}"]
    if column.role not in ("entity", "time"):
        for key, bound in (("min", column.low), ("max", column.high)):
            if bound is not None and (column.kind == "float" or is_integer(column, bound)):
                arguments += [f"{key}={write_number(float(bound), whole=column.kind == 'int')}"]
    if column.kind == "datetime":
        arguments += write_datetime_type(rows.schema[column.name])
    if column.nullable and not is_key and column.role != "target":
        arguments += ["nullable=True"]
    if is_key:
        arguments += ["primary_key=True"]
    arguments += [f"description={quote(DESCRIPTIONS.get(column.role, 'To be described.'))}"]
    kind = TYPES[column.kind] if is_closed(column) or column.kind != "category" else "String"
    return f"    {attribute} = dy.{kind}({', '.join(arguments)})"


def is_integer(column: Column, bound: float) -> bool:
    """Whether a bound is one that a column of whole numbers can have."""
    return column.kind == "int" and abs(bound) < LARGEST


def is_closed(column: Column) -> bool:
    """Whether the contract lists all values of a column."""
    return column.kind == "category" and not column.open


def write_datetime_type(dtype: pl.DataType) -> list[str]:
    """The arguments of `dy.Datetime` that differ from its defaults."""
    assert isinstance(dtype, pl.Datetime)
    zone = [f"time_zone={quote(dtype.time_zone)}"] if dtype.time_zone else []
    return zone + ([f"time_unit={quote(dtype.time_unit)}"] if dtype.time_unit != "us" else [])


def write_duration(horizon: timedelta | None) -> str:
    """A duration as code: whole weeks, else days, else hours."""
    if not horizon:
        return "timedelta(0)"
    seconds = int(horizon.total_seconds())
    units = (("weeks", 604_800), ("days", 86_400), ("hours", 3_600), ("seconds", 1))
    unit, size = next((unit, size) for unit, size in units if seconds % size == 0)
    return f"timedelta({unit}={seconds // size})"


def write_meaning(meaning: str | None) -> str:
    """What the target means, in the team's words where there are some."""
    words = in_comment(meaning or "").replace('"', "'").rstrip(".")
    return (
        f"What is predicted: {words}." if words else "What is predicted; to be said: its meaning."
    )


def write_ignored(proposal: Proposal) -> str:
    """The columns that were left out as comments, each with the reason."""
    kept = {column.name for column in list_kept(proposal)}
    left = [column for column in proposal.columns if column.name not in kept]
    if not left:
        return ""
    lines = [f"#   {in_comment(column.name)}: {in_comment(column.reason)}" for column in left]
    return "\n".join(["# Left out; write one into Row to use it:", *lines, "\n"])


def choose_example(column: Column, values: pl.Series) -> object:
    """A value that nobody has in particular: the median, the commonest, a made-up name."""
    known = values.drop_nulls()
    if column.role == "entity":
        return 1 if column.kind == "int" else 1.0 if column.kind == "float" else "EXAMPLE-1"
    if known.is_empty() or (column.kind == "text" and not column.open):
        return None if column.nullable else "An example."
    if column.kind in ("int", "float"):
        return choose_number(column, known)
    if column.kind in ("date", "datetime"):
        middle = known.sort()[known.len() // 2]
        if isinstance(middle, datetime):
            whole = middle.replace(minute=0, second=0, microsecond=0)
            return whole.astimezone(UTC) if whole.tzinfo else whole
        return middle
    return known.cast(pl.Boolean if column.kind == "bool" else pl.String).mode().sort()[0]


def choose_number(column: Column, known: pl.Series) -> int | float:
    """The median of a column, within its bounds, at three digits."""
    median = float(known.cast(pl.Float64).median() or 0)  # type: ignore[arg-type]
    if column.kind == "int":
        return int(median)
    rounded = float(f"{median:.3g}")
    is_within = (column.low is None or rounded >= column.low) and (
        column.high is None or rounded <= column.high
    )
    return rounded if is_within else median
