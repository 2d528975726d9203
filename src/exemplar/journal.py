"""One update at a time, and a way back from every step: what the repository was before, kept in its
`.git` until the update has ended.
"""

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from .errors import Fixable
from .repository import git, list_entries, try_git

LOCK, JOURNAL = "exemplar-update.lock", "exemplar-update.json"
NO_COMMIT = "0" * 40
PATIENCE = 3.0  # seconds for a git that outlived its parent to finish


class Progress(NamedTuple):
    """An update under way: where the repository was, and the commits that the update made."""

    branch: str
    head: str
    """The ref that HEAD named before, empty where it was detached."""
    start: str
    """The commit that HEAD was at."""
    commits: list[str]
    lock_file: str
    """Path of `uv.lock` in the repository, which uv may write while the tests run."""
    had_lock_file: bool

    @property
    def origin(self) -> str:
        """Where the repository was before, for people."""
        return f"{self.head.removeprefix('refs/heads/') or 'a detached HEAD'} at {self.start[:12]}"

    @property
    def ref(self) -> str:
        """The ref of the update's branch."""
        return f"refs/heads/{self.branch}"


@contextmanager
def lock_repository(git_dir: Path) -> Iterator[int]:
    """Hold the lock of a repository and yield its file descriptor; the system releases it when the
    process ends, however that happens.
    """
    with (git_dir / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Fixable(
                f"{git_dir.parent}: expected no other update at work here, found one. "
                "Nothing was changed. Next: wait until it has ended"
            ) from None
        yield file.fileno()


def write_progress(git_dir: Path, progress: Progress) -> None:
    """Write the journal, whole or not at all."""
    part = git_dir / f"{JOURNAL}.part"
    part.write_text(json.dumps(progress._asdict()), encoding="utf-8")
    part.replace(git_dir / JOURNAL)


def delete_progress(git_dir: Path) -> None:
    """Delete the journal: no update is under way any more."""
    (git_dir / JOURNAL).unlink(missing_ok=True)


def read_progress(git_dir: Path) -> Progress | None:
    """Return how far a killed update was; None where there is no such update."""
    try:
        return Progress(**json.loads((git_dir / JOURNAL).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def restore(top: Path, git_dir: Path, progress: Progress) -> bool:
    """Bring branch, HEAD and working tree back to where they were before the update.

    Returns False, and leaves everything as it is, where a person has continued from the update
    meanwhile. Raises Fixable, and changes nothing, where work would be overwritten: a path is
    neither as it was before nor as the update wrote it.
    """
    tip = try_git(top, "rev-parse", "--verify", "--quiet", progress.ref)
    head = try_git(top, "symbolic-ref", "--quiet", "HEAD") or ""
    if has_continued(top, progress, tip, head):
        if tip is not None and tip in progress.commits and head != progress.ref:
            git(top, "update-ref", "-d", progress.ref, tip)
        delete_progress(git_dir)
        return False
    wait_for_git(git_dir / "index.lock")
    touched = {
        path for commit in progress.commits for path in list_changes(top, progress.start, commit)
    }
    require_no_newer_work(top, git_dir, progress, sorted(touched - {progress.lock_file}))
    if head != progress.head:
        restore_head(top, progress)
    restore_files(top, progress, touched)
    if tip is not None:
        git(top, "update-ref", "-d", progress.ref, tip)
    delete_progress(git_dir)
    return True


def has_continued(top: Path, progress: Progress, tip: str | None, head: str) -> bool:
    """Whether a person has committed on the update's branch, or is somewhere else by now.

    `tip` is the commit of the update's branch, if it exists; `head` the ref that HEAD names now.
    """
    if tip is not None and tip not in progress.commits:
        return True
    if head == progress.head:
        return try_git(top, "rev-parse", "HEAD") != progress.start
    return head != progress.ref


def restore_head(top: Path, progress: Progress) -> None:
    """Let HEAD name what it named before; files stay as they are."""
    if progress.head:
        git(top, "symbolic-ref", "-m", "exemplar: back", "HEAD", progress.head)
    else:
        git(top, "update-ref", "--no-deref", "HEAD", progress.start)


def restore_files(top: Path, progress: Progress, touched: set[str]) -> None:
    """Bring the paths that the update touched back to how they were, in the index and on disk."""
    before = set(list_entries(top, "ls-tree", "-r", "-z", "--name-only", progress.start))
    lock_file = {progress.lock_file} if progress.lock_file in before else set()
    if paths := sorted((touched | lock_file) & before):
        git(top, "restore", f"--source={progress.start}", "--staged", "--worktree", "--", *paths)
    for path in sorted(touched - before):
        git(top, "rm", "--cached", "--force", "--quiet", "--ignore-unmatch", "--", path)
        delete_file(top, path)
    if not progress.had_lock_file:
        (top / progress.lock_file).unlink(missing_ok=True)


def require_no_newer_work(top: Path, git_dir: Path, progress: Progress, touched: list[str]) -> None:
    """Raise Fixable where a path is neither as it was before nor as the update wrote it."""
    last = progress.commits[-1] if progress.commits else progress.start
    before = find_blobs(top, progress.start, touched)
    after = find_blobs(top, last, touched)
    files = [path for path in touched if (top / path).is_file() and not (top / path).is_symlink()]
    ids = git(top, "hash-object", "--", *files).split() if files else []
    changed = [
        path
        for path, blob in zip(files, ids, strict=True)
        if blob not in {before.get(path), after.get(path)}
    ]
    if changed:
        raise Fixable(
            "An update was killed here, and these files were edited since: "
            + ", ".join(changed)
            + "\nNothing was touched. Next: keep that work elsewhere (git stash), then run "
            f"exemplar update again; or keep everything as it is: rm {git_dir / JOURNAL}"
        )


def list_changes(top: Path, start: str, commit: str) -> list[str]:
    """Return the paths that differ between two commits."""
    return list_entries(top, "diff-tree", "-r", "-z", "--no-renames", "--name-only", start, commit)


def find_blobs(top: Path, commit: str, paths: list[str]) -> dict[str, str]:
    """Return the id of the content at each of these paths in a commit."""
    blobs = {}
    for line in list_entries(top, "ls-tree", "-r", "-z", commit):
        details, _, path = line.partition("\t")
        blobs[path] = details.split()[2]
    return {path: blobs[path] for path in paths if path in blobs}


def delete_file(top: Path, path: str) -> None:
    """Delete a file and the folders that it leaves empty."""
    (top / path).unlink(missing_ok=True)
    for folder in (top / path).parents:
        if folder == top or not folder.is_dir() or any(folder.iterdir()):
            return
        folder.rmdir()


def wait_for_git(lock: Path) -> None:
    """Let a git that outlived a killed update finish, then delete the lock if it is still there."""
    deadline = time.monotonic() + PATIENCE
    while lock.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    lock.unlink(missing_ok=True)


def read_head(top: Path) -> tuple[str, str]:
    """Return the ref that HEAD names (empty where it is detached), and its commit."""
    ref = try_git(top, "symbolic-ref", "--quiet", "HEAD") or ""
    return ref, git(top, "rev-parse", "HEAD").strip()
