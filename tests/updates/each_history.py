"""One test for every history; a file for each release it starts from, so that workers share.

An update takes seconds, so histories that touch different files are played by one team.
"""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from copier.errors import UserMessageError

from exemplar.releases import Release

from .histories import HISTORIES, History
from .projects import Project, Source, tree

every_history = pytest.mark.parametrize("history", HISTORIES, ids=lambda history: history.name)


@dataclass
class Teams:
    """Teams whose projects start from a release; `faults` is what was wrong, by history."""

    source: Source
    start: Release
    folder: Path
    answers: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def project(self, name: str) -> Project:
        return self.source.project(self.start, self.folder / name / "churn", **self.answers)

    def hold(self, history: History) -> None:
        """What `docs/updates.md` says about a history."""
        if not history.can_share:
            return self.alone(history)
        if not self.faults:
            for number, histories in enumerate(self.sharing()):
                self.play(histories, self.project(f"team-{number}"))
        assert not self.faults[history.name], self.faults[history.name]
        return None

    def sharing(self) -> list[list[History]]:
        """Which histories are played by one team: no two of them touch one path."""
        teams: list[tuple[set[str], list[History]]] = []
        for history in HISTORIES:
            if history.can_share:
                paths = self.touched(history)
                taken, histories = next(
                    (team for team in teams if not team[0] & paths), (set[str](), list[History]())
                )
                if not histories:
                    teams.append((taken, histories))
                taken |= paths
                histories.append(history)
        return [histories for _, histories in teams]

    def touched(self, history: History) -> set[str]:
        """The paths that a history changes."""
        project = self.project(f"touched-{history.name}")
        before = tree(project.folder)
        history.do(project)
        after = tree(project.folder)
        return {path for path in before | after if before.get(path) != after.get(path)}

    def play(self, histories: list[History], project: Project) -> None:
        """Several histories in one project, then one update."""
        for history in histories:
            history.do(project)
        project.commit()
        try:
            conflicts = project.updated()
            fault = f"conflicts in {', '.join(sorted(conflicts))}" if conflicts else ""
        except AssertionError as error:
            fault = f"with {', '.join(history.name for history in histories)}: {error}"
        self.faults |= {history.name: fault for history in histories}

    def alone(self, history: History) -> None:
        """A history in a project of its own."""
        project = self.project(history.name)
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
