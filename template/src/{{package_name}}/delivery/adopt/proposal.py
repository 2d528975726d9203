"""What is proposed for a table, and what a person said of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

import polars as pl

Kind = Literal["int", "float", "bool", "date", "datetime", "category", "text"]
Role = Literal["target", "entity", "time", "segment", "feature", "personal", "ignored"]
Doubt = Literal["afterwards", "protected", "notation", "entity", "time"]
BY_PERSON = "a person said so"  # the reason of what was not inferred
Problem = Literal["classification", "regression", "ranking", "answering"]


@dataclass(frozen=True)
class Column:
    """One column of a table: how its values are written in a contract, and what it is for.

    `low` and `high` are the bounds of a number, with slack. `categories` are the values of a
    category, or the common ones of a text that is `open`: there, new ones keep coming, and a model
    sees them as `other`. `has_nan`: not-a-number stands among the values of a float, which is
    missing to a model (`allow_nan` in a contract). `confidence` is between 0 and 1. `also` are
    roles that the column has besides: a region is a segment and also a feature, a sex is a segment
    and also personal, and a feature only where a person said so. `doubt` is what only a person can
    say of it: whether it is known only afterwards, whether the model may use what persons are, how
    its values are written, or whether it is the entity or the time.
    """

    name: str
    kind: Kind
    role: Role
    reason: str
    confidence: float
    nullable: bool = False
    low: float | None = None
    high: float | None = None
    categories: tuple[str, ...] = ()
    open: bool = False
    has_nan: bool = False
    also: tuple[Role, ...] = ()
    doubt: Doubt | None = None


@dataclass(frozen=True)
class Answers:
    """What a person says, by an option or at a terminal; None and empty where nothing is said.

    `problem` is the kind of problem, where the target could pose several: a mark from 1 to 6 is a
    number, or a class.
    `dates` and `missing` are by column: a form (`%d.%m.%Y`), and values that mean "no value".
    `rule` is what is done today, a condition on columns (`tenure < 12 and plan = 'flexible'`) or
    the name of a column that holds today's decision. `right` and `wrong` are what the action is
    worth where it was right and what it costs where it was not.
    """

    target: str
    problem: Problem | None = None
    meaning: str | None = None
    entity: str | None = None
    time: str | None = None
    horizon: timedelta | None = None
    segments: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    dates: Mapping[str, str] = field(default_factory=dict)
    decimal: Literal[".", ","] | None = None
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unit: str | None = None
    action: str | None = None
    rule: str | None = None
    currency: str | None = None
    right: float | None = None
    wrong: float | None = None
    at_most: int | None = None
    out_of: int | None = None
    every: str | None = None


@dataclass(frozen=True)
class Decided:
    """A line of `docs/decisions/DATE-adopted.md`: what was decided of what, why, and by whom."""

    subject: str
    decision: str
    reason: str
    source: Literal["inferred", "a person", "the safe side"]


@dataclass(frozen=True)
class Proposal:
    """All that the drafts are written from.

    `rows` are the rows of the table with the type of each column, ignored ones left out; the target
    of a classification is text. `read` are the keys of `ingest: read:` in `params.yaml` that read
    the table so again. `open` are questions that only a person can answer, in plain words.
    """

    problem: Problem
    answers: Answers
    columns: tuple[Column, ...]
    rows: pl.DataFrame
    read: dict[str, Any]
    decided: tuple[Decided, ...]
    open: tuple[str, ...]

    @property
    def target(self) -> Column:
        """The column that is predicted."""
        return next(column for column in self.columns if column.role == "target")

    def find(self, *roles: Role) -> list[Column]:
        """Return the columns that have one of these roles, in the order of the table."""
        wanted = set(roles)
        return [c for c in self.columns if c.role in wanted or wanted.intersection(c.also)]
