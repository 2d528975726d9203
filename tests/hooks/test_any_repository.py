"""The checks as any repository uses them: through pre-commit from a git URL, and by hand."""

import json
import os
import runpy
import sys
from pathlib import Path

import pytest

from ..conftest import EXAMPLES, ROOT, Render
from ..made import UV, Completed, call, git
from .conftest import Checked, first, fresh
from .test_generated_repository import green, ids, red

HOOKS = ("project-brief", "stage-deps", "data-in-git", "update-leftovers")
BRIEF = """---
title: Shorter queues
phase: discover
owner: the front desk
sponsor: head of operations
---

## Problem

People wait.

## Users

The front desk.
"""
PIPELINE = """stages:
  count:
    cmd: python -m queue_length.count
    deps:
      - src/queue_length/count.py
      - src/queue_length/day.py
"""


@pytest.fixture(scope="session")
def borrower(template: Path, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """A repository that Copier never saw and that uses the four hooks of the release."""
    pre_commit = tmp_path_factory.mktemp("tool")
    made = call(pre_commit, UV, "venv", "--quiet", "tool")
    assert made.returncode == 0, made
    tool = pre_commit / "tool/bin"
    got = call(
        pre_commit, UV, "pip", "install", "--quiet", "--python", tool / "python", "pre-commit"
    )
    assert got.returncode == 0, got
    folder = tmp_path_factory.mktemp("borrower")
    borrower = Checked(folder, home, (tool / "pre-commit",))
    uses = "".join(f"      - id: {hook}\n" for hook in HOOKS)
    borrower.write(
        ".pre-commit-config.yaml",
        f"repos:\n  - repo: file://{template}\n    rev: v9999\n    hooks:\n{uses}",
    )
    borrower.write("project-brief.md", BRIEF)
    borrower.write("dvc.yaml", PIPELINE)
    borrower.write("src/queue_length/__init__.py", "")
    borrower.write("src/queue_length/day.py", "MINUTES = 1440\n")
    borrower.write("src/queue_length/count.py", "from .day import MINUTES\n")
    borrower.write("docs/queue.rst", f"Queue\n{'=' * 7}\n\n> {'>' * 7} quoted\n")
    first(folder)
    return borrower


@pytest.fixture
def scratch(borrower: Checked) -> Checked:
    return fresh(borrower)


def hand(hook: str, *arguments: str | Path, at: Path) -> Completed:
    """`./hooks/<hook> …` from a folder."""
    return call(at, ROOT / "hooks" / hook, *arguments)


def test_every_hook_is_offered_and_can_be_run() -> None:
    offered = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    assert [line[6:] for line in offered.splitlines() if line.startswith("- id: ")] == list(HOOKS)
    assert all(os.access(ROOT / "hooks" / hook, os.X_OK) for hook in HOOKS)


def test_a_repository_in_order_is_green(scratch: Checked) -> None:
    completed = scratch.check("--all-files", "--verbose")
    green(completed)
    assert ids(completed) == set(HOOKS)
    assert "Skipped" not in completed.stdout
    for hook, target in zip(HOOKS, ("project-brief.md", "dvc.yaml", ".", "."), strict=True):
        assert hand(hook, target, at=scratch.folder).returncode == 0


def test_a_brief_without_an_owner(scratch: Checked) -> None:
    scratch.edit("project-brief.md", "owner: the front desk\n", "")
    message = "project-brief.md: expected `owner:` from phase discover on"
    red(scratch.check("project-brief", "--all-files"), message)
    completed = hand("project-brief", at=scratch.folder)
    assert (completed.returncode, completed.stderr[: len(message)]) == (2, message)


def test_several_briefs_are_checked_and_none_is_written_to(scratch: Checked) -> None:
    scratch.write("a/project-brief.md", BRIEF)
    scratch.write("b/project-brief.md", BRIEF.replace("phase: discover", "phase: dream"))
    red(scratch.check("project-brief", "--all-files"), "b/project-brief.md: `phase`: expected")
    scratch.write("b/project-brief.md", BRIEF)
    green(scratch.check("project-brief", "--all-files"))
    assert (scratch.folder / "b/project-brief.md").read_text() == BRIEF
    assert (scratch.folder / "project-brief.md").read_text() == BRIEF


def test_a_metric_that_such_prices_do_not_have(scratch: Checked) -> None:
    keys = """success:
  - {metric: recal, at_least: 0.2}
decision: {unit: caller, action: call}
value: {currency: GBP, call: {waits: 2, hangs_up: -1}}
---
"""
    scratch.write("project-brief.md", BRIEF.replace("sponsor: head of operations\n---\n", keys))
    scratch.edit("project-brief.md", "success:", "sponsor: head of operations\nsuccess:")
    completed = hand("project-brief", at=scratch.folder)
    message = "project-brief.md: `success.0.metric`: expected 'value_per_1000', 'recall'"
    assert (completed.returncode, completed.stderr[: len(message)]) == (2, message)
    assert "found 'recal'; did you mean `recall`?" in completed.stderr
    scratch.edit("project-brief.md", "recal,", "ndcg,")
    red(scratch.check("project-brief", "--all-files"), message, "found 'ndcg'")
    scratch.edit("project-brief.md", "ndcg,", "recall,")
    green(scratch.check("project-brief", "--all-files"))


@pytest.mark.parametrize("problem", EXAMPLES)
def test_the_hook_knows_the_metrics_that_a_generated_repository_has(
    render: Render, problem: str
) -> None:
    script = """
import json
from churn.delivery.problem.brief import find_scale
from churn.delivery.problem.metric import load_ratios
print(json.dumps({name: find_scale(metric) for name, metric in load_ratios().items()}))
"""
    completed = call(render("churn", problem=problem) / "src", sys.executable, "-c", script)
    assert completed.returncode == 0, completed
    hook = runpy.run_path(str(ROOT / "hooks/project-brief"), run_name="hook")
    scales = json.loads(completed.stdout)
    assert hook["read_metrics"](problem) == {name: tuple(scales[name]) for name in scales}


def test_a_stage_that_does_not_name_what_it_imports(scratch: Checked) -> None:
    scratch.edit("dvc.yaml", "      - src/queue_length/day.py\n", "")
    message = "dvc.yaml: stage `count`: expected `src/queue_length/day.py` among its deps"
    red(scratch.check("stage-deps", "--all-files"), message)
    completed = hand("stage-deps", at=scratch.folder)
    assert (completed.returncode, completed.stdout[: len(message)]) == (1, message)


def test_a_table_in_git(scratch: Checked) -> None:
    scratch.write("src/rows of today.csv", "a\n1\n")
    message = "src/rows of today.csv: expected code and text in git, found a table"
    red(scratch.check("data-in-git", "--all-files"), message)
    completed = hand("data-in-git", at=scratch.folder)
    assert (completed.returncode, completed.stdout[: len(message)]) == (1, message)
    assert "git rm --cached 'src/rows of today.csv'" in completed.stdout


def test_the_size_that_counts_is_what_git_holds(scratch: Checked) -> None:
    scratch.write("notes.txt", "a" * (2 << 20))
    git(scratch.folder, "add", "--all")
    scratch.write("notes.txt", "a")
    assert "found 2.0 MiB" in hand("data-in-git", at=scratch.folder).stdout
    git(scratch.folder, "add", "--all")
    scratch.write("notes.txt", "a" * (2 << 20))
    assert hand("data-in-git", at=scratch.folder).returncode == 0


def test_what_is_not_in_git_is_no_matter(scratch: Checked) -> None:
    scratch.write("rows.csv", "a\n1\n")
    assert hand("data-in-git", "rows.csv", at=scratch.folder).returncode == 0
    scratch.write("rows.csv.dvc", "outs: []\n")
    scratch.write("uv.lock", "a" * (2 << 20))
    git(scratch.folder, "add", "rows.csv.dvc", "uv.lock")
    assert hand("data-in-git", at=scratch.folder).returncode == 0


@pytest.mark.parametrize("attribute", ["kept-in-git", "filter=lfs"])
def test_a_table_may_be_kept_in_git_on_purpose(scratch: Checked, attribute: str) -> None:
    scratch.write("rows.csv", "a\n1\n")
    scratch.write("others.csv", "a\n1\n")
    git(scratch.folder, "add", "--all")
    scratch.write(".gitattributes", f"/rows.csv {attribute}\n")
    completed = hand("data-in-git", "rows.csv", "others.csv", at=scratch.folder)
    assert completed.returncode == 1
    assert "\nrows.csv" not in f"\n{completed.stdout}"
    assert completed.stdout.startswith("others.csv: ")


@pytest.mark.parametrize("name", ["count.py.rej", "count.py.orig"])
def test_a_file_that_an_update_left(scratch: Checked, name: str) -> None:
    scratch.write(name, "@@ -1 +1 @@\n")
    message = f"{name}: found what an update or a merge left beside the file"
    red(scratch.check("update-leftovers", "--all-files"), message)
    completed = hand("update-leftovers", at=scratch.folder)
    assert (completed.returncode, completed.stdout[: len(message)]) == (1, message)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "marker", ["<" * 7 + " ours", ">" * 7 + " theirs", "<" * 7], ids=["ours", "theirs", "bare"]
)
def test_a_single_marker_that_was_overlooked(scratch: Checked, marker: str, ending: str) -> None:
    scratch.write("docs/queue.rst", f"Queue{ending}{'=' * 7}{ending}{ending}{marker}{ending}")
    message = f"docs/queue.rst:4: found the conflict marker {marker[:7]}. Next:"
    completed = hand("update-leftovers", at=scratch.folder)
    assert completed.returncode == 1
    assert message in completed.stdout


