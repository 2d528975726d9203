"""What every suite shares: the template as a released clone, rendering, and an honest summary."""

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import copier
import pytest

from . import warm
from .made import EXEMPLAR, TOOLKIT, UV, Completed, Repository, call, git, passes
from .ports import refusing

ROOT = Path(__file__).parents[1]
UNITS = 10_000  # enough for every verdict to be clear, and for the largest examples fewer
EXAMPLES = {
    "classification": ("customers", "churn"),
    "regression": ("cars", "cars"),
    "ranking": ("visits", "shop"),
    "answering": ("questions", "desk"),
}
"""What each blueprint's example counts, and what its repository is called here."""

TELCO = "tests/docs/test_by_hand.py::test_"
PENGUINS = "tests/docs/test_several_classes.py::test_"
ALLOWED_SKIPS: dict[str, str] = {
    f"{TELCO}a_table_with_awkward_columns_becomes_a_decision": "the table is not part of this one",
    f"{TELCO}blanks_go_to_quarantine_where_the_contract_does_not_allow_them": "likewise",
    "tests/docs/test_regression.py::test_a_table_of_prices_becomes_a_decision": "likewise",
    "tests/docs/test_ranking.py::test_a_log_of_ratings_becomes_a_decision": "likewise",
    "tests/docs/test_answering.py::test_a_table_of_77_intents_becomes_a_decision": "likewise",
    f"{PENGUINS}three_species_become_an_honest_decision": "likewise",
    f"{PENGUINS}the_tests_of_the_repository_hold_for_three_species": "likewise",
}
"""Tests that may be skipped, by node id, with the reason; any other skip fails the run."""

collect_ignore = [] if warm.is_possible() else ["warm"]

Render = Callable[..., Path]

seconds: dict[str, float] = defaultdict(float)
counts: dict[str, int] = defaultdict(int)
refused: list[str] = []


