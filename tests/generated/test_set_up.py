"""From the README's command to a decision, and what stands in its way."""

import os
import re
import shutil
from pathlib import Path

import pytest

from ..made import UV, Repository, call, fixable, passes

NAMELESS = {"user.useConfigOnly": "true"}
"""git as on a machine on which nobody has said who they are, whatever its host is called."""


def configured(settings: dict[str, str]) -> dict[str, str]:
    """The environment that gives git these settings."""
    pairs = enumerate(settings.items())
    numbered = {f"GIT_CONFIG_{what}_{i}": (k, v)[what == "VALUE"] for i, (k, v) in pairs
                for what in ("KEY", "VALUE")}  # fmt: skip
    return {"GIT_CONFIG_COUNT": str(len(settings))} | numbered


def test_one_command_ends_with_the_decision_in_money_and_where_to_look(made: Repository) -> None:
    passes(made.how, "packages", "environment", "pipeline", "commit")
    for stage in ("brief", "ingest", "validate", "split", "train", "predict", "evaluate", "decide"):
        assert re.search(rf"^ +{stage} +\d+\.\d s$", made.how.stdout, re.MULTILINE), stage
    message = made.how.stdout.split("\n\n")[1]
    assert message.startswith("Ship: call at most 400 of 5,000 customers every week; ")
    assert re.search(r"would be worth GBP \d+ \(\d+ to [\d,]+\) more per 1,000 customers", message)
    assert "reports/report.html" in made.how.stdout
    assert "project-brief.md" in made.how.stdout


COMPILE = """
import os, time
from importlib.util import cache_from_source, find_spec
from pathlib import Path

from churn.delivery import start

start.IMPORT += "\\nimport time\\ntime.sleep(90)"  # a child that would stay

def has_child():
    try:
        return os.waitpid(-1, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False

file = Path(cache_from_source(find_spec("sklearn").origin))
until = time.monotonic() + 60
print(file.exists())
with start.compiling_libraries():
    while not file.exists() and time.monotonic() < until:
        time.sleep(0.01)
    print(file.exists(), has_child())
print(has_child(), time.monotonic() < until)
with start.compiling_libraries():
    print(has_child())
"""


def test_a_new_environment_is_compiled_beside_the_first_steps_and_an_older_one_is_left_alone(
    made: Repository, environment: Path, tmp_path: Path
) -> None:
    variables = {"PYTHONPATH": "src", "PYTHONPYCACHEPREFIX": str(tmp_path)}
    python = environment / "bin/python"
    own = call(made.folder, python, "-c", COMPILE, **variables, PYTHONDONTWRITEBYTECODE="")
    passes(own)
    assert own.stdout.splitlines() == ["False", "True True", "False True", "False"]


def test_where_git_knows_nobody_all_but_the_commit_is_done_and_the_commands_are_named(
    repository: Repository,
) -> None:
    shutil.rmtree(repository.folder / ".git")
    nobody = dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL"), "")
    nobody |= dict.fromkeys(("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"), "")
    completed = repository.run("churn", "start", **nobody, **configured(NAMELESS))
    fixable(
        completed,
        "git does not know who you are, so nothing was committed",
        'git config --global user.name "Your Name"',
        'git config --global user.email "you@example.com"',
        "again: uv run churn start",
    )
    assert "\nShip: call at most 400 of 5,000 customers" in completed.stdout
    assert "No commits yet" in repository.git("status")
    passes(repository.run("churn", "start"), "Ship: ")
    assert repository.git("log", "--format=%s") == "Start from the template\n"
    assert repository.git("status", "--porcelain") == ""


def test_without_git_nothing_is_started(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "uv").symlink_to(UV)
    completed = repository.run("churn", "start", PATH=str(tmp_path))
    fixable(
        completed, "git: expected to be installed, found no such command. Install it, then uv run"
    )
    assert completed.stdout == ""


def no_index(nobody: str) -> dict[str, str]:
    """The environment of somebody whose package index cannot be reached."""
    return {"UV_DEFAULT_INDEX": f"http://{nobody}/simple", "UV_HTTP_RETRIES": "0"}


