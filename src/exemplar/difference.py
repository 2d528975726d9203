"""What changes for a project between two versions of the template, by owner."""

import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from rich.console import Console

from .answers import ANSWERS
from .errors import Fixable
from .new import find_template, parse_options
from .releases import find_releases
from .rendering import Files, Owners, render, write_entry
from .repository import git, try_git

console = Console(highlight=False, markup=False, soft_wrap=True)

HEADINGS = {
    "template": "Arrives by update (the template's files)",
    "merged": "Arrives by update, merged with your edits (files that both edit)",
    "team": "Adopt by hand (the team's files; an update leaves them alone)",
    "machine": "Written by commands (an update leaves them alone)",
}
HEADER = re.compile(r'^diff --git "?a/.*?"? "?b/(.*?)"?$')
WORKING_TREE = "."


class Change(NamedTuple):
    """How a path differs between two versions."""

    path: str
    kind: str
    """`new`, `changed` or `gone`."""
    added: int
    removed: int
    patch: str


def compare_files(old: Files, new: Files) -> list[Change]:
    """Return how the files differ, by path, each with a patch that `git apply` accepts."""
    paths = sorted(path for path in {*old, *new} if old.get(path) != new.get(path))
    if not paths:
        return []
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for side, files in (("a", old), ("b", new)):
            (folder / side).mkdir()
            for path in paths:
                write_entry(folder / side / path, files.get(path))
        text = build_patch(folder)
    changes: list[Change] = []
    for patch in re.split(r"^(?=diff --git )", text, flags=re.MULTILINE):
        if header := HEADER.match(patch.partition("\n")[0]):
            path = header[1]
            lines = patch.partition("\n@@")[2].splitlines()
            changes.append(
                Change(
                    path,
                    "new" if path not in old else "gone" if path not in new else "changed",
                    sum(line.startswith("+") for line in lines),
                    sum(line.startswith("-") for line in lines),
                    patch,
                )
            )
    return changes


def build_patch(folder: Path) -> str:
    """Return the patch from its folder `a` to its folder `b`; no other repository is used."""
    own = {"GIT_DIR": str(folder / "git"), "GIT_CEILING_DIRECTORIES": str(folder)}
    git(folder, "init", "--quiet", **own)
    trees = []
    for side in ("a", "b"):
        index = {
            **own,
            "GIT_WORK_TREE": str(folder / side),
            "GIT_INDEX_FILE": str(folder / side) + "i",
        }
        git(folder / side, "-c", "core.autocrlf=false", "add", "--all", "--force", ".", **index)
        trees.append(git(folder, "write-tree", **index).strip())
    return git(
        folder,
        *("-c", "core.quotePath=false", "diff-tree", "-r", "-p", "--binary", "--no-renames"),
        *trees,
        **own,
    )


def group_by_owner(changes: list[Change], owners: Owners) -> dict[str, list[Change]]:
    """Return the changes under their owners; first what matters most to a team."""
    groups: dict[str, list[Change]] = {owner: [] for owner in HEADINGS}
    for change in changes:
        groups.setdefault(owners.find(change.path), []).append(change)
    return {owner: group for owner, group in groups.items() if group}


def format_table(changes: list[Change]) -> str:
    """Return one line for each path: what happened to it, and how many lines."""
    width = max(len(change.path) for change in changes)
    return "\n".join(
        f"  {change.kind:<8}{change.path:<{width}}  +{change.added} -{change.removed}"
        for change in changes
    )


def describe_changes(groups: Mapping[str, list[Change]], *, patch: bool) -> str:
    """Return the changes as text for people, with or without the full patches."""
    parts = []
    for owner, group in groups.items():
        parts.append(f"{HEADINGS.get(owner, owner)}\n{format_table(group)}")
        if patch:
            parts.append("".join(change.patch for change in group).rstrip())
    return "\n\n".join(parts) or "Nothing changes for a project."


def compare_versions(
    source: str, old: str, new: str, answers: Mapping[str, str]
) -> dict[str, list[Change]]:
    """Return, by owner, what changes for a project with these answers between two versions.

    The versions are commits or tags of the template. Raises Fixable for an answer to a question
    that neither version asks.
    """
    with TemporaryDirectory() as scratch:
        # A question that only one version asks is no error in the other: Copier ignores answers
        # to questions that it does not know.
        before, after = (
            render(source, Path(scratch) / side / "project", version=version, answers=answers)
            for side, version in (("old", old), ("new", new))
        )
    questions = {*before.answers, *after.answers}
    if unknown := sorted(set(answers) - questions):
        raise Fixable(
            f"--answer {unknown[0]}: expected one of {', '.join(sorted(questions))}. Found no "
            "question of that name. Next: answer one that either version asks"
        )
    sides = [
        {path: entry for path, entry in side.files.items() if path != ANSWERS}
        for side in (before, after)
    ]
    return group_by_owner(compare_files(*sides), Owners(after.owners or before.owners))


def resolve_version(source: str, version: str) -> str:
    """Return what Copier accepts for a version: the commit of a release or of another revision, or
    `HEAD` for the clone with what is not committed (`.`).

    Raises Fixable where the clone has no such version.
    """
    folder = Path(source)
    if version == WORKING_TREE:
        return "HEAD"  # Copier adds what is not committed
    if not folder.is_dir():
        return version if not version[:1].isdigit() else f"v{version}"
    commits = {release.version: release.commit for release in find_releases(folder)}
    if version.removeprefix("v") in commits:
        return commits[version.removeprefix("v")]
    commit = try_git(folder, "rev-parse", "--verify", "--quiet", f"{version}^{{commit}}")
    if commit is None:
        raise Fixable(
            f"{version}: expected a release ({', '.join(commits) or 'none yet'}), another revision "
            f"of {folder}, or . for the clone with what is not committed; found no such version. "
            "Next: git log --oneline, in that clone"
        )
    return commit


def diff(old: str, new: str, *, template: str | None, answers: list[str], patch: bool) -> int:
    """Print what changes for a project between two versions; return 0."""
    source = find_template(template)
    values = parse_options(answers)
    groups = compare_versions(
        source, resolve_version(source, old), resolve_version(source, new), values
    )
    names = [
        "the clone with what is not committed" if version == WORKING_TREE else version
        for version in (old, new)
    ]
    console.print(
        f"From {names[0]} to {names[1]}, for a project with "
        f"{'these answers' if values else 'the default answers'}:\n"
    )
    console.print(describe_changes(groups, patch=patch))
    return 0