def released(source: Path, target: Path, tag: str) -> Path:
    """A clone of a repository with its uncommitted and untracked changes, committed and tagged."""
    for name in git(source, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split(
        "\0"
    ):
        if name and (source / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source / name, target / name)
    git(target, "init", "--quiet", "-b", "main")
    git(target, "add", "--all", "--force")
    git(target, "commit", "--quiet", "--message", "As it stands")
    git(target, "tag", tag)
    return target


@contextmanager
def once(folder: Path) -> Iterator[bool]:
    """Whether what `folder` is for still has to be made; the other workers wait meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield not (folder / "done").exists()
        (folder / "done").touch()


@pytest.fixture(scope="session")
def between_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what is made once and not changed afterwards."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if base.name.startswith("popen-") else base


@pytest.fixture(scope="session")
def template(between_workers: Path) -> Path:
    """This repository as it stands, uncommitted changes among it, as release 9999."""
    folder = between_workers / "template/exemplar"
    with once(folder.parent) as first:
        if first:
            folder.mkdir()
            released(ROOT, folder, "v9999")
    return folder


@pytest.fixture(scope="session")
def render(
    between_workers: Path, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Render:
    """`render(folder="churn", **answers)`: what Copier makes of the template, without trust; a copy
    for each who asks.
    """

    def rendered(folder: str = "churn", **answers: Any) -> Path:
        key = hashlib.sha256(repr((folder, sorted(answers.items()))).encode()).hexdigest()
        kept = between_workers / "rendered" / key[:12] / folder
        with once(kept.parent) as first:
            if first:
                copier.run_copy(
                    str(template), kept, answers, defaults=True, quiet=True, unsafe=False
                )
        target = tmp_path_factory.mktemp("rendered") / folder
        shutil.copytree(kept, target, symlinks=True)
        return target

    return rendered


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory, render: Render) -> Iterator[Path]:
    """Where this worker's libraries are; `uv run` puts the code of the project at hand there.

    mypy reads the libraries once for all of its projects, and so does Python (`tests/warm`).
    """
    folder = tmp_path_factory.mktemp("environment") / ".venv"
    os.environ["MYPY_CACHE_DIR"] = str(folder.with_name("types"))
    assert call(folder.parent, UV, "venv", "--quiet", folder).returncode == 0
    if not warm.is_possible():
        yield folder
        return
    project, variables = render(), {"UV_PROJECT_ENVIRONMENT": str(folder)}
    passes(call(project, UV, "sync", "--quiet", "--no-install-project", **variables))
    with warm.serve(folder, project / "src", folder.with_name("warm.log")) as path:
        os.environ[warm.SOCKET] = path
        yield folder
        del os.environ[warm.SOCKET]


@pytest.fixture(scope="session")
def toolkit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """`exemplar`, without importing the same libraries each time."""
    if not warm.is_possible():
        yield
        return
    with warm.serve_toolkit(ROOT / "src", tmp_path_factory.mktemp("toolkit")) as command:
        TOOLKIT[:] = command
        yield
        TOOLKIT[:] = [EXEMPLAR]


@pytest.fixture(autouse=True)
def _cold(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test with the mark `cold` does without `tests/warm`."""
    if request.node.get_closest_marker("cold"):
        monkeypatch.delenv(warm.SOCKET, raising=False)


@pytest.fixture(scope="session")
def clone(between_workers: Path, template: Path) -> Path:
    """A clone of this repository, its examples with as many units as tests take."""
    folder = between_workers / "clone/exemplar"
    with once(folder.parent) as first:
        if first:
            folder.mkdir()
            released(template, folder, "v9999")
            for problem, (count, _) in EXAMPLES.items():
                params = folder / f"blueprints/{problem}/example-params.yaml"
                text = params.read_text(encoding="utf-8")
                text, places = re.subn(rf"\b{count}: \d+ ", f"{count}: {UNITS} ", text)
                assert places == 1
                params.write_text(text)
            git(folder, "commit", "--quiet", "--all", "--message", "As many units as tests take")
            git(folder, "tag", "--force", "v9999")
    return folder


@pytest.fixture(scope="session")
def making(between_workers: Path, clone: Path, environment: Path) -> Callable[[str], Repository]:
    """What the README's command makes of a problem; no test may change anything in it.

    Classification is made as the README says; the others use the libraries that are here already.
    """

    def made_of(problem: str) -> Repository:
        folder = between_workers / "made" / problem / EXAMPLES[problem][1]
        output = folder.with_name("printed.json")
        with once(folder.parent) as first:
            if first:
                words = ["new", "--defaults", "--answer", f"problem={problem}", str(folder)]
                if problem == "classification":
                    completed = call(clone, UV, "run", "exemplar", *words, **warm.COLD)
                else:
                    passes(call(clone, UV, "sync", "--quiet"))
                    variables = {"UV_PROJECT_ENVIRONMENT": str(environment), "UV": UV}
                    completed = call(clone, clone / ".venv/bin/exemplar", *words, **variables)
                assert completed.returncode == 0, completed
                output.write_text(json.dumps([completed.stdout, completed.stderr]))
        return Repository(
            folder, Completed(["exemplar", "new"], 0, *json.loads(output.read_text()))
        )

    return made_of


@pytest.fixture(scope="session")
def made(making: Callable[[str], Repository]) -> Repository:
    """A classification repository as made."""
    return making("classification")


@pytest.fixture(scope="session")
def nobody() -> Iterator[str]:
    """`host:port` of nobody: connections are refused."""
    with refusing() as address:
        yield address


def tracking(text: str) -> str:
    """The stage `track` of `dvc.yaml`: most tests do without, as MLflow takes the longest."""
    return text[text.index("  track:\n") : text.index("\n# Stages of your own")]


@pytest.fixture(scope="session")
def first_days(between_workers: Path, making: Callable[[str], Repository]) -> Callable[[str], Path]:
    """A copy of what was made of a problem to go back to, without the environment and what
    concerns MLflow.
    """

    def first_day_of(problem: str) -> Path:
        made = making(problem)
        folder = between_workers / "first_day" / problem / made.folder.name
        with once(folder.parent) as first:
            if first:
                without = shutil.ignore_patterns(".venv", "mlflow.db", "mlruns")
                shutil.copytree(made.folder, folder, ignore=without)
                pipeline, lock = folder / "dvc.yaml", folder / "dvc.lock"
                text = pipeline.read_text(encoding="utf-8")
                pipeline.write_text(text.replace(tracking(text), ""))
                text, times = re.subn(r"^  track:\n(?:    .*\n)+", "", lock.read_text(), flags=re.M)
                assert times == 1
                lock.write_text(text)
                git(folder, "commit", "--quiet", "--all", "--amend", "--no-edit", "--no-verify")
        return folder

    return first_day_of


@pytest.fixture(scope="session")
def first_day(first_days: Callable[[str], Path]) -> Path:
    """That copy of the classification repository."""
    return first_days("classification")


EARLY = (
    "statistics",
    "updates/test_projects_that_lived",
    "updates/test_update_command",
    "updates",
    "tracking",
    "storage",
    "security",
    "champion",
    "workflows",
)
"""What to begin with: first what waits for no repository to be made, small files last, so that no
worker is left alone with a large one.
"""


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: each waits for disks, locks and clocks now and then."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the files into that order."""

    def rank(item: pytest.Item) -> int:
        path = item.nodeid.removeprefix("tests/")
        ranks = (number for number, early in enumerate(EARLY) if path.startswith(early))
        return next(ranks, len(EARLY))

    items.sort(key=rank)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count seconds per suite, and skips that nobody allowed."""
    suite = "/".join(report.nodeid.split("::")[0].split("/")[:2])
    seconds[suite] += report.duration
    counts[suite] += report.when == "call"
    if report.skipped and not hasattr(report, "wasxfail") and report.nodeid not in ALLOWED_SKIPS:
        refused.append(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A skip that is not allowed is a failure."""
    if refused and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say where the time went, and which skips fail the run."""
    terminalreporter.section("seconds per suite")
    for suite in sorted(seconds):
        terminalreporter.write_line(f"{seconds[suite]:8.1f} s {counts[suite]:5d} tests  {suite}")
    for name in refused:
        terminalreporter.write_line(
            f"skipped, which tests/conftest.py does not allow: {name}", red=True
        )
