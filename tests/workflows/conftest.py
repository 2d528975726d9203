"""A team's repository with its remote, on which a pull request's workflow is executed.

What a team has made is copied, so that no story waits for a pipeline that another suite has run.
The tests that take the longest are gone: what they say, tests/generated asks; every other test runs
as the workflow wants it.
"""

import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .. import warm
from ..champion.conftest import MADE_BY, Shared
from ..conftest import once
from ..made import MACHINE, OURS, UV, passes
from ..storage.conftest import store
from .emulated import Action, Use
from .runner import Completed, Job, run
from .triggers import Event

__all__ = ["store"]

FILE = ".github/workflows/pull-request.yml"
LONG_TESTS = ("system/test_pipeline", "integration/test_stages", "integration/test_training")
GH = """#!/bin/sh
[ "$2" = --paginate ] && exit
printf '%s ' "$@" > "$COMMENTED.call"
sed 1d "$5" > "$COMMENTED"
"""
"""The platform's own program, in whose place this one keeps what it was asked."""

MODEL = "src/churn/model.py"
NEAREST = '''def candidates(seed: int) -> dict[str, BaseEstimator]:
    """Return the one customer who is most alike, whom nobody has to explain."""
    numbers = make_column_transformer((SimpleImputer(), NUMBERS))
    return {"nearest neighbour": make_pipeline(numbers, KNeighborsClassifier(1, algorithm="brute"))}
'''


def nearest(source: str) -> str:
    """`model.py` with one candidate, which every test of the code likes and the business would not:
    it knows each row that it has seen.
    """
    for old, new in (
        ("from sklearn.ensemble import HistGradientBoostingClassifier\n", ""),
        ("from sklearn.preprocessing import OneHotEncoder, StandardScaler\n", ""),
        ("linear_model import LogisticRegression", "neighbors import KNeighborsClassifier"),
        ("import CATEGORIES, NUMBERS", "import NUMBERS"),
        ('DIRECTION = {"support_calls": +1, "price_rise": +1}', "DIRECTION: dict[str, int] = {}"),
    ):
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source[: source.index("def candidates(")] + NEAREST


def setup_uv(use: Use) -> None:
    """uv is there, and so is what it has downloaded."""
    use.only("enable-cache cache-suffix")


ACTIONS: dict[str, Action] = {"astral-sh/setup-uv": setup_uv}


@dataclass(frozen=True)
class Hub:
    """A team's clone, the bare repository that it pushes to, and what runs for a pull request."""

    clone: Shared
    folder: Path
    variables: dict[str, str]
    secrets: dict[str, str] = field(default_factory=dict)

    @property
    def bare(self) -> Path:
        return self.folder / "churn.git"

    @property
    def comment(self) -> Path:
        """What was last written below the pull request."""
        return self.folder / "comment.md"

    def edit(self, name: str, old: str, new: str) -> None:
        self.clone.edit(name, old, new)

    def rewrite(self, name: str, edit: Callable[[str], str]) -> None:
        path = self.clone.folder / name
        path.write_text(edit(path.read_text(encoding="utf-8")), encoding="utf-8")

    def branch(self, name: str, of: str = "main") -> None:
        """Work on a new branch, from the data and models of that commit."""
        self.clone.git("checkout", "--quiet", "-B", name, of)

    def push(self, message: str) -> str:
        """Commit what is there, and push the branch; its name."""
        self.clone.commit(message)
        branch = self.clone.git("branch", "--show-current")
        self.clone.git("push", "--quiet", "--force", str(self.bare), branch)
        return branch

    def proposed(self, head: str, base: str = "main", **about: object) -> Completed:
        """What comes of a pull request."""
        self.comment.unlink(missing_ok=True)
        event = Event("pull_request", head=head, base=base, **about)  # type: ignore[arg-type]
        return run(
            self.bare, FILE, event, folder=self.folder / "runs", actions=ACTIONS,
            environment=self.variables, secrets=self.secrets,
        )  # fmt: skip


def describe_job(job: Job) -> str:
    """Everything that a job printed, for an assertion that fails."""
    return "".join(f"--- {step.name}: {step.outcome}\n{step.text}" for step in job.steps.all)


def green(completed: Completed, *jobs: str) -> str:
    """Every job that had to run is green, and no other ran; the page of the model."""
    for name, job in completed.jobs.items():
        expected = "success" if name in jobs else "skipped"
        assert job.result == expected, f"{name}\n{describe_job(job)}"
    return completed.jobs["model"].summary


