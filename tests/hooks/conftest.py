"""A generated repository with its environment but without a run, and a scratch repository that
only borrows the hooks; both go back to their first commit for each test.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest

from ..conftest import Render
from ..made import UV, Completed, call, git


@dataclass(frozen=True)
class Checked:
    """A repository whose changes pre-commit looks at, with its own cache of clones."""

    folder: Path
    home: Path
    runner: tuple[str | Path, ...]

    def write(self, name: str, content: str | bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{name}: {text.count(old)} places like {old!r}"
        self.write(name, text.replace(old, new))

    def append(self, name: str, text: str) -> None:
        self.write(name, (self.folder / name).read_text(encoding="utf-8") + text)

    def run(self, *command: str | Path) -> Completed:
        return call(self.folder, *command, PRE_COMMIT_HOME=str(self.home))

    def check(self, *arguments: str) -> Completed:
        """`pre-commit run` on what is staged, which is everything that the test changed."""
        git(self.folder, "add", "--all")
        return self.run(*self.runner, "run", *arguments)


def fresh(checked: Checked) -> Checked:
    """The repository as on its first commit; what git ignores (the environment) stays."""
    git(checked.folder, "reset", "--quiet", "--hard", "first")
    git(checked.folder, "clean", "--quiet", "-d", "--force")
    return checked


def first(folder: Path) -> None:
    git(folder, "init", "--quiet", "-b", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "First")
    git(folder, "tag", "first")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pre-commit keeps its clones, instead of the cache of whoever runs the tests."""
    return tmp_path_factory.mktemp("pre-commit")


@pytest.fixture(scope="session")
def installed(render: Render, environment: Path, home: Path) -> Checked:
    """A rendered repository with its environment and its first commit."""
    folder = render()
    (folder / ".venv").symlink_to(environment)
    synced = call(folder, UV, "sync", "--quiet")
    assert synced.returncode == 0, synced
    first(folder)
    return Checked(folder, home, (UV, "run", "--frozen", "pre-commit"))


@pytest.fixture
def generated(installed: Checked) -> Checked:
    """The generated repository, for a test to break."""
    return fresh(installed)
