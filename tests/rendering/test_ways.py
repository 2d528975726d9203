"""Ways of working as files: forms, owners, rules, updates of dependencies, help for assistants."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..conftest import ROOT, Render
from .test_copier import call, owners

KINDS = {
    "exploration",
    "literature",
    "algorithm",
    "data",
    "analysis",
    "delivery",
    "spike",
    "incident",
}
FORMS = ".github/ISSUE_TEMPLATE"
PULL_REQUEST = ".github/workflows/pull-request.yml"


@pytest.fixture(scope="module")
def made(render: Render) -> Path:
    """A rendered repository whose changes somebody reviews."""
    return render(owner="@acme/churn", project_summary="Who leaves")


def valid(schema: str, *paths: Path) -> None:
    """Each file is one that a schema of check-jsonschema describes."""
    result = call("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *paths)
    assert result.returncode == 0, result.stdout


def forms(made: Path) -> dict[str, Any]:
    return {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in (made / FORMS).glob("*.yml")
        if path.stem != "config"
    }


def judges(made: Path) -> set[str]:
    """The jobs of a pull request that say whether it is good: those that may write nothing."""
    jobs = yaml.safe_load((made / PULL_REQUEST).read_text(encoding="utf-8"))["jobs"]
    return {job["name"] for job in jobs.values() if "write" not in job["permissions"].values()}


def required(made: Path) -> set[str]:
    """The checks without which the rules let nothing in."""
    rules = json.loads((made / ".github/rules.json").read_text(encoding="utf-8"))["rules"]
    checks = next(rule for rule in rules if rule["type"] == "required_status_checks")
    return {check["context"] for check in checks["parameters"]["required_status_checks"]}


# --- Forms ---------------------------------------------------------------------------------------


def test_the_code_host_can_read_every_form(made: Path) -> None:
    paths = [made / FORMS / f"{kind}.yml" for kind in KINDS]
    valid("github-issue-forms", *paths)
    valid("github-issue-config", made / FORMS / "config.yml")
    assert forms(made).keys() == KINDS


def test_every_form_asks_what_is_learned_and_what_would_change_our_mind(made: Path) -> None:
    questions = {"learned": "What will be learned?", "mind": "What would change our mind?"}
    for kind, form in forms(made).items():
        assert form["labels"] == [kind]
        assert all(field["validations"] == {"required": True} for field in form["body"]), kind
        labels = {field["id"]: field["attributes"]["label"] for field in form["body"]}
        assert {name: labels.get(name) for name in questions} == questions, kind
        assert len(form["body"]) <= 4, kind


def test_a_spike_ends_on_a_day_and_nothing_is_counted_in_points(made: Path) -> None:
    fields = {field["id"]: field["type"] for field in forms(made)["spike"]["body"]}
    assert fields["expires"] == "input"
    for path in (made / FORMS).glob("*.yml"):
        assert not re.search(r"\b(points?|estimates?|velocity)\b", path.read_text(), re.I), path


def test_the_command_of_the_readme_makes_every_label(made: Path) -> None:
    readme = (made / "README.md").read_text(encoding="utf-8")
    loop = re.search(r"for kind in ([a-z ]+); do gh label create", readme)
    assert loop is not None
    assert set(loop[1].split()) == KINDS


# --- What a pull request has to pass -------------------------------------------------------------


def test_the_rules_require_the_jobs_that_judge_and_no_other(made: Path) -> None:
    assert required(made) == judges(made) == {"code", "model"}


def test_done_means_that_the_required_checks_say_so(made: Path) -> None:
    text = (made / ".github/pull_request_template.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^- \[ \] `(\w+)`: ", text, re.M)) == required(made)
    assert text.count("- [ ]") == len(required(made))
    for heading in ("Hypothesis", "What was learned", "What would change our mind", "Done"):
        assert f"## {heading}\n" in text


def test_main_is_reviewed_and_never_rewritten(made: Path) -> None:
    rules = json.loads((made / ".github/rules.json").read_text(encoding="utf-8"))
    kinds = {rule["type"]: rule.get("parameters", {}) for rule in rules["rules"]}
    assert {"deletion", "non_fast_forward", "required_linear_history"} <= kinds.keys()
    assert kinds["pull_request"]["require_code_owner_review"]
    assert kinds["pull_request"]["required_approving_review_count"] == 1
    assert "merge" not in kinds["pull_request"]["allowed_merge_methods"]
    assert (rules["enforcement"], rules["bypass_actors"]) == ("active", [])
    command = "gh api --method POST repos/{owner}/{repo}/rulesets --input .github/rules.json"
    assert command in (made / "README.md").read_text(encoding="utf-8")
    assert command in (ROOT / "docs/ways-of-working.md").read_text(encoding="utf-8")


# --- Owners --------------------------------------------------------------------------------------


def reviewers(made: Path) -> dict[str, str]:
    lines = (made / ".github/CODEOWNERS").read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines if line and not line.startswith("#"))


def test_somebody_is_named_for_the_brief_and_for_each_path_of_the_template(made: Path) -> None:
    template = [str(pattern.pattern) for pattern in owners("churn")["template"].patterns]
    assert list(reviewers(made)) == ["*", "/project-brief.md", *template]
    assert set(reviewers(made).values()) == {"@acme/churn"}


def test_without_an_owner_nobody_is_named(render: Render) -> None:
    assert reviewers(render()) == {}


def test_assistants_are_told_whose_each_path_is(made: Path) -> None:
    text = (made / "AGENTS.md").read_text(encoding="utf-8")
    listed = {
        owner: re.findall(r"`([^`]+)`", paths)
        for owner, paths in re.findall(r"^- \*\*(\w+)\*\* \([^)]*\): (.*)$", text, re.M)
    }
    assert listed == {
        owner: [str(pattern.pattern) for pattern in spec.patterns]
        for owner, spec in owners("churn").items()
    }


def test_assistants_are_sent_to_files_and_commands_that_exist(made: Path) -> None:
    text = (made / "AGENTS.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:src|tests|docs|\.github)/[\w./-]+|[\w-]+\.(?:md|yaml))`", text))
    assert len(named) > 8
    assert [path for path in named if not (made / path).exists()] == []
    verbs = set(re.findall(r"uv run churn (\w+)", text))
    code = (made / "src/churn/delivery/cli.py").read_text(encoding="utf-8")
    assert verbs >= {"start", "check"}
    assert [verb for verb in verbs if f"\ndef {verb}(" not in code] == []
    assert len(text.splitlines()) < 65


# --- Dependencies, editors -----------------------------------------------------------------------


def test_updates_come_weekly_grouped_and_a_week_old(made: Path) -> None:
    path = made / ".github/renovate.json"
    valid("renovate", path)
    config = json.loads(path.read_text(encoding="utf-8"))
    assert config["minimumReleaseAge"] == "7 days"
    assert config["schedule"] == ["* 0-6 * * 1"]
    assert "lockFileMaintenance" not in config  # it takes what was released a minute ago
    grouped = [name for rule in config["packageRules"] for name in rule["matchManagers"]]
    assert sorted(grouped) == sorted(config["enabledManagers"])
    assert all(rule["groupName"] for rule in config["packageRules"])
    assert {"pep621", "github-actions", "copier"} <= set(grouped)
    assert (made / ".copier-answers.yml").exists(), "which is what its copier manager looks for"


def test_the_editor_and_the_container_use_what_the_repository_uses(made: Path) -> None:
    wanted = json.loads((made / ".vscode/extensions.json").read_text())["recommendations"]
    settings = json.loads((made / ".vscode/settings.json").read_text())
    assert settings["[python]"]["editor.defaultFormatter"] in wanted
    assert settings["python.testing.pytestArgs"] == ["tests"]
    container = json.loads((made / ".devcontainer/devcontainer.json").read_text())
    assert container.keys() == {"name", "image", "postCreateCommand"}
    assert re.fullmatch(r"[\w./-]+:python3\.1[1-9]-\w+", container["image"])
    assert container["postCreateCommand"].endswith("uv run churn start")