def red(completed: Completed, name: str, step: str, *words: str) -> str:
    """This step of a job is the first to say no, in these words; the job's page."""
    job = completed.jobs[name]
    assert job.result == "failure", describe_job(job)
    failed = [one for one in job.steps.all if one.outcome == "failure"]
    assert failed[0].name == step, describe_job(job)
    for word in words:
        assert word in failed[0].text, f"{word!r} is not in:\n{failed[0].text}"
    assert "Traceback" not in failed[0].text
    return job.summary


def surroundings(environment: Path, folder: Path) -> dict[str, str]:
    """What a job's machine has: the programs and caches of this one, libraries already there."""
    programs = folder / "bin"
    programs.mkdir(parents=True)
    (programs / "gh").write_text(GH)
    (programs / "gh").chmod(0o755)
    cache = subprocess.run([UV, "cache", "dir"], capture_output=True, text=True, check=True)
    uv = {name: value for name, value in os.environ.items() if name.startswith(MACHINE)}
    uv |= {
        name: value for name, value in os.environ.items() if name in ("MYPY_CACHE_DIR", warm.SOCKET)
    }
    path = [str(programs), str(Path(UV).parent), os.environ["PATH"]]
    return {
        **{name: value for name, value in uv.items() if name not in OURS},
        "PATH": ":".join(path),
        "UV_PROJECT_ENVIRONMENT": str(environment),
        "UV_CACHE_DIR": cache.stdout.strip(),
        "UV_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "PRE_COMMIT_HOME": str(folder / "pre-commit"),
        "COMMENTED": str(folder / "comment.md"),
    }


def hub(clone: Shared, folder: Path, **more: str) -> Hub:
    """A clone's own remote, with its main."""
    made = Hub(clone, folder, surroundings(clone.environment, folder) | more)
    clone.git("init", "--quiet", "--bare", "-b", "main", str(made.bare))
    return made


@pytest.fixture(scope="session")
def begun(between_workers: Path, first_day: Path, environment: Path) -> Path:
    """`churn` of the first day on main, without the tests that take the longest, and the branch
    `nearest` with a worse model, run and committed.
    """
    folder = between_workers / "workflows/churn"
    with once(folder.parent) as first:
        if first:
            shutil.copytree(first_day, folder, symlinks=True)
            (folder / ".git/hooks/pre-commit").unlink(missing_ok=True)
            clone = Shared(folder, MADE_BY, environment)
            for name in LONG_TESTS:
                (folder / f"tests/{name}.py").unlink()
            clone.commit("Without the tests that take the longest")
            clone.git("checkout", "--quiet", "-b", "nearest")
            path = folder / MODEL
            path.write_text(nearest(path.read_text(encoding="utf-8")), encoding="utf-8")
            passes(clone.run("dvc", "repro"))
            clone.commit("The nearest neighbour")
            clone.git("checkout", "--quiet", "main")
            passes(clone.run("dvc", "checkout"))
    return folder


def team_of(begun: Path, folder: Path, environment: Path) -> Hub:
    """A copy of what was begun, with its branches pushed."""
    clone = Shared(begun, MADE_BY, environment).copy(folder / "churn")
    made = hub(clone, folder / "hub")
    clone.git("push", "--quiet", "--all", str(made.bare))
    return made


@pytest.fixture(scope="module")
def team(begun: Path, tmp_path_factory: pytest.TempPathFactory, environment: Path) -> Hub:
    """For stories that only add branches."""
    return team_of(begun, tmp_path_factory.mktemp("team"), environment)


@pytest.fixture
def moving(begun: Path, tmp_path: Path, environment: Path) -> Hub:
    """For stories that move main."""
    return team_of(begun, tmp_path, environment)


def wheel(folder: Path, version: str, rate: float) -> str:
    """A small library of the company's own, as everything that pip would install; its name."""
    name, about = "house_defaults", f"house_defaults-{version}.dist-info"
    files = {
        f"{name}/__init__.py": f'"""What the company agreed on."""\n\nLEARNING_RATE = {rate}\n',
        f"{name}/py.typed": "",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: house-defaults\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{path},," for path in (*files, f"{about}/RECORD")]
    file = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as packed:
        for path, text in (files | {f"{about}/RECORD": "\n".join(record) + "\n"}).items():
            packed.writestr(zipfile.ZipInfo(path), text)
    return file.name


def cells(page: str, heading: str) -> str:
    """A section of a page."""
    match = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^# |^## |\Z)", page, re.M | re.S)
    assert match, f"no {heading!r} in:\n{page}"
    return match[1]
