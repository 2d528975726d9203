"""A generated repository before anybody edits it: its own checks are green, and runs repeat."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from .. import warm
from ..made import Repository, passes, surroundings
from ..warm import COLD
from .conftest import every_problem
from .edits import EDITS

STAGES = {
    "brief": 1,
    "ingest": 1,
    "validate": 3,
    "split": 4,
    "train": 8,
    "predict": 4,
    "evaluate": 7,
    "decide": 1,
    "report": 2,
}
"""The stages in their order, each with the number of files that it puts in their places."""

HOLD = '''
"""Stop the stage named in HELD just before it puts a finished file in its place."""

import os
import sys
import time
from pathlib import Path

HELD, SENTINEL, KEPT = (os.environ.get(name, "") for name in ("HELD", "SENTINEL", "KEPT"))
replace = Path.replace


def held(self, target):
    left = int(Path(KEPT).read_text())
    Path(KEPT).write_text(str(left - 1))
    if left == 0:
        Path(SENTINEL).touch()
        time.sleep(600)
    return replace(self, target)


if HELD and any(word.endswith(f".pipeline.{HELD}") for word in sys.orig_argv):
    Path.replace = held
'''
PTH = 'import os; "HOLD" in os.environ and exec(open(os.environ["HOLD"]).read(), {})\n'


def produced(folder: Path) -> dict[str, bytes]:
    """The reports and predictions that two runs must agree on, by path."""
    files = [*folder.glob("reports/**/*"), *folder.glob("data/**/*.parquet")]
    files += [folder / "models/challenger/card.json", folder / "dvc.lock"]
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in files
        if path.is_file() and path.stem != "test-grid"
    }


def cloned(repository: Repository, folder: Path) -> Repository:
    """A clone with the champion, as from a shared storage, and without any other output."""
    repository.git("clone", "--quiet", ".", str(folder))
    for path in (folder / "reports").iterdir():
        if path.name != "seconds.json":  # measured once, and kept
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(repository.folder / "models/champion", folder / "models/champion")
    return Repository(folder, repository.how)


@pytest.fixture
def shared(repository: Repository) -> dict[str, str]:
    """The environment of the first repository for a clone of it; uv installs the clone's code."""
    return {"UV_PROJECT_ENVIRONMENT": str(repository.folder / ".venv")}


@every_problem
def test_nothing_is_left_to_commit_and_nothing_is_out_of_date(repository: Repository) -> None:
    assert repository.git("status", "--porcelain", "--untracked-files=all") == ""
    passes(repository.run("dvc", "repro"), "Data and pipelines are up to date.")
    passes(
        repository.run(repository.package, "check", "--committed"),
        "ok  decision: Ship: ",
        "ok  current: ",
        "ok  brief: ",
        "ok  derived: comes out again as it is here, but for the training (",
    )
    assert repository.git("status", "--porcelain") == ""


@every_problem
@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("ruff check", "All checks passed!"),
        ("ruff format --check", "already formatted"),
        ("mypy", "Success: no issues found"),
        ("{package} --help", "start"),
    ],
)
def test_its_own_checks_are_green(repository: Repository, command: str, words: str) -> None:
    passes(repository.run(*command.format(package=repository.package).split()), words)


@every_problem
def test_its_own_tests_are_green_and_the_grid_counts_them(repository: Repository) -> None:
    completed = repository.run("pytest", "-q")
    passes(completed, "tests (failed) · rows · seconds")
    assert "No test yet" not in completed.stdout, completed.stdout
    assert "skipped" not in completed.stdout, completed.stdout
    grid = repository.json("reports/test-grid.json")
    assert sum(sum(cells.values()) for cells in grid.values()) == int(
        completed.stdout.rsplit(" passed", 1)[0].split()[-1]
    )
    for level, breadth in (("unit", "point"), ("integration", "sample"), ("system", "everything")):
        assert grid[level][breadth] > 0, (level, breadth)
    assert repository.git("status", "--porcelain").split() in ([], ["??", "reports/test-grid.json"])


@every_problem
def test_rows_whose_target_nobody_knows_are_scored_as_in_the_pipeline(
    repository: Repository,
) -> None:
    target, _ = EDITS[repository.problem].target
    rows = pl.read_parquet(repository.folder / "data/test.parquet").drop("row", target)
    rows.write_parquet(repository.folder / "new.parquet")
    words = ["score", "new.parquet", "scored.parquet", "--model", "models/challenger"]
    passes(repository.run(repository.package, *words), f"{rows.height:,} rows scored")
    scored = pl.read_parquet(repository.folder / "scored.parquet")
    known = pl.read_parquet(repository.folder / "data/predictions/challenger.parquet")
    names = known.select("^p_.*$").columns
    assert_frame_equal(scored.select(names), known.select(names), rel_tol=0, abs_tol=1e-9)
    assert scored["action"].null_count() == scored["reasons"].count() == 0