def test_markers_shown_on_purpose(scratch: Checked) -> None:
    scratch.write("docs/merging.md", f"{'<' * 7} ours\n{'=' * 7}\n{'>' * 7} theirs\n")
    git(scratch.folder, "add", "--all")
    assert hand("update-leftovers", at=scratch.folder).returncode == 1
    scratch.write(".gitattributes", "/docs/merging.md conflict-marker-size=32\n")
    assert hand("update-leftovers", at=scratch.folder).returncode == 0


def test_lines_that_only_look_like_markers(scratch: Checked) -> None:
    scratch.write(
        "docs/queue.rst",
        f"Title\n{'=' * 7}\n\n{'|' * 7}\n{'<' * 8} eight\n{'<' * 7}joined\n    {'<' * 7} code\n",
    )
    git(scratch.folder, "add", "--all")
    assert hand("update-leftovers", at=scratch.folder).returncode == 0


def test_a_merge_that_stopped_half_way(scratch: Checked) -> None:
    day = "src/queue_length/day.py"
    git(scratch.folder, "checkout", "--quiet", "-B", "other")
    scratch.write(day, "MINUTES = 2\n")
    git(scratch.folder, "commit", "--quiet", "--all", "--message", "Two")
    git(scratch.folder, "checkout", "--quiet", "-B", "mine", "first")
    scratch.write(day, "MINUTES = 3\n")
    git(scratch.folder, "commit", "--quiet", "--all", "--message", "Three")
    assert call(scratch.folder, "git", "merge", "--quiet", "other").returncode == 1
    try:
        completed = hand("update-leftovers", at=scratch.folder)
        # The markers, and nothing else about the file.
        assert completed.stdout.count(f"{day}:") == 3
        scratch.write(day, "MINUTES = 3\n")
        completed = hand("update-leftovers", at=scratch.folder)
        assert completed.returncode == 1
        assert completed.stdout == (
            f"{day}: found a merge that is not finished. Next: git add, or git rm\n"
        )
        git(scratch.folder, "add", "--all")
        assert hand("update-leftovers", at=scratch.folder).returncode == 0  # ready to be committed
    finally:
        git(scratch.folder, "reset", "--quiet", "--hard", "first")


