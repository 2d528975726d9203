"""A brief that cannot be used stops the gate and the pipeline, each time with what it lacks."""

import re

import pytest

from ..broken.inputs import BOMBS, DEEP
from ..made import Repository, fixable, passes, says_no, stopped
from .conftest import every_problem

BRIEF = "project-brief.md"
DECISION = "decision: {unit: customer, action: call, at_most: 400, out_of: 5000, every: week}"

LACKING = {
    ("discover", "owner"): "`owner:` from phase discover on",
    ("discover", "sponsor"): "`sponsor:` from phase discover on",
    ("discover", "## Problem"): "text under `## Problem` from phase discover on",
    ("discover", "## Users"): "text under `## Users` from phase discover on",
    ("define", "outcome"): "`outcome:` from phase define on",
    ("define", "decision"): "`decision:` from phase define on",
    ("define", "value"): "`value:` from phase define on",
    ("define", "## Evidence"): "text under `## Evidence` from phase define on",
    ("define", "success"): "`success:` from phase define on",
    ("develop", "guardrails"): "`guardrails:` from phase develop on",
    ("develop", "## Data"): "text under `## Data` from phase develop on",
    ("develop", "## Alternatives considered"): "text under `## Alternatives considered`",
    ("develop", "## How wrong answers are handled"): "text under `## How wrong answers are",
    ("deliver", "experiment"): "`experiment:` from phase deliver on",
    ("deliver", "review_by"): "`review_by:` from phase deliver on",
}

WRONG = {
    "an unknown key": (
        ("sponsor: head", "sponsro: head"),
        "project-brief.md: `sponsro` is not a key here; did you mean `sponsor`?",
    ),
    "an unknown key inside": (
        ("every: week", "evry: week"),
        "project-brief.md: `decision.evry` is not a key here; did you mean `every`?",
    ),
    "an unknown metric": (
        ("{metric: recall, at_least: 0.20}", "{metric: recal, at_least: 0.20}"),
        "project-brief.md: `success.1.metric`: expected 'value_per_1000', 'recall'",
    ),
    "broken YAML": (
        (DECISION, DECISION.removesuffix("}")),
        "project-brief.md: expected YAML in the front matter, found\n",
    ),
    "no price": (
        ("call: {leaves: 40, stays: -5}", "visit: {leaves: 40, stays: -5}"),
        "project-brief.md: expected a price for each action: decision.action names call, value "
        "names visit",
    ),
    "an amount of no currency": (
        ("currency: GBP, call: {leaves: 40, stays: -5}", "currency: unknown, call: {leaves: 40}"),
        "project-brief.md: `value.actions.call.leaves`: expected 'right' or 'wrong', found 40",
    ),
    "nothing that is right": (
        ("GBP, call: {leaves: 40, stays: -5}", "unknown, call: {leaves: wrong, stays: wrong}"),
        "project-brief.md: `value`: expected an action that is right for at least one class, found",
    ),
    "more than twenty lines": (
        ("risk: medium ", "#\n#\n#\n#\n#\n#\n#\nrisk: medium "),
        "project-brief.md: expected at most 20 lines of front matter, found 2",
    ),
}


def phased(repository: Repository, phase: str) -> None:
    repository.edit(BRIEF, "phase: develop ", f"phase: {phase} ")
    if phase == "deliver":
        repository.edit(BRIEF, "risk: medium ", "experiment: half of the list\nrisk: medium ")


def remove(repository: Repository, part: str) -> None:
    """Take a key out of the front matter, or the text out of a section."""
    path = repository.folder / BRIEF
    text = path.read_text(encoding="utf-8")
    if part.startswith("## "):
        pattern = rf"(^{part}\n).*?(?=^## |\Z)"
        text, places = re.subn(pattern, r"\1\n", text, flags=re.MULTILINE | re.DOTALL)
    else:
        text, places = re.subn(rf"^{part}:.*\n(  - .*\n)*", "", text, flags=re.MULTILINE)
    assert places == 1, part
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(("phase", "part"), LACKING, ids=map(" ".join, LACKING))
def test_a_brief_that_lacks_what_its_phase_asks_for_is_told_what(
    repository: Repository, phase: str, part: str
) -> None:
    phased(repository, phase)
    remove(repository, part)
    message = LACKING[phase, part]
    completed = repository.run("churn", "check")
    fixable(completed, "project-brief.md: ", "expected ", message, f"(this brief is in {phase})")
    assert "Next: fix the brief, then uv run dvc repro" in completed.stderr


