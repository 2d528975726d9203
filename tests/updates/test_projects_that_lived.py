"""Projects that have lived: every path they hold has one owner, and the newest `delivery/` works
under the team files of each earlier release. All in a real environment.

The project has lived before the update: champion, lock file, models and reports are those that the
earlier release made, for fewer customers.
"""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from exemplar.releases import Release, find_releases
from exemplar.rendering import Owners
from exemplar.repository import list_entries

from ..conftest import ROOT, Render
from ..made import UV, Completed, call, passes
from .made_up import MADE_UP
from .projects import Project, Source, tree
from .test_owners import faults, stated

CUSTOMERS = 2_000
EARLIER = len(find_releases(ROOT)) or 1
"""How many releases there are; before the first, the tree as it stands counts as one."""


@dataclass
class Room:
    """One folder and one environment, in which one project after the other lives."""

    folder: Path
    environment: Path
    results: dict[str, tuple[Completed, Completed]] = field(default_factory=dict)

    def run(self, *command: str, **changes: str) -> Completed:
        where = {"UV_PROJECT_ENVIRONMENT": str(self.environment)} | changes
        return call(self.folder / "churn", UV, "run", *command, **where)

    def lived(self, source: Source, release: Release) -> Project:
        """A project that started with a release and committed what that made."""
        shutil.rmtree(self.folder / "churn", ignore_errors=True)
        project = source.project(release, self.folder / "churn")
        fewer = re.sub(r"\bcustomers: \d+", f"customers: {CUSTOMERS}", project.read("params.yaml"))
        assert f"customers: {CUSTOMERS}" in fewer
        project.write("params.yaml", fewer)
        passes(self.run("churn", "start"))
        project.commit()
        return project

    def updated(self, source: Source, release: Release) -> tuple[Completed, Completed]:
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
def room(tmp_path_factory: pytest.TempPathFactory, environment: Path) -> Iterator[Room]:
    yield Room(tmp_path_factory.mktemp("room"), environment)
    # The packages of early releases take files of this one with them when they go.
    here, client = ("--quiet", "--python", environment), "mlflow-skinny"
    call(ROOT, UV, "pip", "uninstall", *here, "mlflow", "mlflow-tracing")
    passes(call(ROOT, UV, "pip", "install", *here, "--no-deps", "--reinstall", client))


@pytest.fixture(scope="module")
def at_work(source: Source, room: Room, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository in which start, pipeline, hooks, tests and promote have run."""
    room.lived(source, source.chain[-len(MADE_UP)])
    passes(room.run("pytest", "-q", "tests/unit"))
    # Types and style, too; whatever it says, it leaves files.
    room.run("pre-commit", "run", "--all-files")
    # mypy's own folder, which the tests keep elsewhere, as each project would read all libraries.
    shutil.copytree(os.environ["MYPY_CACHE_DIR"], room.folder / "churn/.mypy_cache")
    passes(room.run("churn", "promote", "--because", "a test", "--name", "Somebody"))
    folder = tmp_path_factory.mktemp("at_work") / "churn"
    shutil.copytree(room.folder / "churn", folder)
    return folder


def test_what_commands_produce_has_exactly_one_owner_or_is_ignored(at_work: Path) -> None:
    tracked = list_entries(at_work, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    assert {"dvc.lock", "uv.lock", "docs/releases.md", "models/champion.dvc"} <= set(tracked)
    assert "reports/decision.json" in tracked
    assert faults(stated(ROOT), tracked) == {}


def test_what_git_ignores_is_of_a_command_or_nobodys(at_work: Path) -> None:
    ignored = list_entries(
        at_work, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"
    )
    for expected in (".mypy_cache/", ".pytest_cache/", ".ruff_cache/", "mlflow.db"):
        assert expected in ignored
    assert any(path.startswith("models/champion") for path in ignored)
    owners = Owners(stated(ROOT))
    claims_of = {path: owners.find_all(path) for path in ignored if "__pycache__" not in path}
    assert {
        path: claims for path, claims in claims_of.items() if claims not in ([], ["machine"])
    } == {}


def test_no_command_has_changed_a_file_of_the_template(at_work: Path, render: Render) -> None:
    new = render("churn")
    owners = Owners(stated(ROOT))
    for path in new.rglob("*"):
        name = path.relative_to(new).as_posix()
        if path.is_file() and owners.find(name) == "template":
            assert path.read_bytes() == (at_work / name).read_bytes(), name


@pytest.mark.parametrize("number", range(EARLIER))
def test_pipeline_and_fast_lane_are_green_with_the_team_files_of_an_earlier_release(
    number: int, source: Source, room: Room
) -> None:
    pipeline, fast_lane = room.updated(source, source.chain[number])
    passes(pipeline, "Running stage 'tallied'")
    passes(fast_lane, " passed")
