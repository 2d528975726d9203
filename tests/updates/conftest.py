"""The releases, once for every worker."""

import pytest

from ..conftest import ROOT
from .projects import Source


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """This repository with its releases, the tree as it stands, and the made-up ones on top."""
    return Source(ROOT, tmp_path_factory.mktemp("source"))
