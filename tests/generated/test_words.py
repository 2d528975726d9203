"""What is said: of every combination of states, of models that do the same, of small slices, and in
the brief's own words.
"""

import json

import pytest

from ..made import Repository, passes
from .conftest import every_problem
from .edits import EDITS

BRIEF = "project-brief.md"

STATES = """
import itertools, json
from churn.delivery.reporting.sections import explain_verdict
from churn.delivery.statistics.interval import Interval
from churn.delivery.verdict import decide
from churn.delivery.verdict.decision import Decision, Gain, Judgement, SliceResult, find_standing

GAINS = [
    (5, None, None), (0, 0, 0), (50, 10, 90), (10, -50, 70), (-40, -80, -5), (-90, -150, -10),
    (10, -150, 170), (-300, -400, -200),
]

def judged(text, state, beats=None, metric="recall", slices=("all",)):
    bounds = {"lower": None, "upper": None} if state == "too few" else {"lower": 0.2, "upper": 0.4}
    parts = [SliceResult(slice=name, n=99, positives=99, estimate=0.3, state=state, **bounds)
             for name in slices]
    return Judgement(line=text, limit=0, state=state, slices=parts, metric=metric, beats=beats)

cases = []
for gain, margin, success, against, guardrail in itertools.product(
    GAINS, (100, 0), ("holds", "unclear", "violated", "too few"), ("holds", "unclear"),
    ("holds", "unclear", "violated", "too few"),
):
    interval = Interval(*gain)
    standing = find_standing(interval, margin)
    on_gain = "holds" if standing == "better" else "unclear"
    lines = [
        judged("value beats", on_gain, "champion", "value_per_1000"),
        judged("recall enough", success),
        judged("recall beats", against, "champion"),
    ]
    guardrails = [judged("recall kept", guardrail, slices=("region = a", "region = b"))]
    verdict, reasons = decide.reach_verdict(interval, margin, lines, guardrails, [])
    advice = decide.choose_advice(verdict, standing)
    decision = Decision(
        verdict=verdict, sentence="", gain=Gain(**interval._asdict(), unit="", n=1), margin=margin,
        lines=lines, guardrails=guardrails, champion="rule", challenger="x",
    )
    cases.append([standing, success, against, guardrail, verdict, advice,
                  explain_verdict(decision), reasons])
print(json.dumps(cases))
"""


def test_every_combination_of_states_says_what_is_open_and_nothing_that_is_not_so(
    repository: Repository,
) -> None:
    completed = repository.run("python", "-c", STATES)
    passes(completed)
    cases = json.loads(completed.stdout)
    assert {case[4] for case in cases} == {"ship", "refresh", "unclear", "hold"}
    for case in cases:
        standing, success, against, guardrail, verdict, advice, meaning, reasons = case
        text = "\n".join([meaning, *reasons])
        assert ("cannot tell which" in meaning) == (verdict == "unclear" and standing == "open")
        assert advice != "Cannot tell" or standing in ("open", "no worse", "too few"), case
        if verdict == "ship":
            assert standing == "better", case
        else:
            assert reasons, case
        if standing == "better":
            assert not [word for word in ("worse", "not surely", "Nothing shows") if word in text]
        if standing in ("slightly worse", "worse") and verdict != "hold":
            assert "worse than the champion" in meaning, case
        if verdict in ("unclear", "refresh") and standing != "too few":
            assert (success == "holds") == ("not shown: recall enough" not in text), case
            assert (against == "holds") == ("not shown: recall beats" not in text), case
        if verdict == "unclear" and standing != "too few":
            assert (guardrail == "too few") == ("not shown: recall kept" in text), case
        if verdict in ("ship", "refresh"):
            note = "a guardrail is not violated, but not shown to hold either: recall kept"
            assert (guardrail == "unclear") == (note in text), case
        assert ("violated" in (success, guardrail) or standing == "much worse") == (
            verdict == "hold"
        ), case


