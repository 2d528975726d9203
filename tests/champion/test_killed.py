"""A promotion or a rollback that is killed at any step is finished or undone by the next call."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from ..made import UV, fixable, passes, surroundings
from ..warm import COLD
from .conftest import Shared, taken

HELD = '#!/bin/sh\n[ "$1" = "{state}" ] || exit 0\necho >> {sentinel}\nexec sleep 600\n'


def kill_at(repository: Shared, verb: str, step: str, after: float = 0.0) -> None:
    """Start a verb and SIGKILL it with all its children, `after` seconds into a step."""
    _kill(repository, verb, lambda line: line == f"  {step}\n", after)


def _kill(repository: Shared, verb: str, reached: object, after: float) -> None:
    assert callable(reached)
    with subprocess.Popen(
        [UV, "run", "churn", verb], cwd=repository.folder, text=True, start_new_session=True,
        env=surroundings(**repository.surroundings(**COLD)),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        lines = []
        for line in running.stdout:
            lines.append(line)
            if reached(line):
                time.sleep(after)
                os.killpg(running.pid, signal.SIGKILL)
                return
    raise AssertionError(f"it ended before it could be killed:\n{''.join(lines)}")


def kill_in_hook(repository: Shared, verb: str, hook: str, scratch: Path, state: str = "") -> None:
    """SIGKILL while git runs a hook: `pre-commit` before the commit exists, `post-commit` after;
    `reference-transaction` of a state: once the tag is `committed`.
    """
    sentinel = scratch / "held"
    path = repository.folder / ".git/hooks" / hook
    path.write_text(HELD.format(sentinel=sentinel, state=state))
    path.chmod(0o755)
    running = subprocess.Popen(
        [UV, "run", "churn", verb], cwd=repository.folder, start_new_session=True,
        env=surroundings(**repository.surroundings(**COLD)),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    ends = time.monotonic() + 300
    while not sentinel.exists():
        assert running.poll() is None, f"{verb} ended before it could be killed"
        assert time.monotonic() < ends
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    path.unlink()
    sentinel.unlink()


def files(repository: Shared) -> dict[str, bytes]:
    """What a promotion could leave half done, by path, whether git knows it or not."""
    paths = [
        path
        for name in ("docs", "models", "data", "reports")
        for path in (repository.folder / name).rglob("*")
        if path.is_file()
    ]
    return {str(path.relative_to(repository.folder)): path.read_bytes() for path in paths}


def undone(repository: Shared, state: object, before: dict[str, bytes]) -> None:
    """Nothing is left of the promotion; `rollback` undoes it and finds the rule in charge."""
    completed = repository.run("churn", "rollback")
    fixable(completed, "found the rule, which is first")
    assert "Undoing first what was begun and not committed: champion-1" in completed.stdout
    assert repository.state() == state
    assert files(repository) == before
    repository.settled()


def test_before_the_commit_it_is_undone_and_a_second_try_is_as_the_first(
    started: Shared, undisturbed: Shared, tmp_path: Path
) -> None:
    state, before = started.state(), files(started)
    for step, after in [("champion", 0.3), ("pipeline", 0.0), ("pipeline", 2.0)]:
        kill_at(started, "promote", step, after)
        undone(started, state, before)
    kill_in_hook(started, "promote", "pre-commit", tmp_path)
    # Not by rollback this time: the same call again undoes, and goes through.
    passes(started.run("churn", "promote"), "champion-1: ")
    assert started.state() == undisturbed.state()
    started.settled()


@contextmanager
def held_by(repository: Shared, command: list[str], folder: Path) -> Iterator[int]:
    """A process that runs, and DVC's table of locks with its number, as a killed DVC leaves that
    of its own, which the system may have given to another process since.
    """
    with subprocess.Popen(command, cwd=folder) as process:
        lock = {
            str(repository.folder / "reports/comparison.json"): {"pid": process.pid, "cmd": "dvc"}
        }
        table = repository.folder / ".dvc/tmp/rwlock"
        table.write_text(json.dumps({"write": lock, "read": {}}))
        try:
            yield process.pid
        finally:
            process.kill()


class Killed(NamedTuple):
    """A repository whose promotion was killed before its commit, and what it was before that."""

    repository: Shared
    state: tuple[str, str, str]
    before: dict[str, bytes]


@pytest.fixture(scope="module")
def killed_once(
    champions: Path, environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Killed, Path]:
    """Such a repository, and a copy to go back to."""
    folder = tmp_path_factory.mktemp("killed")
    repository = taken(champions, "started", folder / "churn", environment)
    killed = Killed(repository, repository.state(), files(repository))
    kill_in_hook(repository, "promote", "pre-commit", folder)
    repository.copy(folder / "kept")
    return killed, folder / "kept"


@pytest.fixture
def killed(killed_once: tuple[Killed, Path]) -> Killed:
    """Such a repository, as the kill left it: what DVC had locked there has the same paths."""
    killed, kept = killed_once
    shutil.rmtree(killed.repository.folder)
    shutil.copytree(kept, killed.repository.folder, symlinks=True)
    return killed


def test_a_lock_with_the_number_of_another_process_by_now_is_taken_away(
    killed: Killed, tmp_path: Path
) -> None:
    with held_by(killed.repository, ["sleep", "600"], tmp_path):
        completed = killed.repository.run("dvc", "repro", "--force", "predict")
        assert "is busy" in completed.stderr
        undone(*killed)


def test_a_dvc_that_still_runs_is_waited_for(killed: Killed, tmp_path: Path) -> None:
    repository = killed.repository
    (tmp_path / "dvc.py").write_text("import time\n\ntime.sleep(600)\n")  # what `-m dvc` runs there
    with held_by(repository, [sys.executable, "-m", "dvc", "repro"], tmp_path) as pid:
        completed = repository.run("churn", "rollback")
        fixable(completed, f"dvc repro (PID {pid}) is still running. Next: wait until it is done")
        assert (repository.folder / ".dvc/tmp/promotion.json").exists()
    undone(*killed)


def test_edits_made_after_the_kill_survive_the_undoing(killed: Killed) -> None:
    repository = killed.repository
    repository.append("src/churn/features.py", "\n# thought of later\n")
    (repository.folder / "notes.txt").write_text("kept")
    fixable(repository.run("churn", "promote"), "features.py", "notes.txt", "Next: git commit")
    assert "# thought of later" in (repository.folder / "src/churn/features.py").read_text()
    assert (repository.folder / "notes.txt").read_text() == "kept"
    assert repository.git("status", "--porcelain") == "M src/churn/features.py\n?? notes.txt"


def test_after_the_commit_it_is_finished(
    started: Shared, undisturbed: Shared, tmp_path: Path
) -> None:
    kill_in_hook(started, "promote", "post-commit", tmp_path)
    assert started.git("tag") == ""
    (started.folder / ".git/index.lock").touch()  # as a git that was killed leaves it
    (started.folder / ".dvc/tmp/rwlock").write_text("")  # and a DVC
    kill_in_hook(started, "promote", "reference-transaction", tmp_path, "committed")
    assert started.git("tag") == "champion-1"
    started.git("commit", "--quiet", "--allow-empty", "--message", "Something else, meanwhile")
    passes(started.run("churn", "promote"), "Finishing what was begun: champion-1")
    assert started.git("rev-parse", "champion-1^{}") == started.git("rev-parse", "HEAD^")
    started.git("reset", "--quiet", "--hard", "HEAD^")
    assert started.state() == undisturbed.state()
    assert not (started.folder / ".dvc/tmp/promotion.json").exists()
    started.settled()


@pytest.mark.parametrize("hook", ["pre-commit", "post-commit"])
def test_a_rollback_is_undone_or_finished_too_and_never_done_twice(
    promoted: Shared, tmp_path: Path, hook: str
) -> None:
    if hook == "pre-commit":
        state, before = promoted.state(), files(promoted)
        kill_at(promoted, "rollback", "champion", 0.3)
        kill_in_hook(promoted, "rollback", hook, tmp_path)
        completed = promoted.run("churn", "promote")
        fixable(completed, "in charge already, as champion-1")
        assert "Undoing first what was begun and not committed: rollback-1" in completed.stdout
        assert promoted.state() == state
        assert files(promoted) == before
    else:
        kill_in_hook(promoted, "rollback", hook, tmp_path)
        passes(promoted.run("churn", "rollback"), "Finishing what was begun: rollback-1")
        passes(promoted.run("churn", "champion"), "The rule is in charge")
        assert promoted.git("tag").split() == ["champion-1", "rollback-1"]
    promoted.settled()


@pytest.mark.cold
def test_a_second_call_beside_the_first_is_refused(started: Shared, undisturbed: Shared) -> None:
    with subprocess.Popen(
        [UV, "run", "churn", "promote"], cwd=started.folder, text=True,
        env=surroundings(**started.surroundings()), stdout=subprocess.PIPE,
    ) as first:  # fmt: skip
        assert first.stdout is not None
        assert first.stdout.readline() == "  champion\n"
        for verb in ("promote", "rollback"):
            fixable(started.run("churn", verb), "A promotion or a rollback is running")
        first.stdout.read()
    assert first.returncode == 0
    assert started.state() == undisturbed.state()
