"""What changes for a project between two versions of the template, by owner."""

import re
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from rich.console import Console

from .errors import Fixable
from .new import origin, split
from .releases import releases
from .rendering import ANSWERS, Files, Owners, Rendered, put, render
from .repository import answers as asked
from .repository import git

console = Console(highlight=False, markup=False, soft_wrap=True)

ARRIVES = {
    "template": "Arrives by update (the template's files)",
    "merged": "Arrives by update, merged with your edits (files that both edit)",
    "team": "Adopt by hand (the team's files; an update leaves them alone)",
    "machine": "Written by commands (an update leaves them alone)",
}
HEADER = re.compile(r'^diff --git "?a/.*?"? "?b/(.*?)"?$')
AS_IT_STANDS = "."


class Change(NamedTuple):
    """How a path differs between two versions."""

    path: str
    what: str
    """`new`, `changed` or `gone`."""
    added: int
    removed: int
    patch: str


def changes(old: Files, new: Files) -> list[Change]:
    """How the files differ, by path, each with a patch that `git apply` takes."""
    differing = sorted(path for path in {*old, *new} if old.get(path) != new.get(path))
    if not differing:
        return []
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for side, files in (("a", old), ("b", new)):
            (folder / side).mkdir()
            for path in differing:
                put(folder / side / path, files.get(path))
        text = _compared(folder)
    found: list[Change] = []
    for part in re.split(r"^(?=diff --git )", text, flags=re.MULTILINE):
        if header := HEADER.match(part.partition("\n")[0]):
            path = header[1]
            body = part.partition("\n@@")[2].splitlines()
            found.append(
                Change(
                    path,
                    "new" if path not in old else "gone" if path not in new else "changed",
                    sum(line.startswith("+") for line in body),
                    sum(line.startswith("-") for line in body),
                    part,
                )
            )
    return found


def _compared(folder: Path) -> str:
    """The patch from folder `a` to folder `b`, through an index of its own."""
    own = {"GIT_DIR": str(folder / "git"), "GIT_CEILING_DIRECTORIES": str(folder)}
    git(folder, "init", "--quiet", **own)
    trees = []
    for side in ("a", "b"):
        tree = {
            **own,
            "GIT_WORK_TREE": str(folder / side),
            "GIT_INDEX_FILE": str(folder / side) + "i",
        }
        git(folder / side, "-c", "core.autocrlf=false", "add", "--all", "--force", ".", **tree)
        trees.append(git(folder, "write-tree", **tree).strip())
    return git(
        folder,
        *("-c", "core.quotePath=false", "diff-tree", "-r", "-p", "--binary", "--no-renames"),
        *trees,
        **own,
    )


def by_owner(found: list[Change], owners: Owners) -> dict[str, list[Change]]:
    """The changes under their owners, in the order in which a team cares."""
    grouped: dict[str, list[Change]] = {owner: [] for owner in ARRIVES}
    for change in found:
        grouped.setdefault(owners.of(change.path), []).append(change)
    return {owner: group for owner, group in grouped.items() if group}


def table(found: list[Change]) -> str:
    """One line for each path: what happened to it, and how many lines."""
    width = max(len(change.path) for change in found)
    return "\n".join(
        f"  {change.what:<8}{change.path:<{width}}  +{change.added} -{change.removed}"
        for change in found
    )


def told(grouped: Mapping[str, list[Change]], *, patch: bool) -> str:
    """The changes as text for a person, with or without the full patches."""
    parts = []
    for owner, group in grouped.items():
        parts.append(f"{ARRIVES.get(owner, owner)}\n{table(group)}")
        if patch:
            parts.append("".join(change.patch for change in group).rstrip())
    return "\n\n".join(parts) or "Nothing changes for a project."


def between(source: str, old: str, new: str, given: Mapping[str, str]) -> dict[str, list[Change]]:
    """What changes between two commits or tags of the template for a project with these answers."""
    with TemporaryDirectory() as scratch:
        sides: list[Rendered] = []
        for side, ref in (("old", old), ("new", new)):
            # A question of the new version alone is no question of the old one, and the reverse:
            # Copier leaves out what it does not know.
            sides.append(render(source, Path(scratch) / side / "project", version=ref, given=given))
    known = {*sides[0].answers, *sides[1].answers}
    if unknown := sorted(set(given) - known):
        raise Fixable(
            f"--answer {unknown[0]}: expected one of {', '.join(sorted(known))}. Found none of "
            "that name. Next: answer one that either version asks"
        )
    before, after = (dict(side.files) for side in sides)
    before.pop(ANSWERS, None)
    after.pop(ANSWERS, None)
    return by_owner(changes(before, after), Owners(sides[1].owners or sides[0].owners))


def reference(source: str, version: str) -> str:
    """What Copier takes for a version: the commit of a release, any revision, or the clone as it
    stands (`.`).
    """
    folder = Path(source)
    if version == AS_IT_STANDS:
        return "HEAD"  # Copier adds what is not committed
    if not folder.is_dir():
        return version if not version[:1].isdigit() else f"v{version}"
    known = {release.version: release.commit for release in releases(folder)}
    if version.removeprefix("v") in known:
        return known[version.removeprefix("v")]
    commit = asked(folder, "rev-parse", "--verify", "--quiet", f"{version}^{{commit}}")
    if commit is None:
        have = ", ".join(known) or "none yet"
        raise Fixable(
            f"{version}: expected a release ({have}), another revision of {folder}, or . for the "
            "clone as it stands; found no such thing. Next: git log --oneline, in that clone"
        )
    return commit


def diff(old: str, new: str, *, template: str | None, answers: list[str], patch: bool) -> int:
    """Print what changed for a project between two versions; 0."""
    source = origin(template)
    given = split(answers)
    found = between(source, reference(source, old), reference(source, new), given)
    here = "the clone as it stands"
    console.print(
        f"From {here if old == AS_IT_STANDS else old} to {here if new == AS_IT_STANDS else new}, "
        f"for a project with {'these answers' if given else 'the default answers'}:\n"
    )
    console.print(told(found, patch=patch))
    return 0
