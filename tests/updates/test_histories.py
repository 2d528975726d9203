"""What the table of histories promises as a whole: the long one, losses, and the page."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest
import yaml

from exemplar.errors import Fixable
from exemplar.releases import find_releases

from ..conftest import ROOT
from ..made import git
from .histories import (
    HISTORIES,
    LONG,
    LOST,
    History,
    add_packages_by_uv,
    page,
    uv_add,
)
from .made_up import MADE_UP, RETIRED, chain, last_three
from .projects import ANSWERS, Project, Source, tree
from .small import exemplar, fixable

EDIT = b"# Ours"
BY_NAME = {history.name: history for history in HISTORIES}
MERGED = [
    "untouched",
    "three-files-rewritten",
    "stages-everywhere",
    "dropped-file-edited",
    "template-files-deleted",
    "larger-repository",
    "moved-to-a-url",
]
CONFLICT = ["same-and-other-lines", "file-that-comes-later"]


def test_the_page_says_what_the_tests_do() -> None:
    written = (ROOT / "docs/updates.md").read_text(encoding="utf-8")
    advice = "Next: uv run python -m tests.updates.histories docs/updates.md"
    assert written == page(), advice


def test_there_are_at_least_25_histories_each_told_in_a_sentence() -> None:
    assert len(BY_NAME) == len(HISTORIES) >= 25
    assert len({history.team for history in HISTORIES}) == len(HISTORIES)
    for history in HISTORIES:
        assert history.team[-1] in ".`", history.name
        assert history.update.endswith("."), history.name


def test_a_shallow_history_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth=1", ROOT.as_uri(), "shallow")
    with pytest.raises(Fixable, match="git fetch --unshallow"):
        find_releases(tmp_path / "shallow")
    with pytest.raises(Fixable, match="shallow"):
        chain(tmp_path / "shallow", tmp_path / "template")


def test_releases_of_the_history_come_before_those_made_up(tmp_path: Path) -> None:
    """In a clone whose history has two releases, and work in between that is none."""
    source = tmp_path / "source"
    git(tmp_path, "clone", "--quiet", "--no-tags", str(ROOT), str(source))
    pyproject = source / "pyproject.toml"
    lines = pyproject.read_text().splitlines(keepends=True)
    for version in ("77.0.0", "77.1.0.dev0", "77.1.0"):
        text = [f'version = "{version}"\n' if "version = " in line[:10] else line for line in lines]
        pyproject.write_text("".join(text))
        git(source, "commit", "--quiet", "--all", "--message", f"Now {version}")
    pyproject.write_text(pyproject.read_text() + "# more\n")
    git(source, "commit", "--quiet", "--all", "--message", "Work")
    versions = [release.version for release in chain(source, tmp_path / "template")]
    assert versions[-len(MADE_UP) - 2 :][:2] == ["77.0.0", "77.1.0"]
    assert git(tmp_path / "template", "rev-parse", "v77.0.0^{}") == git(
        source, "rev-parse", "HEAD~3"
    )


def test_no_release_ships_a_binary_that_an_update_would_put_back(source: Source) -> None:
    """Copier reverts an edited binary without a word."""
    for release in source.chain:
        owners = source.owners(release, ["churn"])
        for path, file in tree(source.rendered(release)).items():
            shared = any(owners[owner].match_file(path) for owner in ("template", "merged"))
            assert not (shared and b"\0" in file.content), (release.version, path)


def test_a_path_that_is_dropped_but_not_retired_would_be_deleted_with_its_edit(
    tmp_path: Path,
) -> None:
    """Why `copier.yml` has a list of retired paths; if Copier fixes this, the list can go."""
    source = Source(ROOT, tmp_path)
    config = source.clone / "copier.yml"
    config.write_text(config.read_text().replace(f"    /{RETIRED}\n", ""))
    git(source.clone, "commit", "--quiet", "--all", "--message", "Not retired")
    git(source.clone, "tag", "--force", source.newest.tag)
    project = source.project(source.chain[-2], tmp_path / "churn")
    BY_NAME["dropped-file-edited"].do(project)
    project.commit()
    project.update()
    assert not (project.folder / RETIRED).exists()


@pytest.mark.parametrize(("history", "_catches"), LOST, ids=[history.name for history, _ in LOST])
def test_what_plain_copier_loses_is_known(
    history: History, _catches: str, source: Source, tmp_path: Path
) -> None:
    project = started(history, source, tmp_path)
    project.new_answers = history.answers
    assert edited(project)
    project.update()
    assert not edited(project)
    assert project.git("ls-files", "--unmerged") == ""


@pytest.mark.parametrize(("history", "catches"), LOST, ids=[history.name for history, _ in LOST])
def test_what_plain_copier_loses_is_not_lost_by_exemplar_update(
    history: History, catches: str, source: Source, tmp_path: Path
) -> None:
    project = started(history, source, tmp_path)
    if history.answers:
        answers = project.answers() | history.answers
        project.write(ANSWERS, yaml.safe_dump(answers, sort_keys=False))
        project.commit()
    before = tree(project.folder)
    completed = exemplar(project.folder, "update", "--yes")
    if "refuses" in catches:
        fixable(completed, EDIT.decode())
        assert tree(project.folder) == before
    else:
        assert completed.returncode == 0, completed
        assert edited(project)


@pytest.mark.parametrize("name", MERGED)
def test_exemplar_update_brings_the_same_as_plain_copier(
    name: str, source: Source, tmp_path: Path
) -> None:
    project = started(BY_NAME[name], source, tmp_path)
    assert project.updated(by_command) == set()
    assert project.git("status", "--porcelain") == ""


@pytest.mark.parametrize("name", CONFLICT)
def test_exemplar_update_touches_nothing_where_plain_copier_leaves_a_conflict(
    name: str, source: Source, tmp_path: Path
) -> None:
    project = started(BY_NAME[name], source, tmp_path)
    before, refs = tree(project.folder), project.git("for-each-ref")
    fixable(exemplar(project.folder, "update", "--yes"), "cannot")
    assert (tree(project.folder), project.git("for-each-ref")) == (before, refs)


def test_packages_added_by_uv_are_the_teams_and_never_in_the_way(
    source: Source, tmp_path: Path
) -> None:
    """Before an update by plain Copier, and between it and one by the command."""
    project = source.project(last_three(source.chain)[2], tmp_path / "churn")
    add_packages_by_uv(project)
    project.commit()
    project.target = source.chain[-len(MADE_UP)]
    project.update()
    assert "<<<<<<<" not in project.read("pyproject.toml")
    assert read_own_packages(project, "delivery") == ["lightgbm", "shap", "torch", "xgboost"]
    for path in project.left_behind("churn"):
        (project.folder / path).unlink()
    uv_add(project, "catboost", "narwhals", "optuna", "polars-ds", "spacy")
    uv_add(project, "--dev", "jupyterlab")
    project.commit()
    update_without_installing(project)
    added = ["altair", "catboost", "narwhals", "optuna", "polars-ds", "spacy"]
    moved = ["lightgbm", "shap", "torch", "xgboost"]
    assert read_packages(project.folder)[""] == [*added, *moved]
    assert read_own_packages(project, "delivery") == []
    assert read_own_packages(project, "dev") == ["jupyterlab", "pandas-stubs"]


def test_packages_beside_those_that_a_release_changes_are_carried_by_the_command(
    source: Source, tmp_path: Path
) -> None:
    project = source.project(last_three(source.chain)[2], tmp_path / "churn")
    own = ["boto3", "mlxtend", "nltk", "optuna", "zarr"]
    uv_add(project, *own)
    uv_add(project, "--group=service", "boto3", "optuna")
    project.edit("pyproject.toml", 'description = "', 'description = "Ours: ')
    project.commit()
    update_without_installing(project)
    assert read_packages(project.folder)[""] == own
    assert read_own_packages(project, "delivery") == []
    assert read_own_packages(project, "service") == ["boto3", "optuna"]
    assert 'description = "Ours: ' in project.read("pyproject.toml")


def update_without_installing(project: Project) -> None:
    """`exemplar update`; what would be installed here is gigabytes."""
    completed = exemplar(project.folder, "update", "--yes", UV=str(shutil.which("true")))
    assert completed.returncode == 0, completed


def read_packages(folder: Path) -> dict[str, list[str]]:
    """The packages of each group by name, and at the empty name those of the project itself."""
    file = tomllib.loads((folder / "pyproject.toml").read_text())
    lists = {"": file["project"]["dependencies"], **file["dependency-groups"]}
    return {
        name: [re.split("[^a-z0-9.-]", line)[0] for line in lines if isinstance(line, str)]
        for name, lines in lists.items()
    }


def read_own_packages(project: Project, group: str) -> list[str]:
    """What the team has in a group beside the template's packages."""
    theirs = set(read_packages(project.source.rendered(project.to))[group])
    ours = read_packages(project.folder)[group]
    assert theirs <= set(ours)
    return sorted(set(ours) - theirs)


