"""What the template makes of answers at one version, as values that can be compared."""

import io
import os
import warnings
from collections.abc import Mapping
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any, Literal, NamedTuple

import copier
import yaml
from pathspec import PathSpec

from .errors import Fixable

ANSWERS = ".copier-answers.yml"
Kind = Literal["file", "program", "link"]


class Entry(NamedTuple):
    """What stands at a path: a file, a file that can be run, or a link (its content is the aim)."""

    kind: Kind
    content: bytes


Files = Mapping[str, Entry]


class Rendered(NamedTuple):
    """A version of the template for one project."""

    version: str
    """As Copier records it: a tag, or what git describe says."""
    answers: dict[str, Any]
    """The remembered ones, without Copier's own."""
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
    given: Mapping[str, Any] | None = None,
) -> Rendered:
    """Render without trust and without questions into a folder, which may hold earlier answers.

    Warnings of Copier about clones as they stand are left out; its errors are `Fixable`.
    """
    try:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            worker = copier.run_copy(
                source,
                folder,
                dict(given or {}),
                vcs_ref=version,
                defaults=True,
                overwrite=True,
                quiet=True,
                unsafe=False,
            )
    except Exception as error:  # Copier's, Jinja's, git's: no traceback from a template
        raise Fixable(said(error) or type(error).__name__) from None
    remembered = read(folder / ANSWERS)
    return Rendered(
        str(remembered.get("_commit", version)),
        {key: value for key, value in remembered.items() if not key.startswith("_")},
        dict(worker.answers.combined.get("owners") or {}),
        dict(worker.answers.combined.get("moves") or {}),
        entries(folder),
    )


def said(error: BaseException) -> str:
    """What an error of Copier, or of the git that it ran, comes down to."""
    return str(getattr(error, "stderr", "") or error).strip()


def read(path: Path) -> dict[str, Any]:
    """An answers file; empty where it is none."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def entry(path: Path) -> Entry | None:
    """What stands at a path, if anything does."""
    if path.is_symlink():
        return Entry("link", os.fsencode(path.readlink()))
    if not path.is_file():
        return None
    return Entry("program" if path.stat().st_mode & 0o100 else "file", path.read_bytes())


def entries(folder: Path) -> dict[str, Entry]:
    """Every file of a folder by its path, without git's own."""
    found: dict[str, Entry] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if ".git" not in name.parts and (there := entry(path)) is not None:
            found[name.as_posix()] = there
    return found


def put(path: Path, what: Entry | None) -> None:
    """Make a path hold this, or nothing."""
    path.unlink(missing_ok=True)
    if what is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if what.kind == "link":
        path.symlink_to(os.fsdecode(what.content))
        return
    path.write_bytes(what.content)
    path.chmod(0o755 if what.kind == "program" else 0o644)


class Owners:
    """Who owns which path, by the patterns that `copier.yml` states."""

    def __init__(self, patterns: Mapping[str, list[str]]) -> None:
        self._specs = {
            owner: PathSpec.from_lines("gitignore", lines) for owner, lines in patterns.items()
        }

    def all_of(self, path: str) -> list[str]:
        """Every owner of a path; a well-kept template gives exactly one."""
        return [owner for owner, spec in self._specs.items() if spec.match_file(path)]

    def of(self, path: str) -> str:
        """The owner of a path: the template's, where nobody claims it."""
        return next(iter(self.all_of(path)), "template")
