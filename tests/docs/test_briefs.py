"""Every brief that a page shows is one that the template accepts."""

import importlib.util
import re
import sys
from types import ModuleType

import pytest

from ..conftest import ROOT
from .pages import DOCS, briefs

MODULE = ROOT / "template/src/{{package_name}}/delivery/edge/brief.py"


@pytest.fixture(scope="module")
def brief() -> ModuleType:
    """The template's own reader; it stands alone, so it loads from its file."""
    spec = importlib.util.spec_from_file_location("template_brief", MODULE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where pydantic looks for the names in annotations
    spec.loader.exec_module(module)
    return module


def test_every_brief_in_the_docs_stands_in_a_block_that_is_tested() -> None:
    pages = [path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md")]
    shown = sum(len(re.findall(r"^\s*title: ", page, re.MULTILINE)) for page in pages)
    assert shown == len(briefs()) > 0


@pytest.mark.parametrize("name", briefs())
def test_a_brief_in_the_docs_is_accepted(brief: ModuleType, name: str) -> None:
    content, sections = brief.parse(briefs()[name], name)
    assert content.title
    assert sections