@pytest.mark.parametrize("why", ["offline", "no index"])
def test_without_the_package_index_the_files_are_kept_and_the_next_command_is_named(
    made: Repository, clone: Path, tmp_path: Path, nobody: str, why: str
) -> None:
    assert made.folder.exists(), "the clone has its own environment since then"
    folder = tmp_path / "made" / "churn"
    gone = {"UV_OFFLINE": "1"} if why == "offline" else no_index(nobody)
    surroundings = gone | {"UV_CACHE_DIR": str(tmp_path / "cache"), "UV": UV}
    exemplar = clone / ".venv/bin/exemplar"
    completed = call(clone, exemplar, "new", "--defaults", folder, **surroundings)
    fixable(
        completed,
        "The packages could not be installed from the index that this machine is set up with:",
        "The files are kept. When this is fixed, continue with:",
        f"cd {folder} && uv run churn start",
    )
    assert (folder / "project-brief.md").exists()


def test_start_says_which_command_to_run_again_when_the_index_is_gone(
    repository: Repository, tmp_path: Path, nobody: str
) -> None:
    (repository.folder / "uv.lock").unlink()
    gone = no_index(nobody) | {"UV_CACHE_DIR": str(tmp_path / "cache")}
    completed = call(repository.folder, UV, "run", "--no-sync", "churn", "start", **gone)
    fixable(
        completed,
        "uv sync",
        "It looks as if the package index that this machine is set up with cannot be reached.",
        "What was made is kept. When this is fixed, go on with: uv run churn start",
    )


def test_start_again_does_only_what_is_missing(repository: Repository) -> None:
    before = repository.git("log", "--format=%H")
    shutil.rmtree(repository.folder / "models/champion")
    completed = repository.run("churn", "start")
    passes(completed, "Ship: ")
    assert not re.search(r"^ +train +", completed.stdout, re.MULTILINE)
    assert repository.git("log", "--format=%H") == before
    assert repository.git("status", "--porcelain") == ""


def test_start_in_a_repository_that_was_made_empty_keeps_its_lines_and_commits_its_own(
    repository: Repository,
) -> None:
    shutil.rmtree(repository.folder / ".git")
    repository.git("init", "--quiet", "-b", "main")
    own = {".gitignore": "# Ours\n*.log\n.env\n", ".gitattributes": "* text=auto\n"}
    for name, text in own.items():
        (repository.folder / name).write_text(text)
    repository.git("add", *own)
    repository.git("commit", "--quiet", "--message", "Initial commit")
    passes(repository.run("churn", "start"), "Your .gitignore and .gitattributes now ha", "Ship: ")
    assert repository.git("log", "--format=%s").split("\n")[1:] == ["Initial commit", ""]
    assert repository.git("status", "--porcelain") == ""
    assert repository.git("ls-files", "data", "models") == "models/champion.dvc\n"
    template = (repository.folder / repository.code("delivery/gitignore")).with_suffix(".txt")
    text = (repository.folder / ".gitignore").read_text()
    assert text == template.read_text() + "# Ours\n*.log\n"
    ends = repository.git("check-attr", "eol", "--", "params.yaml")
    assert ends == "params.yaml: eol: lf\n"


def test_a_repository_that_is_somebody_elses_is_told_as_such_and_none_is_made_in_it(
    repository: Repository,
) -> None:
    nobodys = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "LANGUAGE": "de"}
    advice = f"git config --global --add safe.directory {repository.folder}"
    for verb in ("start", "check", "promote"):
        fixable(repository.run("churn", verb, **nobodys), "belongs to somebody else", advice)
    for check in ("data_in_git", "update_leftovers"):
        module = f"churn.delivery.checks.{check}"
        fixable(repository.run("python", "-m", module, **nobodys), advice)
    shutil.move(repository.folder / ".git", repository.folder.parent / ".git")
    try:
        completed = repository.run("churn", "start", **nobodys)
    finally:
        shutil.rmtree(repository.folder.parent / ".git")
    fixable(completed, f"safe.directory {repository.folder.parent}")
    assert not (repository.folder / ".git").exists()


def test_start_stops_where_the_source_is_missing(repository: Repository) -> None:
    repository.edit("params.yaml", "source: src/churn/example.py", "source: data/customers.csv")
    fixable(
        repository.run("churn", "start"),
        "data/customers.csv: expected to exist, found nothing there. Next: ",
        "fix `ingest: source:` in params.yaml",
    )
    assert os.listdir(repository.folder / "data")  # noqa: PTH208
