"""The files of a repository at its HEAD, as values; nothing of the repository is executed.

A repository may hold settings that make git run a command (a signature to check, a file that is
fetched when it is read). They are switched off here, whatever the repository says.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path, PurePosixPath

from ..errors import Fixable
from ..repository import DISTRUSTED

LARGEST = 1_048_576  # bytes; a larger file is listed and not read
DAYS = 90  # how long a proof counts
SAFE = (
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "log.showSignature=false"),
    *("-c", "log.mailmap=false"),
    *("-c", "core.quotePath=false"),
)
QUIET = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # git before 2.45 would fetch what a partial clone lacks
    "LANGUAGE": "en",
}
TEXT = {
    *(".cfg", ".conf", ".csv", ".css", ".dvc", ".html", ".in", ".ini", ".ipynb", ".json", ".jinja"),
    *(".just", ".lock", ".md", ".mk", ".py", ".r", ".rst", ".sh", ".sql", ".toml", ".txt", ".yaml"),
    *(".yml", ".zsh", ".bash", ""),
}
"""Endings of files that are read."""
ROOT_FILES = re.compile(
    r"\.github/|\.gitlab(-ci\.yml$|/)|\.pre-commit-config\.yaml$|LICENSE|COPYING"
)
"""What a code host, git and a reader look for at the root, also for a project in a subfolder."""


@dataclass(frozen=True)
class Snapshot:
    """The files of HEAD, and when each was last changed."""

    name: str
    head: str
    """The commit; empty where there is no git repository."""
    today: date
    files: Mapping[str, str]
    """The text of each file that is not too large and is text, by path."""
    sizes: Mapping[str, int]
    """Bytes of every file, by path."""
    dates: Mapping[str, date]
    """The day of the last commit that changed a file; only days that are not too long ago."""
    content: Mapping[str, bytes]
    """The same as bytes, for hashes."""

    def is_recent(self, path: str) -> bool:
        """Whether a file was changed within the last 90 days, and not after today."""
        changed = self.dates.get(path)
        return changed is not None and self.today - timedelta(days=DAYS) <= changed <= self.today


def take_snapshot(folder: Path, today: date) -> Snapshot:
    """Return the files of HEAD of a repository, or of the folder of a project in one.

    Raises Fixable where there is no git repository with a commit.
    """
    folder = folder.expanduser()
    if not folder.is_dir():
        raise Fixable(f"{folder}: expected a folder, found none. Next: name a repository")
    if shutil.which("git") is None:
        raise Fixable("git: expected to be installed, found no such command. Install it.")
    head = run_git(folder, "rev-parse", "--verify", "HEAD").strip()
    prefix = run_git(folder, "rev-parse", "--show-prefix").strip()
    entries = list_files(folder)
    blobs = {
        shown: (blob, size)
        for path, (blob, size) in entries.items()
        if (shown := place(path, prefix)) is not None
    }
    wanted = [path for path, (_, size) in blobs.items() if is_text(path) and size <= LARGEST]
    content = dict(
        zip(wanted, read_blobs(folder, [blobs[path][0] for path in wanted]), strict=True)
    )
    dates = {
        shown: changed
        for path, changed in read_dates(folder, today).items()
        if (shown := place(path, prefix)) is not None
    }
    return Snapshot(
        name=folder.resolve().name,
        head=head,
        today=today,
        files={path: data.decode(errors="replace") for path, data in content.items()},
        sizes={path: size for path, (_, size) in blobs.items()},
        dates=dates,
        content=content,
    )


def place(path: str, prefix: str) -> str | None:
    """Return where a file of the repository is for a project in a folder of it; None where it is
    not the project's. Workflows and the like count where they work: at the root.
    """
    if not prefix:
        return path
    if path.startswith(prefix):
        own = path.removeprefix(prefix)
        return None if own.startswith(".github/workflows/") else own
    return path if ROOT_FILES.match(path) else None


def is_text(path: str) -> bool:
    """Whether a file is read, by its ending."""
    return PurePosixPath(path).suffix.lower() in TEXT


def list_files(folder: Path) -> dict[str, tuple[str, int]]:
    """Return the blob and the bytes of each file of HEAD, by its path; no links, no submodules.

    Raises Fixable where git lacks one.
    """
    files = {}
    listing = run_git(folder, "ls-tree", "-r", "-l", "-z", "--full-tree", "HEAD")
    for entry in listing.split("\0"):
        facts, _, path = entry.partition("\t")
        if path and facts.startswith("100"):
            _, _, blob, size = facts.split()
            if not size.isdigit():
                raise describe_lack(folder, blob)
            files[path] = (blob, int(size))
    return files


def read_blobs(folder: Path, blobs: list[str]) -> Iterable[bytes]:
    """Yield what each of these blobs holds; raises Fixable where git lacks one."""
    output = run_bytes(folder, "cat-file", "--batch", stdin="\n".join(blobs).encode() + b"\n")
    start = 0
    for blob in blobs:
        line = output.index(b"\n", start)
        words = output[start:line].split()
        if len(words) != 3:
            raise describe_lack(folder, blob)
        end = line + 1 + int(words[2])
        yield output[line + 1 : end]
        start = end + 1


def describe_lack(folder: Path, blob: str) -> Fixable:
    """Return the error that says that a file of HEAD is missing."""
    return Fixable(
        f"{folder}: expected every file of HEAD, found that git lacks {blob}. "
        "Next: git fsck, or git fetch --refetch in a partial clone"
    )


def read_dates(folder: Path, today: date) -> dict[str, date]:
    """Return the day of the last commit that changed each path, as far back as it matters."""
    log = run_git(
        folder,
        *("log", f"--since={today - timedelta(days=DAYS + 1)}", "--format=%x01%cs", "--name-only"),
        *("-z", "--no-renames", "--no-ext-diff", "--no-textconv", "--diff-merges=first-parent"),
    )
    dates: dict[str, date] = {}
    for commit in log.split("\x01")[1:]:
        day, _, paths = commit.partition("\0")
        changed = date.fromisoformat(day.strip()[:10])
        for path in paths.split("\0"):
            dates.setdefault(path.strip("\n"), changed)
    return dates


def run_git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and return its output; raises Fixable where it fails."""
    return run_bytes(folder, *arguments).decode(errors="surrogateescape")


def run_bytes(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run git in a folder and return its output as bytes; raises Fixable where it fails."""
    completed = subprocess.run(
        ["git", *SAFE, *arguments],
        cwd=folder,
        env={**os.environ, **QUIET},
        input=stdin,
        capture_output=True,
        check=False,
    )
    if completed.returncode == 0:
        return completed.stdout
    message = " ".join(completed.stderr.decode(errors="replace").split())
    if distrusted := DISTRUSTED.search(message):
        raise Fixable(
            f"{folder}: expected a repository that is yours, found that its folder belongs to "
            f"somebody else. Next, if you trust it: {distrusted[0]}"
        )
    raise Fixable(
        f"{folder}: expected a git repository with a commit, found: "
        f"{message or f'git ended with {completed.returncode}'}"
    )
