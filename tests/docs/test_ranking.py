"""`docs/ranking.md` does what it says with a real table of ratings."""

import shutil
from pathlib import Path

import pytest

from ..conftest import ROOT, Render
from .pages import DOCS
from .reader import reader

PAGE = (DOCS / "ranking.md").read_text(encoding="utf-8")
TABLE = ROOT.parent / "shared/data/movielens.parquet"


def test_a_log_of_ratings_becomes_a_decision(render: Render, environment: Path) -> None:
    if not TABLE.exists():
        pytest.skip(f"needs {TABLE.name}, which is not part of this repository")
    at_work = reader(render, environment, "films", "ranking")
    folder = at_work.repository.folder
    (folder / "data/source").mkdir()
    shutil.copy(TABLE, folder / "data/source")
    at_work.follow(PAGE)

    (verdict,) = at_work.decisions
    assert verdict in ("unclear", "refresh")  # either way the rule stays in charge
    data = at_work.repository.json("reports/data.json")
    assert data["rows"] == {"raw": 10_299, "valid": 10_299, "quarantined": 0}
    at_work.tidy(PAGE)
