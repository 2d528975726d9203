"""A process of the tests that is a fork is, to who starts it and to what it runs, a new Python."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..made import EXEMPLAR, TOOLKIT, Completed, call, surroundings
from . import COLD, serve

IS_WARM = 'import sys\nopen("warm", "w").write(str("sklearn" in sys.modules))\n'
ABOUT = """
import json, os, random, signal, tempfile
main = sys.modules["__main__"]
print(json.dumps({
    "main": [main.__name__, main.__spec__.name, vars(main) is globals()],
    "argv": sys.argv, "orig_argv": sys.orig_argv, "path": sys.path, "executable": sys.executable,
    "prefix": [sys.prefix, sys.exec_prefix], "cwd": os.getcwd(), "umask": os.umask(0),
    "environment": dict(os.environ), "temporary": tempfile.gettempdir(), "input": sys.stdin.read(),
    "streams": [[s.encoding, s.errors, s.isatty(), s.fileno()]
                for s in (sys.stdin, sys.stdout, sys.stderr)],
    "open": [n for n in range(3, 64) if os.path.exists(f"/proc/self/fd/{n}")],
    "signals": [str(signal.getsignal(n)) for n in range(1, 32)],
}))
print("late", file=sys.stderr)
"""
SLEEPER = """
import os, subprocess, time
child = subprocess.Popen(["sleep", "600"])
open("pids", "w").write(f"{os.getpid()} {child.pid}\\n")
time.sleep(600)
"""
Start = Callable[..., Completed]


def command(environment: Path, folder: Path, lines: str) -> list[str]:
    """How to run a few lines as a module of a `delivery`; they say whether they ran warm."""
    (folder / "warm").unlink(missing_ok=True)
    (folder / "scratch/delivery").mkdir(parents=True, exist_ok=True)
    (folder / "scratch/delivery/probe.py").write_text(IS_WARM + lines)
    return [str(environment / "bin/python"), "-m", "scratch.delivery.probe"]


def was_warm(folder: Path) -> bool:
    return (folder / "warm").read_text() == "True"


@pytest.fixture
def start(environment: Path, tmp_path: Path) -> Start:
    """Run a few lines."""

    def completed(lines: str, *words: str, **variables: str) -> Completed:
        return subprocess.run(
            [*command(environment, tmp_path, lines), *words], cwd=tmp_path, check=False, text=True,
            env=surroundings(**variables), capture_output=True, timeout=60, input="typed\n",
        )  # fmt: skip

    return completed


@pytest.mark.parametrize(
    "variables",
    [{}, {"PYTHONUNBUFFERED": "1", "FOO": "ü"}, {"PYTHONPATH": "/nowhere", "TMPDIR": "/"}],
    ids=str,
)
def test_it_is_what_a_new_python_is(
    start: Start, tmp_path: Path, variables: dict[str, str]
) -> None:
    reports: list[Any] = []
    for more in (COLD, {}):
        before = os.umask(0o027)
        completed = start(ABOUT, "a", "b c", **variables, **more)
        os.umask(before)
        assert (completed.returncode, completed.stderr) == (0, "late\n"), completed
        assert was_warm(tmp_path) is not bool(more)
        reports.append(json.loads(completed.stdout))
        del reports[-1]["environment"]["EXEMPLAR_WARM"]
    assert reports[0] == reports[1]


ENDINGS = {
    "by itself": "print('out', end='')",
    "with a code": "sys.exit(3)",
    "with a large code": "sys.exit(259)",
    "with a message": "sys.exit('why')",
    "with an error": "1 / 0",
    "at once": "import os; print('lost'); os._exit(7)",
    "killed": "import os; os.kill(os.getpid(), 9)",
    "terminated": "import os; os.kill(os.getpid(), 15)",
    "later": "import atexit; atexit.register(print, 'at last'); sys.exit(4)",
    "with a thread": "import threading, time\n"
    "threading.Thread(target=lambda: (time.sleep(0.3), print('from a thread'))).start()",
    "with a child": "import subprocess; subprocess.run(['sh', '-c', 'echo child; exit 2'])",
}


@pytest.mark.parametrize("how", ENDINGS)
def test_it_ends_as_a_new_python_does(start: Start, tmp_path: Path, how: str) -> None:
    cold = start(ENDINGS[how], **COLD)
    assert not was_warm(tmp_path)
    completed = start(ENDINGS[how])
    assert was_warm(tmp_path)
    assert (completed.returncode, completed.stdout) == (cold.returncode, cold.stdout)
    assert completed.stderr.splitlines()[-1:] == cold.stderr.splitlines()[-1:]


def test_chance_is_another_each_time(start: Start, tmp_path: Path) -> None:
    draw = "import random, uuid, numpy; print(random.random(), numpy.random.random(), uuid.uuid4())"
    draws = [start(draw).stdout.split() for _ in range(3)]
    assert was_warm(tmp_path)
    assert all(len(set(column)) == 3 for column in zip(*draws, strict=True))


@pytest.mark.parametrize(
    "variables",
    [
        {"OMP_NUM_THREADS": "2"},
        {"TZ": "Asia/Tokyo"},
        {"POLARS_MAX_THREADS": "1"},
        {"MPLBACKEND": "svg"},
        {"DVC_SHOW_TRACEBACK": "1"},
        {"PYTHONHASHSEED": "1"},
        {"PRE_COMMIT": "1"},
        {"EXEMPLAR_WARM": "/nowhere/socket"},
    ],
    ids=str,
)
def test_where_a_fork_would_differ_it_runs_cold(
    start: Start, tmp_path: Path, variables: dict[str, str]
) -> None:
    assert start("print('done')", **variables).stdout == "done\n"
    assert not was_warm(tmp_path)


def test_a_module_that_stands_in_for_a_library_is_imported(start: Start, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own/polars.py").write_text("print('own')\n")
    completed = start("import polars", PYTHONPATH=str(tmp_path / "own"))
    assert (completed.stdout, was_warm(tmp_path)) == ("own\n", False)


LOOKS = """
import pathlib, sys

