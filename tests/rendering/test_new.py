"""`exemplar new` with what a person can get wrong: one message, exit code 2, nothing touched."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ..conftest import ROOT
from ..made import EXEMPLAR, TOOLKIT, git

pytestmark = pytest.mark.usefixtures("toolkit")


def run(
    *arguments: str | Path, cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """The installed command with a uv that does nothing, unless `env` says otherwise."""
    return subprocess.run(
        [*TOOLKIT, *arguments],
        cwd=cwd,
        env={**os.environ, "UV": str(shutil.which("true")), **env},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def refused(result: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit code 2, nothing on stdout, and one message with these words."""
    assert (result.returncode, result.stdout) == (2, ""), result
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    return tmp_path / "made" / "churn"


def test_a_new_folder_is_filled_and_started(
    destination: Path, template: Path, tmp_path: Path
) -> None:
    uv = tmp_path / "uv"
    uv.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/called\n[ "$1" != run ] || exit 7\n')
    uv.chmod(0o755)
    answer = ("--answer", "project_name=Second Try", "--answer", "owner=@acme")
    result = run("new", destination, "--template", template, "--defaults", *answer, UV=str(uv))
    assert result.returncode == 7, "the exit code is that of the generated start"
    assert (tmp_path / "called").read_text().splitlines() == [
        f"sync --directory {destination}",
        f"run --directory {destination} second_try start",
    ]
    assert "@acme" in (destination / ".github/CODEOWNERS").read_text()


def test_a_relative_template_is_recorded_by_its_absolute_path(
    destination: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(template.parent)
    assert run("new", destination, "--template", template.name, "--defaults").returncode == 0
    assert f"_src_path: {template}\n" in (destination / ".copier-answers.yml").read_text()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("colour=red", ["colour", "project_name", "storage_url"]),
        ("package_name=x", ["package_name", "expected one of", "project_name"]),
        ("owner", ["owner", "KEY=VALUE"]),
        ("project_name=1st", ["project_name", "Allowed: a letter"]),
        (
            "problem=clairvoyance",
            ["problem", "['classification', 'regression', 'ranking', 'answering']"],
        ),
        ("storage=tape", ["storage", "'s3'"]),
        ("storage_url=s3://bucket", ["storage_url", "Allowed:"]),
    ],
)
def test_a_wrong_answer_is_told_what_is_allowed(
    destination: Path, template: Path, answer: str, words: list[str]
) -> None:
    result = run("new", destination, "--template", template, "--defaults", "--answer", answer)
    refused(result, *words)
    assert not destination.parent.exists()


def test_a_folder_with_files_in_it_is_not_touched(destination: Path, template: Path) -> None:
    destination.mkdir(parents=True)
    (destination / "mine.txt").write_text("mine")
    refused(run("new", destination, "--template", template, "--defaults"), "Nothing was touched")
    assert [path.name for path in destination.iterdir()] == ["mine.txt"]


OWN = {"README.md": "# Ours\n", "LICENSE": "Ours.\n", ".gitignore": "*.log\n.env\n"}


@pytest.mark.parametrize("command", ["exemplar new", "copier copy"])
def test_a_repository_that_was_made_empty_is_filled_and_what_is_there_is_kept(
    destination: Path, template: Path, command: str
) -> None:
    destination.mkdir(parents=True)
    git(destination, "init", "--quiet")
    for name, text in OWN.items():
        (destination / name).write_text(text)
    git(destination, "add", "--all")
    git(destination, "commit", "--quiet", "--message", "Initial commit")
    if command == "exemplar new":
        completed = run("new", destination, "--template", template, "--defaults")
    else:
        completed = subprocess.run(
            [EXEMPLAR.with_name("copier"), "copy", "--defaults", str(template), "."],
            cwd=destination,
            capture_output=True,
            text=True,
            check=False,
        )
    assert completed.returncode == 0, completed
    assert {name: (destination / name).read_text() for name in OWN} == OWN
    assert (destination / "src/churn/contract.py").exists(), "named after the folder"


def test_somebody_elses_repository_is_told_as_such(destination: Path, template: Path) -> None:
    destination.parent.mkdir()
    git(destination.parent, "init", "--quiet")
    nobodys = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    for words in (("new", destination, "--template", template, "--defaults"), ("update",)):
        refused(
            run(*words, cwd=destination.parent, **nobodys, GIT_CONFIG_NOSYSTEM="1", LANGUAGE="de"),
            f"git config --global --add safe.directory {destination.parent}",
        )
    assert not destination.exists()


def test_a_file_in_the_way_is_not_touched(destination: Path, template: Path) -> None:
    destination.parent.mkdir()
    destination.write_text("mine")
    refused(run("new", destination, "--template", template, "--defaults"), "found a file")
    assert destination.read_text() == "mine"


def test_a_folder_inside_the_template_is_refused(template: Path) -> None:
    inside = template / "churn"
    refused(run("new", inside, "--template", template, "--defaults"), "../churn")
    assert not inside.exists()


@pytest.mark.parametrize("missing", ["nowhere", "https://{nobody}/nothing.git"])
def test_a_template_that_cannot_be_had_is_named(
    destination: Path, missing: str, nobody: str
) -> None:
    missing = missing.format(nobody=nobody)
    refused(run("new", destination, "--template", missing, "--defaults"), missing)
    assert not destination.exists()


def test_a_folder_that_is_no_template_is_named(destination: Path, tmp_path: Path) -> None:
    refused(run("new", destination, "--template", tmp_path, "--defaults"), "copier.yml")


def test_questions_that_nobody_can_answer_end_with_the_way_out(
    destination: Path, template: Path
) -> None:
    refused(run("new", destination, "--template", template), "--defaults")
    assert not destination.exists()


def test_without_git_it_says_so(destination: Path, tmp_path: Path) -> None:
    refused(run("new", destination, "--defaults", PATH=str(tmp_path)), "git: expected")


def test_without_uv_it_says_how_to_install_it(destination: Path, tmp_path: Path) -> None:
    (tmp_path / "git").symlink_to(str(shutil.which("git")))
    result = run("new", destination, "--defaults", PATH=str(tmp_path), UV="")
    refused(result, "python -m pip install uv")


def test_packages_that_cannot_be_fetched_leave_the_files_and_name_the_next_command(
    destination: Path, template: Path, tmp_path: Path
) -> None:
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho 'error: Failed to fetch' >&2\nexit 2\n")
    uv.chmod(0o755)
    result = run("new", destination, "--template", template, "--defaults", UV=str(uv))
    assert result.returncode == 2
    assert "Failed to fetch" in result.stderr
    assert f"cd {destination} && uv run churn start" in result.stderr
    assert (destination / "params.yaml").exists()


def test_help_and_version_are_there() -> None:
    assert "new" in run("--help", COLUMNS="40", PYTHONIOENCODING="latin-1").stdout
    assert run("--version").stdout.startswith("exemplar ")


def test_the_continuous_integration_runs_the_command_of_the_readme() -> None:
    lines = (ROOT / ".ci/run").read_text().splitlines()
    readme = (ROOT / "README.md").read_text()
    assert lines[-1] in readme.split("## Test it")[1].split("\n    ")[1].splitlines()