def test_a_project_that_takes_every_release_keeps_every_edit(
    source: Source, tmp_path: Path
) -> None:
    project = source.project(source.chain[0], tmp_path / "churn")
    for release in source.chain[1:]:
        LONG.do(project)
        project.commit()
        project.target = release
        assert project.updated() == set()
        for path in project.left_behind("churn"):  # as the hook `update-leftovers` says
            (project.folder / path).unlink()
        project.commit()
        project.release = release
    stages = yaml.safe_load(project.read("dvc.yaml"))["stages"]
    ours = [name for name in stages if name.startswith("ours_")]
    assert len(ours) == len(source.chain) - 1
    assert list(stages)[-len(ours) :] == ours
    for name in ours:
        number = name.removeprefix("ours_")
        for path, line in {
            "README.md": f"Edited {number}.",
            ".gitignore": f"/scratch-{number}/",
            "mypy.ini": f"[mypy-ours{number}.*]",
        }.items():
            assert line in project.read(path).splitlines(), path
        assert (project.folder / f"reports/{number}.json").exists()


def started(history: History, source: Source, folder: Path) -> Project:
    """A project from the release that is furthest away, with the history committed."""
    project = source.project(source.chain[-len(MADE_UP)], folder / "churn")
    history.do(project)
    project.commit()
    return project


def edited(project: Project) -> bool:
    """Whether the team's edit is anywhere."""
    return any(EDIT in file.content for file in tree(project.folder).values())


def by_command(project: Project) -> None:
    """`exemplar update`, which ends with a commit."""
    completed = exemplar(project.folder, "update", "--yes")
    assert completed.returncode == 0, completed
