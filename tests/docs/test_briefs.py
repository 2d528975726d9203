"""Every brief that a page shows is one that the template accepts."""

import importlib
import re
import runpy
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from ..conftest import ROOT
from .pages import DOCS, briefs

CODE = ROOT / "template/src/{{package_name}}"


@pytest.fixture(scope="module")
def brief() -> Iterator[ModuleType]:
    """The template's own reader."""
    sys.path.insert(0, str(CODE))
    yield importlib.import_module("delivery.edge.brief")
    sys.path.remove(str(CODE))


def test_every_brief_in_the_docs_stands_in_a_block_that_is_tested() -> None:
    pages = [path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")]
    count = sum(len(re.findall(r"^\s*title: ", page, re.MULTILINE)) for page in pages)
    assert count == len(briefs()) > 0


@pytest.fixture(scope="module")
def hook() -> dict[str, Any]:
    """The hook for any repository, which knows the metrics of each kind of problem."""
    return runpy.run_path(str(ROOT / "hooks/project-brief"), run_name="hook")


@pytest.mark.parametrize("name", briefs())
def test_a_brief_in_the_docs_is_accepted(
    brief: ModuleType, hook: dict[str, Any], name: str
) -> None:
    content, sections = brief.parse(briefs()[name], name)
    brief.require_metrics(content, hook["find_metrics"](content), name)
    assert content.title
    assert sections
