"""The releases of the template: the commits that change `version` in `pyproject.toml`.

They are read from the history and not from the tags: a clone may lack tags, but never its commits.
"""

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

from .errors import Fixable
from .repository import GitError, git

FINAL = re.compile(r"\d+\.\d+\.\d+")


class Release(NamedTuple):
    """A version, as in `pyproject.toml`, and the commit that set it."""

    version: str
    commit: str

    @property
    def tag(self) -> str:
        """The tag by which Copier finds it."""
        return f"v{self.version}"

    @property
    def number(self) -> tuple[int, ...]:
        """The version as numbers, for comparing."""
        return parse_version(self.version)


def parse_version(version: str) -> tuple[int, ...]:
    """Return `1.10.0` as (1, 10, 0)."""
    return tuple(int(part) for part in version.split("."))


def find_releases(repository: Path, until: str = "HEAD") -> list[Release]:
    """Return every release in the history of `until`, the oldest first.

    Versions that are not final (`0.1.0.dev0`) are left out. Raises Fixable where the history is
    shallow or cannot be read, because releases would be missing.
    """
    releases: list[Release] = []
    previous: str | None = None
    for commit in list_commits(repository, until):
        version = read_version(repository, commit)
        if version is not None and version != previous and FINAL.fullmatch(version):
            releases.append(Release(version, commit))
        previous = version
    return releases


def list_commits(repository: Path, until: str) -> list[str]:
    """Return the commits that change `pyproject.toml`, the oldest first."""
    try:
        if git(repository, "rev-parse", "--is-shallow-repository").strip() == "true":
            raise Fixable(
                f"{repository}: expected the whole history of the template, found a shallow clone, "
                "in which releases are missing. Next: git fetch --unshallow --tags"
            )
        return git(
            repository,
            *("log", "--first-parent", "--reverse", "--format=%H", until, "--", "pyproject.toml"),
        ).split()
    except GitError as error:
        raise Fixable(
            f"{repository}: expected a git repository with releases, found: {error}\n"
            "Next: name a clone of the template"
        ) from None


def read_version(repository: Path, commit: str) -> str | None:
    """Return the version in the `pyproject.toml` of a commit, or None where there is none."""
    try:
        text = git(repository, "show", f"{commit}:./pyproject.toml")
        return str(tomllib.loads(text)["project"]["version"])
    except (GitError, KeyError, tomllib.TOMLDecodeError):
        return None


def tag_releases(clone: Path, releases: list[Release]) -> None:
    """Tag releases in a scratch clone, so that Copier finds them; existing tags are moved."""
    for release in releases:
        git(clone, "tag", "--force", release.tag, release.commit)
