"""`exemplar new --table`: the kind of problem is known before anything is made, and what cannot be
adopted is refused before that, too.
"""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from ..made import Completed
from ..rendering.test_new import refused, run

pytestmark = pytest.mark.usefixtures("toolkit")
LIBRARIES = {"copier", "dataframely", "numpy", "polars", "ruamel", "sklearn"}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Forty customers who stay or leave, and what each is worth."""
    path = tmp_path / "customers.csv"
    rows = pl.DataFrame({"tenure": range(40)}).with_columns(
        worth=pl.col("tenure") * 7 % 31 + 0.5,
        churned=pl.when(pl.col("tenure") % 3 == 0).then(pl.lit("yes")).otherwise(pl.lit("no")),
    )
    rows.write_csv(path)
    return path


def new(destination: Path, template: Path, *words: str | Path, uv: str = "true") -> Completed:
    """`exemplar new` with a uv that says what it was called with."""
    return run("new", destination, "--template", template, "--defaults", *words, UV=uv)


def recording(folder: Path) -> Path:
    """A uv that writes down what it was called with."""
    uv = folder / "uv"
    uv.write_text(f'#!/bin/sh\necho "$@" >> {folder}/called\n')
    uv.chmod(0o755)
    return uv


@pytest.mark.parametrize(
    ("target", "problem"), [("churned", "classification"), ("worth", "regression")]
)
def test_the_kind_of_problem_is_that_of_the_target_and_the_table_is_adopted_first(
    template: Path, table: Path, tmp_path: Path, target: str, problem: str
) -> None:
    churn, uv = tmp_path / "made/churn", recording(tmp_path)
    words = ("--table", table, "--target", target, "--segment", "tenure")
    completed = new(churn, template, *words, uv=str(uv))
    assert completed.returncode == 0, completed
    assert f"problem: {problem}\n" in (churn / ".copier-answers.yml").read_text()
    options = f"--segment tenure --yes --problem {problem} --fresh"
    assert (tmp_path / "called").read_text().splitlines() == [
        f"sync --directory {churn}",
        f"run --directory {churn} churn adopt {table} --target {target} {options}",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--table", "{table}", "--target", "churn"), ["`churn`", "churned"]),
        (("--table", "nowhere.csv", "--target", "churned"), ["nowhere.csv"]),
        (("--table", "{table}"), ["--target", "both"]),
        (("--table", "{table}", "--target", "churned", "--entitty", "x"), ["--entitty"]),
        (("--entity", "customer"), ["--entity"]),
    ],
)
def test_what_cannot_be_adopted_is_refused_before_anything_is_made(
    template: Path, table: Path, tmp_path: Path, words: tuple[str, ...], message: list[str]
) -> None:
    destination = tmp_path / "made/churn"
    named = [word.format(table=table) for word in words]
    refused(new(destination, template, *named), *message)
    assert not destination.parent.exists()


def test_a_log_for_ranking_is_sent_to_its_page(template: Path, tmp_path: Path) -> None:
    log, destination = tmp_path / "log.csv", tmp_path / "made/shop"
    rows = [(user, item, (user * item) % 5 + 1) for user in range(60) for item in range(0, 60, 2)]
    pl.DataFrame(rows, schema=["user_id", "item_id", "rating"], orient="row").write_csv(log)
    completed = new(destination, template, "--table", log, "--target", "rating")
    refused(completed, "ranking", "--answer problem=ranking", "docs/ranking.md")
    assert not destination.parent.exists()


def test_help_imports_no_library_that_reads_tables() -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom exemplar.cli import app\n"
        "result = CliRunner().invoke(app, ['new', '--help'])\n"
        "assert '--table' in result.stdout.replace('\\x1b', ''), result.stdout\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    completed = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200", "TERM": "dumb"},
    )
    assert not LIBRARIES & set(completed.stdout.split())
