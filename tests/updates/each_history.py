"""One test for every history; a file for each release it starts from, so that workers share."""

from pathlib import Path

import pytest
from copier.errors import UserMessageError

from .histories import HISTORIES, History
from .made_up import last_three
from .projects import Project, Source, tree

every_history = pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.name)


def holds(history: History, source: Source, start: int, folder: Path) -> None:
    """What `docs/updates.md` says about a history, from one of the last three releases."""
    project = source.project(last_three(source.chain)[start], folder / "churn")
    project.new_answers = history.answers
    history.do(project)
    if history.ends == "refused":
        return refused(project)
    project.commit()
    conflicts = project.updated()
    if history.ends != "either":
        assert bool(conflicts) == (history.ends == "conflict"), conflicts
    return None


def refused(project: Project) -> None:
    """Copier says why, and touches nothing."""
    before, status = tree(project.folder), project.git("status", "--porcelain")
    assert status
    with pytest.raises(UserMessageError, match="dirty"):
        project.update()
    assert (tree(project.folder), project.git("status", "--porcelain")) == (before, status)
