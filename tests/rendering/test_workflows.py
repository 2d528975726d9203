"""Workflows as files: what the platform can read, the strictest audit, and our own rules.

Each rule is shown to go red by an edit of a rendered repository. What the workflows do is in
tests/workflows.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from exemplar.workflows import DESCRIPTIONS

from ..conftest import ROOT, Render
from ..made import UV
from ..made import call as run
from .test_copier import call

WORKFLOWS = ("audit", "deliver", "pull-request", "retrain", "template-update")
TEMPLATES = ROOT / "workflow-templates"
ZIZMOR = str(Path(sys.executable).with_name("zizmor"))


@pytest.fixture(scope="module")
def made(render: Render) -> Path:
    """A rendered repository; no test may change it."""
    return render()


@pytest.fixture
def mine(made: Path, tmp_path: Path) -> Path:
    """Its `.github`, to edit."""
    shutil.copytree(made / ".github", tmp_path / ".github")
    return tmp_path


def workflows(folder: Path) -> list[Path]:
    return sorted((folder / ".github/workflows").glob("*.yml"))


def actions(folder: Path) -> list[Path]:
    return sorted((folder / ".github/actions").glob("*/action.yml"))


def lines(paths: list[Path]) -> list[tuple[str, str]]:
    return [(path.name, line) for path in paths for line in path.read_text().splitlines()]


def jobs(folder: Path) -> dict[str, dict[str, Any]]:
    """Every job, by its file and its id."""
    trees = {path.stem: yaml.safe_load(path.read_text()) for path in workflows(folder)}
    return {
        f"{name}: {job}": about
        for name, tree in trees.items()
        for job, about in tree["jobs"].items()
    }


# --- The rules: what each finds in a repository, nothing where it holds ---------------------------


def unreadable(folder: Path) -> str:
    """What the platform could not read."""
    files = {
        "github-workflows": workflows(folder),
        "github-actions": actions(folder),
        "renovate": [folder / ".github/renovate.json"],
        "github-issue-forms": [
            path
            for path in (folder / ".github/ISSUE_TEMPLATE").glob("*.yml")
            if path.stem != "config"
        ],
        "github-issue-config": [folder / ".github/ISSUE_TEMPLATE/config.yml"],
        "dependabot": list((folder / ".github").glob("dependabot.y*ml")),
    }
    errors = []
    for schema, paths in files.items():
        if paths:
            completed = call("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *paths)
            errors += [completed.stdout + completed.stderr] if completed.returncode else []
    return "".join(errors)


def audited(folder: Path) -> str:
    """What zizmor's strictest persona finds; a warning that it cannot parse is a finding."""
    words = [ZIZMOR, "--offline", "--no-progress", "--persona", "auditor", "--strict-collection"]
    completed = subprocess.run(
        [*words, "."], cwd=folder, capture_output=True, text=True, check=False
    )
    return (
        completed.stdout + completed.stderr
        if completed.returncode or "WARN" in completed.stderr
        else ""
    )


def permitted(folder: Path) -> str:
    """Workflows that grant something to every job, and jobs that do not say what they need."""
    open_ones = [
        path.name
        for path in workflows(folder)
        if yaml.safe_load(path.read_text()).get("permissions") != {}
    ]
    return " ".join(
        open_ones + [name for name, job in jobs(folder).items() if "permissions" not in job]
    )


def endless(folder: Path) -> str:
    """Jobs without a limit of time."""
    return " ".join(name for name, job in jobs(folder).items() if "timeout-minutes" not in job)


def injected(folder: Path) -> str:
    """Scripts with an expression in them, which takes what it finds for code."""
    steps = [
        step
        for job in jobs(folder).values()
        for step in job["steps"]
    ] + [
        step
        for path in actions(folder)
        for step in yaml.safe_load(path.read_text())["runs"]["steps"]
    ]  # fmt: skip
    return "\n".join(step["run"] for step in steps if "${{" in step.get("run", ""))


def unpinned(folder: Path) -> str:
    """Actions of others that are not named by a commit, with the version beside it."""
    used = [line for _, line in lines([*workflows(folder), *actions(folder)]) if "uses:" in line]
    theirs = [line for line in used if "uses: ./" not in line]
    pin = re.compile(r" *-? *uses: [\w.-]+/[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+")
    return "\n".join(line for line in theirs if not pin.fullmatch(line))


RULES = (unreadable, audited, permitted, endless, injected, unpinned)


@pytest.mark.parametrize("rule", RULES)
def test_the_rules_hold(made: Path, rule: Callable[[Path], str]) -> None:
    assert tuple(path.stem for path in workflows(made)) == WORKFLOWS
    assert rule(made) == ""


DELIVER, SETUP = "workflows/deliver.yml", "actions/setup/action.yml"
RELEASE = "run: uv run churn release"


