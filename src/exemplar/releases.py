"""The releases of the template: the commits that change `version` in `pyproject.toml`.

The history says it, not the tags: a clone may have lost them, and a commit cannot forget.
"""

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

from .errors import Fixable
from .repository import GitError, git

FINAL = re.compile(r"\d+\.\d+\.\d+")


class Release(NamedTuple):
    """A version, as in `pyproject.toml`, and the commit that gave it."""

    version: str
    commit: str

    @property
    def tag(self) -> str:
        """The tag that Copier finds it by."""
        return f"v{self.version}"

    @property
    def order(self) -> tuple[int, ...]:
        """What versions are compared by."""
        return order(self.version)


def order(version: str) -> tuple[int, ...]:
    """`1.10.0` as (1, 10, 0)."""
    return tuple(int(part) for part in version.split("."))


def releases(repository: Path, until: str = "HEAD") -> list[Release]:
    """Every release in the history of `until`, the oldest first; versions that are none yet
    (`0.1.0.dev0`) are left out.

    A history that was cut off, or that cannot be read, is an error: it would hide releases.
    """
    try:
        if git(repository, "rev-parse", "--is-shallow-repository").strip() == "true":
            raise Fixable(
                f"{repository}: expected the whole history of the template, found a shallow clone "
                "that hides releases. Next: git fetch --unshallow --tags"
            )
        commits = git(
            repository,
            *("log", "--first-parent", "--reverse", "--format=%H", until, "--", "pyproject.toml"),
        ).split()
    except GitError as error:
        raise Fixable(
            f"{repository}: expected a git repository with releases, found: {error}\n"
            "Next: name a clone of the template"
        ) from None
    found: list[Release] = []
    before: str | None = None
    for commit in commits:
        version = version_at(repository, commit)
        if version is not None and version != before and FINAL.fullmatch(version):
            found.append(Release(version, commit))
        before = version
    return found


def version_at(repository: Path, commit: str) -> str | None:
    """The version that a commit's `pyproject.toml` states, if it states one."""
    try:
        text = git(repository, "show", f"{commit}:./pyproject.toml")
        return str(tomllib.loads(text)["project"]["version"])
    except (GitError, KeyError, tomllib.TOMLDecodeError):
        return None


def tag(clone: Path, found: list[Release]) -> None:
    """Tag releases in a clone made for it, so that Copier finds them; tags that stand are moved."""
    for release in found:
        git(clone, "tag", "--force", release.tag, release.commit)
