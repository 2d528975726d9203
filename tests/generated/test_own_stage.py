"""A team adds a stage and a check of its own where `AGENTS.md` says, and edits nothing else."""

import polars as pl

from ..made import Repository, passes, says_no

MODULE = '''"""Stage `calls`: the customers to call, the most urgent first."""

import sys
from pathlib import Path

import polars as pl

from .calling import LIMIT


def main() -> None:
    """Read outcomes, write a list."""
    outcomes, target = sys.argv[1:]
    calls = pl.read_parquet(outcomes).filter(action="call").sort("score", descending=True)
    Path(target).write_text(calls.head(LIMIT).select("unit", "score").write_csv())


if __name__ == "__main__":
    main()
'''
STAGE = """  calls:
    desc: The customers to call, the most urgent first
    cmd: python -m churn.calls data/outcomes/challenger.parquet data/calls.csv
    deps:
      - data/outcomes
      - src/churn/calls.py
    outs:
      - data/calls.csv
"""
TEST = '''"""Nobody is called twice."""

import polars as pl
import pytest


@pytest.mark.everything
def test_nobody_is_called_twice() -> None:
    calls = pl.read_csv("data/calls.csv")
    assert calls["unit"].is_unique().all()
'''


def test_a_stage_of_the_team_runs_after_the_others_and_names_what_it_imports(
    repository: Repository,
) -> None:
    (repository.folder / repository.code("calls")).write_text(MODULE)
    (repository.folder / repository.code("calling")).write_text('"""How many."""\n\nLIMIT = 20\n')
    repository.append("dvc.yaml", STAGE)
    completed = repository.run("churn", "check")
    says_no(completed, "stage `calls`: expected `src/churn/calling.py` among its deps")
    repository.edit("dvc.yaml", "calls.py\n", "calls.py\n      - src/churn/calling.py\n")
    passes(repository.run("dvc", "repro"), "Running stage 'calls'")
    assert pl.read_csv(repository.folder / "data/calls.csv").height == 20
    passes(repository.run("churn", "check"), "ok  stages: ", "ok  decision: Ship: ")
    passes(repository.run("dvc", "repro"), "Stage 'calls' didn't change, skipping")


def test_a_check_of_the_team_is_a_test_beside_the_others(repository: Repository) -> None:
    calls = repository.folder / "data/calls.csv"
    calls.write_text("unit,score\n1,20.0\n1,20.0\n")
    (repository.folder / "tests/unit/test_calls.py").write_text(TEST)
    run = ("pytest", "-q", "tests/unit/test_calls.py")
    says_no(repository.run(*run), "FAILED tests/unit/test_calls.py::test_nobody_is_called_twice")
    calls.write_text("unit,score\n1,20.0\n2,18.0\n")
    passes(repository.run(*run), "1 passed")