@pytest.mark.parametrize("phase", ["discover", "define", "develop", "deliver"])
def test_what_only_a_later_phase_asks_for_may_be_missing(
    repository: Repository, phase: str
) -> None:
    phased(repository, phase)
    phases = ["discover", "define", "develop", "deliver"]
    for later, part in LACKING:
        if phases.index(later) > phases.index(phase) and part not in ("experiment", "review_by"):
            remove(repository, part)
    completed = repository.run("python", "-m", "churn.delivery.edge.brief", BRIEF)
    passes(completed)


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_brief_is_told_what_was_expected_and_found(
    repository: Repository, fault: str
) -> None:
    (old, new), message = WRONG[fault]
    repository.edit(BRIEF, old, new)
    fixable(repository.run("churn", "check"), message, "Next: fix the brief, then uv run dvc repro")


def test_evidence_without_a_date_is_none(repository: Repository) -> None:
    path = repository.folder / BRIEF
    text, places = re.subn(r"^- \d{4}-\d{2}-\d{2}: ", "- Lately: ", path.read_text(), flags=re.M)
    assert places > 0
    path.write_text(text)
    fixable(
        repository.run("churn", "check"),
        "expected dated bullets (`- 2026-05-04: …`) under `## Evidence`, found none",
    )


def test_a_wrong_brief_stops_the_pipeline_at_its_first_stage(repository: Repository) -> None:
    repository.edit(BRIEF, "currency: GBP", "currency: pounds")
    completed = repository.run("dvc", "repro")
    stopped(
        completed, "project-brief.md: `value.currency`: expected", "found 'pounds'", "Next: fix the"
    )
    assert "ingest" not in completed.stdout


def test_a_price_for_a_class_that_the_target_has_not_stops_the_pipeline(
    repository: Repository,
) -> None:
    repository.edit(BRIEF, "{leaves: 40, stays: -5}", "{left: 40, stays: -5}")
    completed = repository.run("dvc", "repro")
    stopped(
        completed,
        "project-brief.md: value: expected a price for each class of the target (leaves, stays), "
        "found left, stays. Next: fix the brief, then uv run dvc repro",
    )
    assert "Running stage 'validate'" in completed.stdout
    assert "Running stage 'split'" not in completed.stdout


@every_problem
def test_a_line_on_units_that_there_are_not_stops_the_pipeline_before_training(
    repository: Repository,
) -> None:
    path = repository.folder / BRIEF
    text, places = re.subn(
        r"(metric: \w+,) (?:where: [^,]+, )?(at_least)", r"\1 where: planet = mars, \2",
        path.read_text(encoding="utf-8"), count=1,
    )  # fmt: skip
    assert places == 1
    path.write_text(text, encoding="utf-8")
    completed = repository.run("dvc", "repro")
    stopped(
        completed,
        "project-brief.md: `success.1.where`: expected a segment of contract.py (",
        "found 'planet'",
        "Next: fix the brief, then uv run dvc repro",
    )
    assert "Running stage 'split'" not in completed.stdout


@pytest.mark.parametrize("phase", ["discover", "define"])
def test_nothing_ships_before_what_good_means_is_agreed(repository: Repository, phase: str) -> None:
    assert repository.json("reports/decision.json")["verdict"] == "ship"
    phased(repository, phase)
    passes(repository.run("dvc", "repro"), "Running stage 'decide'")
    decision = repository.json("reports/decision.json")
    assert decision["verdict"] == "unclear"
    assert decision["reasons"] == [
        f"the brief is in phase {phase}, and a model ships from phase develop on: write what that "
        "phase asks for, then set `phase: develop`"
    ]
    assert decision["reasons"][0] in decision["sentence"]


SPOILT = {
    "no text": (b"\xff\xfe\x00", "expected UTF-8 text, found a byte that is none at place 0"),
    "Latin-1": ("# é".encode("latin-1"), "expected UTF-8 text, found a byte that is none"),
    "empty": (b"", "expected "),
    "too deep": (f"---\nx: {DEEP}\n---\n".encode(), "expected "),
    "a bomb": (f"---\n{BOMBS['merged keys']}\n---\n".encode(), "expected "),
    "a tag": (b"---\nx: !!int x\n---\n", "expected "),
    "an impossible date": (b"---\nx: 2027-02-30\n---\n", "expected "),
    "a key that is no word": (b"---\n1: x\n---\n", "expected "),
    "NUL": (b"---\nx: \0\n---\n", "expected "),
}
"""Files that neither the brief nor params.yaml can be."""


