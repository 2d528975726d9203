"""Generated repositories' commands in tests, without importing the same libraries each time.

Most of what the tests cost is hundreds of `python -m <package>.delivery.<stage>`, `dvc` and
`<package>`, each of which imports the same libraries for seconds. So a worker's environment gets a
process that has imported them and forks for each of these (`fork.py`), and a `.pth` file with which
every Python of that environment asks it as it starts.

Everything runs as in a person's hands, only slower, with EXEMPLAR_COLD=1 (each week), in tests with
the mark `cold` (kills, start-up, runs that repeat), in hooks of git, and wherever a fork would not
be what a new process is.
"""

import ast
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..made import surroundings

SOCKET = "EXEMPLAR_WARM"
COLD = {SOCKET: ""}
"""The environment of one process that is to do without, and of those that it starts."""

FORK = Path(__file__).with_name("fork.py")
PTH = f'import os; os.environ.get("{SOCKET}") and __import__("_exemplar_fork").ask()\n'
DVC = [
    "dvc.cli", "dvc.cli.parser", "dvc.repo", "dvc.commands.repro", "dvc.commands.status",
    "dvc.commands.add", "dvc.commands.checkout", "dvc.commands.data_sync", "dvc.commands.remote",
]  # fmt: skip
"""What a `dvc` of the tests imports when it is called."""


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
    with tempfile.TemporaryDirectory(prefix="exemplar-warm-") as folder, log.open("w") as file:
        path = Path(folder) / "socket"  # short, as a socket's path has to be
        process = subprocess.Popen(
            [environment / "bin/python", "-m", "_exemplar_fork", path, *libraries(code), *DVC],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file, start_new_session=True,
            env=surroundings(),
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"listening\n", log.read_text()
        try:
            yield str(path)
        finally:
            process.stdin.close()
            process.wait(60)
