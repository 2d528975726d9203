"""A table of one's own through `adopt`, the pipeline, the generated tests and one request."""

from pathlib import Path
from typing import NamedTuple

import pytest

from ..champion.conftest import Shared
from ..champion.test_serving import get, post, served
from ..conftest import Render, tracking
from ..generated.test_notebook import CELLS
from ..made import Completed, Repository, fixable, git, passes
from .tables import EXAMPLES, Example

ADOPTED = ("breast_cancer", "diabetes", "wine", "visits")
WHOLE = ("diabetes", "visits")  # for these all tests but those of the system run, else unit tests
FAST = ("pytest", "-q", "-m", "not system", "-p", "no:cacheprovider")
BRIEF = ("python", "-m", "churn.delivery.pipeline.brief", "project-brief.md", "brief.json")
LATER = """\
phase: develop
outcome: {metric: share that returns, today: 0.4, target: 0.3}
success: [{metric: value_per_1000, beats: champion, by: 100}]
guardrails: [{metric: value_per_1000, not_below: champion, margin: 100}]
"""


class Adopted(NamedTuple):
    """A repository that has adopted a table."""

    repository: Repository
    example: Example
    table: Path
    words: list[str]
    """The verb with which it did."""


def prepare(render: Render, environment: Path, problem: str) -> Repository:
    """A repository as rendered and committed, without the stage of MLflow."""
    folder = render("churn", problem=problem)
    pipeline = folder / "dvc.yaml"
    text = pipeline.read_text(encoding="utf-8")
    pipeline.write_text(text.replace(tracking(text), ""), encoding="utf-8")
    (folder / ".venv").symlink_to(environment)
    git(folder, "init", "--quiet", "-b", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Start from the template")
    return Repository(folder, Completed([], 0, "", ""))


@pytest.fixture(scope="module", params=ADOPTED)
def adopted(
    request: pytest.FixtureRequest,
    render: Render,
    environment: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Adopted:
    """A repository that has adopted an example."""
    example = EXAMPLES[request.param]
    repository = prepare(render, environment, example.problem)
    table = example.write(tmp_path_factory.mktemp("source"))
    words = ["churn", "adopt", str(table), "--target", example.target, "--yes", *example.options]
    passes(repository.run(*words), "Only a person can say:", "docs/decisions/")
    return Adopted(repository, example, table, words)


only_visits = pytest.mark.parametrize("adopted", ["visits"], indirect=True)


def test_a_table_becomes_a_decision_and_nothing_ships(adopted: Adopted) -> None:
    repository = adopted.repository
    assert repository.json("reports/decision.json")["verdict"] == "unclear"
    assert repository.json("reports/data.json")["rows"]["quarantined"] == 0
    assert repository.git("status", "--porcelain") == ""
    assert not (repository.folder / "src/churn/example.py").exists()
    assert "simulates" not in (repository.folder / "README.md").read_text(encoding="utf-8")


def test_the_table_is_kept_as_it_came_and_by_dvc(adopted: Adopted) -> None:
    (pointer,) = (adopted.repository.folder / "data/source").glob("*.dvc")
    kept, table = pointer.with_suffix(""), adopted.table
    names = sorted(path.name for path in table.iterdir()) if table.is_dir() else ["."]
    assert names
    for name in names:
        assert (kept / name).read_bytes() == (table / name).read_bytes()
    tracked = adopted.repository.git("ls-files", "data").split()
    assert tracked == [f"data/source/{pointer.name}"]


def test_what_was_drafted_is_tidy_and_typed(adopted: Adopted) -> None:
    repository = adopted.repository
    passes(repository.run("ruff", "check", "."))
    passes(repository.run("ruff", "format", "--check", "."))
    if adopted.example.name in WHOLE:
        passes(repository.run("mypy"))


def test_the_generated_tests_hold(adopted: Adopted) -> None:
    folders = [] if adopted.example.name in WHOLE else ["tests/unit"]
    completed = adopted.repository.run(*FAST, *folders)
    assert completed.returncode == 0, completed.stdout
    assert " passed" in completed.stdout


@pytest.mark.parametrize("adopted", WHOLE, indirect=True)
def test_the_notebook_looks_at_the_table(adopted: Adopted) -> None:
    completed = adopted.repository.run("python", "-c", CELLS, MPLBACKEND="agg")
    passes(completed, "rows keep the contract", "points: ", "every_row: pl.DataFrame")


@pytest.mark.parametrize("adopted", WHOLE, indirect=True)
def test_the_service_answers_the_row_that_it_shows(adopted: Adopted, environment: Path) -> None:
    repository = Shared(adopted.repository.folder, adopted.repository.how, environment)
    with served(repository) as address:
        schemas = get(f"{address}/openapi.json")["components"]["schemas"]
        (shown,) = schemas["Rows"]["examples"]
        assert len(post(f"{address}/predict", shown)["answers"]) == 1


@only_visits
def test_start_afterwards_and_the_same_adoption_again_change_nothing(adopted: Adopted) -> None:
    repository = adopted.repository
    head = repository.git("rev-parse", "HEAD")
    passes(repository.run("churn", "start"))
    assert (repository.git("rev-parse", "HEAD"), repository.git("status", "--short")) == (head, "")
    passes(repository.run(*adopted.words))
    assert (repository.git("rev-parse", "HEAD"), repository.git("status", "--short")) == (head, "")
    again = repository.run("churn", "adopt", str(adopted.table), "--update")
    passes(again, "keeps the contract")


@only_visits
def test_what_only_a_person_can_say_is_never_taken_for_said(adopted: Adopted) -> None:
    repository = adopted.repository
    passes(repository.run("churn", "check"), "a draft in phase discover", "owner", "Users")
    brief = repository.folder / "project-brief.md"
    draft = brief.read_text(encoding="utf-8")
    try:
        lines = draft.splitlines(keepends=True)
        later = [LATER if line.startswith("phase:") else line for line in lines]
        brief.write_text("".join(later), encoding="utf-8")
        fixable(repository.run(*BRIEF), "`to be said`", "owner, sponsor", "Users", "Data")
        text = "".join(later).replace("to be said", "us").replace("To be said", "We say")
        brief.write_text(text, encoding="utf-8")
        passes(repository.run(*BRIEF))
    finally:
        brief.write_text(draft, encoding="utf-8")


@only_visits
def test_the_rule_that_a_person_gave_is_what_is_done_today(adopted: Adopted) -> None:
    repository = adopted.repository
    assert (
        """TODAY = '"class" > 60'""" in (repository.folder / repository.code("model")).read_text()
    )
    assert repository.json("reports/metrics.json")["rule_decides"]
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    assert "EUR" in report


def test_files_that_a_person_edited_are_never_overwritten(
    render: Render, environment: Path, tmp_path: Path
) -> None:
    repository = prepare(render, environment, "classification")
    table = str(EXAMPLES["iris"].write(tmp_path))
    words = ("churn", "adopt", table, "--target", "target", "--yes")
    model = repository.code("model")
    repository.append(model, "# ours\n")
    fixable(repository.run(*words), model, "git commit", "git stash")
    repository.git("commit", "--quiet", "--all", "--message", "Ours")
    fixable(repository.run(*words), model, "git checkout", "to keep them")
    assert repository.git("status", "--porcelain", "--untracked-files=no") == ""
    assert "# ours\n" in (repository.folder / model).read_text(encoding="utf-8")
    assert "RetentionRule" in (repository.folder / model).read_text(encoding="utf-8")
