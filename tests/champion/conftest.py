"""A repository with a champion, made once for all workers; a test gets a copy to change.

The libraries are installed once per worker, and `uv run` puts the code of the folder at hand there.
"""

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ..conftest import ROOT, once
from ..made import UV, Completed, Repository, call, passes

MADE_BY = Completed([], 0, "", "")
Frames = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Shared(Repository):
    """A repository without an environment of its own: it borrows the worker's."""

    environment: Path

    def surroundings(self, **changes: str) -> dict[str, str]:
        return {"UV_PROJECT_ENVIRONMENT": str(self.environment)} | changes

    def run(self, *command: str, **changes: str) -> Completed:
        return call(self.folder, UV, "run", *command, **self.surroundings(**changes))

    def shell(self, line: str) -> Completed:
        """A line of a page, with uv and git as everybody has them."""
        return call(self.folder, "bash", "-c", line, **self.surroundings())

    def git(self, *arguments: str) -> str:
        completed = call(self.folder, "git", *arguments, **self.surroundings())
        assert completed.returncode == 0, completed
        return completed.stdout.strip()

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def copy(self, folder: Path) -> "Shared":
        shutil.copytree(self.folder, folder, symlinks=True)
        return Shared(folder, MADE_BY, self.environment)

    def cloned(self, folder: Path, *options: str) -> "Shared":
        """What `git clone` gives: no data and no models."""
        self.git("clone", "--quiet", *options, f"file://{self.folder}", str(folder))
        return Shared(folder, MADE_BY, self.environment)

    def stores_in(self, other: "Shared") -> None:
        """Use the storage of another folder, as a team shares one."""
        where = str(other.folder / ".dvc/storage")
        passes(self.run("dvc", "remote", "modify", "--local", "storage", "url", where))

    def predictions(self) -> Frames:
        """Predictions by model."""
        names = ("rule", "challenger", "champion")
        folder = self.folder / "data/predictions"
        return {name: pl.read_parquet(folder / f"{name}.parquet") for name in names}

    def compared_by(self) -> Any:
        """How the decision says that the champion was compared."""
        way = self.json("reports/decision.json")["compared_by"]
        assert way == self.json("reports/comparison.json")["compared_by"]
        return way

    def settled(self) -> None:
        """Nothing to commit, nothing to run."""
        assert self.git("status", "--porcelain") == ""
        passes(self.run("dvc", "status"), "up to date")

    def state(self) -> tuple[str, str, str]:
        """What is committed (by content), what it is called, and the bytes in charge."""
        card = (self.folder / "models/champion/card.json").read_text(encoding="utf-8")
        return self.git("rev-parse", "HEAD^{tree}"), self.git("tag"), card


def blocks(page: str) -> dict[str, list[str]]:
    """The lines of commands of a page in docs/, by the heading above them."""
    lines: dict[str, list[str]] = {}
    for section in (ROOT / "docs" / page).read_text(encoding="utf-8").split("\n## ")[1:]:
        heading = section.partition("\n")[0]
        for block in re.findall(r"```bash\n(.*?)```", section, re.DOTALL):
            lines.setdefault(heading, []).extend(block.strip().splitlines())
    return lines


@pytest.fixture(scope="session")
def champions(between_workers: Path, first_day: Path, environment: Path) -> Path:
    """`started/churn`, with the rule in charge, and `promoted/churn`; made by the first worker."""
    folder = between_workers / "champion"
    with once(folder) as first:
        if first:
            started = Shared(first_day, MADE_BY, environment).copy(folder / "started/churn")
            promoted = started.copy(folder / "promoted/churn")
            passes(promoted.run("churn", "promote"), "champion-1: gradient boosting takes charge")
    return folder


def taken(champions: Path, name: str, folder: Path, environment: Path) -> Shared:
    """A copy without the checks that git runs before a commit: they have tests of their own."""
    copy = Shared(champions / name / "churn", MADE_BY, environment).copy(folder)
    (copy.folder / ".git/hooks/pre-commit").unlink(missing_ok=True)
    return copy


@pytest.fixture
def started(champions: Path, tmp_path: Path, environment: Path) -> Shared:
    """The rule is in charge, and the verdict is ship."""
    return taken(champions, "started", tmp_path / "churn", environment)


@pytest.fixture
def promoted(champions: Path, tmp_path: Path, environment: Path) -> Shared:
    """champion-1 is in charge, and everything is committed."""
    return taken(champions, "promoted", tmp_path / "churn", environment)


@pytest.fixture
def undisturbed(champions: Path, environment: Path) -> Shared:
    """What the first promotion left, to compare with; nothing may change it."""
    repository = Shared(champions / "promoted/churn", MADE_BY, environment)
    today = datetime.now(UTC).date().isoformat()
    # The run may have begun yesterday.
    if repository.json("models/champion/promotion.json")["date"] != today:
        repository = taken(champions, "started", champions / f"on {today}", environment)
        passes(repository.run("churn", "promote"))
    return repository
