"""The releases, once for every worker."""

from collections.abc import Iterator

import pytest

from .. import warm
from ..conftest import ROOT
from .projects import Source
from .swift import swift


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """This repository with its releases, the tree as it stands, and the made-up ones on top."""
    made = Source(ROOT, tmp_path_factory.mktemp("source"))
    if not warm.is_possible():
        yield made
        return
    with swift(made.folder / "clones", made.clone, {made.url, str(made.clone)}):
        yield made


@pytest.fixture(scope="session", autouse=True)
def _toolkit(toolkit: None) -> None:
    """All of these tests call `exemplar`."""
