"""`exemplar release`: it makes one, whole, or says what speaks against it."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from exemplar.errors import Fixable
from exemplar.release import CHANGELOG, HEADINGS, release

from ..conftest import ROOT
from ..made import git
from .small import DELIVERY, SOMEONE, edit, exemplar, fixable, save, template_at

GREEN = (sys.executable, "-c", "")
SAYS = {
    "Arrives by update": "- `check` says more.",
    "Adopt by hand": "- Nothing.",
    "Action needed": "- Nothing.",
}


def changelog(section: dict[str, str]) -> str:
    parts = "\n\n".join(f"### {heading}\n\n{text}" for heading, text in section.items())
    return f"# Changelog\n\nWhat a release means.\n\n## Unreleased\n\n{parts}\n"


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A template with a release, and a change that the changelog names."""
    for name, value in SOMEONE.items():
        monkeypatch.setenv(name, value)
    folder = template_at(tmp_path / "template")
    edit(folder / DELIVERY / "check.py", "line 5\n", "line 5 of 0.2.0\n")
    (folder / CHANGELOG).write_text(changelog(SAYS))
    save(folder)
    return folder


def test_a_release_is_a_commit_with_a_version_a_date_and_a_tag(
    template: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saw = (
        "import pathlib; assert 'version = \"0.2.0\"' in pathlib.Path('pyproject.toml').read_text()"
    )
    assert release("0.2.0", template, tests=(sys.executable, "-c", saw)) == 0
    assert git(template, "status", "--porcelain") == ""
    assert git(template, "diff", "--name-only", "HEAD^").split() == [CHANGELOG, "pyproject.toml"]
    assert git(template, "rev-parse", "v0.2.0^{}") == git(template, "rev-parse", "HEAD")
    text = (template / CHANGELOG).read_text()
    empty = "\n\n".join(f"### {heading}\n\n- Nothing." for heading in HEADINGS)
    today = date.today().isoformat()
    assert f"## Unreleased\n\n{empty}\n\n## 0.2.0, {today}\n\n### Arrives by update\n" in text
    notes = git(template, "tag", "--list", "--format=%(contents)", "v0.2.0")
    assert "- `check` says more." in notes
    assert "changed src/project/delivery/check.py  +1 -1" in notes
    assert "git push --follow-tags" in capsys.readouterr().out


def test_the_next_release_follows(template: Path) -> None:
    assert release("0.2.0", template, tests=GREEN) == 0
    with pytest.raises(Fixable, match="what this release brings"):
        release("0.3.0", template, tests=GREEN)
    edit(template / DELIVERY / "check.py", "line 9\n", "line 9 of 0.3.0\n")
    text = (template / CHANGELOG).read_text()
    filled = text.replace("update\n\n- Nothing.", "update\n\n- More.", 1)
    (template / CHANGELOG).write_text(filled)
    save(template)
    assert release("0.3.0", template, tests=GREEN) == 0
    assert [line for line in (template / CHANGELOG).read_text().splitlines() if "## 0" in line] == [
        f"## {version}, {date.today().isoformat()}" for version in ("0.3.0", "0.2.0")
    ]


def untouched(template: Path, version: str, words: str, tests: tuple[str, ...] = GREEN) -> None:
    """The release is refused with these words, and the clone is as it was."""
    before = (git(template, "for-each-ref"), git(template, "status", "--porcelain"))
    with pytest.raises(Fixable, match=words):
        release(version, template, tests=tests)
    assert (git(template, "for-each-ref"), git(template, "status", "--porcelain")) == before


def test_it_is_refused_with_changes_that_are_not_committed(template: Path) -> None:
    (template / "at work.txt").touch()
    untouched(template, "0.2.0", "everything committed")


def test_it_is_refused_elsewhere_than_on_main(template: Path) -> None:
    git(template, "switch", "--quiet", "--create", "side")
    untouched(template, "0.2.0", "the branch main, found side")


@pytest.mark.parametrize("version", ["0.1.0", "0.0.9"])
def test_it_is_refused_if_the_version_is_not_higher(template: Path, version: str) -> None:
    untouched(template, version, "above 0.1.0")


def test_it_is_refused_if_the_version_is_none(template: Path) -> None:
    untouched(template, "v2", "a version like 0.2.0")


def test_it_is_refused_if_the_tag_is_there(template: Path) -> None:
    git(template, "tag", "v0.2.0")
    untouched(template, "0.2.0", "no such tag")


def test_it_is_refused_with_an_empty_changelog(template: Path) -> None:
    (template / CHANGELOG).write_text(changelog(dict.fromkeys(HEADINGS, "- Nothing.")))
    save(template)
    untouched(template, "0.2.0", "what this release brings")


def test_it_is_refused_without_the_three_headings(template: Path) -> None:
    (template / CHANGELOG).write_text(changelog({"Added": "- More."}))
    save(template)
    untouched(template, "0.2.0", "'## Unreleased' with the headings")


def test_it_is_refused_if_the_changelog_hides_what_a_team_has_to_adopt(template: Path) -> None:
    edit(template / "template/docs/team.md", "line 5\n", "line 5 of 0.2.0\n")
    save(template)
    untouched(template, "0.2.0", "under 'Adopt by hand'(.|\n)*docs/team.md(.|\n)*exemplar diff")


def test_it_is_refused_while_the_update_tests_are_red(template: Path) -> None:
    red = (sys.executable, "-c", "print('1 failed'); raise SystemExit(1)")
    untouched(template, "0.2.0", "found red:\n    1 failed", red)
    untouched(template, "0.2.0", "expected a command", ("no-such-command",))


def test_it_is_refused_in_a_shallow_clone(template: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{template}", "shallow")
    untouched(tmp_path / "shallow", "0.2.0", "git fetch --unshallow")


def test_the_command_says_so_in_one_message(template: Path) -> None:
    (template / "at work.txt").touch()
    fixable(exemplar(template, "release", "0.2.0", "--template", template), "everything committed")


def test_the_changelog_of_this_repository_can_be_released() -> None:
    text = (ROOT / CHANGELOG).read_text(encoding="utf-8")
    sections = text.split("\n## ")[1:]
    assert sections[0].startswith("Unreleased\n")
    for section in sections:
        headings = [line[4:] for line in section.splitlines() if line.startswith("### ")]
        assert tuple(headings) == HEADINGS, section.splitlines()[0]


def test_the_page_names_the_command_that_there_is() -> None:
    page = (ROOT / "docs/lead/release.md").read_text(encoding="utf-8")
    assert "uv run exemplar release " in page
    output = subprocess.run(
        [Path(sys.executable).with_name("exemplar"), "release", "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "version, changelog, update tests, commit, tag" in " ".join(output.split())
