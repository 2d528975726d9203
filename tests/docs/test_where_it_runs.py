"""What `docs/where-it-runs.md` says that a test tries is tried by one."""

import re

from ..conftest import ROOT


def test_each_test_that_the_page_names_is_there() -> None:
    page = (ROOT / "docs/where-it-runs.md").read_text(encoding="utf-8")
    tests = re.findall(r"`([\w/]+\.py)::(\w+)`", page)
    assert len(tests) > 10
    assert page.count("::") == len(tests)
    for path, name in tests:
        text = (ROOT / "tests" / path).read_text(encoding="utf-8")
        assert f"\ndef {name}(" in text, f"{path}::{name}"
