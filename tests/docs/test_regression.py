"""`docs/regression.md` does what it says with a real table of prices."""

import shutil
from pathlib import Path

import pytest

from ..conftest import ROOT, Render
from .pages import DOCS
from .reader import reader

PAGE = (DOCS / "regression.md").read_text(encoding="utf-8")
TABLE = ROOT.parent / "shared/data/diamonds.csv"


def test_a_table_of_prices_becomes_a_decision(render: Render, environment: Path) -> None:
    if not TABLE.exists():
        pytest.skip(f"needs {TABLE.name}, which is not part of this repository")
    at_work = reader(render, environment, "stones", "regression")
    folder = at_work.repository.folder
    (folder / "data/source").mkdir()
    shutil.copy(TABLE, folder / "data/source")
    at_work.follow(PAGE)

    assert at_work.decisions == ["ship"]
    data = at_work.repository.json("reports/data.json")
    assert data["rows"] == {"raw": 53_940, "valid": 53_920, "quarantined": 20}
    coverage = at_work.repository.json("reports/metrics.json")["challenger"]["coverage"]
    assert 0.88 < coverage["estimate"] < 0.92
    at_work.tidy(PAGE)
