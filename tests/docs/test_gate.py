"""Each trick of `docs/gate.md` has a test, and that test is there."""

import ast
import re

from ..conftest import ROOT

PAGE = (ROOT / "docs/gate.md").read_text(encoding="utf-8")
TRICK = re.compile(r"^\| (?!trick|-)(.+?) \| (.+?) \| `(tests/\S+)::(\w+)` \|$", re.MULTILINE)


def find_tests(path: str) -> set[str]:
    """The names of the test functions of a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_each_trick_names_a_test_that_is_there() -> None:
    tables = PAGE.partition("## What stays possible")[0]
    rows = [line for line in tables.splitlines() if line.startswith("| ")]
    tricks = TRICK.findall(PAGE)
    titles = sum(line.startswith(("| trick", "| ---")) for line in rows)
    assert len(tricks) == len(rows) - titles > 30, "a row without a test"
    for trick, _, path, name in tricks:
        assert name in find_tests(path), (trick, path, name)


def test_no_trick_stands_twice() -> None:
    names = [trick for trick, *_ in TRICK.findall(PAGE)]
    assert len(names) == len(set(names))
