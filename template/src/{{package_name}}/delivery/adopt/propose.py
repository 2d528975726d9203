"""From a table to what is proposed for it: what its columns hold and are for, what a person said of
them, and what is still open.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import dataframely as dy
import polars as pl

from ..edge.errors import Fixable
from ..problem import target as problem
from ..tables.conform import OWN, convert_columns
from ..tables.notation import MISSING, agree
from ..tables.read import Read
from .columns import Content, find_contents, find_form
from .decisions import list_decisions, list_open
from .kind import PAGES, Finding, find_kind, read_table, require_column
from .proposal import BY_PERSON, Answers, Column, Proposal
from .questions import Ask, ask_business, ask_columns, ask_contents, describe_target
from .roles import assign_roles, build_measure, look_at

ROLES = ("entity", "time", "segment")
NO = ("no", "0", "0.0", "false", "n", "f", "nein", "non", "negative", "good", "stays", "active")


class Rows(NamedTuple):
    """Rows with types, and how they are read, as keys of `ingest: read:`."""

    table: pl.DataFrame
    read: dict[str, Any]


def propose(source: Path, answers: Answers, ask: Ask | None = None) -> Proposal:
    """What is proposed for the table in a file. `ask` puts a question to a person; without it, what
    cannot be known is decided on the safe side.

    Raises:
        Fixable: it is no table, lacks a column that was named, its target cannot be predicted, or
            it is for another kind of problem than this repository.
    """
    options = answers
    table, seen = read_table(source, Read(decimal=answers.decimal))
    require_named(table, answers)
    contents = read_contents(table, seen, answers)
    finding = find_problem(contents, answers)
    before, answers = answers, take_sentinels(contents, ask_contents(contents, answers, ask))
    contents, answers = read_again(contents, table, seen, before, answers)
    target = build_target(table[answers.target], contents[answers.target], finding)
    require_here(target, finding)

    y = build_rows(table, [target], answers, contents, {}).table[target.name]
    measure = build_measure(y, table.width)
    columns = assign_roles(look_at(contents, target.name, measure), answers)
    if ask:
        summary = describe_target(y, target.categories)
        before, answers = answers, ask_columns(columns, target.name, summary, answers, ask)
        contents, answers = read_again(contents, table, seen, before, answers)
        columns = assign_roles(look_at(contents, target.name, measure), answers)
    columns = {name: columns.get(name, target) for name in table.columns}
    answers = ask_business(complete(answers, columns), finding.problem, ask)
    require_features(columns, answers)

    used = [column for column in columns.values() if column.role != "ignored"]
    rows = build_rows(table, used, answers, contents, seen)
    is_asked = ask is not None
    return Proposal(
        problem=finding.problem,
        answers=answers,
        columns=tuple(columns.values()),
        rows=rows.table,
        read=rows.read,
        decided=list_decisions(columns, contents, answers, options, finding, is_asked=is_asked),
        open=list_open(columns, answers, finding, is_asked=is_asked),
    )


def require_named(table: pl.DataFrame, answers: Answers) -> None:
    """Raise Fixable where a person named a column that the table does not have."""
    require_column(table, answers.target, "target")
    if answers.target in OWN:
        raise Fixable(
            f"target `{answers.target}`: expected another name, found one that the pipeline itself "
            "uses. Next: rename the column in the source"
        )
    named: dict[str, Iterable[str | None]] = {
        "entity": [answers.entity],
        "time": [answers.time],
        "segment": answers.segments,
        "feature": answers.features,
        "ignored": answers.ignored,
        "dates": answers.dates,
        "missing": answers.missing,
    }
    for purpose, names in named.items():
        for name in names:
            if name is not None:
                require_column(table, name, purpose)
            if name == answers.target and purpose not in ("dates", "missing"):
                raise Fixable(
                    f"{purpose} `{name}`: expected another column than the target, found the "
                    "target. Next: the same command without it"
                )


def read_contents(
    table: pl.DataFrame, seen: Mapping[str, Any], answers: Answers
) -> dict[str, Content]:
    """What the columns hold, read as a person said."""
    read = Read(decimal=answers.decimal, separator=seen.get("separator"))
    return find_contents(table, read, answers.dates, answers.missing)


def read_again(
    contents: dict[str, Content],
    table: pl.DataFrame,
    seen: Mapping[str, Any],
    before: Answers,
    answers: Answers,
) -> tuple[dict[str, Content], Answers]:
    """What the columns hold after more answers, and these with the form of the time."""
    answers = date_time(contents, answers)
    if (before.dates, before.missing) == (answers.dates, answers.missing):
        return contents, answers
    return read_contents(table, seen, answers), answers


def date_time(contents: Mapping[str, Content], answers: Answers) -> Answers:
    """The answers, with the form in which numbers stand for the time that a person named.

    Raises:
        Fixable: the values are no times, or can be read in two ways.
    """
    name = answers.time
    if name is None or name in answers.dates or contents[name].kind in ("date", "datetime"):
        if name and contents[name].doubt:
            raise Fixable(
                f"time `{name}`: expected dates that can be read in one way only, found "
                f"{contents[name].doubt}. Next: the same command with --date-form {name}=FORM"
            )
        return answers
    if form := find_form(contents[name].values):
        return replace(answers, dates={**answers.dates, name: form})
    raise Fixable(
        f"time `{name}`: expected dates, found {contents[name].kind} values. Next: name another "
        f"column, or how it is written: --date-form {name}=%d.%m.%Y"
    )


def find_problem(contents: Mapping[str, Content], answers: Answers) -> Finding:
    """The kind of problem; what a person said comes first.

    Raises:
        Fixable: it is none that is adopted from a table, or the target cannot be predicted.
    """
    finding = find_kind(contents, answers.target, answers.entity)
    if answers.problem and answers.problem != finding.problem:
        finding = Finding(answers.problem, BY_PERSON, 1.0)
    if page := PAGES.get(finding.problem):
        raise Fixable(
            f"target `{answers.target}`: expected classes or numbers to predict from the other "
            f"columns, found a table for {finding.problem}: {finding.reason}. Next: follow {page} "
            "of the template, or say what is meant: --problem classification, or regression"
        )
    return finding


def take_sentinels(contents: Mapping[str, Content], answers: Answers) -> Answers:
    """The answers, in which numbers that seem to mean `no value` do so where nobody said another
    thing, and where no other column has such a number among its values.
    """
    missing = dict(answers.missing)
    for name, content in contents.items():
        if content.sentinel is None or name in missing:
            continue
        number = float(content.sentinel)
        others = [
            other
            for other, its in contents.items()
            if its.kind in ("int", "float") and its.sentinel != content.sentinel and its.nullable
        ]
        if not any((contents[other].values == number).any() for other in others):
            missing[name] = (content.sentinel,)
    return replace(answers, missing=missing)


def build_target(raw: pl.Series, content: Content, finding: Finding) -> Column:
    """The column of the target: text in classes, the positive ones first, or a number."""
    base = {
        "name": raw.name, "role": "target", "reason": finding.reason,
        "confidence": finding.confidence,
    }  # fmt: skip
    if finding.problem == "regression":
        if content.kind not in ("int", "float"):
            raise Fixable(
                f"target `{raw.name}`: expected numbers, found {content.kind} values. Next: leave "
                "--problem out, or name another target"
            )
        return Column(kind="float", low=content.low, high=content.high, **base)  # type: ignore[arg-type]
    words = list_classes(raw, content)
    if len(words) > 200:
        raise Fixable(
            f"target `{raw.name}`: expected at most 200 classes, found {len(words):,}. Next: leave "
            "--problem out, or name another target"
        )
    return Column(kind="category", categories=words, **base)  # type: ignore[arg-type]


def list_classes(raw: pl.Series, content: Content) -> tuple[str, ...]:
    """The classes of a target as text, the negative one last."""
    if raw.dtype == pl.String:
        known = raw.str.strip_chars().filter(content.values.is_not_null())
        words = known.drop_nulls().unique().to_list()
    elif content.kind == "bool":
        words = ["true", "false"] if raw.dtype == pl.Boolean else ["1", "0"]
    elif content.kind == "float":
        words = [
            f"{value:.0f}" if value == round(value) else str(value)
            for value in content.present.unique()
        ]
    else:
        words = content.present.cast(pl.String).unique().to_list()
    return tuple(sorted(words, key=lambda word: (word.lower() in NO, word)))


def require_here(target: Column, finding: Finding) -> None:
    """Raise Fixable where this repository is for another kind of problem."""
    if fault := problem.find_fault(build_type(target)):
        raise Fixable(
            f"target `{target.name}`: expected one for the kind of problem of this repository, "
            f"found {finding.problem}: {finding.reason} ({fault}). Next: make a repository of that "
            "kind: exemplar new DEST --table TABLE --target TARGET"
        )


def build_type(column: Column) -> dy.Column:
    """The column of a contract that has this type."""
    name, is_nullable = column.name, column.nullable
    if column.kind == "category":
        return dy.Enum(list(column.categories), nullable=is_nullable, alias=name)
    if column.kind == "float":
        return dy.Float64(nullable=is_nullable, alias=name, allow_nan=True, allow_inf=True)
    types = {"int": dy.Int64, "bool": dy.Bool, "date": dy.Date, "datetime": dy.Datetime}
    return types.get(column.kind, dy.String)(nullable=is_nullable, alias=name)


def build_schema(columns: list[Column]) -> type[dy.Schema]:
    """A contract of nothing but types."""
    types = {f"c{n}": build_type(column) for n, column in enumerate(columns)}
    schema: type[dy.Schema] = type("Row", (dy.Schema,), types)
    return schema


def build_rows(
    table: pl.DataFrame,
    columns: list[Column],
    answers: Answers,
    contents: Mapping[str, Content],
    seen: dict[str, Any],
) -> Rows:
    """The rows as the pipeline will read them, and the keys of `ingest: read:` that say how."""
    names = [column.name for column in columns]
    keys = find_keys([contents[name] for name in names], answers)
    raw = table.select(names).with_row_index("row")
    contract = build_schema(columns).columns()
    plain = convert_columns(raw, contract)
    agreed = agree(raw, plain, contract, Read(**keys), Read())
    read = seen | agreed.read | keys
    if keys and "decimal" not in read and any(is_text_number(table, c) for c in columns):
        read["decimal"] = "."
    return Rows(agreed.typed.drop("row"), read)


def find_keys(contents: list[Content], answers: Answers) -> dict[str, Any]:
    """What has to be said so that values are read as they are here: where the pipeline would not
    find it in the texts themselves.
    """
    keys: dict[str, Any] = {"decimal": answers.decimal} if answers.decimal else {}
    words = {word for content in contents for word in content.missing}
    words |= {word for values in answers.missing.values() for word in values}
    if words - set(MISSING):
        keys["missing"] = sorted(words)
    if answers.dates:
        keys["dates"] = sorted({form for content in contents for form in content.forms})
    return keys


def is_text_number(table: pl.DataFrame, column: Column) -> bool:
    """Whether a column has numbers that are written as text."""
    return column.kind == "float" and table.schema[column.name] == pl.String


def complete(answers: Answers, columns: Mapping[str, Column]) -> Answers:
    """The answers with what was inferred: the entity, the time and the segments."""
    by_role = {role: [c.name for c in columns.values() if c.role == role] for role in ROLES}
    return replace(
        answers,
        entity=next(iter(by_role["entity"]), None),
        time=next(iter(by_role["time"]), None),
        segments=tuple(by_role["segment"]),
    )


def require_features(columns: Mapping[str, Column], answers: Answers) -> None:
    """Raise Fixable where nothing is left to predict from."""
    if any(c.role == "feature" or "feature" in c.also for c in columns.values()):
        return
    reasons = "; ".join(
        f"`{c.name}` {c.reason}" for c in list(columns.values())[:10] if c.role != "target"
    )
    raise Fixable(
        f"target `{answers.target}`: expected a column to predict it from, found none: "
        f"{reasons[:1000] or 'no other column'}. Next: name the features that are known before it: "
        "--feature COLUMN"
    )
