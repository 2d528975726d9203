"""Every look at the same test rows is counted, in the history that is there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..made import Repository, call, passes

CHECK = "churn", "check"
Reports = dict[str, Any]


def tries(training: Reports, split: Reports) -> Iterator[tuple[str, Reports]]:
    """What commits of a branch hold, one file each: 39 other challengers, each three times, and
    five that were judged on other rows.
    """
    for number in range(3 * 39):
        loss = {training["loss"]: 0.1 + number % 39 / 1000}
        models = [one | (loss if one["name"] == training["chosen"] else {}) for one in
                  training["candidates"]]  # fmt: skip
        yield "reports/training.json", training | {"candidates": models, "noise": number}
    yield "reports/split.json", split | {"test": split["test"] | {"sha256": "of other rows"}}
    for number in range(5):
        models = [{"name": "another", training["loss"]: number}]
        yield "reports/training.json", training | {"chosen": "another", "candidates": models}


@pytest.fixture
def tried(repository: Repository) -> Repository:
    """With the branch `tries`, merged into main so that nothing of it is left in main's files."""
    commits: list[str] = []
    start = "commit refs/heads/tries\ncommitter Test <test@example.com> {} +0000\ndata 1\nx\n"
    reports = (repository.json(f"reports/{name}.json") for name in ("training", "split"))
    for second, (path, content) in enumerate(tries(*reports)):
        text = json.dumps(content, indent=1)
        commits.append(
            start.format(1_700_000_000 + second)
            + ("" if commits else "from refs/heads/main^0\n")
            + f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n"
        )
    broken = "<<<<<<< ours\n"
    commits.append(
        start.format(1_800_000_000)
        + f"M 100644 inline reports/training.json\ndata {len(broken)}\n{broken}\n"
    )
    passes(call(repository.folder, "git", "fast-import", "--quiet", stdin="".join(commits)))
    repository.git("merge", "--quiet", "--strategy", "ours", "--message", "None of them", "tries")
    repository.git("branch", "--delete", "--force", "tries")
    return repository


def test_forty_challengers_on_the_same_rows_are_counted_wherever_a_decision_is_shown(
    tried: Repository,
) -> None:
    words = (
        "40 challengers were judged on these test rows; were all just as good as the champion, "
        "one of them would ship with a chance of 64%, less where they are alike."
    )
    decision = tried.json("reports/decision.json")["sentence"]
    passes(tried.run(*CHECK), f"ok  decision: {decision}\n--  looks: {words}\n")
    passes(tried.run("churn", "summary", "--against", "HEAD"))
    assert words in (tried.folder / "reports/summary.md").read_text(encoding="utf-8")
    plan = "from churn.delivery.promotion.promote import plan_promotion as plan; "
    plan += "print(plan(refresh=False, because=None, name=None).looks)"
    passes(tried.run("python", "-c", plan), words)


def test_a_shallow_clone_says_at_least(repository: Repository) -> None:
    head = repository.git("rev-parse", "HEAD")
    Path(repository.folder / ".git/shallow").write_text(head)
    passes(
        repository.run(*CHECK),
        "At least 1 challenger was judged on these test rows; were it just as good as the champion,"
        " it would ship with a chance of 2.5%.",
    )