@pytest.fixture(scope="module")
def other_order(
    environment: Path, first_day: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """For processes that go through a set in another order than those that made the repository, as
    forks of one process would not.
    """
    if not warm.is_possible():
        yield {}
        return
    with warm.serve(
        environment, first_day / "src", tmp_path_factory.mktemp("warm") / "log"
    ) as path:
        yield {warm.SOCKET: path}


@every_problem
def test_another_folder_gives_the_same_bytes(
    repository: Repository, tmp_path: Path, shared: dict[str, str], other_order: dict[str, str]
) -> None:
    other = cloned(repository, tmp_path / "a folder with a longer name" / "another name")
    completed = other.run("dvc", "repro", **shared, **other_order)
    passes(completed, "Running stage 'ingest'", "Running stage 'report'")
    assert set(produced(other.folder)) == set(produced(repository.folder))
    for path, content in produced(repository.folder).items():
        assert produced(other.folder)[path] == content, path
    assert other.git("status", "--porcelain") == ""


def test_what_runs_in_a_clone_is_the_code_of_the_clone(
    repository: Repository, tmp_path: Path, shared: dict[str, str]
) -> None:
    other = cloned(repository, tmp_path / "other")
    other.append("src/churn/contract.py", "\nraise SystemExit('this is the clone')\n")
    assert "this is the clone" in other.run("dvc", "repro", "validate", **shared).stderr


def test_a_run_that_is_killed_in_each_stage_goes_on_to_the_same_bytes(
    repository: Repository, tmp_path: Path, shared: dict[str, str]
) -> None:
    other = cloned(repository, tmp_path / "other")
    (tmp_path / "hold.py").write_text(HOLD)
    passes(other.run("python", "-c", "", **shared))
    (packages,) = Path(shared["UV_PROJECT_ENVIRONMENT"]).glob("lib/python*/site-packages")
    pth = packages / "zzz_hold.pth"  # read by each Python of the environment as it starts
    pth.write_text(PTH)
    try:
        for stage in STAGES:
            kill_in(other.folder, stage, tmp_path, shared)
    finally:
        pth.unlink()
    passes(other.run("dvc", "repro", **shared), "Running stage 'report'")
    assert set(produced(other.folder)) == set(produced(repository.folder))
    for path, content in produced(repository.folder).items():
        assert produced(other.folder)[path] == content, path
    assert other.git("status", "--porcelain", "--ignored", "*.part") == ""
    assert other.git("status", "--porcelain") == ""


def test_reports_with_both_sides_of_a_merge_are_made_anew(repository: Repository) -> None:
    decided, timed = "reports/decision.json", "reports/seconds.json"
    before = repository.json(decided), repository.json(timed)
    for path in (decided, timed):
        repository.append(path, "<<<<<<< ours\n")
    passes(repository.run("dvc", "repro"), "Running stage 'train'", "Running stage 'decide'")
    assert repository.json(decided) == before[0]
    assert repository.json(timed)["of"] == before[1]["of"]
    assert repository.json(timed)["seconds"].keys() == before[1]["seconds"].keys()


def kill_in(folder: Path, stage: str, scratch: Path, shared: dict[str, str]) -> None:
    """SIGKILL DVC and the stage it runs, before the last of the stage's files is in its place."""
    sentinel, kept = scratch / f"{stage} is held", scratch / f"{stage} keeps"
    kept.write_text(str(STAGES[stage] - 1))
    held = {"HELD": stage, "SENTINEL": str(sentinel), "KEPT": str(kept)}
    held["HOLD"] = str(scratch / "hold.py")
    programs = f"{shared['UV_PROJECT_ENVIRONMENT']}/bin"
    path = {"PATH": f"{programs}:{os.environ['PATH']}"}
    # Without uv in between, so that DVC's process is gone when its end is waited for.
    with subprocess.Popen(
        [f"{programs}/dvc", "repro"], cwd=folder, env=surroundings(**held, **path, **COLD),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        until = time.monotonic() + 120
        while not sentinel.exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        reached = sentinel.exists()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        assert process.stdout is not None
        assert reached, f"{stage} was not reached:\n{process.stdout.read()}"
    assert json.loads(kept.read_text()) < 0
