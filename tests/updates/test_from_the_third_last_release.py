"""Every history, from the last but two of the releases that updates start from."""

import pytest

from .each_history import Teams, every_history
from .histories import History
from .made_up import last_three
from .projects import Source


@pytest.fixture(scope="module")
def teams(source: Source, tmp_path_factory: pytest.TempPathFactory) -> Teams:
    return Teams(source, last_three(source.chain)[0], tmp_path_factory.mktemp("teams"))


@every_history
def test_an_update_keeps_what_it_promises(history: History, teams: Teams) -> None:
    teams.hold(history)
