"""Render the template for given answers at one version, as values that can be compared."""

import io
import os
from collections.abc import Mapping
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pathspec import PathSpec

from .answers import ANSWERS, read_answers
from .errors import Fixable
from .trust import copy_template

Kind = Literal["file", "program", "link"]


class Entry(NamedTuple):
    """What is at a path: a file, an executable file, or a link (its content is the target)."""

    kind: Kind
    content: bytes


Files = Mapping[str, Entry]


class Rendering(NamedTuple):
    """The template at one version, rendered for one project."""

    version: str
    """As Copier records it: a tag, or what git describe prints."""
    answers: dict[str, Any]
    """The answers that the answers file records."""
    owners: dict[str, list[str]]
    """Patterns of each owner; empty where the template states none."""
    moves: dict[str, list[str]]
    """The new paths of each old one, over all releases; empty where the template states none."""
    files: dict[str, Entry]


def render(
    source: str,
    folder: Path,
    *,
    version: str | None = None,
    answers: Mapping[str, Any] | None = None,
) -> Rendering:
    """Render into a folder, which may hold earlier answers, without trust and without questions.

    Raises Fixable with the message of Copier, Jinja or git where the rendering fails.
    """
    try:
        with redirect_stderr(io.StringIO()):
            worker = copy_template(
                source, folder, answers or {}, version=version, defaults=True, overwrite=True
            )
    except Exception as error:  # Copier's, Jinja's, git's: no traceback from a template
        raise Fixable(describe_error(error) or type(error).__name__) from None
    recorded = read_answers(folder / ANSWERS)
    return Rendering(
        recorded.version or str(version),
        recorded.values,
        dict(worker.answers.combined.get("owners") or {}),
        dict(worker.answers.combined.get("moves") or {}),
        read_entries(folder),
    )


def describe_error(error: BaseException) -> str:
    """Return the message of an error of Copier, or of the git command that Copier ran."""
    return str(getattr(error, "stderr", "") or error).strip()


def read_entry(path: Path) -> Entry | None:
    """Return what is at a path, or None where nothing is."""
    if path.is_symlink():
        return Entry("link", os.fsencode(path.readlink()))
    if not path.is_file():
        return None
    return Entry("program" if path.stat().st_mode & 0o100 else "file", path.read_bytes())


def read_entries(folder: Path) -> dict[str, Entry]:
    """Return every file of a folder by its path, without those of `.git`."""
    entries: dict[str, Entry] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if ".git" not in name.parts and (entry := read_entry(path)) is not None:
            entries[name.as_posix()] = entry
    return entries


def write_entry(path: Path, entry: Entry | None) -> None:
    """Write an entry at a path in place of what is there; None deletes it."""
    path.unlink(missing_ok=True)
    if entry is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if entry.kind == "link":
        path.symlink_to(os.fsdecode(entry.content))
        return
    path.write_bytes(entry.content)
    path.chmod(0o755 if entry.kind == "program" else 0o644)


class Owners:
    """Who owns which path, by the patterns in `copier.yml`."""

    def __init__(self, patterns: Mapping[str, list[str]]) -> None:
        self._specs = {
            owner: PathSpec.from_lines("gitignore", lines) for owner, lines in patterns.items()
        }

    def find_all(self, path: str) -> list[str]:
        """Return every owner of a path; in a correct template that is exactly one."""
        return [owner for owner, spec in self._specs.items() if spec.match_file(path)]

    def find(self, path: str) -> str:
        """Return the owner of a path: `template` where no pattern matches."""
        return next(iter(self.find_all(path)), "template")