SAME = {
    "classification": (
        ("stays: -5}", "stays: -5000}"),
        "(nothing, because at these prices nothing that could be done for any policy is",
        "| nothing | 100.0% | 100.0% |",
    ),
    "regression": (
        ("review: -150", "review: -1"),
        "(a person decides, because a review costs less than the error that is expected of any",
        "| a person decides | 100.0% | 100.0% |",
    ),
    "ranking": (
        ("shown: -0.02", "shown: -50"),
        "(nothing, because at these prices nothing is expected to be worth its place on a list)",
        "| nothing | 100.0% | 100.0% |",
    ),
    "answering": (
        ("wrong: -12", "wrong: -12000000"),
        "(hand over, because no answer is sure enough at these prices to be sent)",
        "| hand over | 100.0% | 100.0% |",
    ),
}


@every_problem
def test_two_models_that_do_the_same_gain_exactly_nothing_and_the_page_says_why(
    repository: Repository,
) -> None:
    """The brief has words of its own for one unit and for several, which every page uses."""
    edit, why, row = SAME[repository.problem]
    rule = EDITS[repository.problem].again.removesuffix("()")
    repository.append(repository.code("model"), f"\n\ndel {rule}.act  # prices decide for it too\n")
    repository.edit(BRIEF, *edit)
    unit = repository.json("reports/brief.json")["decision"]["unit"]
    repository.edit(BRIEF, f"unit: {unit},", "unit: policy/policies,")
    passes(repository.run("dvc", "repro"), "Running stage 'decide'")
    decision = repository.json("reports/decision.json")
    gain = decision["gain"]
    assert (gain["estimate"], gain["lower"], gain["upper"]) == (0, 0, 0)
    assert why in decision["sentence"]
    assert "policies" in decision["sentence"]
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    page = (repository.folder / "reports/report.html").read_text(encoding="utf-8")
    assert row in report
    assert "is exactly GBP 0: challenger and champion do the same" in report
    for text in (report, page):
        assert "policies" in text
        assert "policys" not in text


COINCIDENCE = """
import json
import polars as pl
from churn.delivery.edge.brief import read_project_brief
from churn.delivery.problem import outcomes
from churn.delivery.verdict.comparison import Comparison, Evaluate, compare
from pathlib import Path

brief = outcomes.require_prices(read_project_brief(Path("project-brief.md"))[0])
new = pl.read_parquet("data/outcomes/challenger.parquet").head(80).with_columns(
    action=pl.lit("offer"), value=0.0, answer=pl.col("outcome") + 1.0, lower=0.0, upper=9e9
)
old = new.with_columns(answer=pl.col("outcome") - 1.0)
settings = Evaluate(confidence=0.95, draws=2000, seed=7)
reviewed = [table.with_columns(action=pl.lit("review")) for table in (new, old)]
print(json.dumps([
    compare(Comparison(*tables, brief, settings), metric)
    for tables, metric in (
        ((new, old), "value_per_1000"), ((new, new), "value_per_1000"),
        (reviewed, "value_per_1000"), (reviewed, "coverage"),
    )
]))
"""


@pytest.mark.parametrize("repository", ["regression"], indirect=True)
def test_a_difference_that_only_happens_to_be_nothing_is_not_certain(
    repository: Repository,
) -> None:
    """Other answers within the tolerance, the same answers, a person for all."""
    repository.edit(BRIEF, "free_within: 300", "free_within: 2")
    completed = repository.run("python", "-c", COINCIDENCE.replace("churn", repository.package))
    passes(completed)
    others, same, reviewed, coverage = json.loads(completed.stdout)
    assert others[0] == coverage[0] == 0
    assert others[1] <= 0 <= others[2]
    assert coverage[1] < 0 < coverage[2]
    assert same == reviewed == [0, 0, 0]


