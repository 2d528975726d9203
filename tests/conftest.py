"""What every suite shares: the template as a released clone, rendering, and an honest summary."""

import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import copier
import pytest

ROOT = Path(__file__).parents[1]
TELCO = "tests/docs/test_your_data.py::test_"
ALLOWED_SKIPS: dict[str, str] = {
    f"{TELCO}a_table_with_awkward_columns_becomes_a_decision": "the table is not part of this one",
    f"{TELCO}blanks_go_to_quarantine_where_the_contract_does_not_allow_them": "likewise",
}
"""Tests that may be skipped, by node id, with the reason; any other skip fails the run."""

Render = Callable[..., Path]

seconds: dict[str, float] = defaultdict(float)
counts: dict[str, int] = defaultdict(int)
refused: list[str] = []


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder as somebody who is not whoever runs the tests; what it printed."""
    someone = [
        "-c",
        "user.name=Test",
        "-c",
        "user.email=test@example.com",
        "-c",
        "commit.gpgsign=false",
    ]
    return subprocess.run(
        ["git", *someone, *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


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


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This repository as it stands, uncommitted changes among it, as release 9999."""
    return released(ROOT, tmp_path_factory.mktemp("template"), "v9999")


@pytest.fixture(scope="session")
def render(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """`render(folder="churn", **answers)`: what Copier makes of the template, without trust."""

    def rendered(folder: str = "churn", **answers: Any) -> Path:
        target = tmp_path_factory.mktemp("rendered") / folder
        copier.run_copy(str(template), target, answers, defaults=True, quiet=True, unsafe=False)
        return target

    return rendered


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
