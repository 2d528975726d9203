"""`exemplar fleet`: a row for each repository, whatever state it is in."""

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ..conftest import ROOT
from ..made import EXEMPLAR, Completed, call, git, passes
from ..updates.small import Made, project_at, second, template_at

BRIEF = """---
title: Keep the customers
phase: deliver
owner: {owner}
sponsor: head of care
outcome: {{metric: churn, today: 0.1, target: 0.09}}
decision: {{unit: customer, action: call}}
value: {{currency: GBP, call: {{leaves: 40, stays: -5}}}}
review_by: {review_by}
---
"""
DECISION = {
    "verdict": "ship",
    "gain": {
        "estimate": 323.1,
        "lower": 105.4,
        "upper": 1525.6,
        "unit": "GBP per 1,000 customers",
        "n": 4457,
    },
}
RELEASES = """# Releases

## 2026-01-05 champion-1: logistic regression takes charge from rule

## 2026-02-01 champion-2: gradient boosting takes charge from logistic regression

## 2026-03-01 rollback-1: champion-2 gives way to logistic regression
"""


class Fleet(NamedTuple):
    """Repositories of a template with two releases, five of which cannot be read as they should."""

    folder: Path
    template: Path
    lived: Made

    def call(self, *words: str | Path) -> Completed:
        """`exemplar fleet` with this template."""
        return call(self.folder, EXEMPLAR, "fleet", *words, "--template", self.template)

    def read(self, *words: str | Path) -> dict[str, Any]:
        """The rows that it writes as JSON, by name."""
        completed = self.call(*words, "--json", "-")
        assert completed.returncode == 0, completed
        return {row["name"]: row for row in json.loads(completed.stdout)["repositories"]}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    folder = tmp_path_factory.mktemp("fleet")
    template = template_at(folder / "template")
    lived = project_at(folder / "lived", template)
    project_at(folder / "fresh", template)
    second(template)
    write(lived.folder, "project-brief.md", BRIEF.format(owner="squad <b>", review_by="2026-01-31"))
    write(lived.folder, "reports/decision.json", json.dumps(DECISION))
    write(lived.folder, "docs/releases.md", RELEASES)
    write(lived.folder, "params.yaml", "ingest:\n  source: data/customers.csv\n")
    lived.edit("ruff.toml", "line 5\n", "line 5 of ours\n")
    lived.edit("docs/team.md", "line 5\n", "line 5 of ours\n")
    lived.save()
    for name in ("brief", "decision", "objects"):
        shutil.copytree(lived.folder, folder / name)
    write(folder / "brief", "project-brief.md", "---\nowner: [\n---\n")
    write(folder / "decision", "reports/decision.json", '{"verdict": ')
    for name in ("brief", "decision"):
        Made(folder / name, template).save()
    blob = git(folder / "objects", "rev-parse", "HEAD:params.yaml").strip()
    (folder / "objects/.git/objects" / blob[:2] / blob[2:]).unlink()
    (folder / "empty").mkdir()
    git(folder / "empty", "init", "--quiet")
    write(
        folder,
        "fleet.txt",
        "# ours\nlived\nfresh  # new\n\nbrief\ndecision\nobjects\nempty\ngone\n",
    )
    return Fleet(folder, template, lived)


