"""A metric of the team's own: brief, slices and report know it; a faulty one is told why."""

import json
from pathlib import Path

import pytest

from ..made import Repository, fixable, passes, stopped
from .conftest import every_problem

BRIEF = "project-brief.md"
EMPTY = "METRICS: dict[str, Metric] = {}\n"
LOSSES = '"loss share", "of all {unit}s, the share that lost money", "share", pl.col("value") < 0'
OWN = """
METRICS: dict[str, Metric] = {{
    {}
}}
"""


def add(repository: Repository, entry: str, line: str = "") -> None:
    """Write an entry of METRICS, and a guardrail of the brief."""
    path = repository.code("metrics")
    repository.edit(path, EMPTY, OWN.format(entry))
    repository.edit(path, "from .delivery", "import polars as pl\n\nfrom .delivery")
    if line:
        repository.edit(BRIEF, "guardrails:\n", f"guardrails:\n  - {line}\n")


@every_problem
def test_a_metric_of_the_team_is_measured_judged_and_reported(repository: Repository) -> None:
    add(
        repository,
        f'"loss_share": Metric({LOSSES}),',
        "{metric: loss_share, where: each segment, at_most: 0.999}",
    )
    completed = repository.run("dvc", "repro")
    passes(completed, "Running stage 'evaluate'")
    assert "Running stage 'train'" not in completed.stdout
    [judged] = [
        line
        for line in repository.json("reports/decision.json")["guardrails"]
        if line["metric"] == "loss_share"
    ]
    assert judged["line"] == "loss share in each segment at most 99.9%"
    assert {part["state"] for part in judged["slices"]} >= {"holds"}
    metrics = repository.json("reports/metrics.json")
    assert all(
        0 <= metrics[model]["loss_share"]["estimate"] < 1 for model in ("rule", "challenger")
    )
    for parts in repository.json("reports/slices.json")["segments"].values():
        assert all("loss_share" in part["metrics"] for part in parts)
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    assert "| loss share | " in report
    assert "the share that lost money" in report
    assert "| loss share in each segment at most 99.9% | guardrail | " in report
    passes(repository.run(repository.package, "check"))
    passes(repository.run("mypy"))


FAULTS = {
    "a column that is not there": (
        '"odd": Metric("odd", "x", "share", pl.col("valeu") < 0),',
        "metrics.py: METRICS: `odd`: numerator: expected one number for each unit from unit, ",
        'found unable to find column "valeu"',
    ),
    "an amount in place of a number for each unit": (
        '"odd": Metric("odd", "x", "money", pl.col("value").sum()),',
        "`odd`: numerator: expected one number for each unit, found one that depends on the other",
    ),
    "words": (
        '"odd": Metric("odd", "x", "number", pl.col("action")),',
        "`odd`: numerator: expected one number for each unit from unit, ",
    ),
    "no number": (
        '"odd": Metric("odd", "x", "number", pl.col("value") / 0),',
        "`odd`: numerator: expected one number for each unit, found ",
    ),
}
"""Faults that only the outcomes bring to light."""

AT_ONCE = {
    "a name that is taken": (
        '"recall": Metric("odd", "x", "share", pl.col("value") < 0),',
        "metrics.py: METRICS: `recall`: expected a name of its own, found one that is taken",
    ),
    "a form that nobody knows": (
        '"odd": Metric("odd", "x", "shares", pl.col("value") < 0),',
        "`odd`: expected the form money, share, number, found 'shares'",
    ),
    "no numerator": (
        '"odd": Metric("odd", "x", "share"),',
        "`odd`: expected a numerator like pl.col('value'), found None",
    ),
    "bounds that are none": (
        '"odd": Metric("odd", "x", "share", pl.col("value") < 0, bounds=1.0),',
        "`odd`: expected bounds like (0.0, 1.0), or a function, found 1.0",
    ),
    "a brace in its meaning": (
        '"odd": Metric("odd", "of all {units}", "share", pl.col("value") < 0),',
        "`odd`: expected a meaning with no brace but {unit}, found 'of all {units}'",
    ),
    "words in place of a metric": ('"odd": "odd",', "`odd`: expected a Metric, found str"),
    "a name that cannot be written": (
        '"so odd": Metric("odd", "x", "share", pl.col("value") < 0),',
        "`so odd`: expected a name of letters, digits and _",
    ),
    "a slip": (
        '"odd": Metric("odd"),',
        "metrics.py, line ",
        "expected to run, found TypeError",
    ),
    "broken Python": ('"odd" Metric,', "metrics.py: expected a module, found SyntaxError"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_fit_the_outcomes_is_told(repository: Repository, fault: str) -> None:
    entry, *words = FAULTS[fault]
    add(repository, entry)
    stopped(
        repository.run("dvc", "repro", "evaluate"),
        *words,
        "Next: fix metrics.py, then uv run dvc repro",
    )


@pytest.mark.parametrize("fault", AT_ONCE)
def test_an_entry_that_is_no_metric_is_told_before_anything_runs(
    repository: Repository, fault: str, tmp_path: Path
) -> None:
    entry, *words = AT_ONCE[fault]
    add(repository, entry)
    stage = ("python", "-m", "churn.delivery.pipeline.brief", BRIEF, str(tmp_path / "brief.json"))
    fixable(repository.run(*stage), *words, "Next: fix metrics.py, then uv run dvc repro")


def test_models_are_compared_only_where_the_same_units_count_for_both(
    repository: Repository,
) -> None:
    line = "{metric: loss_share, not_below: champion, margin: 0.1}"
    add(repository, f'"loss_share": Metric({LOSSES}),', line)
    words = "`guardrails.0.metric`: expected 'value_per_1000' or 'recall' where models are compared"
    fixable(repository.run("churn", "check"), f"{words}, found 'loss_share'")
    path = repository.code("metrics")
    repository.edit(path, '"value") < 0)', '"value") < 0, comparable=True)')
    passes(repository.run("dvc", "repro"), "Running stage 'decide'")
    judgement = repository.json("reports/decision.json")["guardrails"][0]
    assert judgement["line"] == "loss share not below the champion by more than 10%"
    repository.edit(path, "< 0, comparable", '< 0, pl.col("action") != "none", comparable')
    stopped(
        repository.run("dvc", "repro"),
        "metrics.py: METRICS: `loss_share`: expected the same denominator for every model",
    )


def test_the_brief_knows_no_metric_of_a_file_without_metrics(repository: Repository) -> None:
    (repository.folder / repository.code("metrics")).write_text("ODD = 1\n")
    fixable(
        repository.run("churn", "check"),
        "metrics.py: expected METRICS, a dict of name to Metric, found none",
    )


LOOK = """
import json
from mlflow import MlflowClient

client = MlflowClient("sqlite:///mlflow.db")
[experiment] = client.search_experiments(filter_string="name = 'churn'")
runs = client.search_runs([experiment.experiment_id])
print("names:" + json.dumps([name for run in runs for name in run.data.metrics]))
"""


def test_mlflow_is_given_it_with_its_interval_and_its_slices(repository: Repository) -> None:
    add(repository, f'"loss_share": Metric({LOSSES}),')
    passes(repository.run("dvc", "repro"))
    track = ("python", "-m", "churn.delivery.pipeline.track")
    passes(repository.run(*track, "params.yaml", "reports", "models/challenger"), "Tracked as ")
    completed = repository.run("python", "-c", LOOK)
    passes(completed)
    names = json.loads(completed.stdout.rpartition("names:")[2])
    assert {"challenger/loss_share", "rule/loss_share_upper"} <= set(names)
    assert "slices/region: north/loss_share" in names
