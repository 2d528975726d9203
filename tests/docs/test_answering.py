"""`docs/answering.md` does what it says with a real table of questions."""

import shutil
from pathlib import Path

import pytest

from ..conftest import ROOT, Render
from .pages import DOCS, blocks
from .reader import reader

PAGE = (DOCS / "answering.md").read_text(encoding="utf-8")
REAL = PAGE.partition("\n## A real table: Banking77\n")[2]
TABLES = [ROOT.parent / f"shared/data/banking77-{part}.csv" for part in ("train", "test")]


def test_the_page_tells_how_to_bring_a_real_table() -> None:
    written = [block.file for block in blocks(REAL) if block.file]
    code = [f"src/bank/{name}.py" for name in ("contract", "features", "model")]
    assert written == ["params.yaml", *code, "project-brief.md"]


def test_a_table_of_77_intents_becomes_a_decision(render: Render, environment: Path) -> None:
    if missing := [path.name for path in TABLES if not path.exists()]:
        pytest.skip(f"needs {' and '.join(missing)}, which are not part of this repository")
    at_work = reader(render, environment, "bank", "answering", 1500)
    folder = at_work.repository.folder
    (folder / "data/source").mkdir()
    for path in TABLES:
        shutil.copy(path, folder / "data/source")
    at_work.follow(REAL)

    assert at_work.decisions == ["ship"]
    data = at_work.repository.json("reports/data.json")
    assert data["rows"] == {"raw": 13_083, "valid": 13_083, "quarantined": 0}
    assert len(data["target"]) == 77
    counts = at_work.repository.json("reports/metrics.json")
    assert counts["challenger"]["precision"]["estimate"] > 0.9
    at_work.tidy(REAL)
