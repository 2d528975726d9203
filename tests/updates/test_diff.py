"""`exemplar diff`, and the releases that it knows."""

from pathlib import Path

import pytest

from exemplar.errors import Fixable
from exemplar.releases import Release, find_releases, tag_releases

from ..conftest import ROOT
from ..made import git
from .small import edit, exemplar, fixable, release, save, second, template_at


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template with two releases, then a commit, then an edit that is not committed."""
    folder = template_at(tmp_path_factory.mktemp("diff") / "template")
    second(folder)
    edit(folder / "template/pytest.ini", "line 9\n", "line 9, committed\n")
    save(folder)
    edit(folder / "template/pytest.ini", "line 20\n", "line 20, not committed\n")
    return folder


def test_the_paths_stand_under_their_owners(template: Path) -> None:
    completed = exemplar(template, "diff", "0.1.0", "0.2.0", "--template", template)
    assert completed.returncode == 0, completed
    parts = [part.splitlines() for part in completed.stdout.strip().split("\n\n")]
    groups = {part[0].partition(" (")[0]: part[1:] for part in parts[1:]}
    assert {heading: [line.split() for line in lines] for heading, lines in groups.items()} == {
        "Arrives by update": [
            ["changed", "ruff.toml", "+1", "-1"],
            ["new", "src/project/delivery/monitor.py", "+1", "-0"],
        ],
        "Arrives by update, merged with your edits": [["changed", "dvc.yaml", "+1", "-1"]],
        "Adopt by hand": [["changed", "docs/team.md", "+1", "-1"]],
    }


def test_the_patch_is_one_that_git_applies(template: Path, tmp_path: Path) -> None:
    completed = exemplar(template, "diff", "0.1.0", "0.2.0", "--patch", "--template", template)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/team.md").write_text(
        git(template, "show", "v0.1.0:template/docs/team.md"), encoding="utf-8"
    )
    patch = completed.stdout[completed.stdout.index("diff --git a/docs/team.md") :]
    (tmp_path / "patch").write_text(patch, encoding="utf-8")
    git(tmp_path, "apply", "patch")
    assert "line 5 of 0.2.0\n" in (tmp_path / "docs/team.md").read_text()


def test_a_commit_and_the_clone_as_it_stands_are_versions_too(template: Path) -> None:
    committed = exemplar(template, "diff", "v0.2.0", "main", "--patch", "--template", template)
    assert "+line 9, committed" in committed.stdout
    assert "not committed" not in committed.stdout
    stands = exemplar(template, "diff", "main", ".", "--patch", "--template", template)
    assert "+line 20, not committed" in stands.stdout
    assert "+line 9, committed" not in stands.stdout


def test_answers_are_those_of_the_project(template: Path) -> None:
    words = ("--answer", "project_name=churn", "--answer", "storage=s3", "--patch")
    completed = exemplar(template, "diff", "0.1.0", "0.2.0", *words, "--template", template)
    assert "src/churn/delivery/monitor.py" in completed.stdout
    unknown = ("--answer", "colour=red", "--template", template)
    fixable(exemplar(template, "diff", "0.1.0", ".", *unknown), "colour", "storage")


def test_nothing_is_said_to_change_where_nothing_does(template: Path) -> None:
    completed = exemplar(template, "diff", "0.2.0", "0.2.0", "--template", template)
    assert completed.stdout.endswith("Nothing changes for a project.\n")


def test_a_version_that_is_not_there_is_named_with_those_that_are(template: Path) -> None:
    fixable(
        exemplar(template, "diff", "0.1.0", "0.9.0", "--template", template),
        "0.1.0, 0.2.0",
        "0.9.0",
    )


def test_the_real_template_can_be_compared() -> None:
    completed = exemplar(ROOT, "diff", "HEAD", ".")
    assert completed.returncode == 0, completed


def test_releases_are_the_commits_that_change_the_version(tmp_path: Path) -> None:
    template = template_at(tmp_path / "template")
    edit(template / "pyproject.toml", "0.1.0", "0.2.0.dev0")
    save(template)
    edit(template / "pyproject.toml", "0.2.0.dev0", "0.2.0")
    edit(template / "pyproject.toml", "exemplar", "renamed")
    commit = save(template)
    edit(template / "pyproject.toml", "renamed", "exemplar")
    save(template)
    releases = find_releases(template)
    assert [each.version for each in releases] == ["0.1.0", "0.2.0"]
    assert releases[1] == Release("0.2.0", commit)
    git(template, "tag", "--delete", "v0.1.0")
    tag_releases(template, releases)
    assert git(template, "tag", "--list").split() == ["v0.1.0", "v0.2.0"]
    git(template, "switch", "--quiet", "--create", "older", releases[0].commit)
    assert find_releases(template) == releases[:1]
    assert find_releases(template, "main") == releases


def test_a_release_that_was_merged_counts_on_the_line_of_main(tmp_path: Path) -> None:
    template = template_at(tmp_path / "template")
    git(template, "switch", "--quiet", "--create", "side")
    release(template, "0.2.0")
    git(template, "switch", "--quiet", "main")
    git(template, "merge", "--quiet", "--no-ff", "--message", "Merge", "side")
    releases = find_releases(template)
    assert [each.version for each in releases] == ["0.1.0", "0.2.0"]
    assert releases[1].commit == git(template, "rev-parse", "main").strip()


def test_a_shallow_history_is_an_error_and_says_how_to_fix_it(
    template: Path, tmp_path: Path
) -> None:
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{template}", "shallow")
    with pytest.raises(Fixable, match="git fetch --unshallow"):
        find_releases(tmp_path / "shallow")
    with pytest.raises(Fixable, match="expected a git repository"):
        find_releases(tmp_path)
