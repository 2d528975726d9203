"""A generated repository that has run, for tests that break it in one place and run a command.

A test gets it as on the day it was made, so only what the test touches has to run again.
"""

import shutil
from pathlib import Path

import pytest

from ..made import Repository


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this worker's repository is, one after the other."""
    return tmp_path_factory.mktemp("repository") / "churn"


def fresh(made: Repository, first_day: Path, place: Path, environment: Path) -> Repository:
    """The generated repository as on the day it was made."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(first_day, place)
    (place / ".venv").symlink_to(environment)
    return Repository(place, made.how)


@pytest.fixture
def repository(made: Repository, first_day: Path, place: Path, environment: Path) -> Repository:
    """The generated repository, for a test to break."""
    return fresh(made, first_day, place, environment)
