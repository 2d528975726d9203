"""`release` and `refresh`, as docs/delivery.md has them typed, with a real origin."""

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from ..champion.conftest import Shared, blocks, champions, started
from ..champion.test_killed import kill_in_hook
from ..made import Completed, call, fixable, git, passes
from . import gh

__all__ = ["champions", "started"]

(RELEASE,) = blocks("delivery.md")["From the verdict to production"]
REFRESH = blocks("delivery.md")["Retrain"][0]


class Hosted:
    """A repository with an origin, a shared storage, and GitHub's command."""

    def __init__(self, repository: Shared, folder: Path) -> None:
        self.repository, self.folder = repository, folder
        program = folder / "bin/gh"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{gh.__file__}" "$@"\n')
        program.chmod(0o755)
        storage = str(folder / "storage")
        passes(repository.run("dvc", "remote", "modify", "storage", "url", storage))
        git(folder, "init", "--quiet", "--bare", "-b", "main", "origin")
        repository.git("remote", "add", "origin", f"file://{folder / 'origin'}")

    def publish(self) -> None:
        self.repository.commit("Share it")
        self.repository.git("push", "--quiet", "origin", "main")

    def type_in(self, line: str) -> Completed:
        path = os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]])
        own = {"PATH": path, "GH_KEPT": str(self.folder / "pulls.json")}
        words = shlex.split(line)
        return call(self.repository.folder, *words, **self.repository.surroundings(**own))

    @property
    def pulls(self) -> list[dict[str, Any]]:
        path = self.folder / "pulls.json"
        return json.loads(path.read_text())["pulls"] if path.exists() else []


@pytest.fixture
def hosted(started: Shared, tmp_path: Path) -> Hosted:
    return Hosted(started, tmp_path)


def test_a_storage_that_takes_nothing_leaves_everything_as_it_was(hosted: Hosted) -> None:
    (hosted.folder / "storage").write_text("no folder")
    hosted.publish()
    before = hosted.repository.state()
    fixable(hosted.type_in(RELEASE), "Failed: uv run dvc push")
    assert hosted.repository.state() == before
    assert hosted.repository.git("branch", "--all") == "* main\n  remotes/origin/main"
    assert hosted.pulls == []
    hosted.repository.settled()


def test_a_release_that_was_killed_is_taken_back_by_the_next_call(hosted: Hosted) -> None:
    hosted.publish()
    before = hosted.repository.state()
    kill_in_hook(hosted.repository, "release", "post-commit", hosted.folder)
    assert hosted.repository.state() != before
    completed = hosted.repository.run("churn", "rollback")
    fixable(completed, "found the rule, which is first")
    assert "Taking back first what was only to be proposed: champion-1" in completed.stdout
    assert hosted.repository.state() == before
    hosted.repository.settled()


def test_a_report_with_both_sides_of_a_merge_is_named(hosted: Hosted) -> None:
    hosted.repository.append("reports/decision.json", "<<<<<<< ours\n")
    fixable(hosted.type_in(RELEASE), "reports/decision.json: expected JSON", "uv run dvc repro")


def test_a_table_put_here_by_hand_has_none_that_anybody_knows_of(hosted: Hosted) -> None:
    repository = hosted.repository
    repository.edit("params.yaml", "source: src/churn/example.py", "source: data/customers.csv")
    repository.raw().write_csv(repository.folder / "data/customers.csv")
    passes(repository.run("dvc", "add", "--quiet", "data/customers.csv"))
    passes(hosted.type_in(REFRESH), "put here by hand", "dvc import-url --force s3://bucket/")
    assert hosted.pulls == []
