"""`docs/ranking.md` does what it says with a real table of ratings."""

import shutil
from pathlib import Path

import pytest

from ..conftest import ROOT, Render
from ..made import passes
from .pages import DOCS, blocks
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
    written = [block.file for block in blocks(PAGE) if (block.file or "").endswith(".py")]
    passes(at_work.repository.run("ruff", "check", *map(str, written)))
    passes(at_work.repository.run("ruff", "format", "--check", *map(str, written)))
    passes(at_work.repository.run("mypy", "src"))