def test_by_hand_from_another_directory(scratch: Checked, tmp_path: Path) -> None:
    scratch.edit("project-brief.md", "title: Shorter queues\n", "")
    scratch.edit("dvc.yaml", "      - src/queue_length/day.py\n", "")
    scratch.write("rows.csv", "a\n1\n")
    scratch.write("day.py.rej", "@@\n")
    git(scratch.folder, "add", "--all")
    for hook, target, code, message in (
        ("project-brief", "project-brief.md", 2, "project-brief.md: `title` is missing"),
        ("stage-deps", "dvc.yaml", 1, "dvc.yaml: stage `count`: expected"),
        ("data-in-git", "", 1, "rows.csv: expected code and text"),
        ("data-in-git", "rows.csv", 1, "rows.csv: expected code and text"),
        ("update-leftovers", "", 1, "day.py.rej: found"),
    ):
        completed = hand(hook, scratch.folder / target, at=tmp_path)
        assert completed.returncode == code, completed
        assert f"{scratch.folder}/{message}" in completed.stdout + completed.stderr


@pytest.mark.parametrize("hook", HOOKS)
def test_a_file_that_is_not_there(scratch: Checked, hook: str) -> None:
    completed = hand(hook, "nowhere", at=scratch.folder)
    assert completed.returncode == (1 if hook == "stage-deps" else 2), completed
    assert "nowhere: expected " in completed.stdout + completed.stderr
    assert "Traceback" not in completed.stdout + completed.stderr


@pytest.mark.parametrize("hook", ["data-in-git", "update-leftovers"])
def test_where_git_cannot_be_asked_nothing_passes(tmp_path: Path, hook: str) -> None:
    completed = hand(hook, at=tmp_path)
    assert completed.returncode == 2, completed
    assert ".: expected a git repository, found: " in completed.stderr
