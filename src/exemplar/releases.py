"""The releases of the template: the commits that change `version` in `pyproject.toml`.

They are read from the history, not from the tags: a clone may lack tags, but never its commits.
Copier wants tags, and where the template has some, they count.
"""

import re
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from copier._vcs import get_repo

from .errors import Fixable
from .repository import GitError, git

FINAL = re.compile(r"\d+\.\d+\.\d+")
RECORDED = re.compile(r"v?(\d+\.\d+\.\d+)(?:-\d+-g[0-9a-f]+)?")  # a tag, or after it


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


class Standing(NamedTuple):
    """How far behind the newest release a version of the template is."""

    current: str
    newest: str
    behind: int
    """The releases after the current one."""


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


def find_standing(source: str, recorded: str) -> Standing | None:
    """Return how far behind the newest release a project is, or None where there is no release.

    `recorded` is the version in its answers: a tag, `v0.3.3-5-gabc1234` or a commit. Raises Fixable
    where the template cannot be read.
    """
    versions = list_tagged_versions(source)
    match = RECORDED.fullmatch(recorded)
    current = match[1] if match else None
    if not versions or current is None:
        with TemporaryDirectory(prefix="exemplar-releases-") as scratch:
            clone = clone_history(source, Path(scratch) / "template")
            releases = find_releases(clone)
            versions = versions or [release.version for release in releases]
            if current is None and (earlier := find_releases(clone, recorded)):
                current = earlier[-1].version
    if not versions:
        return None
    current = current or "0.0.0"
    later = [each for each in versions if parse_version(each) > parse_version(current)]
    return Standing(current, max(versions, key=parse_version), len(later))


def list_tagged_versions(source: str) -> list[str]:
    """Return the versions that the template has tagged; raises Fixable where it cannot be asked."""
    try:
        listing = git(Path.cwd(), "ls-remote", "--tags", "--refs", "--", get_repo(source) or source)
    except GitError as error:
        raise Fixable(f"{source}: expected a git repository, found: {error}") from None
    tags = [line.rpartition("refs/tags/")[2].removeprefix("v") for line in listing.splitlines()]
    return [tag for tag in tags if FINAL.fullmatch(tag)]


def clone_history(source: str, folder: Path) -> Path:
    """Clone the history of the template and return the folder; raises Fixable where that fails."""
    address = get_repo(source) or source
    try:
        git(folder.parent, "clone", "--quiet", "--no-checkout", "--", address, folder)
    except GitError as error:
        raise Fixable(f"{source}: expected a git repository, found: {error}") from None
    return folder


def find_tagged_source(source: str, recorded: str, scratch: Path) -> str:
    """Return a source in which Copier finds a release that a project has recorded.

    That is the template itself, or, where it has no such tag, a clone in `scratch` with the
    releases of its history tagged.
    """
    match = RECORDED.fullmatch(recorded)
    if match is None or match[1] in list_tagged_versions(source):
        return source
    clone = clone_history(source, scratch / "template")
    releases = find_releases(clone)
    if match[1] not in {release.version for release in releases}:
        return source
    tag_releases(clone, releases)
    return str(clone)


def tag_landed_releases(repository: Path) -> list[Release]:
    """Tag the releases of the history that have no tag, and return them."""
    tags = set(git(repository, "tag", "--list").split())
    landed = [each for each in find_releases(repository) if each.tag not in tags]
    for each in landed:
        message = f"Release {each.version}"
        git(repository, "tag", "--annotate", "--message", message, each.tag, each.commit)
    return landed
