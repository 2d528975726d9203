"""The template beside a repository: how far behind it is, what was edited, what would conflict."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from ..answers import ANSWERS, Answers
from ..difference import compare_files
from ..errors import Fixable
from ..merging import REFUSALS
from ..preview import merge_paths, read_own_files, render_newest, render_original
from ..project import find_original_answers, find_project
from ..releases import (
    FINAL,
    RECORDED,
    Standing,
    clone_history,
    find_releases,
    list_tagged_versions,
    parse_version,
    tag_releases,
)
from ..rendering import Owners, Rendering, render
from ..repository import GitError, git
from ..review.snapshot import Snapshot
from .row import Edit


@contextmanager
def open_template(source: str) -> Iterator[Path]:
    """Clone the template once, its releases tagged, into a folder that is deleted afterwards."""
    with TemporaryDirectory(prefix="exemplar-fleet-") as scratch:
        clone = clone_history(source, Path(scratch) / "template")
        tagged = set(list_tagged_versions(str(clone)))
        tag_releases(clone, [each for each in find_releases(clone) if each.version not in tagged])
        yield clone


def compare_version(versions: list[str], recorded: str) -> Standing | None:
    """Return how far behind the newest release a version of the template is; None where the
    template has no such release.
    """
    match = RECORDED.fullmatch(recorded)
    if not versions or match is None:
        return None
    newest = max(versions, key=parse_version)
    later = [each for each in versions if parse_version(each) > parse_version(match[1])]
    return Standing(match[1], newest, len(later))


def list_versions(clone: Path) -> list[str]:
    """Return the releases of the template."""
    return [version for version in list_tagged_versions(str(clone)) if FINAL.fullmatch(version)]


@cache
def unpack(clone: Path, version: str) -> Path | None:
    """Return a folder with the template at a version, which Copier reads faster than a clone; None
    where the template has no such version. Each process has its own.
    """
    folder = clone.parent / f"{version}-{os.getpid()}".replace("/", "-")
    folder.mkdir()
    index = {"GIT_INDEX_FILE": str(folder) + ".index", "GIT_WORK_TREE": str(folder)}
    try:
        git(clone, "checkout", "--quiet", "--force", version, "--", ".", **index)
    except GitError:
        return None
    return folder


def find_drift(clone: Path, snapshot: Snapshot, answers: Answers) -> list[Edit] | None:
    """Return the files of the template's that a team edited, each with a patch.

    None where this template cannot render the version that the repository has.
    """
    template = unpack(clone, answers.version)
    if template is None:
        return None
    with TemporaryDirectory(prefix="exemplar-fleet-") as scratch:
        try:
            folder = Path(scratch) / snapshot.name
            original = render(str(template), folder, answers=answers.values)
        except Fixable:
            return None
    return compare_with_template(original, snapshot)


def compare_with_template(original: Rendering, snapshot: Snapshot) -> list[Edit]:
    """Return how the template's files differ from what was rendered; deleted ones are left out."""
    owners = Owners(original.owners)
    edited = {
        path: entry
        for path, entry in original.files.items()
        if path != ANSWERS
        and entry.kind != "link"
        and owners.find(path) == "template"
        and path in snapshot.content
        and snapshot.content[path] != entry.content
    }
    ours = {path: entry._replace(content=snapshot.content[path]) for path, entry in edited.items()}
    return [
        Edit(change.path, change.added, change.removed, change.patch)
        for change in compare_files(edited, ours)
    ]


def find_conflicts(clone: Path, folder: Path) -> list[str] | None:
    """Return the files that the next update refuses; None where that cannot be told."""
    try:
        project = find_project(folder)
        record = project.answers.record | {"_src_path": str(clone)}
        project = project._replace(answers=project.answers._replace(record=record))
        original = find_original_answers(project)
        with TemporaryDirectory(prefix="exemplar-fleet-") as scratch:
            before = render_original(project, Path(scratch), original)
            after = render_newest(project, Path(scratch), original)
            ours = read_own_files(project, {*before.files, *after.files} - {ANSWERS})
            outcomes = merge_paths(Path(scratch) / "merged", ours, before, after).outcomes
    except (Fixable, GitError):
        return None
    return sorted(path for path, outcome in outcomes.items() if outcome.fate in REFUSALS)
