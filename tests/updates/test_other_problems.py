"""What a team does between two releases comes out the same whatever its kind of problem is.

The tree as it stands is the first release here, so that every kind has one to start from.
"""

from pathlib import Path

import pytest

from ..conftest import EXAMPLES
from .each_history import Teams
from .histories import HISTORIES
from .made_up import MADE_UP
from .projects import Source

OTHERS = [problem for problem in EXAMPLES if problem != "classification"]


@pytest.mark.parametrize("problem", OTHERS)
def test_every_history_that_teams_can_share(problem: str, source: Source, tmp_path: Path) -> None:
    start = source.chain[-len(MADE_UP)]
    teams = Teams(source, start, tmp_path, {"problem": problem})
    histories = [history for history in HISTORIES if history.can_share]
    for history in histories:
        teams.hold(history)
    assert len(teams.faults) == len(histories) > 25
