"""Changes of `contract.py` as text: at the places that the syntax tree names, so that a person's
comments and the order of things stay.
"""

import ast
from collections.abc import Iterable
from typing import Any, NamedTuple

from .literals import write_number, write_value


class Edit(NamedTuple):
    """What changes in a column of `Row`: its type, a keyword's value, or more categories."""

    column: str
    type: str | None = None
    keywords: tuple[tuple[str, Any], ...] = ()
    categories: tuple[str, ...] = ()


class Insertion(NamedTuple):
    """A text for the bytes from `start` to `end` of a source."""

    start: int
    end: int
    text: str


def amend(source: str, edits: Iterable[Edit]) -> tuple[str, list[str]]:
    """The source after the edits, and the columns that have to be changed by hand: their types,
    bounds or categories are not written out there.
    """
    lines = source.encode().splitlines(keepends=True)
    starts = [sum(map(len, lines[:n])) for n in range(len(lines) + 1)]
    calls, insertions, by_hand = find_calls(ast.parse(source)), [], []
    for edit in edits:
        call = calls.get(edit.column)
        places = None if call is None else find_places(call, edit, starts)
        if places is None:
            by_hand.append(edit.column)
        else:
            insertions += places
    text = source.encode()
    for place in sorted(insertions, reverse=True):
        text = text[: place.start] + place.text.encode() + text[place.end :]
    return text.decode(), by_hand


def find_calls(tree: ast.Module) -> dict[str, ast.Call]:
    """The call that makes each column of `Row`, by the column's name in the table."""
    calls: dict[str, ast.Call] = {}
    rows = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Row"]
    for node in (node for row in rows for node in row.body):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        value = getattr(node, "value", None)
        if isinstance(target, ast.Name) and isinstance(value, ast.Call):
            alias = find_keyword(value, "alias")
            name = alias.value if isinstance(alias, ast.Constant) else target.id
            calls[str(name)] = value
    return calls


def find_keyword(call: ast.Call, name: str) -> ast.expr | None:
    """The value of a keyword, where the call has it."""
    return next((keyword.value for keyword in call.keywords if keyword.arg == name), None)


def find_places(call: ast.Call, edit: Edit, starts: list[int]) -> list[Insertion] | None:
    """What to write where; None where a value is not written out."""
    places, more = [], []
    if edit.type:
        if not isinstance(call.func, ast.Attribute):
            return None
        _, end = find_span(call.func, starts)
        places.append(Insertion(end - len(call.func.attr), end, edit.type))
    for name, value in edit.keywords:
        present = find_keyword(call, name)
        if present is None:
            more.append(f"{name}={write_literal(value)}")
        elif is_literal(present):
            places.append(Insertion(*find_span(present, starts), write_literal(value)))
        else:
            return None
    if edit.categories:
        words = call.args[0] if call.args else find_keyword(call, "categories")
        if not isinstance(words, ast.List) or not words.elts:
            return None
        _, end = find_span(words.elts[-1], starts)
        text = "".join(f", {write_literal(word)}" for word in edit.categories)
        places.append(Insertion(end, end, text))
    if more:
        places.append(add_arguments(call, more, starts))
    return places


def add_arguments(call: ast.Call, arguments: list[str], starts: list[int]) -> Insertion:
    """More arguments behind the last one."""
    last = [*call.args, *(keyword.value for keyword in call.keywords)][-1:]
    end = find_span(last[0], starts)[1] if last else find_span(call, starts)[1] - 1
    text = ", ".join(arguments)
    return Insertion(end, end, f", {text}" if last else text)


def find_span(node: ast.expr, starts: list[int]) -> tuple[int, int]:
    """The bytes of a source that an expression is."""
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
    return starts[node.lineno - 1] + node.col_offset, starts[end_line - 1] + end_column


def is_literal(node: ast.expr) -> bool:
    """Whether an expression is a value that is written out."""
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def write_literal(value: object) -> str:
    """A value as a person writes it: text in double quotes, a bound without idle zeros."""
    return write_number(value, whole=False) if isinstance(value, float) else write_value(value)
