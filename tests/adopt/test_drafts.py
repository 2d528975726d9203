"""What the drafts are made of: names and values as Python, lines of `params.yaml`, and those parts
of a source that a table needs.
"""

import ast
import keyword
import runpy
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dataframely as dy
import pytest
from ruamel.yaml import YAML

from ..conftest import ROOT

ADOPT = ROOT / "template/src/{{package_name}}/delivery/adopt"


def load(name: str) -> dict[str, Any]:
    """A module of the room that stands alone."""
    return runpy.run_path(str(ADOPT / f"{name}.py"))


LITERALS, PARAMS, PIECES = load("literals"), load("params"), load("pieces")

AWKWARD = [
    "plain", "Plain", "camelCase", "with space", "class", "match", "filter", "columns", "sample",
    "1st", "größe", "名前", "اسم", "a.b", "A B", "a b", "", "_", "__x", "None", "x" * 300, "😀",
    "validate", "row\nbreak", "\u202eback",
]  # fmt: skip


def test_each_column_has_a_name_of_its_own_that_python_and_dataframely_leave_free() -> None:
    attributes = LITERALS["name_attributes"](AWKWARD)
    assert list(attributes) == AWKWARD
    assert len(set(attributes.values())) == len(AWKWARD)
    for name in attributes.values():
        assert name.isascii(), name
        assert name.isidentifier(), name
        assert not keyword.iskeyword(name), name
        assert not hasattr(dy.Schema, name), name
    assert (attributes["plain"], attributes["Plain"]) == ("plain", "Plain")
    fields = {attribute: dy.Int64(alias=name) for name, attribute in attributes.items() if name}
    row: Any = type("Row", (dy.Schema,), fields)
    assert set(row.column_names()) == {name for name in AWKWARD if name}


VALUES = [
    *AWKWARD, 'say "so"', "back\\slash", "tab\there", "\ufeffmark", 0, -3, 120_000, 0.5, 1e20, True,
    None, date(2026, 5, 4), datetime(2026, 5, 4, 7, 30), datetime(2026, 5, 4, 7, 30, tzinfo=UTC),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
def test_a_value_is_the_same_after_python_has_read_it(value: object) -> None:
    text = LITERALS["write_value"](value)
    names = {"date": date, "datetime": datetime, "UTC": UTC}
    assert eval(text, names) == value
    assert text.isprintable()


@pytest.mark.parametrize("value", [0.0, -2.5, 20_000.0, 1e15, 3e-7])
def test_a_bound_is_the_same_after_python_has_read_it(value: float) -> None:
    assert ast.literal_eval(LITERALS["write_number"](value, whole=False)) == value


OURS = """\
# Ours.
ingest:  # where rows come from
  # The simulation.
  source: src/churn/example.py  # a table
  settings:           # of the simulated business
    customers: 20000  # people

    weeks: 104
  read:
    separator: ";"
validate:
  quarantine_at_most: 0.05  # ours
"""
NOT_OURS = ("settings", "customers", "weeks", "separator")


@pytest.mark.parametrize("source", ["data/source/a.csv", "data/source/1 #a: b.csv"])
@pytest.mark.parametrize("read", [{}, {"separator": "|", "missing": ["n/a: no", "-9"], "skip": 2}])
def test_params_name_the_table_and_all_other_lines_stay(source: str, read: dict[str, Any]) -> None:
    edited = PARAMS["edit_params"](OURS, source, read)
    content = YAML(typ="safe").load(edited)
    expected: dict[str, Any] = {"source": source} | ({"read": read} if read else {})
    assert content == {"ingest": expected, "validate": {"quarantine_at_most": 0.05}}
    own = [line for line in OURS.splitlines() if not any(word in line for word in NOT_OURS)]
    kept = [line for line in own if line.strip() and "source:" not in line and "read:" not in line]
    assert [line for line in edited.splitlines() if line in kept] == kept
    assert "  # a table\n" in edited
    assert PARAMS["edit_params"](edited, source, read) == edited


SOURCE = '''\
"""What is done today."""

import math
from os import path, sep

LIMIT = 3
"""A limit."""

SPARE = sep


def rule_a() -> float:
    """The first."""
    return math.floor(LIMIT)


def rule_b() -> str:
    """The second."""
    return path.join(SPARE)
'''


def test_a_draft_holds_what_it_needs_and_no_more() -> None:
    text = PIECES["keep"](SOURCE, ["rule_a"], {"rule_a": "rule"})
    assert "def rule()" in text
    assert '"""A limit."""' in text
    assert "import math" in text
    for spare in ("SPARE", "rule_b", "path", "os"):
        assert spare not in text, spare
    assert PIECES["keep"](SOURCE, ["rule_b"]).count("from os import path, sep") == 1


@pytest.mark.parametrize("problem", ["classification", "regression"])
@pytest.mark.parametrize("form", ["", "_beside_texts", "_of_texts"])
@pytest.mark.parametrize("has_rule", [True, False])
def test_each_form_of_the_models_is_a_module_with_nothing_to_spare(
    problem: str, form: str, *, has_rule: bool
) -> None:
    source = Path(ROOT / f"blueprints/{problem}/adopt/model.py").read_text(encoding="utf-8")
    rule, candidates = (
        "rule_of_today" if has_rule else f"rule_to_replace{form}",
        f"candidates{form}",
    )
    text = PIECES["keep"](source, [rule, candidates], {rule: "rule", candidates: "candidates"})
    definitions = PIECES["find_definitions"](text)
    assert {"rule", "candidates"} <= definitions.keys()
    assert ("STAND-IN" in text) == (not has_rule)
    assert ("TEXTS" in text) == bool(form)
    used = PIECES["list_words"](text)
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom):
            assert {alias.name for alias in node.names} <= used


SPLIT = """\
split:
  # Newest rows.
  validation: 0.2  # chooses
  test: 0.2        # judges
train:
  test: 0.2
"""


def test_the_test_has_enough_rows_to_tell_where_there_are_enough() -> None:
    raise_test_share = PARAMS["raise_test_share"]
    assert raise_test_share(SPLIT, 1000) == (SPLIT, 0.2)
    assert raise_test_share(SPLIT, 100) == (SPLIT, 0.2)  # no share would do
    assert raise_test_share("train:\n  test: 0.2\n", 212) == ("train:\n  test: 0.2\n", None)
    text, share = raise_test_share(SPLIT, 212)
    assert share == 0.3
    assert text == SPLIT.replace("  test: 0.2   ", "  test: 0.3   ")
    assert raise_test_share(text, 212) == (text, 0.3)
