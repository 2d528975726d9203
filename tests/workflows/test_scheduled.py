"""What runs every week, as the platform would run it: `retrain`, `template-update`, `audit`."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from ..champion.conftest import blocks, champions, started
from ..hooks.test_security import ADVISORY, EXCEPTIONS, service
from ..made import call, git, passes
from .platforms import Platform, platform, read_output
from .runner import Completed
from .triggers import Event

__all__ = ["champions", "platform", "service", "started"]

RETRAIN = ".github/workflows/retrain.yml"
UPDATE = ".github/workflows/template-update.yml"
AUDIT = ".github/workflows/audit.yml"
PULL_REQUEST = ".github/workflows/pull-request.yml"
FIRST = "# What a pull request has to pass"
MAY_NOT = """#!/bin/sh
while read -r old new ref; do
    for path in $(git diff --name-only main "$new" -- .github/workflows); do
        echo "refusing to allow a GitHub App to create or update workflow $path" >&2
        echo "without \\`workflows\\` permission" >&2
        exit 1
    done
done
"""
"""What a code host says to the platform's own token, as a hook of the repository."""


def weekly(platform: Platform, file: str, **secrets: str) -> Completed:
    on = yaml.safe_load((platform.repository.folder / file).read_text())[True]  # YAML's `on`
    event = Event("schedule", {"schedule": on["schedule"][0]["cron"]}, ref="refs/heads/main")
    return platform.run(event, secrets, file=file)


def test_the_page_has_the_commands_of_the_workflows_typed(platform: Platform) -> None:
    for heading, file in (("Retrain", RETRAIN), ("Update the template", UPDATE)):
        (job,) = yaml.safe_load((platform.repository.folder / file).read_text())["jobs"].values()
        runs = [step["run"] for step in job["steps"] if "run" in step]
        assert blocks("delivery.md")[heading] == [run for run in runs if run.startswith("uv ")]


def test_a_source_that_is_code_has_no_newer_snapshot(platform: Platform) -> None:
    completed = weekly(platform, RETRAIN)
    assert completed.result == "success", read_output(completed.jobs["retrain"])
    assert "No new snapshot: src/churn/example.py makes the rows" in completed.summary
    assert platform.pulls == []


def test_a_retraining_that_wins_is_proposed_until_one_does_not(platform: Platform) -> None:
    repository, snapshot = platform.repository, platform.folder / "customers.csv"
    rows = repository.raw()
    rows.head(rows.height - 40).write_csv(snapshot)
    repository.edit("params.yaml", "source: src/churn/example.py", "source: data/customers.csv")
    passes(repository.run("dvc", "import-url", "--quiet", str(snapshot), "data/customers.csv"))
    passes(repository.run("dvc", "repro"))
    platform.share()
    main = repository.git("rev-parse", "main")
    completed = weekly(platform, RETRAIN)
    assert completed.result == "success", read_output(completed.jobs["retrain"])
    assert "No new snapshot: data/customers.csv is the newest." in completed.summary
    assert completed.jobs["retrain"].steps["uv run dvc repro"].outcome == "skipped"

    rows.write_csv(snapshot)
    completed = weekly(platform, RETRAIN)
    assert completed.result == "success", read_output(completed.jobs["retrain"])
    assert "A new snapshot: data/customers.csv" in completed.summary
    (pull,) = platform.pulls
    assert (pull["head"], pull["state"]) == ("retrain", "open")
    assert "\n\nShip: " in pull["body"]
    assert "Ship: " in completed.summary
    changed = repository.git("diff", "--name-only", "main", "retrain").splitlines()
    assert {"dvc.lock", "data/customers.csv.dvc", "reports/decision.json"} <= set(changed)
    assert [path for path in changed if path.startswith("src/")] == []

    rows.with_columns(rows["outcome"].shuffle(seed=1)).write_csv(snapshot)
    completed = weekly(platform, RETRAIN)
    assert completed.result == "success", read_output(completed.jobs["retrain"])
    assert re.search(r"No pull request, as the verdict is (hold|unclear): ", completed.summary)
    assert "The pull request of retrain is closed" in completed.summary
    (pull,) = platform.pulls
    assert pull["state"] == "closed"
    assert "A newer snapshot" in pull["comment"]
    assert repository.git("rev-parse", "main") == main


@pytest.fixture
def template_of(clone: Path, platform: Platform) -> Path:
    """The template of that repository, to release from."""
    repository, template = platform.repository, platform.folder / "template"
    git(platform.folder, "clone", "--quiet", str(clone), str(template))
    answers = repository.folder / ".copier-answers.yml"
    text, places = re.subn(r"(?m)^_src_path: .*$", f"_src_path: {template}", answers.read_text())
    assert places == 1
    answers.write_text(text)
    repository.commit("Where the template is")
    return template


