"""One change at a time, and the locks that a killed one leaves behind."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..edge.errors import Fixable
from ..edge.files import find_project
from ..edge.shell import git

LOCK = Path(".dvc/tmp/promotion.lock")
DVC_LOCKS = Path(".dvc/tmp/rwlock")  # DVC writes it in place, and reads it before anything else
PATIENCE = 1.0  # seconds until one that is about to end has ended


@contextmanager
def work_alone() -> Iterator[None]:
    """Work at the root of the project, with no second promotion or rollback beside this one."""
    os.chdir(find_project(Path.cwd()))
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with LOCK.open("w", encoding="utf-8") as stream:
        try:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            pass  # Windows has no such lock
        except OSError:
            raise Fixable(
                "A promotion or a rollback is running in this folder. Next: wait until it is done"
            ) from None
        yield


def remove_dead_locks() -> None:
    """Take away what a git and a DVC that were killed together with a change have left: git's lock,
    and DVC's table of locks.

    Raises Fixable where a DVC that holds one of them is still running.
    """
    git_lock = Path(git("rev-parse", "--git-path", "index.lock").strip())
    is_locked = git_lock.exists()
    if is_locked or is_half_written(DVC_LOCKS) or find_living_dvc():
        time.sleep(PATIENCE)
    if is_locked:
        git_lock.unlink(missing_ok=True)
    if holder := find_living_dvc():
        raise Fixable(
            f"{holder} is still running. Next: wait until it is done, then the same again"
        )
    # DVC believes a number in it that another process has by now.
    DVC_LOCKS.unlink(missing_ok=True)


def is_half_written(path: Path) -> bool:
    """Whether a file is there and is no JSON."""
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except ValueError:
        return True
    return False


def find_living_dvc() -> str | None:
    """A DVC that runs and is in the table of locks: `dvc repro (PID 7)`."""
    import psutil

    for pid in _read_holders():
        try:
            command = find_dvc(psutil.Process(pid).cmdline())
        except psutil.Error:
            continue  # it has ended, or its number is now that of somebody else's process
        if command:
            return f"{command} (PID {pid})"
    return None


def find_dvc(words: list[str]) -> str | None:
    """The command of DVC within the words of a process (`python -m dvc repro`); None where it is no
    DVC.
    """
    is_python = bool(words) and Path(words[0]).name.lower().startswith("python")
    for place, word in enumerate(words):
        is_module = is_python and words[place - 1] == "-m" and word == "dvc"
        is_script = place == int(is_python) and Path(word).name in {"dvc", "dvc.exe"}
        if is_module or is_script:
            return " ".join(["dvc", *words[place + 1 :]])
    return None


def _read_holders() -> list[int]:
    """The process numbers in the table of locks; none where it cannot be read."""
    try:
        table = json.loads(DVC_LOCKS.read_text(encoding="utf-8"))
        writers = [holder for holder in table.get("write", {}).values() if holder]
        readers = [holder for holders in table.get("read", {}).values() for holder in holders]
        return sorted({int(holder["pid"]) for holder in writers + readers})
    except (AttributeError, FileNotFoundError, KeyError, TypeError, ValueError):
        return []