def test_it():
    pathlib.Path("warm").write_text(str("sklearn" in sys.modules))
"""


def test_pytest_is_forked_through_a_link_too_and_prints_what_a_new_one_does(
    environment: Path, tmp_path: Path
) -> None:
    """As `uv run` starts it where a repository's environment is a link to the worker's."""
    (tmp_path / ".venv").symlink_to(environment)
    (tmp_path / "test_looks.py").write_text(LOOKS)
    words = ["--quiet", "-W", "error", "-p", "no:cacheprovider"]
    outputs = []
    for more in (COLD, {}):
        completed = call(tmp_path, tmp_path / ".venv/bin/pytest", *words, **more)
        assert completed.returncode == 0, completed
        assert was_warm(tmp_path) is not bool(more)
        outputs.append(re.sub(r"in [0-9.]+s", "", completed.stdout + completed.stderr))
    assert outputs[0] == outputs[1]


def test_exemplar_is_forked_too_and_imports_copier_itself(toolkit: None, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    line = 'import sys\nopen("warm", "w").write(str("questionary" in sys.modules))\nsys.exit(7)\n'
    (tmp_path / "own/copier.py").write_text(line)
    variables = {**os.environ, "PYTHONPATH": str(tmp_path / "own")}
    for command, is_warm in ((TOOLKIT, True), ([EXEMPLAR], False)):
        words = [*command, "update", "--check"]
        completed = subprocess.run(words, cwd=tmp_path, env=variables, check=False)
        assert (completed.returncode, was_warm(tmp_path)) == (7, is_warm)


@pytest.mark.cold
def test_a_test_with_the_mark_does_without(start: Start, tmp_path: Path) -> None:
    start("")
    assert not was_warm(tmp_path)


def pids(folder: Path) -> list[int]:
    """The processes of a sleeper, once they are there."""
    until = time.monotonic() + 60
    path = folder / "pids"
    while not (path.exists() and path.read_text().endswith("\n")):
        assert time.monotonic() < until
        time.sleep(0.02)
    return [int(pid) for pid in path.read_text().split()]


def ends(pid: int) -> bool:
    """Whether a process is gone within a few seconds."""
    stat, until = Path(f"/proc/{pid}/stat"), time.monotonic() + 20
    while time.monotonic() < until:
        if not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_who_ends_it_ends_what_it_started(
    environment: Path, tmp_path: Path, number: signal.Signals
) -> None:
    words = command(environment, tmp_path, SLEEPER)
    with subprocess.Popen(words, cwd=tmp_path, env=surroundings()) as process:
        started = pids(tmp_path)
        assert was_warm(tmp_path)
        assert process.pid not in started
        process.send_signal(number)
    assert process.returncode == -number
    assert all(ends(pid) for pid in started)


def test_the_server_ends_what_runs_as_it_ends(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code/all.py").write_text("import sklearn\n")
    words = command(environment, tmp_path, SLEEPER)
    with serve(environment, tmp_path / "code", tmp_path / "log") as path:
        process = subprocess.Popen(words, cwd=tmp_path, env=surroundings(EXEMPLAR_WARM=path))
        started = pids(tmp_path)
        assert was_warm(tmp_path)
    assert process.wait(20) == -signal.SIGKILL
    assert all(ends(pid) for pid in started)
    assert not Path(path).exists()
