"""One update at a time, and a way back from every step: what a repository was before, kept in its
`.git` until the update has ended.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from .errors import Fixable
from .repository import answers, git, listed

LOCK, JOURNAL = "exemplar-update.lock", "exemplar-update.json"
NOTHING = "0" * 40
PATIENCE = 3.0  # seconds for a git that outlived its parent to finish


class Begun(NamedTuple):
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
    def where(self) -> str:
        """The place before, in words."""
        return f"{self.head.removeprefix('refs/heads/') or 'a detached HEAD'} at {self.start[:12]}"


@contextmanager
def alone(git_dir: Path) -> Iterator[int]:
    """Hold the lock of a repository, and say by which number the system knows the open file; it is
    let go of when the process ends, however.
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


def write(git_dir: Path, begun: Begun) -> None:
    """Note what was begun, whole or not at all."""
    part = git_dir / f"{JOURNAL}.part"
    part.write_text(json.dumps(begun._asdict()), encoding="utf-8")
    part.replace(git_dir / JOURNAL)


def end(git_dir: Path) -> None:
    """Nothing is under way any more."""
    (git_dir / JOURNAL).unlink(missing_ok=True)


def unfinished(git_dir: Path) -> Begun | None:
    """What a killed update had begun."""
    try:
        found: dict[str, Any] = json.loads((git_dir / JOURNAL).read_text(encoding="utf-8"))
        return Begun(**found)
    except (OSError, ValueError, TypeError):
        return None


def restore(top: Path, git_dir: Path, begun: Begun) -> bool:
    """Go back to where the repository was: branch, HEAD, working tree; False where somebody has
    gone on from the update meanwhile, which is then left as it is.

    Work that was done since is never overwritten: a path that is neither as before nor as the
    update made it is an error, and nothing is touched.
    """
    ref = f"refs/heads/{begun.branch}"
    tip = answers(top, "rev-parse", "--verify", "--quiet", ref)
    head = answers(top, "symbolic-ref", "--quiet", "HEAD") or ""
    mine = tip is None or tip in begun.commits
    elsewhere = head not in {ref, begun.head} or (
        head == begun.head and answers(top, "rev-parse", "HEAD") != begun.start
    )
    if not mine or elsewhere:
        if mine and tip is not None and head != ref:
            git(top, "update-ref", "-d", ref, tip)
        end(git_dir)
        return False
    _wait_for(git_dir / "index.lock")
    touched = {path for commit in begun.commits for path in _between(top, begun.start, commit)}
    after = begun.commits[-1] if begun.commits else begun.start
    refuse_to_overwrite(top, git_dir, begun, sorted(touched - {begun.lock_file}), after)
    if head != begun.head:
        if begun.head:
            git(top, "symbolic-ref", "-m", "exemplar: back", "HEAD", begun.head)
        else:
            git(top, "update-ref", "--no-deref", "HEAD", begun.start)
    before = set(listed(top, "ls-tree", "-r", "-z", "--name-only", begun.start))
    lock_file = {begun.lock_file} if begun.lock_file in before else set()
    if kept := sorted((touched | lock_file) & before):
        git(top, "restore", f"--source={begun.start}", "--staged", "--worktree", "--", *kept)
    for path in sorted(touched - before):
        git(top, "rm", "--cached", "--force", "--quiet", "--ignore-unmatch", "--", path)
        _remove(top, path)
    if not begun.had_lock_file:
        (top / begun.lock_file).unlink(missing_ok=True)
    if tip is not None:
        git(top, "update-ref", "-d", ref, tip)
    end(git_dir)
    return True


def refuse_to_overwrite(
    top: Path, git_dir: Path, begun: Begun, touched: list[str], after: str
) -> None:
    """Stop where a path is neither as it was before nor as the update made it."""
    known = _blobs(top, begun.start, touched)
    made = _blobs(top, after, touched)
    there = [path for path in touched if (top / path).is_file() and not (top / path).is_symlink()]
    now = dict(
        zip(there, git(top, "hash-object", "--", *there).split(), strict=True) if there else []
    )
    changed = [path for path in there if now[path] not in {known.get(path), made.get(path)}]
    if changed:
        raise Fixable(
            "An update was killed here, and work has come since in: "
            + ", ".join(changed)
            + "\nNothing was touched. Next: keep that work elsewhere (git stash), then run "
            f"exemplar update again; or keep everything as it is: rm {git_dir / JOURNAL}"
        )


def _between(top: Path, start: str, commit: str) -> list[str]:
    return listed(top, "diff-tree", "-r", "-z", "--no-renames", "--name-only", start, commit)


def _blobs(top: Path, commit: str, paths: list[str]) -> dict[str, str]:
    """The id of what stands at each of these paths in a commit."""
    wanted = set(paths)
    found = {}
    for line in listed(top, "ls-tree", "-r", "-z", commit):
        about, _, path = line.partition("\t")
        if path in wanted:
            found[path] = about.split()[2]
    return found


def _remove(top: Path, path: str) -> None:
    """Delete a file and the folders that it leaves empty."""
    (top / path).unlink(missing_ok=True)
    for folder in (top / path).parents:
        if folder == top or not folder.is_dir() or any(folder.iterdir()):
            return
        folder.rmdir()


def _wait_for(lock: Path) -> None:
    """Let a git that outlived a killed update finish; a lock that nobody holds is removed."""
    until = time.monotonic() + PATIENCE
    while lock.exists() and time.monotonic() < until:
        time.sleep(0.05)
    lock.unlink(missing_ok=True)


def started_at(top: Path) -> tuple[str, str]:
    """The ref that HEAD names (empty where it is detached), and its commit."""
    return answers(top, "symbolic-ref", "--quiet", "HEAD") or "", git(
        top, "rev-parse", "HEAD"
    ).strip()


def environment() -> dict[str, str]:
    """The environment for commands of the project: not this one's own, and with bytecode."""
    ours = {"VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH"}
    return {name: value for name, value in os.environ.items() if name not in ours}
