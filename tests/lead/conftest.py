"""A generated repository as values, so that a test may edit it without making another."""

import shutil

import pytest

from exemplar.review.snapshot import Snapshot, take_snapshot

from ..made import Repository
from .edits import TODAY, make_real

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)

collect_ignore = [] if CHROMIUM else ["test_page.py"]


@pytest.fixture(scope="session")
def generated(made: Repository) -> Snapshot:
    """What `exemplar new` committed."""
    return take_snapshot(made.folder, TODAY)


@pytest.fixture(scope="session")
def real(generated: Snapshot) -> Snapshot:
    """The same once a team has a table of its own."""
    return make_real(generated)