def released(template: Path, tag: str, name: str, old: str, new: str) -> None:
    path = template / name
    assert path.read_text().count(old) == 1, name
    path.write_text(path.read_text().replace(old, new))
    git(template, "commit", "--quiet", "--all", "--message", tag)
    git(template, "tag", tag)


def test_a_release_of_the_template_is_proposed(platform: Platform, template_of: Path) -> None:
    repository = platform.repository
    state, main = repository.state(), repository.git("rev-parse", "main")
    completed = weekly(platform, UPDATE)
    assert completed.result == "success", read_output(completed.jobs["template-update"])
    assert re.search("The template is up to date: v9999", completed.summary)
    assert platform.pulls == []

    released(template_of, "v99999", "template/ruff.toml", "line-length", "# Why.\nline-length")
    completed = weekly(platform, UPDATE)
    assert completed.result == "success", read_output(completed.jobs["template-update"])
    (pull,) = platform.pulls
    assert (pull["head"], pull["labels"]) == ("template-update/v99999", [])
    assert "Nothing conflicts." in pull["body"]
    assert "close this pull request and reopen it" in pull["body"]
    assert "# Why." in repository.git("show", "template-update/v99999:ruff.toml")
    assert repository.git("diff", "--name-only", "main", "template-update/v99999").split() == [
        ".copier-answers.yml",
        "ruff.toml",
    ]
    assert (repository.state(), repository.git("rev-parse", "main")) == (state, main)


def test_a_conflict_is_proposed_with_both_versions_where_the_token_may(
    platform: Platform, template_of: Path
) -> None:
    repository, branch = platform.repository, "template-update/v99999"
    repository.edit(PULL_REQUEST, FIRST, "# Ours")
    repository.commit("Ours")
    released(template_of, "v99999", f"template/{PULL_REQUEST}.jinja", FIRST, "# Theirs")
    hook = repository.folder / ".git/hooks/pre-receive"
    hook.write_text(MAY_NOT)
    hook.chmod(0o755)
    completed = weekly(platform, UPDATE)
    assert completed.result == "failure"
    output = read_output(completed.jobs["template-update"])
    assert f"{branch} could not be pushed: " in output
    assert "Next: give the workflow a token with `contents: write` and `workflows: write`" in output
    assert "Traceback" not in output
    assert platform.pulls == []
    hook.unlink()

    completed = weekly(platform, UPDATE, TEMPLATE_TOKEN="of-the-team")
    assert completed.result == "success", read_output(completed.jobs["template-update"])
    (pull,) = platform.pulls
    assert (pull["head"], pull["labels"]) == (branch, ["conflict"])
    assert f"- `{PULL_REQUEST}`" in pull["body"]
    assert "reopen" not in pull["body"]
    both = repository.git("show", f"{branch}:{PULL_REQUEST}")
    for line in ("<<<<<<< ", "# Ours", "# Theirs"):
        assert line in both

    mine = platform.folder / "mine"
    git(platform.folder, "clone", "--quiet", "-b", branch, str(repository.folder), "mine")
    (mine / PULL_REQUEST).write_text(both.replace("<<<<<<< ", "resolved "))
    ran_there = call(
        mine, *shlex.split("git commit --quiet --all -m Resolve"), GIT_COMMITTER_EMAIL="s@e.org"
    )
    assert ran_there.returncode == 0, ran_there
    git(mine, "push", "--quiet", "origin", branch)
    completed = weekly(platform, UPDATE, TEMPLATE_TOKEN="of-the-team")
    assert f"{branch} stays as it is, as s@e.org has pushed to it" in completed.summary
    assert "resolved " in repository.git("show", f"{branch}:{PULL_REQUEST}")


def test_an_advisory_is_red_unless_it_is_excused(platform: Platform, service: str) -> None:
    repository = platform.repository
    ask = "        run: uv run churn audit"
    repository.edit(AUDIT, f"{ask}\n", f"{ask} --service-url {service}\n")
    repository.commit("The advisory service of this machine")
    completed = weekly(platform, AUDIT)
    assert completed.result == "success", read_output(completed.jobs["audit"])
    assert "No secret in " in read_output(completed.jobs["audit"])
    assert "no known vulnerabilities" in read_output(completed.jobs["audit"])
    (repository.folder / EXCEPTIONS).unlink()
    repository.commit("Nothing is excused")
    completed = weekly(platform, AUDIT)
    assert completed.result == "failure"
    outcomes = {step.name: step.outcome for step in completed.jobs["audit"].steps.all}
    assert outcomes["uv run churn secrets"] == "success"
    assert outcomes[f"uv run churn audit --service-url {service}"] == "failure"
    assert str(ADVISORY["id"]) in read_output(completed.jobs["audit"])
