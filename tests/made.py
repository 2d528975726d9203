"""Generated repositories in tests: commands run in them as a person would, and what has to come of
it.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

LONGEST = 600  # seconds that one command may take
UV = os.environ.get("UV") or str(shutil.which("uv"))
EXEMPLAR = Path(sys.executable).with_name("exemplar")
TOOLKIT: list[str | Path] = [EXEMPLAR]
"""How `exemplar` is started, unless what is tested is how it starts or is killed: the fixture
`toolkit` has another way.
"""

SOMEONE = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Test"), ("EMAIL", "test@example.com"))
}
MACHINE = ("BLIS_", "MKL_", "NVPL_", "OPENBLAS_", "RUST_", "SSL_", "UV_")
"""Beginnings of variables that say how this machine computes and where it finds packages."""

OURS = ("VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "UV_PROJECT_ENVIRONMENT")

Completed = subprocess.CompletedProcess[str]


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder as somebody who is not whoever runs the tests; what it printed."""
    someone = [
        "-c",
        "user.name=Test",
        "-c",
        "user.email=test@example.com",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "maintenance.auto=false",  # nothing tidies a repository while a test copies it
    ]
    return subprocess.run(
        ["git", *someone, *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout


def surroundings(**changes: str) -> dict[str, str]:
    """The environment of somebody at work in the generated repository, not in this one.

    One thread for a model: each of the workers has one core.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in OURS and not name.startswith(("PYTEST_", "GIT_"))
    }
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "OMP_NUM_THREADS": "1"}
    return kept | quiet | SOMEONE | changes


def call(folder: Path, *command: str | Path, stdin: str = "", **changes: str) -> Completed:
    """Run a command in a folder, with `stdin` as its input; nothing is raised."""
    return subprocess.run(
        command,
        cwd=folder,
        env=surroundings(**changes),
        capture_output=True,
        text=True,
        check=False,
        input=stdin,
        timeout=LONGEST,
    )


@dataclass(frozen=True)
class Repository:
    """A generated repository; `how` is what making it printed."""

    folder: Path
    how: Completed

    def run(self, *command: str, **changes: str) -> Completed:
        """`uv run <command>`, as a laptop and CI would."""
        return call(self.folder, UV, "run", *command, **changes)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace the one place where `old` stands: a test must not rot into doing nothing."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name}: {text.count(old)} places like {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def append(self, name: str, text: str) -> None:
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(text)

    def json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def raw(self) -> pl.DataFrame:
        """The rows that the source gave."""
        return pl.read_parquet(self.folder / "data/raw.parquet")

    def feed(self, rows: pl.DataFrame) -> None:
        """Make these rows the source, as a CSV file beside the brief."""
        rows.write_csv(self.folder / "customers.csv")
        self.edit("params.yaml", f"source: {self.code('example')}", "source: customers.csv")

    @property
    def package(self) -> str:
        """What the package and its command are called."""
        return self.folder.name

    @property
    def problem(self) -> str:
        """Which kind of problem was asked for."""
        answers = (self.folder / ".copier-answers.yml").read_text(encoding="utf-8")
        return answers.partition("\nproblem: ")[2].partition("\n")[0]

    def code(self, name: str) -> str:
        """The path of a file of the package, from the root."""
        return f"src/{self.folder.name}/{name}.py"

    def git(self, *arguments: str) -> str:
        return git(self.folder, *arguments)


def stopped(completed: Completed, *words: str) -> None:
    """DVC ended with its own exit code, and our message says on stderr what is wrong."""
    assert completed.returncode not in (0, 1, 2), completed
    _told(completed, completed.stderr, words)


def fixable(completed: Completed, *words: str) -> None:
    """Exit code 2, and one message on stderr."""
    assert completed.returncode == 2, completed
    _told(completed, completed.stderr, words)


def says_no(completed: Completed, *words: str) -> None:
    """Exit code 1, and the sentence on stdout."""
    assert completed.returncode == 1, completed
    _told(completed, completed.stdout, words)


def passes(completed: Completed, *words: str) -> None:
    """Exit code 0, and the words on stdout."""
    assert completed.returncode == 0, completed
    _told(completed, completed.stdout, words)


def _told(completed: Completed, text: str, words: tuple[str, ...]) -> None:
    assert "Traceback" not in completed.stdout + completed.stderr, completed
    for word in words:
        assert word in text, f"{word!r} is not in:\n{text}"
