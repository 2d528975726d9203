"""Edits that break code: by its syntax tree in `delivery/`, by its text in files of the team.

A pattern is Python in which a capital letter stands for any expression, the same letter for the
same one: `A[B:]` is any slice with a start. So an edit survives that a local name changes or that a
message is reworded. A function that is renamed or moved is renamed here, in one line.
"""

import ast
import re
from typing import NamedTuple

from ..made import Repository


class Place(NamedTuple):
    """A module of `delivery/`, and in it the function, class or constant of that name."""

    module: str
    name: str = ""  # the whole module

    @property
    def path(self) -> str:
        return f"src/churn/delivery/{self.module}"


BRIEF = Place("edge/brief.py")
SPLIT = Place("pipeline/split.py")
SPLIT_BY_TIME = Place("pipeline/split.py", "split_by_time")
VALIDATE = Place("pipeline/validate.py")
ACTIONS = Place("problem/outcomes.py", "rank")
ROOM = Place("problem/action.py", "find_room")
LOTS = Place("problem/action.py", "draw_lots")
OUTCOMES = Place("problem/outcomes.py", "build_outcomes")
SERVICE = Place("service/app.py")
ANSWERS = Place("service/champion.py", "Champion")
REQUESTS = Place("service/rows.py")
CONFORM = Place("tables/conform.py", "to_contract")
REASON = Place("tables/conform.py", "describe_fault")
REASONS_IN_WORDS = Place("tables/conform.py", "WORDS")
VERDICT = Place("verdict/decide.py", "reach_verdict")
DECISION = Place("verdict/decide.py", "decide")

Where = str | Place
"""A file, by its path from the root, whose text is edited; or a place whose code is."""


def path_of(where: Where) -> str:
    """The path of the edited file from the root."""
    return where.path if isinstance(where, Place) else where


def edited(text: str, where: Where, old: str, new: str) -> str:
    """The content of a file with `new` for `old`: text, or for a place a pattern.

    Fails unless `old` is there exactly once: a test must not rot into doing nothing.
    """
    if not isinstance(where, Place):
        assert text.count(old) == 1, f"{where}: {text.count(old)} places like {old!r}"
        return text.replace(old, new)
    tree = ast.parse(text)
    matches = []
    for node in ast.walk(_definition(tree, where)):
        letters: dict[str, str] = {}
        if _is_like(_parsed(old), node, letters):
            matches.append((node, letters))
    assert len(matches) == 1, (
        f"{where.path}: expected one `{old}` in {where.name or 'the module'}, "
        f"found {len(matches)}. Next: fix this pattern, or the place in tests/generated/mutate.py"
    )
    ((node, letters),) = matches
    code = re.sub(r"\b[A-Z]\b", lambda letter: f"({letters[letter[0]]})", new)
    return ast.unparse(_Replaced(node, _parsed(code)).visit(tree)) + "\n"


def edit(repository: Repository, where: Where, old: str, new: str) -> None:
    """Make an edit in a repository."""
    path = repository.folder / path_of(where)
    path.write_text(edited(path.read_text(encoding="utf-8"), where, old, new), encoding="utf-8")


def _definition(tree: ast.Module, place: Place) -> ast.AST:
    """The one definition of the place's name, or the whole module."""
    if not place.name:
        return tree
    names = [(_defined(node), node) for node in ast.walk(tree)]
    definitions = [node for name, node in names if name == place.name]
    assert len(definitions) == 1, (
        f"{place.path}: expected one definition of {place.name}, found {len(definitions)} among "
        f"{', '.join(name for name, _ in names if name)}. "
        "Next: fix the place in tests/generated/mutate.py"
    )
    return definitions[0]


def _defined(node: ast.AST) -> str:
    """The name of a function, a class or a constant; of anything else none."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    targets = [*getattr(node, "targets", []), getattr(node, "target", None)]
    return next((t.id for t in targets if isinstance(t, ast.Name) and t.id.isupper()), "")


def _parsed(code: str) -> ast.AST:
    """One expression or statement."""
    (statement,) = ast.parse(code).body
    return statement.value if isinstance(statement, ast.Expr) else statement


def _is_like(pattern: object, code: object, letters: dict[str, str]) -> bool:
    """Whether code fits a pattern; adds to `letters` what each of them stands for."""
    if isinstance(pattern, ast.Name) and re.fullmatch("[A-Z]", pattern.id):
        if not isinstance(code, ast.expr):
            return False
        words = ast.unparse(code)
        return letters.setdefault(pattern.id, words) == words
    if type(pattern) is not type(code):
        return False
    if isinstance(pattern, list) and isinstance(code, list):
        pairs = zip(pattern, code, strict=False)
        return len(pattern) == len(code) and all(_is_like(p, c, letters) for p, c in pairs)
    if not isinstance(pattern, ast.AST):
        return pattern == code
    fields = [name for name in pattern._fields if name != "ctx"]
    return all(_is_like(getattr(pattern, f), getattr(code, f), letters) for f in fields)


class _Replaced(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)