@pytest.mark.parametrize("name", ["project-brief.md", "params.yaml"])
def test_a_file_that_is_spoilt_is_named_by_the_gate(repository: Repository, name: str) -> None:
    for fault, (content, words) in SPOILT.items():
        (repository.folder / name).write_bytes(content)
        completed = repository.run("churn", "check")
        fixable(completed, f"{name}: ", words, "found", "Next: ")
        message = completed.stderr.rpartition("Installed ")[2]  # uv's own words come first
        assert message.count("Next: ") == 1, fault


def test_a_brief_of_phase_deliver_needs_a_runbook_and_a_review_date_ahead(
    repository: Repository,
) -> None:
    phased(repository, "deliver")
    repository.edit(BRIEF, "review_by: 2027-03-31", "review_by: 2024-03-31")
    (repository.folder / "docs/runbook.md").unlink()
    says_no(
        repository.run("churn", "check"),
        "NO  brief: project-brief.md: expected `review_by` ahead of 20",
        "found 2024-03-31",
        "project-brief.md: phase deliver expects docs/runbook.md, found no file",
    )


def test_a_brief_that_is_gone_is_named(repository: Repository) -> None:
    (repository.folder / BRIEF).unlink()
    fixable(
        repository.run("churn", "check"),
        "project-brief.md: expected a project brief, found no file",
    )


@pytest.mark.parametrize("repository", ["ranking", "answering"], indirect=True)
def test_lists_and_answers_cannot_wait_for_their_prices(repository: Repository) -> None:
    repository.edit(BRIEF, "currency: GBP", "currency: unknown")
    fixable(
        repository.run(repository.package, "check"),
        "`value.currency`: expected a currency like GBP, because a list or an answer is chosen by "
        "its prices",
        "found unknown",
    )


STAGES = """
import shlex
from pathlib import Path
import polars as pl
from cars.delivery.edge.errors import Fixable
from cars.delivery.edge.explain import yaml
from cars.delivery.pipeline import brief, decide, evaluate, report
from cars.delivery.problem.action import drop_own
from cars.delivery.tracking.runs import name_run
from cars.delivery.verdict.decision import read_decision
stages = yaml(Path("dvc.yaml").read_text())["stages"]

def run(name, stage):
    assert stage.main(shlex.split(stages[name]["cmd"])[5:]) == 0

run("brief", brief)
try:
    run("evaluate", evaluate)
except Fixable as fault:
    print(fault)
for model in ("rule", "champion"):  # now one that answers whatever is asked
    path = f"data/predictions/{model}.parquet"
    drop_own(pl.read_parquet(path)).write_parquet(path)
for name, stage in (("evaluate", evaluate), ("decide", decide), ("report", report)):
    run(name, stage)
print(name_run(read_decision(), "rule"))
"""


@pytest.mark.parametrize("repository", ["regression"], indirect=True)
def test_numbers_can_wait_for_their_prices_but_not_where_a_person_is_asked(
    repository: Repository,
) -> None:
    path = repository.folder / BRIEF
    text = re.sub(r"  - \{metric: value_per_1000.*\n", "", path.read_text(encoding="utf-8"))
    unknown = "{currency: unknown, per_unit_too_high: unknown, per_unit_too_low: unknown}"
    path.write_text(re.sub(r"(?m)^value: .*$", f"value: {unknown}", text), encoding="utf-8")
    completed = repository.run("python", "-c", STAGES)
    passes(
        completed,
        "model.py: rule: act: expected a number for each row, found ",
        "the brief has no price for it. Next: write into `value:` of project-brief.md what is wor",
        "\nunclear, no prices: ",
    )
    decision = repository.json("reports/decision.json")
    assert decision["verdict"] == "unclear"
    assert decision["reasons"][0].startswith("prices are missing: ")
    assert "what each 1 too high or too low costs is not known" in decision["sentence"]
    outcome = repository.json("reports/metrics.json")
    assert [point["ratio"] for point in outcome["price_map"]][5] == 1
    middle = 500 * (
        outcome["rule"]["absolute_error"]["estimate"]
        - outcome["challenger"]["absolute_error"]["estimate"]
    )
    assert outcome["price_map"][5]["estimate"] == pytest.approx(middle, rel=1e-6)
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    assert "| each 1 too high costs so many times what each 1 too low costs | gain per" in report
    assert "with its median" in report
