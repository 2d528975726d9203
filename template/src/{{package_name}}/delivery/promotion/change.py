"""A change of the champion, by promotion or rollback: one commit on main, or nothing.

It holds the pointer `models/champion.dvc`, the reports that follow from it, and a paragraph in
`docs/releases.md`, with the tag `champion-N` or `rollback-N`. What fails before the commit is
undone; after a kill the next call undoes what was not committed and finishes what was.
"""

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..edge.errors import Fixable
from ..edge.explain import yaml
from ..edge.repository import RENAME, find_main_branch, qualify, read_main_branch
from ..edge.shell import dvc, failure, git, run
from ..models import in_charge
from ..models.in_charge import Promotion
from .journal import JOURNAL, Entry, close_entry, read_entry, write_entry
from .locks import remove_dead_locks
from .pointer import CHAMPION, PART, POINTER, read_hash, restore_pointer
from .record import RECORD, append_change
from .registry import TRACK, has_mlflow, register_champion

TOUCHED = (
    POINTER.as_posix(),
    "dvc.lock",
    "reports",
    RECORD.as_posix(),
)  # what a change may leave half done
Change = Promotion
"""A promotion or a rollback under way; both put another model in charge."""


def require_clean_main() -> None:
    """Raise Fixable unless main is checked out, all is committed and the champion is here."""
    branch, main = git("branch", "--show-current").strip(), read_main_branch()
    if branch != main:
        is_main = branch and branch == find_main_branch(Path())
        raise Fixable(
            f"git: expected the branch {main}, found {branch or 'a detached HEAD'}. "
            f"Next: {RENAME + branch if is_main else f'git switch {main}'}"
        )
    if changes := git("status", "--porcelain", "--", ".").strip():
        raise Fixable(
            f"git: expected everything committed, found\n{changes}\nNext: git commit, or git stash"
        )
    in_charge.read_champion_card(CHAMPION)


def find_author() -> str:
    """Who makes a change, as the record will say: the name that git knows."""
    return git("var", "GIT_COMMITTER_IDENT").partition(" <")[0]


def find_stale_stages() -> list[str]:
    """The stages and pointers that DVC finds changed, but for the one that only tells MLflow."""
    return sorted(set(json.loads(dvc("status", "--json"))) - {TRACK})


def find_frozen_stages() -> list[str]:
    """The stages that DVC does not run, whatever has changed."""
    stages = yaml(Path("dvc.yaml").read_text(encoding="utf-8"))["stages"]
    return [name for name, stage in stages.items() if stage.get("frozen")]


def carry_out(change: Change, move: Callable[[], None]) -> int:
    """Move the pointer, run what follows from it, record, commit, tag, register; exit code 0."""
    if trouble := finish(change, prepare(change, move)):
        raise Fixable(trouble)
    return 0


@contextmanager
def propose(change: Change, move: Callable[[], None]) -> Iterator[str]:
    """The commit of a change that is somebody else's to merge: branch, files and champion here
    are afterwards what they were, whatever happens.
    """
    before = _head()
    commit = prepare(change, move, proposed=True)
    try:
        yield commit
    finally:
        _withdraw(before)


def prepare(change: Change, move: Callable[[], None], *, proposed: bool = False) -> str:
    """Make the commit of a change; where that fails, nothing is changed."""
    before = _head()
    write_entry(Entry(before, change, proposed))
    try:
        _step("champion", move)
        _step("pipeline", _settle)
        _step("record", lambda: append_change(change, read_hash()))
        _step("commit", lambda: _commit(change))
    except Fixable as problem:
        if _find_commit(before, change) is None:
            _undo()
            raise Fixable(f"{problem}\nIt was undone; the champion is what it was.") from None
    return _find_commit(before, change) or "HEAD"


def finish(change: Change, commit: str) -> str | None:
    """Tag the commit and let MLflow follow, both of which can be done again; what went wrong with
    MLflow, or None.
    """
    tag = qualify(change.tag)
    if not git("tag", "--list", tag).strip():
        words = ["--annotate", tag, "--message", change.title, commit]
        _step("tag", lambda: git("tag", *words))
    trouble = None
    if has_mlflow():
        print("  registry", flush=True)
        trouble = register_champion()
    close_entry()
    print(f"\n{change.title}.\n{change.sentence}\nNext: git push --follow-tags, uv run dvc push")
    return trouble


def resume() -> str | None:
    """Finish or undo what a killed call had begun; `champion` or `rollback` where it finished."""
    entry = read_entry()
    if entry is None:
        return None
    remove_dead_locks()
    change = entry.change
    commit = _find_commit(entry.before, change)
    if commit and not entry.proposed:
        print(f"Finishing what was begun: {change.title}")
        if trouble := finish(change, commit):
            print(trouble, file=sys.stderr)
        return change.tag.partition("-")[0]
    if _head() not in {entry.before, commit}:
        raise Fixable(
            f"{JOURNAL}: a call that was killed began from {entry.before[:12]}, and commits were "
            f"made since.\nNext: git status; if {POINTER} is as you want it, delete {JOURNAL}"
        )
    if commit:
        print(f"Taking back first what was only to be proposed: {change.title}")
        _withdraw(entry.before)
    else:
        print(f"Undoing first what was begun and not committed: {change.title}")
        _undo()
    return None


def _head() -> str:
    return git("rev-parse", "HEAD").strip()


def _step(name: str, action: Callable[[], Any]) -> None:
    """One step with a line of progress."""
    print(f"  {name}", flush=True)
    action()


def _settle() -> None:
    """Run what follows from the champion; that MLflow cannot be reached stops no change."""
    command = ["dvc", "repro", "--keep-going"]
    completed = run(command)
    if completed.returncode and find_stale_stages():
        raise failure(command, completed)


def _commit(change: Change) -> None:
    """One commit of everything that the change touched."""
    git("add", "--all", ".")
    git("commit", "--quiet", "--message", change.title, "--message", change.sentence, "--", ".")


def _find_commit(before: str, change: Change) -> str | None:
    """The commit of a change, if it came to that."""
    commits = git("log", "--format=%H %s", f"{before}..HEAD", "--", ".").splitlines()
    return next(
        (line.split()[0] for line in commits if line.partition(" ")[2] == change.title), None
    )


def _withdraw(before: str) -> None:
    """Undo a change that was committed here only to be proposed."""
    git("reset", "--quiet", "--soft", before)
    _undo()


def _undo() -> None:
    """Bring back the champion of the last commit, with its reports; other edits stay."""
    git("reset", "--quiet", "--", ".")
    tracked = git("ls-tree", "-r", "--name-only", "HEAD", "--", *TOUCHED).splitlines()
    git("checkout", "--quiet", "HEAD", "--", *tracked)
    if RECORD.as_posix() not in tracked:
        RECORD.unlink(missing_ok=True)
    shutil.rmtree(PART, ignore_errors=True)
    restore_pointer(git("show", f"HEAD:./{POINTER.as_posix()}"))
    dvc("checkout", "--quiet", "--force")
    close_entry()
