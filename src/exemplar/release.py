"""`exemplar release`: one commit that raises the version, dates the changelog, and is tagged.

It makes no release that would surprise a team: the tests of updates have to pass, and the changelog
has to say what changes for whom.
"""

import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from rich.console import Console

from .difference import Change, compare_versions, describe_changes
from .errors import Fixable
from .new import find_template
from .releases import FINAL, Release, find_releases, parse_version, tag_landed_releases
from .repository import GitError, git, try_git

CHANGELOG, PROJECT = "CHANGELOG.md", "pyproject.toml"
HEADINGS = ("Arrives by update", "Adopt by hand", "Action needed")
NOTHING = "- Nothing."
UPDATE_TESTS = ("uv", "run", "pytest", "tests/updates", "tests/rendering")
UNRELEASED = re.compile(r"^## Unreleased\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
VERSION = re.compile(r'^version = "([^"]*)"$', re.MULTILINE)
OUTPUT_LINES = 25  # how much of the output of failed tests is shown

console = Console(highlight=False, markup=False, soft_wrap=True)


def release(
    version: str, template: Path | None = None, *, tests: Sequence[str] = UPDATE_TESTS
) -> int:
    """Make a release of the template in the current clone; return 0.

    `tests` is the command that has to pass, run in the clone with the new version in it. Raises
    Fixable, and changes nothing, where anything speaks against the release.
    """
    folder = Path(find_template(str(template) if template else None))
    try:
        return carry_out(version, folder, tests)
    except GitError as error:
        raise Fixable(f"git failed: {error}\nNext: git status, in {folder}") from None


def tag_landed(template: Path | None = None) -> int:
    """Tag the releases that landed without a tag, print them, and return 0.

    A release that reaches main by a pull request is another commit than the one that was tagged.
    """
    folder = Path(find_template(str(template) if template else None))
    landed = tag_landed_releases(folder)
    for each in landed:
        console.print(f"{each.tag} is {each.commit[:12]}")
    console.print("Next: git push --tags" if landed else "Every release has its tag.")
    return 0


def carry_out(version: str, folder: Path, tests: Sequence[str]) -> int:
    """Check, change two files, test, commit, tag; return 0."""
    releases = find_releases(folder)
    require_ready(version, folder, releases)
    project = (folder / PROJECT).read_text(encoding="utf-8")
    changelog = (folder / CHANGELOG).read_text(encoding="utf-8")
    section = find_unreleased(changelog)
    changes = compare_versions(str(folder), releases[-1].commit, "HEAD", {}) if releases else {}
    require_complete_changelog(section, changes, releases)
    summary = describe_changes(changes, patch=False)
    (folder / PROJECT).write_text(set_version(project, version), encoding="utf-8")
    (folder / CHANGELOG).write_text(
        date_section(changelog, version, date.today()), encoding="utf-8"
    )
    is_committed = False
    try:
        console.print(f"Running {shlex.join(tests)}")
        require_green(folder, tests)
        git(folder, "add", PROJECT, CHANGELOG)
        git(folder, "commit", "--quiet", "--message", f"Release {version}")
        is_committed = True
        notes = f"{version}\n\n{section.strip()}\n\n{summary}"
        git(folder, "tag", "--annotate", "--cleanup=verbatim", "--message", notes, f"v{version}")
    except KeyboardInterrupt:
        raise Fixable("Stopped. Nothing was released.") from None
    finally:
        if not is_committed:
            git(folder, "restore", "--staged", "--worktree", PROJECT, CHANGELOG)
    if changes:
        console.print(f"\n{summary}")
    console.print(f"\nReleased {version}, tagged v{version}. Next: git push --follow-tags")
    return 0


def require_ready(version: str, folder: Path, releases: Sequence[Release]) -> None:
    """Raise Fixable where a release cannot begin."""
    if not FINAL.fullmatch(version):
        raise Fixable(f"{version}: expected a version like 0.2.0, found another form.")
    branch = try_git(folder, "branch", "--show-current")
    if branch != "main":
        raise Fixable(
            f"{folder}: expected the branch main, found {branch or 'a detached HEAD'}. "
            "Next: git switch main"
        )
    if uncommitted := git(folder, "status", "--porcelain").rstrip():
        raise Fixable(
            f"{folder}: expected everything committed, found\n{uncommitted}\n"
            "Next: git commit, or git stash"
        )
    if releases and parse_version(version) <= releases[-1].number:
        raise Fixable(
            f"{version}: expected a version above {releases[-1].version}, the last release; found "
            "one that is not higher. Next: choose a higher one"
        )
    if try_git(folder, "rev-parse", "--verify", "--quiet", f"refs/tags/v{version}") is not None:
        raise Fixable(
            f"v{version}: expected no such tag, found one. Next: git tag --delete v{version}, "
            "unless it was pushed; then choose a higher version"
        )


def find_unreleased(changelog: str) -> str:
    """Return the changelog's section about the next release; raises Fixable where it is empty."""
    match = UNRELEASED.search(changelog)
    headings = re.findall(r"^### (.*)$", match[1], re.MULTILINE) if match else []
    if match is None or tuple(headings) != HEADINGS:
        raise Fixable(
            f"{CHANGELOG}: expected a section '## Unreleased' with the headings "
            f"{', '.join(f'### {heading}' for heading in HEADINGS)}; found "
            f"{', '.join(headings) or 'none'}. Next: write it as the sections below are"
        )
    if not any(list_lines(match[1], heading) for heading in HEADINGS):
        raise Fixable(
            f"{CHANGELOG}: expected what this release brings, found only '{NOTHING}' under "
            "'## Unreleased'. Next: write what changes for a team, or make no release"
        )
    return match[1]


def list_lines(section: str, heading: str) -> list[str]:
    """Return the lines under a heading, without the one that means nothing changed."""
    text = section.partition(f"### {heading}\n")[2].partition("### ")[0]
    return [line for line in text.splitlines() if line.strip() and line.strip() != NOTHING]


def require_complete_changelog(
    section: str, changes: Mapping[str, Sequence[Change]], releases: Sequence[Release]
) -> None:
    """Raise Fixable where files change for a project and the changelog's heading is empty."""
    for heading, owners in (
        ("Arrives by update", ("template", "merged")),
        ("Adopt by hand", ("team",)),
    ):
        paths = [change.path for owner in owners for change in changes.get(owner, ())]
        if paths and not list_lines(section, heading):
            last = releases[-1].version
            raise Fixable(
                f"{CHANGELOG}: expected under '{heading}' what changed there since {last}, found "
                f"nothing. These files changed: {', '.join(paths)}\n"
                f"Next: uv run exemplar diff {last} --patch, then write what changed"
            )


def set_version(project: str, version: str) -> str:
    """Return the text of `pyproject.toml` with the new version."""
    text, replacements = VERSION.subn(f'version = "{version}"', project, count=1)
    if not replacements:
        raise Fixable(f'{PROJECT}: expected a line version = "…", found none.')
    return text


def date_section(changelog: str, version: str, today: date) -> str:
    """Return the changelog with the section under its version, and an empty one above it."""
    empty = "\n\n".join(f"### {heading}\n\n{NOTHING}" for heading in HEADINGS)
    return changelog.replace(
        "## Unreleased\n", f"## Unreleased\n\n{empty}\n\n## {version}, {today.isoformat()}\n", 1
    )


def require_green(folder: Path, tests: Sequence[str]) -> None:
    """Raise Fixable where the tests are red."""
    try:
        completed = subprocess.run(tests, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Fixable(f"{tests[0]}: expected a command, found: {error.strerror}") from None
    if completed.returncode:
        lines = (completed.stdout + completed.stderr).rstrip().splitlines()[-OUTPUT_LINES:]
        raise Fixable(
            f"{shlex.join(tests)}: expected green, found red:\n"
            + "\n".join(f"    {line}" for line in lines)
            + "\nNothing was released. Next: fix that, then the same command again"
        )
