"""This repository's own workflows keep the rules that it asks of a generated one."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from .conftest import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: (?P<action>[\w./-]+)@(?P<commit>[0-9a-f]{40})  # (?P<version>v[\d.]+)$")


def tool(name: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a tool of this environment."""
    command = [str(Path(sys.executable).with_name(name)), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def read(path: Path) -> Any:
    """A workflow; its key `on` is text here, where YAML reads a truth."""
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    return workflow | {"on": workflow[True]}


def actions(folder: Path) -> set[tuple[str, str, str]]:
    """Every action that is used below a folder: its name, commit and version."""
    pins = set()
    for path in (path for path in folder.rglob("*") if path.is_file()):
        for line in path.read_text(encoding="utf-8").splitlines():
            if "uses: " in line and "uses: ./" not in line:
                pinned = PINNED.search(line)
                assert pinned, f"{path}: expected a commit and its version, found {line.strip()}"
                pins.add((pinned["action"], pinned["commit"], pinned["version"]))
    return pins


def test_the_platform_can_read_them_and_the_strictest_audit_finds_nothing() -> None:
    for schema, paths in (
        ("github-workflows", WORKFLOWS),
        ("renovate", [GITHUB / "renovate.json"]),
    ):
        completed = tool("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *paths)
        assert completed.returncode == 0, completed.stdout
    completed = tool("zizmor", "--offline", "--persona", "auditor", GITHUB)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert "WARN" not in completed.stderr  # an expression that does not parse is no more than that


def test_every_job_has_the_least_rights_and_an_end() -> None:
    for path in WORKFLOWS:
        workflow = read(path)
        assert workflow["permissions"] == {}, path
        assert workflow["concurrency"]["cancel-in-progress"], path
        for name, job in workflow["jobs"].items():
            assert job["permissions"] == {"contents": "read"}, name
            assert 0 < job["timeout-minutes"] <= 45, name


def test_actions_are_those_of_the_template() -> None:
    assert actions(GITHUB) <= actions(ROOT / "template/.github")


def test_a_change_and_each_week_run_what_a_laptop_runs() -> None:
    change, week = (read(GITHUB / f"workflows/{name}.yml") for name in ("ci", "weekly"))
    assert {"push", "pull_request"} == change["on"].keys()
    assert "schedule" in week["on"]
    for job in (change["jobs"]["tests"], week["jobs"]["newest"]):
        checkout, *_, last = job["steps"]
        assert checkout["with"]["fetch-depth"] == 0  # updates are tested from the releases
        assert last == {"run": ".ci/run"}
    rows = week["jobs"]["newest"]["strategy"]["matrix"]["include"]
    assert {row["prerelease"] for row in rows} == {"if-necessary-or-explicit", "allow"}


def test_updates_reach_the_actions_and_images_of_the_template() -> None:
    config = json.loads((GITHUB / "renovate.json").read_text(encoding="utf-8"))
    grouped = [name for rule in config["packageRules"] for name in rule["matchManagers"]]
    assert sorted(grouped) == sorted(config["enabledManagers"])

    def matched(patterns: list[str]) -> set[str]:
        names = [path.relative_to(ROOT).as_posix() for path in (ROOT / "template").rglob("*")]
        expressions = [re.compile(pattern.strip("/")) for pattern in patterns]
        return {name for name in names if any(each.search(name) for each in expressions)}

    workflows = matched(config["github-actions"]["managerFilePatterns"])
    for path in (ROOT / "template/.github").rglob("*"):
        if path.is_file() and "uses: " in path.read_text(encoding="utf-8"):
            assert path.relative_to(ROOT).as_posix() in workflows
    assert matched(config["dockerfile"]["managerFilePatterns"]) == {"template/Dockerfile.jinja"}
    (compose,) = config["customManagers"]
    assert matched(compose["managerFilePatterns"]) == {"template/compose.yaml.jinja"}
    (line,) = (text.replace("(?<", "(?P<") for text in compose["matchStrings"])
    images = re.findall(line, (ROOT / "template/compose.yaml.jinja").read_text(encoding="utf-8"))
    assert [name.rpartition("/")[2] for name, *_ in images] == ["mlflow", "postgres", "prometheus"]
