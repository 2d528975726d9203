"""Every path has exactly one owner, and a path of an earlier release is not taken from a team."""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml

from exemplar.errors import Fixable
from exemplar.releases import find_releases
from exemplar.rendering import Owners, Rendering, render

from ..conftest import EXAMPLES, ROOT, Render
from ..made import git
from .small import edit, release, save, second, template_at
from .stated import PACKAGE, list_contents, list_retired, render_releases

MOVED = ROOT / "blueprints/moved.json"
REWRITE = "uv run python -m tests.updates.stated blueprints/moved.json, then commit it"

UPDATED, LEFT = {"template", "merged"}, {"team", "machine"}
NAMED = re.compile(r"^\*\*(\w+)\*\*:.*?^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def stated(template: Path) -> dict[str, list[str]]:
    """The owners of a template, for the package `churn`."""
    config = yaml.safe_load((template / "copier.yml").read_text(encoding="utf-8"))
    text = config["owners"]["default"].replace("{{ package_name }}", "churn")
    return dict(yaml.safe_load(text))


def gone(template: Path) -> list[str]:
    """The paths that no update deletes though they are no longer rendered."""
    return list_retired((template / "copier.yml").read_text(encoding="utf-8"), "churn")


def faults(owners: dict[str, list[str]], paths: Iterable[str]) -> dict[str, list[str]]:
    """The paths that do not have exactly one owner, with those that they have."""
    stated_owners = Owners(owners)
    return {path: claims for path in paths if len(claims := stated_owners.find_all(path)) != 1}


def taken(old: Rendering, new: Rendering, left_alone: list[str]) -> list[str]:
    """The paths that an update from one version to another would take from a project, edits and
    all: updated by the old version; by the new one neither rendered, nor updated, nor retired.
    """
    before, after = Owners(old.owners), Owners(new.owners)
    kept = Owners({"retired": left_alone})
    return [
        path
        for path in old.files
        if before.find(path) in UPDATED
        and (path not in new.files or after.find(path) in LEFT)
        and not kept.find_all(path)
    ]


def at(template: Path, version: str, folder: Path) -> Rendering:
    return render(str(template), folder / version / "churn", version=version)


# --- One owner ---------------------------------------------------------------------------------


def test_the_page_lists_what_copier_yml_states() -> None:
    page = (ROOT / "docs/owners.md").read_text(encoding="utf-8")
    listed = {owner: lines.split() for owner, lines in NAMED.findall(page)}
    assert listed == stated(ROOT)


def test_every_rendered_path_has_exactly_one_owner(render: Render) -> None:
    made = render("churn")
    paths = [p.relative_to(made).as_posix() for p in made.rglob("*") if p.is_file()]
    assert len(paths) > 50
    assert faults(stated(ROOT), paths) == {}


# --- No path is taken away ---------------------------------------------------------------------


@pytest.mark.parametrize("problem", EXAMPLES)
def test_no_release_takes_a_path_from_a_project(
    problem: str, template: Path, tmp_path: Path
) -> None:
    """It is rendered still, or its move or its end is stated for ever."""
    new = render(
        str(template), tmp_path / "new/churn", version="v9999", answers={"problem": problem}
    )
    listing = json.loads(MOVED.read_text(encoding="utf-8").replace(PACKAGE, "churn"))
    for old in render_releases(problem, tmp_path):
        assert taken(old, new, gone(ROOT)) == [], (
            f"{old.version} rendered this; state in copier.yml where it moved, or retire it there "
            "(docs/owners.md says how)"
        )
        ids = list_contents(new.moves, [old])
        unknown = {path for path, each in ids.items() if set(each) - set(listing[path])}
        assert unknown == set(), f"{old.version}: {REWRITE}"


def test_each_move_leads_from_a_path_of_a_release_to_one_that_is_rendered(
    template: Path, tmp_path: Path
) -> None:
    paths, rendered = set[str](), set[str]()
    for problem in EXAMPLES:
        new = render(
            str(template),
            tmp_path / problem / "churn",
            version="v9999",
            answers={"problem": problem},
        )
        rendered |= new.files.keys()
        paths |= {path for old in render_releases(problem, tmp_path) for path in old.files}
    for old, parts in new.moves.items():
        assert old in paths
        assert set(parts) <= rendered


def drop(template: Path) -> None:
    (template / "template/pytest.ini").unlink()


def rename(template: Path) -> None:
    (template / "template/pytest.ini").rename(template / "template/tests.ini")


def give_to_the_team(template: Path) -> None:
    edit(template / "copier.yml", "      - /pytest.ini\n", "")
    last = "      - /notebooks\n"
    edit(template / "copier.yml", last, f"{last}      - /pytest.ini\n")


def retire(template: Path, path: str) -> None:
    marker = "{% if _copier_operation == 'update' %}\n    {% endif %}"
    edit(template / "copier.yml", marker, marker.replace("\n", f"\n    {path}\n", 1))


@pytest.mark.parametrize("change", [drop, rename, give_to_the_team])
def test_a_path_that_goes_is_noticed_and_kept_when_it_is_retired(
    change: Callable[[Path], None], tmp_path: Path
) -> None:
    """And that is what Copier does: what was noticed it deletes, what was retired it keeps."""
    template = template_at(tmp_path / "template")
    for name in ("lost", "kept"):
        project = tmp_path / name / "churn"
        copier.run_copy(str(template), project, vcs_ref="v0.1.0", defaults=True, quiet=True)
        git(project, "init", "--quiet")
        edit(project / "pytest.ini", "line 9\n", "line 9 of the team\n")
        save(project)
    change(template)
    release(template, "0.2.0")
    old, new = at(template, "v0.1.0", tmp_path), at(template, "v0.2.0", tmp_path)
    assert taken(old, new, gone(template)) == ["pytest.ini"]
    copier.run_update(tmp_path / "lost/churn", defaults=True, overwrite=True, quiet=True)
    assert not (tmp_path / "lost/churn/pytest.ini").exists(), "Copier has learnt; simplify"
    retire(template, "/pytest.ini")
    release(template, "0.3.0")
    assert taken(old, at(template, "v0.3.0", tmp_path), gone(template)) == []
    copier.run_update(tmp_path / "kept/churn", defaults=True, overwrite=True, quiet=True)
    assert "line 9 of the team\n" in (tmp_path / "kept/churn/pytest.ini").read_text()


def test_a_release_that_takes_nothing_is_found_to_take_nothing(tmp_path: Path) -> None:
    template = template_at(tmp_path / "template")
    second(template)
    assert taken(at(template, "v0.1.0", tmp_path), at(template, "v0.2.0", tmp_path), []) == []


def test_a_history_that_was_cut_off_is_an_error_here_too(tmp_path: Path) -> None:
    template = template_at(tmp_path / "template")
    second(template)
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{template}", "shallow")
    with pytest.raises(Fixable, match="shallow"):
        find_releases(tmp_path / "shallow")


def test_the_retired_list_is_literal() -> None:
    """Copier reads it with the answers of the old release, which know nothing of it."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
    literal = config["_exclude"][2]
    assert "_copier_operation == 'update'" in literal
    assert "owners" not in literal
