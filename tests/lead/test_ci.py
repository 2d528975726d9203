"""What is read of continuous integration: what can stop a change, and through which files."""

import pytest

from exemplar.review.ci import Step, read_steps
from exemplar.review.testing import is_run_by, read_test_file

PULL = "on: pull_request\njobs:\n  test:\n    steps:\n"


def read(files: dict[str, str], command: str = "pytest") -> list[Step]:
    """The steps that run a command and can stop a change."""
    return [step for step in read_steps(files) if command in step.command and step.can_stop]


def workflow(step: str, head: str = PULL, **files: str) -> dict[str, str]:
    """A workflow with one step, beside other files (`__` in a name is a slash)."""
    others = {name.replace("__", "/"): text for name, text in files.items()}
    return {".github/workflows/ci.yml": f"{head}      - {step}\n", **others}


@pytest.mark.parametrize(
    "files",
    [
        workflow("run: uv run pytest tests"),
        workflow("run: docker run --rm image pytest"),
        workflow("run: make test", Makefile="test: lint\n\t@pytest -q\n\nlint:\n\truff check\n"),
        workflow("run: make all", Makefile="all: test\ntest:\n\tpytest\n"),
        workflow("run: just test", justfile="test *args:\n    pytest {{args}}\n"),
        workflow("run: ./ci/test.sh") | {"ci/test.sh": "set -e\npytest\n"},
        workflow("run: bash bin/go unit") | {"bin/go": "case $1 in unit) pytest;; esac\n"},
        workflow("uses: ./.github/actions/test")
        | {".github/actions/test/action.yml": "runs:\n  steps:\n    - run: pytest\n"},
        workflow("run: tox -e py", **{"tox.ini": "[testenv]\ncommands =\n    pytest\n"}),
        workflow("run: pre-commit run -a")
        | {".pre-commit-config.yaml": "repos:\n- repo: local\n  hooks: [{id: t, entry: pytest}]\n"},
        workflow("run: dvc repro", **{"dvc.yaml": "stages:\n  t:\n    cmd: pytest\n"}),
        workflow("run: ./ci/a.sh") | {"ci/a.sh": "make test\n", "Makefile": "test:\n\tpytest\n"},
        {
            ".github/workflows/a.yml": "on: [pull_request]\njobs:\n  a:\n"
            "    uses: ./.github/workflows/b.yml\n",
            ".github/workflows/b.yml": "on: workflow_call\njobs:\n  b:\n    steps:\n"
            "      - run: pytest\n",
        },
        {".gitlab-ci.yml": "test:\n  script:\n    - pytest\n"},
        {".gitlab-ci.yml": "include: /ci/t.yml\n", "ci/t.yml": "test:\n  script: pytest\n"},
        {".gitlab-ci.yml": ".t:\n  script: [pytest]\ntest:\n  extends: .t\n"},
        {
            ".gitlab-ci.yml": ".t:\n  script: [pytest]\ntest:\n  rules:\n"
            "    - if: $CI_PIPELINE_SOURCE == 'merge_request_event'\n"
            "  script:\n    - !reference [.t, script]\n    - make test\n",
            "Makefile": "test:\n\tpytest\n",
        },
    ],
)
def test_a_command_is_followed_to_what_it_runs(files: dict[str, str]) -> None:
    assert read(files), read_steps(files)


@pytest.mark.parametrize(
    "files",
    [
        workflow("run: pytest || true"),
        workflow("run: pytest", "on: push\njobs:\n  test:\n    steps:\n"),
        workflow("run: pytest\n        continue-on-error: true"),
        workflow("run: pytest\n        if: ${{ false }}"),
        workflow("run: pytest\n        if: github.event_name == 'schedule'"),
        workflow("run: pytest", PULL.replace("steps", "continue-on-error: true\n    steps")),
        workflow("run: echo pytest"),
        workflow("run: |\n          # pytest\n          ls"),
        workflow("run: make other", Makefile="test:\n\tpytest\n"),
        workflow("run: ./ci/test.sh") | {"ci/test.sh": "pytest || true\n"},
        {".gitlab-ci.yml": "test:\n  allow_failure: true\n  script: [pytest]\n"},
        {".gitlab-ci.yml": "test:\n  when: manual\n  script: [pytest]\n"},
        {".gitlab-ci.yml": "test:\n  only: [schedules]\n  script: [pytest]\n"},
        {".gitlab-ci.yml": ".test:\n  script: [pytest]\n"},
        {".github/workflows/ci.yml": "{[(" * 1000},
    ],
)
def test_what_cannot_stop_a_change_does_not_count(files: dict[str, str]) -> None:
    assert not read(files)


def test_evidence_is_the_line_at_which_ci_begins_and_the_way_from_there() -> None:
    files = workflow("run: ./ci/test.sh") | {"ci/test.sh": "set -e\npytest\n"}
    (step,) = read(files)
    assert (step.path, step.line) == (".github/workflows/ci.yml", 5)
    assert step.describe() == "job test -> ci/test.sh"


def run_by(command: str, path: str = "tests/unit/test_a.py", mark: str = "") -> bool:
    """Whether a command runs a test."""
    (test,) = read_test_file(path, f"{mark}\ndef test_a(x):\n    assert x\n")
    return is_run_by(test, read(workflow(f"run: {command}"))[0])


def test_a_test_is_run_by_its_folder_unless_it_is_left_out() -> None:
    assert run_by("pytest")
    assert run_by("uv run pytest tests/unit -q")
    assert run_by('pytest -m "not everything and not system"')
    assert not run_by("pytest tests/integration")
    assert not run_by('pytest -m "not unit"')
    assert not run_by('pytest -m "not slow"', mark="@pytest.mark.slow")
    assert not run_by("pytest --collect-only")
    assert not run_by("pytest --ignore=tests/unit")
    assert not run_by("pip install pytest")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("assert f(x) == 1", True),
        ("with pytest.raises(ValueError):\n        f()", True),
        ("np.testing.assert_allclose(f(), 1)", True),
        ("assert True", False),
        ("assert 1 == 1", False),
        ("f()", False),
    ],
)
def test_a_test_counts_if_it_can_fail(body: str, expected: bool) -> None:
    (test,) = read_test_file("test_a.py", f"def test_a():\n    {body}\n")
    assert test.can_fail is expected


def test_a_test_that_is_skipped_cannot_fail() -> None:
    (test,) = read_test_file("test_a.py", "@pytest.mark.skip\ndef test_a(x):\n    assert x\n")
    assert not test.can_fail
