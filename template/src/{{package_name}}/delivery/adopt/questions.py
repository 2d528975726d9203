"""What a person is asked about a table, at most seven things and then the business: each in a line
or two, with counts and forms and never a value of a person, and an answer that Enter takes.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

import polars as pl

from ..edge.explain import nearest
from .columns import Content
from .proposal import Answers, Column, Problem, Role

Ask = Callable[[str, str], str]
"""Puts a question to a person, with the answer that Enter takes; returns the answer."""

TRIES = 3  # until an answer that cannot be read is taken for none
SHOWN = 12  # columns that one question lists
NOTHING = ""


def ask_contents(contents: Mapping[str, Content], answers: Answers, ask: Ask | None) -> Answers:
    """The answers with those on how texts are to be read: dates in two forms, and numbers that
    seem to mean that there is no value.
    """
    if ask is None:
        return answers
    dates, missing = dict(answers.dates), dict(answers.missing)
    unclear = {n: c.forms for n, c in contents.items() if len(c.forms) > 1 and n not in dates}
    for forms in dict.fromkeys(unclear.values()):
        names = [name for name, own in unclear.items() if own == forms]
        shown = " or ".join(write_form(form) for form in forms)
        question = f"Dates in {list_names(names)} can be read as {shown}. Which is meant?"
        choices = {write_form(form): form for form in forms}
        if form := choose(question, [*choices, "neither"], "neither", ask):
            dates |= dict.fromkeys(names, choices[form]) if form in choices else {}
    odd = {n: c for n, c in contents.items() if c.sentinel and n not in missing}
    if odd:
        shown = ", ".join(
            f"{content.sentinel} in `{name}` ({count(content):,} rows)"
            for name, content in odd.items()
        )
        question = f"Do these mean that there is no value: {shown}?"
        if choose(question, ["yes", "no"], "yes", ask) == "yes":
            missing |= {name: (str(content.sentinel),) for name, content in odd.items()}
        else:
            missing |= dict.fromkeys(odd, ())
    return replace(answers, dates=dates, missing=missing)


def count(content: Content) -> int:
    """The rows that have the number which seems to mean that there is no value."""
    return int((content.values == float(content.sentinel or 0)).sum())


def write_form(form: str) -> str:
    """A form of dates as people write it: `%d.%m.%Y` as day.month.year."""
    words = {"%d": "day", "%m": "month", "%Y": "year", "%y": "year", "%H": "hour", "%M": "minute"}
    words |= {"%S": "second", "%.f": "", "%b": "month", "%B": "month"}
    for code, word in words.items():
        form = form.replace(code, word)
    return form


def ask_columns(
    columns: Mapping[str, Column], target: str, summary: str, answers: Answers, ask: Ask
) -> Answers:
    """The answers with those on the target, and on what columns are for, where that cannot be
    known.
    """
    if answers.meaning is None:
        question = f"`{target}` is predicted: {summary}. What does it mean, in a few words?{LEAVE}"
        answers = replace(answers, meaning=ask(question, NOTHING).strip() or None)
    answers = ask_entity(columns, answers, ask)
    answers = ask_time(columns, answers, ask)
    answers = ask_afterwards(columns, answers, ask)
    return ask_protected(columns, answers, ask)


def ask_entity(columns: Mapping[str, Column], answers: Answers, ask: Ask) -> Answers:
    """Who or what a row is about, where several columns could say so, or one is unsure."""
    able = find_able(columns, "entity")
    if answers.entity is not None or not able or (len(able) == 1 and able[0].confidence >= 0.8):
        return answers
    best = next((c.name for c in able if c.role == "entity"), able[0].name)
    question = f"Who or what is a row about: {list_names([c.name for c in able])}, or none?"
    name = choose(question, [*[c.name for c in able], "none"], best, ask)
    return (
        replace(answers, entity=name) if name != "none" else drop(answers, [c.name for c in able])
    )


def find_able(columns: Mapping[str, Column], role: Role) -> list[Column]:
    """The columns that have a role, or would have it but for another."""
    return [column for column in columns.values() if role in (column.role, column.doubt)]


def drop(answers: Answers, names: Iterable[str]) -> Answers:
    """The answers, with columns that are ignored."""
    return replace(answers, ignored=(*answers.ignored, *names))


def ask_time(columns: Mapping[str, Column], answers: Answers, ask: Ask) -> Answers:
    """When a row was known, and how long afterwards the target is."""
    able = find_able(columns, "time")
    if answers.time is None and able:
        best = next((c.name for c in able if c.role == "time"), "none")
        shown = list_names([column.name for column in able])
        question = f"When was what a row says known: at {shown}, or none of them?"
        name = choose(question, [*[column.name for column in able], "none"], best, ask)
        if name == "none":
            return drop(answers, [column.name for column in able if column.role == "time"])
        answers = replace(answers, time=name)
    if answers.time is None or answers.horizon is not None:
        return answers
    question = f"How many days after `{answers.time}` is `{answers.target}` known?"
    days = ask_number(question, "0", ask)
    return replace(answers, horizon=timedelta(days=days or 0))


def ask_afterwards(columns: Mapping[str, Column], answers: Answers, ask: Ask) -> Answers:
    """Which of the columns that give the target away are known when it is predicted."""
    late = [column for column in columns.values() if column.doubt == "afterwards"]
    if not late:
        return answers
    lines = "".join(f"\n  {c.name}: {c.reason}" for c in late[:SHOWN])
    more = f"\n  and {len(late) - SHOWN} more" if len(late) > SHOWN else ""
    question = (
        f"Left out, as probably known only after `{answers.target}`:{lines}{more}\n"
        "Which of them are known before it, and may be features?"
    )
    return replace(answers, features=(*answers.features, *ask_names(question, late, ask)))


def ask_protected(columns: Mapping[str, Column], answers: Answers, ask: Ask) -> Answers:
    """Which of the attributes of persons may be features."""
    protected = [column for column in columns.values() if column.doubt == "protected"]
    if not protected:
        return answers
    names = list_names([c.name for c in protected])
    question = f"Attributes of persons: {names}. Which of them may the model use?"
    return replace(answers, features=(*answers.features, *ask_names(question, protected, ask)))


def list_names(names: list[str]) -> str:
    """Names of columns for a question."""
    shown = [f"`{name[:40]}`" for name in names[:SHOWN]]
    more = [f"{len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return ", ".join(shown + more)


def choose(question: str, options: list[str], default: str, ask: Ask) -> str:
    """One of the options; the default where no answer can be read."""
    hint = ""
    for _ in range(TRIES):
        answer = ask(question + hint, default).strip()
        exact = [o for o in options if o.lower() == answer.lower()]
        begun = [o for o in options if answer and o.lower().startswith(answer.lower())]
        if exact or len(begun) == 1:
            return (exact or begun)[0]
        hint = f"\n  (expected one of {', '.join(options[:SHOWN])}; found {answer[:40]!r})"
    return default


def ask_names(question: str, columns: list[Column], ask: Ask) -> tuple[str, ...]:
    """Some of the columns, by their names with commas between them."""
    names, hint = [c.name for c in columns], " Names, or all, or none."
    for _ in range(TRIES):
        answer = ask(question + hint, "none").strip()
        if answer.lower() in ("all", "none", ""):
            return tuple(names) if answer.lower() == "all" else ()
        words = [word.strip().strip("`") for word in answer.split(",")]
        unknown = [word for word in words if word not in names]
        if not unknown:
            return tuple(words)
        hint = f"\n  (`{unknown[0][:40]}` is none of them{nearest(unknown[0], names)})"
    return ()


def ask_number(question: str, default: str, ask: Ask) -> float | None:
    """A number that is not below 0; None where none is said."""
    hint = ""
    for _ in range(TRIES):
        answer = ask(question + hint, default).strip()
        if not answer:
            return None
        if re.fullmatch(r"\d{1,7}(\.\d+)?", answer):
            return float(answer)
        hint = f"\n  (expected a number; found {answer[:40]!r})"
    return None


class Words(NamedTuple):
    """The questions about the business, for one kind of problem."""

    action: str
    rule: str
    worth: str
    capacity: str | None


BUSINESS = {
    "classification": Words(
        "What would be done, and with whom? Two words, like `call customer`.",
        "How is that decided today? A condition, like `tenure < 12 and plan = 'flexible'`, or the "
        "column that holds today's decision.",
        "What is it worth where it was right, and what does it cost where it was wrong? Like "
        "`40 GBP and 5`.",
        "How many can be acted on? Like `400 of 5000 every week`.",
    ),
    "regression": Words(
        "What is done with the number, and to what? Two words, like `price car`.",
        "Where does the number come from today? The column that holds it, or a condition.",
        "What does it cost to be 1 too high, and 1 too low? Like `2 GBP and 1`.",
        None,
    ),
}
LEAVE = " Enter where nobody knows."


def ask_business(answers: Answers, problem: Problem, ask: Ask | None) -> Answers:
    """The answers with what is done today, what it is worth, and how much of it there is; what
    nobody says stays unknown.
    """
    words = BUSINESS.get(problem)
    if ask is None or words is None:
        return answers
    if answers.action is None:
        action, _, unit = ask(words.action + LEAVE, NOTHING).strip().partition(" ")
        answers = replace(answers, action=action or None, unit=answers.unit or unit.strip() or None)
    if answers.rule is None:
        answers = replace(answers, rule=ask(words.rule + LEAVE, NOTHING).strip() or None)
    answers = ask_worth(answers, problem, words.worth, ask)
    return ask_capacity(answers, words.capacity, ask) if words.capacity else answers


AMOUNT, CURRENCY = r"\d+(?:\.\d+)?", r"[A-Za-z]{3}"
WORTH = re.compile(
    rf"(?P<first>{AMOUNT})\s*(?P<currency>{CURRENCY})?\s*(?:and|,|/|;)?\s+"
    rf"(?P<second>{AMOUNT})\s*(?P<other>{CURRENCY})?"
)
CAPACITY = re.compile(
    r"(?P<most>\d+)\s+(?:out\s+)?of\s+(?P<all>\d+)"
    r"(?:\s+(?:every|each|a|per)\s+(?P<every>day|week|month|quarter|year))?"
)


def ask_matching(question: str, pattern: re.Pattern[str], hint: str, ask: Ask) -> dict[str, str]:
    """What an answer says by the groups of a pattern; nothing where nothing is said."""
    finding = ""
    for _ in range(TRIES):
        answer = ask(f"{question}{LEAVE}{finding}", NOTHING).strip()
        match = pattern.fullmatch(re.sub(r"(?<=\d),(?=\d{3})", "", answer))
        if match:
            return {key: value for key, value in match.groupdict().items() if value}
        if not answer:
            break
        finding = f"\n  (expected {hint}; found {answer[:40]!r})"
    return {}


def ask_worth(answers: Answers, problem: Problem, question: str, ask: Ask) -> Answers:
    """The answers with two prices and their currency."""
    if answers.right is not None or answers.wrong is not None:
        return answers
    parts = ask_matching(question, WORTH, "two amounts and a currency, like 40 GBP and 5", ask)
    currency = parts.get("currency") or parts.get("other") or answers.currency
    if not parts or not currency:
        return answers
    right, wrong = float(parts["first"]), float(parts["second"])
    if problem == "regression":  # too high comes first, which is `wrong` of a number
        right, wrong = wrong, right
    return replace(answers, right=right, wrong=wrong, currency=currency.upper())


def ask_capacity(answers: Answers, question: str, ask: Ask) -> Answers:
    """The answers with how many can be acted on."""
    if answers.at_most is not None:
        return answers
    parts = ask_matching(question, CAPACITY, "numbers like 400 of 5000 every week", ask)
    if not parts:
        return answers
    return replace(
        answers, at_most=int(parts["most"]), out_of=int(parts["all"]),
        every=parts.get("every", answers.every),
    )  # fmt: skip


def describe_target(values: pl.Series, categories: tuple[str, ...]) -> str:
    """A target's classes with their rows, or its lowest, middle and highest number."""
    if categories:
        counts: dict[Any, int] = dict(values.value_counts().drop_nulls().iter_rows())
        shown = [f"{name} in {counts.get(name, 0):,} rows" for name in categories[:SHOWN]]
        return ", ".join(shown + (["…"] if len(categories) > SHOWN else []))
    low, middle, high = (f"{values.quantile(share) or 0:,.6g}" for share in (0.0, 0.5, 1.0))
    return f"a number from {low} to {high}, half of them up to {middle}"
