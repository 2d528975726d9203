"""A repository with a champion, made once for all workers; a test gets a copy to change.

The libraries are installed once per worker, and `uv run` puts the code of the folder at hand there.
"""

import fcntl
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import copier
import polars as pl
import pytest

from ..generated.conftest import UV, Ran, Repository, call, clone, passes

__all__ = ["clone"]

ROOT = Path(__file__).parents[2]
MADE_BY = Ran([], 0, "", "")
REGISTER = "python -m churn.delivery.pipeline.tracking register params.yaml models/champion rule"
Frames = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Shared(Repository):
    """A repository without an environment of its own: it borrows the worker's."""

    environment: Path

    def surroundings(self, **changes: str) -> dict[str, str]:
        return {"UV_PROJECT_ENVIRONMENT": str(self.environment)} | changes

    def run(self, *command: str, **changes: str) -> Ran:
        return call(self.folder, UV, "run", *command, **self.surroundings(**changes))

    def shell(self, line: str) -> Ran:
        """A line of a page, with uv and git as everybody has them."""
        return call(self.folder, "bash", "-c", line, **self.surroundings())

    def git(self, *arguments: str) -> str:
        ran = call(self.folder, "git", *arguments, **self.surroundings())
        assert ran.returncode == 0, ran
        return ran.stdout.strip()

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
        told = self.json("reports/decision.json")["compared_by"]
        assert told == self.json("reports/comparison.json")["compared_by"]
        return told

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
    found: dict[str, list[str]] = {}
    for section in (ROOT / "docs" / page).read_text(encoding="utf-8").split("\n## ")[1:]:
        heading = section.partition("\n")[0]
        for block in re.findall(r"```bash\n(.*?)```", section, re.DOTALL):
            found.setdefault(heading, []).extend(block.strip().splitlines())
    return found


def tracking(folder: Path) -> str:
    """The stage `track`: most tests do without, because MLflow takes longer than the others."""
    pipeline = (folder / "dvc.yaml").read_text(encoding="utf-8")
    return pipeline[pipeline.index("  track:\n") : pipeline.index("\n# Stages of your own")]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this worker's libraries are."""
    return tmp_path_factory.mktemp("environment") / ".venv"


@pytest.fixture(scope="session")
def once(clone: Path, environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`started/churn`, with the rule in charge, and `promoted/churn`; made by the first worker."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / "champion"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            started = Shared(folder / "started/churn", MADE_BY, environment)
            copier.run_copy(str(clone), started.folder, defaults=True, quiet=True)
            started.edit("dvc.yaml", tracking(started.folder), "")
            passes(started.run("churn", "start"), "Ship: ")
            passes(started.run(*REGISTER.split()), "The rule is in charge")
            promoted = started.copy(folder / "promoted/churn")
            passes(promoted.run("churn", "promote"), "champion-1: gradient boosting takes charge")
            (folder / "done").touch()
    return folder


def taken(once: Path, name: str, folder: Path, environment: Path) -> Shared:
    """A copy without the checks that git runs before a commit: they have tests of their own."""
    copy = Shared(once / name / "churn", MADE_BY, environment).copy(folder)
    (copy.folder / ".git/hooks/pre-commit").unlink(missing_ok=True)
    return copy


@pytest.fixture
def started(once: Path, tmp_path: Path, environment: Path) -> Shared:
    """The rule is in charge, and the verdict is ship."""
    return taken(once, "started", tmp_path / "churn", environment)


@pytest.fixture
def promoted(once: Path, tmp_path: Path, environment: Path) -> Shared:
    """champion-1 is in charge, and everything is committed."""
    return taken(once, "promoted", tmp_path / "churn", environment)


@pytest.fixture
def undisturbed(once: Path, environment: Path) -> Shared:
    """What the first promotion left, to compare with; nothing may change it."""
    found = Shared(once / "promoted/churn", MADE_BY, environment)
    today = datetime.now(UTC).date().isoformat()
    if found.json("models/champion/promotion.json")["date"] != today:  # the run began yesterday
        found = taken(once, "started", once / f"on {today}", environment)
        passes(found.run("churn", "promote"))
    return found
