"""The whole pipeline in a folder of its own: it runs, and a bad row, a bad brief and a worse model
each stop it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from project import contract, delivery

PACKAGE = delivery.__name__.partition(".")[0]
ROOT = Path(__file__).parents[2]
CODE = ("src", ".dvc/config", ".dvcignore", "dvc.yaml", "params.yaml", "project-brief.md")
Run = subprocess.CompletedProcess[str]

WORSE = """

learned, simple = candidates, rule


def rule():
    return next(iter(learned(0).values()))


def candidates(seed):
    return {"the old rule": simple()}
"""


class Workshop:
    """A copy of this repository in which a test may break things."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def edit(self, name: str, pattern: str, new: str) -> None:
        """Replace the one place that `pattern` matches."""
        path = self.folder / name
        text, places = re.subn(pattern, lambda _: new, path.read_text(encoding="utf-8"), count=1)
        assert places == 1, f"{name}: expected one place like {pattern}"
        path.write_text(text, encoding="utf-8")

    def python(self, *arguments: str) -> Run:
        """Run Python with this copy's code."""
        path = {"PYTHONPATH": str(self.folder / "src")}
        return subprocess.run(
            [sys.executable, *arguments], cwd=self.folder, env=os.environ | path,
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def repro(self, *arguments: str) -> Run:
        """Run the pipeline."""
        return self.python("-m", "dvc", "repro", *arguments)

    def check(self) -> Run:
        """Run the gates."""
        return self.python("-c", f"from {PACKAGE}.delivery.cli import run; run()", "check")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """The first copy, which no test changes: it reads a table, and the rule is in charge."""
    copy = Workshop(tmp_path_factory.mktemp("prepared"))
    for name in CODE:
        target = copy.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, target)
    copy.edit("params.yaml", r"source: \S+", "source: source.parquet")
    pipeline = (copy.folder / "dvc.yaml").read_text(encoding="utf-8")
    without = re.sub(r"^  track:\n(?:    .*\n)+", "", pipeline, flags=re.MULTILINE)
    (copy.folder / "dvc.yaml").write_text(without, encoding="utf-8")  # MLflow is not for tests
    subprocess.run(["git", "init", "--quiet", "."], cwd=copy.folder, check=True)
    copy.python("-m", f"{PACKAGE}.delivery.models.in_charge", "models/champion")
    copy.python("-m", "dvc", "add", "--quiet", "models/champion")
    return copy


@pytest.fixture
def workshop(prepared: Workshop, tmp_path: Path) -> Callable[[pl.DataFrame], Workshop]:
    """A copy for each test, which reads the table that the test gives it."""

    def copied(rows: pl.DataFrame) -> Workshop:
        shutil.copytree(prepared.folder, tmp_path / "copy")
        rows.write_parquet(tmp_path / "copy/source.parquet")
        return Workshop(tmp_path / "copy")

    return copied


def test_the_pipeline_runs_and_a_second_run_does_nothing(
    workshop: Callable[[pl.DataFrame], Workshop], sample: pl.DataFrame
) -> None:
    copy = workshop(sample)
    first = copy.repro()
    assert first.returncode == 0, first.stdout + first.stderr
    decision = json.loads((copy.folder / "reports/decision.json").read_text())
    assert decision["verdict"] in {"ship", "refresh", "unclear", "hold"}
    assert decision["sentence"] in (copy.folder / "reports/report.md").read_text()
    assert "Data and pipelines are up to date." in copy.repro().stdout


def test_too_many_bad_rows_stop_the_line(
    workshop: Callable[[pl.DataFrame], Workshop], sample: pl.DataFrame
) -> None:
    strange = (
        pl.when(pl.int_range(pl.len()) % 10 == 0)
        .then(pl.lit("?"))
        .otherwise(pl.col(contract.TARGET).cast(pl.String))
    )
    stopped = workshop(sample.with_columns(strange.alias(contract.TARGET))).repro("validate")
    assert stopped.returncode != 0
    assert "data/quarantine.parquet: expected at most" in stopped.stderr
    assert "Traceback" not in stopped.stderr


def test_a_bad_brief_stops_the_line(
    workshop: Callable[[pl.DataFrame], Workshop], sample: pl.DataFrame
) -> None:
    copy = workshop(sample)
    copy.edit("project-brief.md", r"currency: \w+", "currency: pounds")
    stopped = copy.repro("brief")
    assert stopped.returncode != 0
    assert "value.currency" in stopped.stderr
    assert copy.check().returncode == 2


def test_a_worse_model_is_not_shipped(
    workshop: Callable[[pl.DataFrame], Workshop], every_row: pl.DataFrame
) -> None:
    copy = workshop(every_row)
    (copy.folder / f"src/{PACKAGE}/model.py").open("a").write(WORSE)
    completed = copy.repro()
    assert completed.returncode == 0, completed.stderr
    decision = json.loads((copy.folder / "reports/decision.json").read_text())
    assert decision["verdict"] in {"hold", "unclear"}
    checked = copy.check()
    assert checked.returncode == (decision["verdict"] == "hold")
    assert decision["sentence"] in checked.stdout