@pytest.mark.parametrize(
    ("rule", "name", "old", "new"),
    [
        (unreadable, DELIVER, "    environment: staging", "    enviroment: staging"),
        (unreadable, SETUP, "using: composite", "using: compose"),
        (unreadable, "renovate.json", '"minimumReleaseAge": "7 days"', '"minimumReleaseAge": 7'),
        (unreadable, "ISSUE_TEMPLATE/spike.yml", "body:", "parts:"),
        (
            audited,
            DELIVER,
            "if: needs.release.outputs.tag != ''",
            "if: needs.release.outputs.tag !=",
        ),
        (audited, "workflows/audit.yml", "          persist-credentials: false\n", ""),
        (audited, "zizmor.yml", "      - retrain.yml\n", ""),
        (audited, SETUP, "inputs.cache }}", "inputs.cache }}\n    - run: echo ${{ inputs.cache }}"),
        (permitted, DELIVER, "permissions: {}", "permissions: {contents: read}"),
        (endless, DELIVER, "    timeout-minutes: 30\n", ""),
        (injected, DELIVER, RELEASE, f"{RELEASE} ${{{{ inputs.again }}}}"),
        (unpinned, SETUP, "  # v10.2.0", ""),
        (unpinned, DELIVER, "provenance@0f67c3f4856b2e3261c31976d6725780e5e4c373", "provenance@v4"),
    ],
)
def test_each_rule_can_go_red(
    mine: Path, rule: Callable[[Path], str], name: str, old: str, new: str
) -> None:
    path = mine / ".github" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    assert rule(mine) != ""


def test_a_job_that_does_not_say_what_it_needs_is_found(mine: Path) -> None:
    path = mine / ".github" / DELIVER
    path.write_text(re.sub(r"\n    permissions:\n(      .*\n)+", "\n", path.read_text(), count=1))
    assert permitted(mine) == "deliver: release"


def test_every_action_of_the_same_name_is_the_same_commit(made: Path) -> None:
    text = "\n".join(line for _, line in lines([*workflows(made), *actions(made)]))
    used = set(re.findall(r"uses: ([\w.-]+/[\w./-]+)@([0-9a-f]{40})  # (v[\d.]+)", text))
    assert len(used) == len({name for name, _, _ in used})


# --- For organisations ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def offered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command writes; as a repository, so that the same rules can be asked."""
    folder = tmp_path_factory.mktemp("offered")
    (folder / ".github/workflows").mkdir(parents=True)
    completed = run(ROOT, UV, "run", "exemplar", "workflows", folder / "workflow-templates")
    assert completed.returncode == 0, completed
    for path in (folder / "workflow-templates").glob("*.yml"):
        shutil.copy(path, folder / ".github/workflows")
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.iterdir())}


def test_the_committed_workflow_templates_are_what_the_command_makes(offered: Path) -> None:
    assert contents(TEMPLATES) == contents(offered / "workflow-templates"), (
        "Next: uv run exemplar workflows workflow-templates"
    )


def test_they_are_those_of_a_rendered_repository(offered: Path, made: Path) -> None:
    assert tuple(DESCRIPTIONS) == WORKFLOWS
    for name in WORKFLOWS:
        theirs = yaml.safe_load((offered / ".github/workflows" / f"{name}.yml").read_text())
        ours = yaml.safe_load((made / ".github/workflows" / f"{name}.yml").read_text())
        assert theirs.keys() == ours.keys()
        for job, about in ours["jobs"].items():
            steps = [
                step for step in about["steps"] if step.get("uses") != "./.github/actions/setup"
            ]
            text = json.dumps(theirs["jobs"][job]["steps"]).replace("your_project", "churn")
            same = json.loads(text.replace("$default-branch", "main"))
            assert [step for step in same if step in steps] == steps
            extra = [step for step in same if step not in steps]
            assert [step.get("run") for step in extra] in ([], [None, "uv sync --frozen"])


@pytest.mark.parametrize("rule", [permitted, endless, injected, unpinned])
def test_the_rules_hold_for_them_too(offered: Path, rule: Callable[[Path], str]) -> None:
    assert rule(offered) == ""


def test_the_platform_can_read_them_and_needs_no_other_file(offered: Path) -> None:
    paths = workflows(offered)
    completed = call("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *paths)
    assert completed.returncode == 0, completed.stdout
    assert [line for _, line in lines(paths) if "uses: ./" in line or "inputs.cache" in line] == []
    assert "branches: [$default-branch]" in (TEMPLATES / "deliver.yml").read_text()


def test_each_has_the_properties_that_the_platform_asks_for(offered: Path) -> None:
    """`name` and `description` are required; docs.github.com, Creating workflow templates."""
    for name in WORKFLOWS:
        path = offered / "workflow-templates" / f"{name}.properties.json"
        properties = json.loads(path.read_text(encoding="utf-8"))
        assert properties.keys() == {"name", "description", "iconName", "categories"}
        assert all(properties.values())
        assert re.fullmatch(r"octicon [a-z-]+", properties["iconName"])
