"""What a change does to brief, contract, parameters, stages, tests and pointers leads its summary,
and one that changes what "good" means says so first.
"""

import re

import pytest

from ..made import Completed, Repository
from .conftest import every_problem
from .mutate import VERDICT, edit

BRIEF, CONTRACT, FEATURE_TESTS = "project-brief.md", "contract.py", "tests/unit/test_features.py"
MARK = '**This changes what "good" means: '
TERMS = "# Brief, contract, parameters, stages, tests and pointers\n"


@pytest.fixture
def branch(repository: Repository) -> Repository:
    """On a branch of its own."""
    repository.git("checkout", "--quiet", "-b", "branch")
    return repository


def summary(repository: Repository) -> str:
    """What is committed here against main, on one page."""
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--no-verify", "--message", "As it stands")
    completed = repository.run(repository.package, "summary", "--against", "main")
    assert completed.returncode == 0, completed
    return (repository.folder / "reports/summary.md").read_text(encoding="utf-8")


def check(repository: Repository) -> Completed:
    return repository.run(repository.package, "check")


@every_problem
def test_no_price_and_no_guardrail_changes_unseen(branch: Repository) -> None:
    """Nobody has run the pipeline: the page reads the files, not the reports."""
    text = (branch.folder / BRIEF).read_text(encoding="utf-8")
    line = re.findall(r"^value: .*$", text, re.M)[0]
    price = re.findall(r"(\w+): (-?[\d.]+)", line)[0]
    guard, metric, limit = re.findall(r"(  - \{metric: (\w+),.* at_least: ([\d.]+)\})", text)[-1]
    branch.edit(BRIEF, line, line.replace(f": {price[1]}", f": {price[1]}9", 1))
    branch.edit(BRIEF, guard, guard.replace(f": {limit}}}", ": 0}"))
    page = summary(branch)
    first = page.partition("\n")[0]
    assert first.startswith(MARK)
    limit = f"at_least {float(limit)}"
    old, new = (str(float(text) if "." in text else text) for text in (price[1], f"{price[1]}9"))
    for words in (f"{price[0]}: {old} → {new}", f"{limit} → at_least 0"):
        assert words in first.replace("\\", ""), first
    row = re.search(rf"\| brief \| \S+ {metric}.* \| {limit} \| at_least 0 \|", page)
    assert row, page
    assert page.index(TERMS) < row.start() < page.index("What it would be worth")
    if branch.problem == "classification":  # the line is the same for each kind
        assert f"--  measure: against main: {MARK.strip('*')}" in check(branch).stdout


def test_what_else_a_pull_request_takes_away_is_listed(branch: Repository) -> None:
    contract = branch.code("contract")
    branch.edit(BRIEF, "phase: develop ", "phase: define ")
    branch.edit(BRIEF, "at_most: 400, out", "at_most: 4000, out")
    branch.edit(BRIEF, "risk: medium", "risk: low")
    branch.edit("params.yaml", "confidence: 0.95 ", "confidence: 0.51 ")
    branch.edit("params.yaml", "quarantine_at_most: 0.02 ", "quarantine_at_most: 0.5 ")
    branch.edit("dvc.yaml", "  train:\n    desc:", "  train:\n    frozen: true\n    desc:")
    branch.edit("dvc.yaml", "      - data/outcomes\n      - reports/data.json\n", "")
    branch.edit(
        contract, "tenure_months = dy.Int64(min=0, max=1200", "tenure_months = dy.Int64(min=9"
    )
    branch.edit(contract, "def flexible_plan_has_no_months_left", "def no_months_left")
    branch.edit(contract, 'SEGMENTS = ["region", "age_band"]', 'SEGMENTS = ["region"]')
    edit(branch, VERDICT, '"hold"', '"ship"')
    tests = (branch.folder / FEATURE_TESTS).read_text(encoding="utf-8")
    first, second = re.findall(r"^def (test_\w+)", tests, re.M)[:2]
    branch.edit(FEATURE_TESTS, f"def {first}(", f"def no_{first}(")
    branch.edit(FEATURE_TESTS, f"def {second}(", f"@pytest.mark.skip\ndef {second}(")
    pointer = re.findall(r"md5: (\S{12})", (branch.folder / "models/champion.dvc").read_text())[0]
    branch.edit("models/champion.dvc", pointer, "0" * 12)
    lock = (branch.folder / "dvc.lock").read_text(encoding="utf-8")
    output = re.findall(
        r"outs:\n    - path: data/predictions\n      hash: md5\n      md5: (\S{12})", lock
    )[0]
    rest = lock.partition("\n  predict:")[2]
    (branch.folder / "dvc.lock").write_text(
        lock.replace(rest, rest.replace(output, "1" * 12, 1)), encoding="utf-8"
    )
    page = summary(branch).replace("\\_", "_").replace("\\[", "[").replace("\\]", "]")
    for row in (
        "| brief | phase | develop | define |",
        "| brief | decision at_most | 400 | 4000 |",
        "| brief | risk | medium | low |",
        "| contract | tenure_months | dy.Int64(min=0, max=1200) | dy.Int64(min=9) |",
        "| contract | flexible_plan_has_no_months_left | return ",
        "| contract | no_months_left |  | return ",
        "| contract | SEGMENTS | ['region', 'age_band'] | ['region'] |",
        "| parameter | validate quarantine_at_most | 0.02 | 0.5 |",
        "| parameter | evaluate confidence | 0.95 | 0.51 |",
        "| stage | train frozen |  | True |",
        "| stage | decide deps data/outcomes | named |  |",
        "| code that judges | src/churn/delivery/verdict/decide.py |  | edited |",
        f"| test | {first} | runs | taken away |",
        f"| test | {second} | runs | skipped |",
        f"| pointer | models/champion.dvc | {pointer} | {'0' * 12} |",
        f"| output without a cause | predict data/predictions | {output} | {'1' * 12} |",
    ):
        assert row in page, f"{row}\n\n{page[:5000]}"
    mark = page.partition("\n")[0]
    for words in ("at_most: 400 → 4000", "0.95 → 0.51", "SEGMENTS: ", "decide.py: edited", "risk"):
        assert words in mark
    assert not [words for words in ("frozen", "tenure", "phase", first) if words in mark]


def test_a_brief_that_cannot_be_read_hides_nothing(branch: Repository) -> None:
    branch.edit(BRIEF, "call: {leaves: 40, stays: -5}}", "call: {leaves: 400, stays: -5}")
    page = summary(branch)
    assert page.startswith(f"{MARK}brief ")
    assert "leaves: 40 → nothing" in page.partition("\n")[0]
    assert "leaves: 400" in page[: page.index("\n# Keep")]


def test_a_change_that_leaves_good_as_it_was_has_no_mark(branch: Repository) -> None:
    branch.append(BRIEF, "\nAsk the retention squad.\n")
    branch.edit("params.yaml", "train:\n  seed: 7 ", "train:\n  seed: 8 ")
    page = summary(branch)
    assert MARK not in page
    assert re.search(
        r"\| brief \| text \| \d+ words .+ \| \d+ words .+ \|\n\| parameter \| train seed", page
    )
    assert "measure" not in check(branch).stdout
