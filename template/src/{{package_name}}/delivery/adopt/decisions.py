"""What was decided of a table and by whom, as lines that a colleague can argue with; and what only
a person can decide, and nobody has.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from .columns import Content
from .kind import Finding
from .proposal import BY_PERSON, Answers, Column, Decided

Source = Literal["inferred", "a person", "the safe side"]


def list_decisions(
    columns: Mapping[str, Column],
    contents: Mapping[str, Content],
    answers: Answers,
    options: Answers,
    finding: Finding,
    *,
    is_asked: bool,
) -> tuple[Decided, ...]:
    """All that was decided: the kind of problem, the role of each column, how values are read.
    `options` are the answers that a person gave before anything was inferred.
    """
    doubtful: Source = "a person" if is_asked else "the safe side"
    kind: Source = "a person" if finding.reason == BY_PERSON else "inferred"
    lines = [Decided("kind of problem", finding.problem, finding.reason, kind)]
    for column in columns.values():
        lines.append(decide_role(column, doubtful))
        lines += decide_reading(column, contents[column.name], answers, options, doubtful)
    if any(column.role == "time" for column in columns.values()):
        days = answers.horizon.days if answers.horizon else 0
        source: Source = doubtful if answers.horizon is None else "a person"
        lines.append(
            Decided(
                "horizon", f"{days} days", "how long after the time the target is known", source
            )
        )
    return tuple(lines)


def decide_role(column: Column, doubtful: Source) -> Decided:
    """The line on what a column is for."""
    roles = " and ".join([column.role, *column.also])
    if BY_PERSON in column.reason:
        return Decided(column.name, roles, column.reason, "a person")
    return Decided(column.name, roles, column.reason, doubtful if column.doubt else "inferred")


def decide_reading(
    column: Column, content: Content, answers: Answers, options: Answers, doubtful: Source
) -> Iterator[Decided]:
    """The lines on how the values of a column are read, where that is not plain."""
    if column.role == "ignored":
        return
    if words := answers.missing.get(column.name, ()):
        yield Decided(
            f"{column.name}: {', '.join(words)}",
            "no value",
            "a number far from all others",
            "a person" if column.name in options.missing else doubtful,
        )
    elif content.sentinel:
        yield Decided(
            f"{column.name}: {content.sentinel}", "a number like others",
            "it cannot be told from a value", doubtful,
        )  # fmt: skip
    if other := [word for word in content.missing if word not in words]:
        yield Decided(
            f"{column.name}: {', '.join(other)}", "no value", "words where values are", "inferred"
        )
    if content.forms:
        source: Source = doubtful if column.name in answers.dates else "inferred"
        source = "a person" if column.name in options.dates else source
        yield Decided(f"{column.name}: dates", content.forms[0], "the form that reads all", source)
    if content.remark and column.kind != "text":
        yield Decided(
            f"{column.name}: rows", content.remark, "few enough to do without", "inferred"
        )


def list_open(
    columns: Mapping[str, Column], answers: Answers, finding: Finding, *, is_asked: bool
) -> tuple[str, ...]:
    """What only a person can say, and nobody has, in plain words; the most important first."""
    questions = []
    if answers.right is None and answers.wrong is None:
        questions.append(
            "What is an action worth where it was right, and what does it cost where it was wrong?"
            if finding.problem == "classification"
            else "What does it cost to be too high by 1, and too low by 1?"
        )
    if answers.rule is None:
        questions.append("What is done today? Until somebody says so, the rule is a stand-in.")
    if answers.meaning is None:
        questions.append(f"What does `{answers.target}` mean, and when is it known?")
    roles = {column.role for column in columns.values()}
    if "entity" not in roles:
        questions.append("Who or what is a row about? No column says so: each row stands alone.")
    if "time" not in roles:
        questions.append("When was a row known? No column says so: rows are split at random.")
    elif answers.horizon is None:
        questions.append(f"How long after its time is `{answers.target}` known?")
    if not is_asked:
        questions += [
            ask_later(c) for c in columns.values() if c.doubt in ("afterwards", "notation")
        ]
        if protected := [c.name for c in columns.values() if c.doubt == "protected"]:
            names = ", ".join(f"`{name}`" for name in protected[:12])
            questions.append(f"May the model use what persons are: {names}?")
    return tuple(questions)


def ask_later(column: Column) -> str:
    """The question that a column poses which is ignored on the safe side."""
    if column.doubt == "notation":
        return f"`{column.name}`: {column.reason}. Which is meant?"
    return f"`{column.name}` {column.reason}: is it known before the target is?"