def write(folder: Path, name: str, text: str) -> None:
    """Write a file, folders too."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def test_a_row_says_what_the_files_and_the_history_say(fleet: Fleet) -> None:
    row = fleet.read("lived", "--conflicts")["lived"]
    today = git(fleet.lived.folder, "log", "-1", "--format=%cs").strip()
    assert row | {"champion_days": 0, "score": 0, "weakest": "", "drift": []} == {
        "name": "lived",
        "path": "lived",
        "fault": "",
        "owner": "squad <b>",
        "phase": "deliver",
        "version": "0.1.0",
        "behind": 1,
        "verdict": "ship",
        "money": "GBP 323 (105 to 1,526) per 1,000 customers",
        "decided": today,
        "champion": "logistic regression (rollback-1)",
        "champion_since": "2026-03-01",
        "champion_days": 0,
        "score": 0,
        "weakest": "",
        "in_force": 0,
        "review_by": "2026-01-31",
        "is_overdue": True,
        "is_simulated": False,
        "drift": [],
        "conflicts": ["ruff.toml"],
    }
    assert row["champion_days"] > 200
    assert [edit["path"] for edit in row["drift"]] == ["ruff.toml"], "the team's are no drift"
    assert "+line 5 of ours" in row["drift"][0]["patch"]
    fresh = fleet.read("fresh", "--conflicts")["fresh"]
    assert (fresh["drift"], fresh["conflicts"], fresh["behind"]) == ([], [], 1)


def test_the_patch_is_one_that_git_applies(fleet: Fleet, tmp_path: Path) -> None:
    (edit,) = fleet.read("lived")["lived"]["drift"]
    text = git(fleet.template, "show", "v0.1.0:template/ruff.toml")
    write(tmp_path, "ruff.toml", text)
    write(tmp_path, "patch", edit["patch"])
    git(tmp_path, "apply", "patch")
    assert (tmp_path / "ruff.toml").read_text() == fleet.lived.read("ruff.toml")


def test_five_that_are_broken_are_rows_with_their_faults(fleet: Fleet) -> None:
    rows = fleet.read("--from", "fleet.txt")
    assert list(rows) == ["lived", "fresh", "brief", "decision", "objects", "empty", "gone"]
    for name, fault in {
        "brief": "project-brief.md: expected YAML",
        "decision": "reports/decision.json: expected JSON",
        "objects": "git lacks",
        "empty": "expected a git repository with a commit",
        "gone": "expected a folder, found none",
    }.items():
        assert fault in rows[name]["fault"], rows[name]
    assert rows["lived"]["fault"] == rows["fresh"]["fault"] == ""
    assert rows["brief"]["version"] == "0.1.0", "what can be read is there"
    completed = fleet.call("--from", "fleet.txt")
    assert completed.returncode == 0
    assert completed.stderr.count("expected") == 5, "at the end, once each"
    for name in rows:
        assert name in completed.stdout


def test_json_is_as_its_schema_says(fleet: Fleet) -> None:
    schema = ROOT / "src/exemplar/fleet/schema.json"
    passes(fleet.call("--from", "fleet.txt", "--json", "fleet.json"))
    passes(fleet.call("lived", "--since", "fleet.json", "--json", "moved.json"))
    check = EXEMPLAR.with_name("check-jsonschema")
    passes(call(fleet.folder, check, "--schemafile", schema, "fleet.json", "moved.json"))
    moved = json.loads((fleet.folder / "moved.json").read_text())
    del moved["repositories"][0]["owner"]
    write(fleet.folder, "worse.json", json.dumps(moved))
    assert call(fleet.folder, check, "--schemafile", schema, "worse.json").returncode


def test_what_moved_is_said_by_name(fleet: Fleet) -> None:
    passes(fleet.call("lived", "fresh", "--json", "before.json"))
    assert "nothing moved" in fleet.call("lived", "fresh", "--since", "before.json").stdout
    before = json.loads((fleet.folder / "before.json").read_text())
    first = before["repositories"][0]
    first |= {"verdict": "hold", "version": "0.0.9", "is_overdue": False, "drift": []}
    before["repositories"][1]["path"] = "other"
    write(fleet.folder, "before.json", json.dumps(before))
    completed = fleet.call("lived", "fresh", "--since", "before.json")
    for line in (
        "lived: verdict hold -> ship",
        "lived: version 0.0.9 -> 0.1.0",
        "lived: overdue no -> yes",
        "lived: drift none -> ruff.toml",
        "fresh: new",
        "fresh: gone",
    ):
        assert f"  {line}\n" in completed.stdout, completed.stdout
    write(fleet.folder, "before.json", "[]")
    assert fleet.call("lived", "--since", "before.json").returncode == 2


def test_nothing_changes_in_a_repository_that_is_looked_at(fleet: Fleet) -> None:
    before = sorted((p, p.stat().st_mtime_ns) for p in fleet.lived.folder.rglob("*"))
    fleet.read("lived", "--conflicts")
    assert sorted((p, p.stat().st_mtime_ns) for p in fleet.lived.folder.rglob("*")) == before


def test_a_version_that_the_template_does_not_have_is_not_judged(fleet: Fleet) -> None:
    other = fleet.folder / "other"
    shutil.copytree(fleet.lived.folder, other)
    made = Made(other, fleet.template)
    made.edit(".copier-answers.yml", "_commit: v0.1.0", "_commit: v9.9.9")
    made.save()
    row = fleet.read("other", "--conflicts")["other"]
    assert (row["version"], row["drift"], row["conflicts"]) == ("9.9.9", None, None)
    assert "not rendered by this template" in fleet.call("other").stdout


def test_without_repositories_it_says_how_to_name_them(fleet: Fleet) -> None:
    completed = fleet.call()
    assert completed.returncode == 2
    assert "--from LIST" in completed.stderr
