"""`exemplar release`: one commit that raises the version, dates the changelog, and is tagged.

It refuses what would surprise a team: tests of updates that are red, and a changelog that does not
say what changed for whom.
"""

import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from rich.console import Console

from .difference import Change, between, told
from .errors import Fixable
from .new import origin
from .releases import FINAL, Release, order, releases
from .repository import GitError, git
from .repository import answers as asked

CHANGELOG, PROJECT = "CHANGELOG.md", "pyproject.toml"
HEADINGS = ("Arrives by update", "Adopt by hand", "Action needed")
NOTHING = "- Nothing."
UPDATE_TESTS = ("uv", "run", "pytest", "tests/updates", "tests/rendering")
UNRELEASED = re.compile(r"^## Unreleased\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
VERSION = re.compile(r'^version = "([^"]*)"$', re.MULTILINE)
SHOWN = 25  # lines of tests that are red

console = Console(highlight=False, markup=False, soft_wrap=True)


def release(
    version: str, template: Path | None = None, *, tests: Sequence[str] = UPDATE_TESTS
) -> int:
    """Make a release of the template in the current clone; 0. Where anything speaks against it,
    nothing is changed. `tests` is what has to pass, run in the clone with the new version in it.
    """
    folder = Path(origin(str(template) if template else None))
    try:
        return carry_out(version, folder, tests)
    except GitError as error:
        raise Fixable(f"git said no: {error}\nNext: git status, in {folder}") from None


def carry_out(version: str, folder: Path, tests: Sequence[str]) -> int:
    """Check, change two files, test, commit, tag."""
    made = releases(folder)
    ready(version, folder, made)
    project = (folder / PROJECT).read_text(encoding="utf-8")
    changelog = (folder / CHANGELOG).read_text(encoding="utf-8")
    section = unreleased(changelog)
    grouped = between(str(folder), made[-1].commit, "HEAD", {}) if made else {}
    agree(section, grouped, made)
    (folder / PROJECT).write_text(raised(project, version), encoding="utf-8")
    (folder / CHANGELOG).write_text(dated(changelog, version, date.today()), encoding="utf-8")
    done = False
    try:
        console.print(f"Running {shlex.join(tests)}")
        refuse_red(folder, tests)
        git(folder, "add", PROJECT, CHANGELOG)
        git(folder, "commit", "--quiet", "--message", f"Release {version}")
        done = True
        notes = f"{version}\n\n{section.strip()}\n\n{told(grouped, patch=False)}"
        git(folder, "tag", "--annotate", "--cleanup=verbatim", "--message", notes, f"v{version}")
    except KeyboardInterrupt:
        raise Fixable("Stopped. Nothing was released.") from None
    finally:
        if not done:
            git(folder, "restore", "--staged", "--worktree", PROJECT, CHANGELOG)
    if grouped:
        console.print(f"\n{told(grouped, patch=False)}")
    console.print(f"\nReleased {version}, tagged v{version}. Next: git push --follow-tags")
    return 0


def ready(version: str, folder: Path, made: Sequence[Release]) -> None:
    """Stop where a release cannot begin."""
    if not FINAL.fullmatch(version):
        raise Fixable(f"{version}: expected a version like 0.2.0, found another form.")
    branch = asked(folder, "branch", "--show-current")
    if branch != "main":
        raise Fixable(
            f"{folder}: expected the branch main, found {branch or 'a detached HEAD'}. "
            "Next: git switch main"
        )
    if dirty := git(folder, "status", "--porcelain").rstrip():
        raise Fixable(
            f"{folder}: expected everything committed, found\n{dirty}\n"
            "Next: git commit, or git stash"
        )
    if made and order(version) <= made[-1].order:
        raise Fixable(
            f"{version}: expected a version above {made[-1].version}, the last release; found one "
            "that is not. Next: choose a higher one"
        )
    if asked(folder, "rev-parse", "--verify", "--quiet", f"refs/tags/v{version}") is not None:
        raise Fixable(
            f"v{version}: expected no such tag, found one. Next: git tag --delete v{version}, "
            "unless it was pushed; then choose a higher version"
        )


def unreleased(changelog: str) -> str:
    """What the changelog says about the release to come, once it says something."""
    found = UNRELEASED.search(changelog)
    headings = re.findall(r"^### (.*)$", found[1], re.MULTILINE) if found else []
    if found is None or tuple(headings) != HEADINGS:
        raise Fixable(
            f"{CHANGELOG}: expected a section '## Unreleased' with the headings "
            f"{', '.join(f'### {heading}' for heading in HEADINGS)}; found "
            f"{', '.join(headings) or 'none'}. Next: write it as the sections below are"
        )
    if not any(lines(found[1], heading) for heading in HEADINGS):
        raise Fixable(
            f"{CHANGELOG}: expected what this release brings, found only '{NOTHING}' under "
            "'## Unreleased'. Next: say what changes for a team, or make no release"
        )
    return found[1]


def lines(section: str, heading: str) -> list[str]:
    """What stands under a heading, without the line that says nothing."""
    text = section.partition(f"### {heading}\n")[2].partition("### ")[0]
    return [line for line in text.splitlines() if line.strip() and line.strip() != NOTHING]


def agree(section: str, grouped: Mapping[str, Sequence[Change]], made: Sequence[Release]) -> None:
    """Hold the changelog against what changes for a project: a heading may not say nothing."""
    for heading, owners in (
        ("Arrives by update", ("template", "merged")),
        ("Adopt by hand", ("team",)),
    ):
        changed = [change.path for owner in owners for change in grouped.get(owner, ())]
        if changed and not lines(section, heading):
            raise Fixable(
                f"{CHANGELOG}: expected under '{heading}' what changed there since "
                f"{made[-1].version}, found nothing. It concerns: {', '.join(changed)}\n"
                f"Next: uv run exemplar diff {made[-1].version} --patch, then say it"
            )


def raised(project: str, version: str) -> str:
    """`pyproject.toml` with the new version."""
    text, places = VERSION.subn(f'version = "{version}"', project, count=1)
    if not places:
        raise Fixable(f'{PROJECT}: expected a line version = "…", found none.')
    return text


def dated(changelog: str, version: str, today: date) -> str:
    """The changelog with the section under its version, and an empty one above it."""
    empty = "\n\n".join(f"### {heading}\n\n{NOTHING}" for heading in HEADINGS)
    return changelog.replace(
        "## Unreleased\n", f"## Unreleased\n\n{empty}\n\n## {version}, {today.isoformat()}\n", 1
    )


def refuse_red(folder: Path, tests: Sequence[str]) -> None:
    """Stop where the update tests are red."""
    try:
        ran = subprocess.run(tests, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Fixable(f"{tests[0]}: expected a command, found: {error.strerror}") from None
    if ran.returncode:
        last = (ran.stdout + ran.stderr).rstrip().splitlines()[-SHOWN:]
        raise Fixable(
            f"{shlex.join(tests)}: expected green, found red:\n"
            + "\n".join(f"    {line}" for line in last)
            + "\nNothing was released. Next: fix that, then the same command again"
        )