SLICES = """
import json
import polars as pl
from churn.delivery.edge.brief import Line, read_project_brief
from churn.delivery.problem import outcomes
from churn.delivery.verdict.comparison import Comparison, Evaluate
from churn.delivery.verdict.judge import judge
from pathlib import Path

brief = outcomes.require_prices(read_project_brief(Path("project-brief.md"))[0])
settings = Evaluate(confidence=0.95, draws=2000, seed=7)

def table(sizes, called):
    rows = [
        {"unit": 0, "cluster": f"{name}{k}", "region": name, "action": "call" if k < called * size
         else "none", "outcome": "leaves", "score": 0.0, "value": 0.0, "positive": True}
        for name, size in sizes.items() for k in range(size)
    ]
    return pl.DataFrame(rows).with_columns(unit=pl.int_range(pl.len()))

def line(sizes, called):
    units = table(sizes, called)
    line = Line(metric="recall", where="each segment", at_least=0.5)
    return judge(line, Comparison(units, units, brief, settings), 0).model_dump()

print(json.dumps([
    line({"large": 200} | {f"s{k}": 40 for k in range(1)}, 0.9),
    line({"large": 60} | {f"s{k}": 5 for k in range(8)}, 0.9),
    line({"large": 60} | {f"s{k}": 30 for k in range(8)}, 0.9),
    line({"large": 60} | {f"s{k}": 30 for k in range(8)}, 0.1),
    line({"large": 60, "small": 30}, 0.9),
]))
"""


def test_a_line_over_slices_holds_only_if_those_judged_hold_most_positives(
    repository: Repository,
) -> None:
    """Small slices of one segment are judged together, where together they are enough."""
    completed = repository.run("python", "-c", SLICES)
    passes(completed)
    one_small, few, together, missed, half = json.loads(completed.stdout)
    assert (one_small["state"], round(one_small["covered"], 2)) == ("holds", 0.83)
    assert (few["state"], few["covered"]) == ("too few", 0.6)
    assert [part["state"] for part in few["slices"]].count("holds") == 1
    assert (together["state"], together["covered"]) == ("holds", 1)
    other = together["slices"][-1]
    assert (other["slice"], other["positives"]) == ("region = other (8 small slices)", 240)
    assert missed["state"] == "violated"
    assert missed["slices"][-1]["state"] == "violated"
    assert half["state"] == "too few"


PRICES = """
import json
from pathlib import Path
from churn.delivery.edge.brief import Brief, read_project_brief
from churn.delivery.problem import outcomes, presentation

brief = read_project_brief(Path("project-brief.md"))[0].model_dump(mode="json")
def words(decision, value):
    return presentation.in_words(outcomes.require_prices(Brief(**brief | {
        "decision": decision, "value": {"currency": "GBP"} | value})))
print(json.dumps([
    words({"unit": "policy/policies", "action": "refuse", "at_most": 9, "out_of": 1200000,
           "every": "hour"},
          {"refuse": {"theft": 5000, "arson": 9000, "honest": -0.5, "unknown": 0}}),
    words({"unit": "policy", "action": ["refuse", "ask"]},
          {"refuse": {"theft": 1250000, "honest": -20}, "ask": {"theft": 2, "honest": 1},
           "review": -8}),
]))
"""


def test_every_price_is_named_and_any_action_and_unit_fits(repository: Repository) -> None:
    completed = repository.run("python", "-c", PRICES)
    passes(completed)
    first, second = json.loads(completed.stdout)
    assert first == (
        "refuse at most 9 of 1,200,000 policies every hour; to refuse earns GBP 9,000 (arson) or "
        "5,000 (theft), costs GBP 0.50 (honest) and earns nothing (unknown)"
    )
    assert second == (
        "refuse or ask each policy where that pays; to refuse earns GBP 1,250,000 (theft) and "
        "costs GBP 20 (honest); to ask earns GBP 2 (theft) or 1 (honest); a person decides where "
        "that is worth more"
    )
