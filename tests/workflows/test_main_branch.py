"""A repository whose main branch is called otherwise, from its first day to a release."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from ..champion.conftest import MADE_BY, Shared
from ..made import fixable, git, passes
from .platforms import Platform, installed_programs, read_output
from .triggers import Event

TRUNK = {
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "init.defaultBranch",
    "GIT_CONFIG_VALUE_0": "trunk",
}


@pytest.fixture
def team(first_day: Path, tmp_path: Path, environment: Path) -> Platform:
    """The files of a first day, before there was a repository."""
    ignored = shutil.ignore_patterns(".git")
    shutil.copytree(first_day, tmp_path / "churn", ignore=ignored)
    return Platform(Shared(tmp_path / "churn", MADE_BY, environment), installed_programs(tmp_path))


def test_trunk_is_asked_of_git_written_once_and_used_everywhere(team: Platform) -> None:
    repository = team.repository
    passes(repository.run("churn", "start", **TRUNK), "The main branch is trunk")
    assert repository.git("branch", "--show-current") == "trunk"
    assert repository.git("status", "--porcelain") == ""
    assert "\nmain_branch: trunk\n" in (repository.folder / ".copier-answers.yml").read_text()
    for name, place in (("deliver", "branches: [trunk]"), ("retrain", "ref: trunk")):
        text = (repository.folder / f".github/workflows/{name}.yml").read_text()
        assert place in text
        assert not {"main"} & set(yaml.safe_load(text)[True].get("push", {}).get("branches", []))

    repository.git("checkout", "--quiet", "-b", "side")
    fixable(
        repository.run("churn", "promote"),
        "expected the branch trunk, found side. Next: git switch trunk",
    )
    repository.git("checkout", "--quiet", "trunk")
    (repository.folder / ".git/hooks/pre-commit").unlink()
    team.share()
    on_side, on_trunk = (
        Event("push", ref=f"refs/heads/{name}", default_branch="trunk")
        for name in ("side", "trunk")
    )
    assert not team.run(on_side).triggered
    completed = team.run(on_trunk)
    assert completed.result == "success", read_output(*completed.jobs.values())
    (pull,) = json.loads((team.folder / "pulls.json").read_text())["pulls"]
    assert (pull["head"], pull["base"]) == ("release/champion-1", "trunk")


def test_a_main_branch_that_is_renamed_is_named_with_the_command_that_follows(
    team: Platform,
) -> None:
    repository, folder = team.repository, team.folder
    git(repository.folder, "init", "--quiet", "-b", "main")
    repository.commit("As made")
    git(folder, "init", "--quiet", "--bare", "-b", "trunk", "origin")
    repository.git("push", "--quiet", str(folder / "origin"), "main:trunk")
    repository.git("remote", "add", "origin", str(folder / "origin"))
    repository.git("fetch", "--quiet", "origin")
    repository.git("remote", "set-head", "origin", "--auto")
    next_ = "uvx copier update --vcs-ref :current: --data main_branch=trunk"
    output = repository.run("churn", "check").stdout
    assert "NO  git: .copier-answers.yml: expected `main_branch: trunk`, as origin has it" in output
    assert f"found main. Next: {next_}\n" in output
    repository.git("checkout", "--quiet", "-b", "trunk")
    fixable(repository.run("churn", "promote"), "expected the branch main, found trunk", next_)
