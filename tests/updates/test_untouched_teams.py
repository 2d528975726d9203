"""The newest `delivery/` under the team files of each earlier release, in a real environment.

The project has lived before the update: champion, lock file, models and reports are those that the
earlier release made, for fewer customers.
"""

import hashlib
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from exemplar.releases import Release, releases

from ..conftest import ROOT
from ..made import UV, Ran, call, passes
from .made_up import MADE_UP
from .projects import Project, Source, tree

CUSTOMERS = 2_000
EARLIER = len(releases(ROOT)) + len(MADE_UP) - 1
"""How many releases come before the newest."""


@dataclass
class Room:
    """One folder and one environment, in which one project after the other lives."""

    folder: Path
    environment: Path
    results: dict[str, tuple[Ran, Ran]] = field(default_factory=dict)

    def run(self, *command: str) -> Ran:
        where = {"UV_PROJECT_ENVIRONMENT": str(self.environment)}
        return call(self.folder / "churn", UV, "run", *command, **where)

    def lived(self, source: Source, release: Release) -> Project:
        """A project that started with a release and committed what that made."""
        shutil.rmtree(self.folder / "churn", ignore_errors=True)
        project = source.project(release, self.folder / "churn")
        fewer = re.sub(r"\bcustomers: \d+", f"customers: {CUSTOMERS}", project.read("params.yaml"))
        assert f"customers: {CUSTOMERS}" in fewer
        project.write("params.yaml", fewer)
        without = re.sub(r"^  track:\n(?:    .*\n)+", "", project.read("dvc.yaml"), flags=re.M)
        project.write("dvc.yaml", without)  # MLflow has tests of its own
        passes(self.run("churn", "start"))
        project.commit()
        return project

    def updated(self, source: Source, release: Release) -> tuple[Ran, Ran]:
        """Pipeline and fast lane after the update; once for team files that are the same."""
        key = team_files(source, release)
        if key not in self.results:
            project = self.lived(source, release)
            project.update()
            project.commit()
            pipeline = self.run("dvc", "repro")
            self.results[key] = pipeline, self.run("pytest", "-m", "not everything")
        return self.results[key]


def team_files(source: Source, release: Release) -> str:
    """A hash of what is the team's on the first day."""
    team = source.owners(release, ["churn"])["team"]
    files = tree(source.rendered(release))
    return hashlib.sha256(
        repr([(path, file) for path, file in files.items() if team.match_file(path)]).encode()
    ).hexdigest()


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, environment: Path) -> Room:
    return Room(tmp_path_factory.mktemp("room"), environment)


@pytest.mark.parametrize("number", range(EARLIER))
def test_pipeline_and_fast_lane_are_green_with_the_team_files_of_an_earlier_release(
    number: int, source: Source, room: Room
) -> None:
    pipeline, fast_lane = room.updated(source, source.chain[number])
    passes(pipeline, "Running stage 'tallied'")
    passes(fast_lane, " passed")
