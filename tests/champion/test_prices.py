"""While nobody has said what anything is worth, nothing ships, and the report says at which prices
which model would be worth more.
"""

import re

import polars as pl

from ..made import Repository, passes, says_no, stopped
from .conftest import Shared

BRIEF = "project-brief.md"
PRICED = "value: {currency: GBP, call: {leaves: 40, stays: -5}}"
UNKNOWN = "value: {currency: unknown, call: {leaves: right, stays: wrong}}"
MONEY = "  - {metric: value_per_1000, "
MISSING = "prices are missing: until `value:` in the brief has them, no model can take charge"
REFUSED = "Without prices no model takes charge, whatever the reason, so nothing was promoted."
ROW = re.compile(r"^\| ([\d.]+) \| ([-\d.]+) \(([-\d.]+) to ([-\d.]+)\) \| (.+) \|$", re.MULTILINE)
WORDS = {"challenger surely", "rule surely", "cannot tell"}


def forget_prices(repository: Repository) -> None:
    """Write that prices are unknown, and leave the lines about money to wait for them."""
    repository.edit(BRIEF, PRICED, UNKNOWN)
    text = (repository.folder / BRIEF).read_text(encoding="utf-8")
    for line in re.findall(rf"{re.escape(MONEY)}.*\n", text):
        repository.edit(BRIEF, line, "")


def test_without_prices_nothing_ships_and_with_them_everything_goes_on_as_before(
    started: Shared,
) -> None:
    before, brief = started.json("reports/decision.json"), started.folder / BRIEF
    priced = brief.read_text(encoding="utf-8")
    trained = started.json("models/challenger/card.json")
    forget_prices(started)
    completed = started.run("dvc", "repro")
    passes(completed, "Running stage 'decide'")
    assert "Running stage 'train'" not in completed.stdout
    started.commit("Nobody has said what a call is worth")

    decision = started.json("reports/decision.json")
    assert (decision["verdict"], decision["reasons"]) == ("unclear", [MISSING])
    assert "Prices are missing, so nothing tells whether the challenger" in decision["sentence"]
    assert "to call is right for leaves and wrong for stays" in decision["sentence"]
    assert [decision["gain"][end] for end in ("estimate", "lower", "upper")] == [None] * 3
    passes(started.run("churn", "check"), f"ok  decision: {decision['sentence']}")
    assert_a_map_in_place_of_money(started)

    state = started.state()
    for words in ([], ["--refresh", "--because", "asked for", "--name", "A. Person"]):
        completed = started.run("churn", "promote", *words)
        says_no(completed, decision["sentence"], REFUSED, "Next: write into `value:` of project-")
    passes(started.run("churn", "refresh", "--propose"), "No pull request, as the verdict is uncl")
    assert MISSING in (started.folder / "reports/summary.md").read_text(encoding="utf-8")
    assert started.state() == state

    brief.write_text(priced, encoding="utf-8")
    passes(started.run("dvc", "repro"))
    assert started.json("reports/decision.json") == before
    assert started.json("models/challenger/card.json") == trained
    passes(started.run("churn", "check"), "ok  current: ", f"ok  decision: {before['sentence']}")


def assert_a_map_in_place_of_money(started: Shared) -> None:
    """The report has the price map and the metrics that need no price, and no money anywhere."""
    report = (started.folder / "reports/report.md").read_text(encoding="utf-8")
    rows = ROW.findall(report.partition("\n## At which prices ")[2].partition("\n## ")[0])
    points = started.json("reports/metrics.json")["price_map"]
    assert [float(ratio) for ratio, *_ in rows] == [point["ratio"] for point in points]
    assert len(rows) == 11
    for _, estimate, lower, upper, winner in rows:
        assert float(lower) < float(estimate) < float(upper)
        sure = float(lower) > 0, float(upper) < 0
        expected = {(True, False): "challenger surely", (False, True): "rule surely"}
        assert winner == expected.get(sure, "cannot tell")
    assert '<svg viewBox="0 0' in (started.folder / "reports/report.html").read_text()
    for words in ("| AUC | ", "Each model acts as though a wrong action cost what a right one ear"):
        assert words in report
    for words in ("GBP", "unknown", "value per 1,000", "None", "What more or less capacity"):
        assert words not in report.partition("\n## Data")[0], words
    assert "While prices are missing, no line decides" in report
    outcomes = pl.read_parquet(started.folder / "data/outcomes/challenger.parquet")
    assert outcomes["value"].null_count() == outcomes.height
    curve = (started.folder / "reports/plots/value.csv").read_text(encoding="utf-8")
    assert curve == "model,acted_share,value_per_1000\n"


def test_a_line_about_money_needs_prices(started: Shared) -> None:
    started.edit(BRIEF, PRICED, UNKNOWN)
    stopped(
        started.run("dvc", "repro", "brief"),
        "project-brief.md: `success.0.metric`: expected a metric that needs no price, because value"
        " says currency: unknown, found 'value_per_1000'. Next: take this line out until the",
    )
