"""Generated repositories' commands in tests, without importing the same libraries each time.

Most of what the tests cost is hundreds of `python -m <package>.delivery.<stage>`, `dvc`, `pytest`
and `<package>`, each of which imports the same libraries for seconds. So a worker's environment
gets a process that has imported them and forks for each of these (`fork.py`), and a `.pth` file
with which every Python of that environment asks it as it starts. `exemplar` has one of its own.

Everything runs as in a person's hands, only slower, with EXEMPLAR_COLD=1 (each week), in tests with
the mark `cold` (kills and start-up), in hooks of git, and wherever a fork would not
be what a new process is.
"""

import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import copier
from _pytest.config import default_plugins

from ..made import EXEMPLAR, surroundings

SOCKET = "EXEMPLAR_WARM"
COLD = {SOCKET: ""}
"""The environment of one process that is to do without, and of those that it starts."""

FORK = Path(__file__).with_name("fork.py")
PTH = f'import os; os.environ.get("{SOCKET}") and __import__("_exemplar_fork").ask()\n'
DVC = [
    "dvc.cli", "dvc.cli.parser", "dvc.repo", "dvc.commands.repro", "dvc.commands.status",
    "dvc.commands.add", "dvc.commands.checkout", "dvc.commands.data_sync", "dvc.commands.remote",
    "dvc.cachemgr", "dvc.data_cloud", "dvc.dirs", "dvc.lock", "dvc.repo.artifacts",
    "dvc.repo.brancher", "dvc.repo.datasets", "dvc.repo.graph", "dvc.repo.index",
    "dvc.repo.metrics", "dvc.repo.open_repo", "dvc.repo.params", "dvc.repo.plots",
    "dvc.repo.stage", "dvc.repo.trie", "dvc.repo.worktree", "dvc.rwlock", "dvc.scm",
    "dvc.utils.strictyaml", "dvc_data.hashfile.db.index", "dvc_data.hashfile.db.local",
    "dvc_data.hashfile.status", "dvc_data.index.checkout", "dvc_data.index.collect",
    "dvc_data.index.fetch", "dvc_data.index.push", "dulwich.ignore", "dulwich.index",
    "dulwich.worktree", "fsspec.implementations.memory", "rich.json", "rich.status",
]  # fmt: skip
"""What a `dvc` of the tests imports, when it is called or later."""

PYTEST = ["pytest", *(f"_pytest.{name}" for name in default_plugins)]
"""What each `pytest` imports; not its plugins, whose assertions it writes anew as it does so."""


START = """
import os, sys
sys.path[0] = {folder!r}
import fork
del sys.path[0]
sys.orig_argv[1] = {command!r}
fork.ask({server!r})
os.execv(sys.orig_argv[1], sys.orig_argv[1:])
"""
"""Asks for an `exemplar`, which is started where that is refused."""


def is_possible() -> bool:
    """Whether this system can do it, and nobody asked for the long way."""
    return hasattr(os, "pidfd_open") and os.environ.get("EXEMPLAR_COLD", "0") in ("", "0")


def libraries(folder: Path) -> list[str]:
    """The modules of libraries that the code below a folder imports, anywhere in it."""
    names: dict[str, None] = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= dict.fromkeys(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names[node.module] = None
    return [name for name in names if name != "__future__"]


@contextmanager
def serve(environment: Path, code: Path, log: Path) -> Iterator[str]:
    """The path of the socket of a process that has what `code` imports, while the block runs."""
    (packages,) = environment.glob("lib/python*/site-packages")
    shutil.copy(FORK, packages / "_exemplar_fork.py")
    (packages / "zzz_exemplar_fork.pth").write_text(PTH)
    python: list[str | Path] = [environment / "bin/python", "-m", "_exemplar_fork"]
    with serving(python, [*libraries(code), *DVC, *PYTEST], log, surroundings()) as path:
        yield path


@contextmanager
def serve_toolkit(code: Path, folder: Path) -> Iterator[list[str | Path]]:
    """How to start `exemplar`, while the block runs, without importing its libraries each time.

    A fork imports Copier itself: it looks at its environment as it is imported.
    """
    names = dict.fromkeys([*libraries(code), *libraries(Path(copier.__file__).parent)])
    apart = ("copier", "plumbum", "exemplar")
    modules = [name for name in names if not name.startswith(apart) and find_spec(name)]
    start = folder / "start.py"
    python: list[str | Path] = [sys.executable, FORK]
    with serving(python, modules, folder / "warm.log", dict(os.environ)) as path:
        start.write_text(START.format(folder=str(FORK.parent), command=str(EXEMPLAR), server=path))
        yield [sys.executable, start]


@contextmanager
def serving(
    python: list[str | Path], modules: list[str], log: Path, environment: dict[str, str]
) -> Iterator[str]:
    """The path of the socket of a process that has imported modules, while the block runs."""
    with tempfile.TemporaryDirectory(prefix="exemplar-warm-") as folder, log.open("w") as file:
        path = Path(folder) / "socket"  # short, as a socket's path has to be
        process = subprocess.Popen(
            [*python, path, *modules], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file,
            start_new_session=True, env=environment,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"listening\n", log.read_text()
        try:
            yield str(path)
        finally:
            process.stdin.close()
            process.wait(60)
