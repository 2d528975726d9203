"""A generated repository that has run, for tests that break it in one place and run a command.

A test gets it as on the day it was made, so only what the test touches has to run again.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ..conftest import EXAMPLES
from ..made import Repository

every_problem = pytest.mark.parametrize("repository", EXAMPLES, indirect=True)
"""Once for each kind of problem; a test without it gets classification."""


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this worker's repository is, one after the other."""
    return tmp_path_factory.mktemp("repository")


def fresh(made: Repository, first_day: Path, place: Path, environment: Path) -> Repository:
    """The generated repository as on the day it was made."""
    folder = place / first_day.name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(first_day, folder)
    (folder / ".venv").symlink_to(environment)
    return Repository(folder, made.how)


@pytest.fixture
def repository(
    request: pytest.FixtureRequest,
    making: Callable[[str], Repository],
    first_days: Callable[[str], Path],
    place: Path,
    environment: Path,
) -> Repository:
    """The generated repository, for a test to break."""
    problem = getattr(request, "param", "classification")
    return fresh(making(problem), first_days(problem), place, environment)
