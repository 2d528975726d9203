"""Only what a change concerns runs again: `dvc status` after edits of `delivery/`."""

import json
import os
import re

import pytest

from ..conftest import ROOT
from ..made import Repository

EDITED: dict[str, set[str]] = {
    "../../../project-brief.md": {"brief"},
    "../contract.py": {"validate", "split", "train", "predict"},
    "../features.py": {"train", "predict"},
    "../model.py": {"train", "predict"},
    "reporting/report.css": {"report"},
    "reporting/sections.py": {"report"},
    "verdict/decide.py": {"decide"},
    "verdict/judge.py": {"decide"},
    "verdict/decision.py": {"decide", "report"},
    "verdict/comparison.py": {"evaluate", "decide"},
    "verdict/looks.py": set(),
    "statistics/bootstrap.py": {"evaluate", "decide"},
    "problem/presentation.py": {"decide", "report"},
    "../metrics.py": {"brief", "evaluate", "decide", "report"},
    "problem/metrics.py": {"brief", "evaluate", "decide", "report"},
    "problem/outcomes.py": {"evaluate", "decide", "report"},
    "problem/training.py": {"train", "predict", "evaluate", "decide", "report"},
    "tables/sources.py": {"ingest"},
    "tables/conform.py": {"validate"},
    "tables/convert.py": {"validate"},
    "tables/notation.py": {"validate"},
    "tables/files.py": {"ingest"},
    "tables/read.py": {"ingest", "validate"},
    "tables/quarantine.py": {"validate", "split"},
    "edge/brief.py": {"brief", "validate", "evaluate", "decide", "report"},
    "pipeline/split.py": {"split"},
    "models/champion.py": {"predict"},
    "checks/changes.py": set(),
    "checks/check.py": set(),
    "edge/shell.py": {"predict"},
    "models/score.py": set(),
    "platform/summary.py": set(),
    "promotion/change.py": set(),
    "promotion/promote.py": set(),
    "service/app.py": set(),
    "start.py": set(),
    "cli.py": set(),
}
"""Each file with the stages that it makes stale; those after them follow when they run."""


@pytest.fixture
def settled(repository: Repository) -> Repository:
    assert stale(repository) == set()
    return repository


def stale(repository: Repository) -> set[str]:
    completed = repository.run("dvc", "status", "--json")
    assert completed.returncode == 0, completed
    return set(json.loads(completed.stdout))


def test_an_edit_makes_stale_the_stages_that_reach_it_and_no_other(settled: Repository) -> None:
    stages = {}
    for name in EDITED:
        path = settled.folder / "src/churn/delivery" / name
        text = path.read_text(encoding="utf-8")
        path.write_text(f"{text}\n", encoding="utf-8")
        stages[name] = stale(settled)
        path.write_text(text, encoding="utf-8")
    assert stages == EDITED


def test_the_page_says_what_runs() -> None:
    page = (ROOT / "docs/find-your-way.md").read_text(encoding="utf-8")
    _, _, section = page.partition("\n## What runs when I change X\n")
    rows = re.findall(r"^\| `([^`]+)`[^|]*\| (.*) \|$", section, re.MULTILINE)
    assert len(rows) > 8
    for path, stages in rows:
        name = os.path.relpath(path, "src/churn/delivery")
        assert set(re.findall(r"`(\w+)`", stages)) == EDITED[name], path
