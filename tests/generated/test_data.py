"""Bad data stops the pipeline with its reasons, and nothing bad is skipped silently."""

import polars as pl
import pytest

from ..made import Completed, Repository, fixable, passes, says_no, stopped
from .conftest import every_problem
from .edits import EDITS


@every_problem
def test_a_column_of_another_type_stops_the_line(repository: Repository) -> None:
    time = EDITS[repository.problem].time
    repository.feed(repository.raw().with_columns(pl.format("about {}", time).alias(time)))
    stopped(
        repository.run("dvc", "repro"),
        "data/quarantine.parquet: expected at most 2.0% of the rows to break the contract",
        "found 100.0%",
        f"{time} is not a date",
        "Next: fix the source or contract.py, then uv run dvc repro",
    )
    gate = repository.run(repository.package, "check")
    says_no(gate, "NO  current: these are out of date: validate")
    assert "decision: " not in gate.stdout, gate


def test_a_number_that_would_be_cut_is_no_whole_number(repository: Repository) -> None:
    repository.feed(repository.raw().with_columns(pl.col("support_calls") + 0.5))
    stopped(repository.run("dvc", "repro"), "support_calls is not a whole number")


@every_problem
def test_a_category_that_nobody_has_seen_stops_the_line(repository: Repository) -> None:
    name, rows = EDITS[repository.problem].category, repository.raw()
    first = pl.int_range(pl.len()) < pl.len() // 10
    repository.feed(
        rows.with_columns(pl.when(first).then(pl.lit("of 2027")).otherwise(name).alias(name))
    )
    stopped(
        repository.run("dvc", "repro"),
        f"{name} is not one of ",
        f"of {rows.height:,}",
    )


def test_a_few_unseen_categories_are_set_aside_with_their_reasons(repository: Repository) -> None:
    first = pl.int_range(pl.len()) < 40
    plan = pl.when(first).then(pl.lit("family 2027")).otherwise("plan").alias("plan")
    repository.feed(repository.raw().with_columns(plan))
    passes(repository.run("dvc", "repro", "validate"))
    report = repository.json("reports/data.json")
    assert report["reasons"]["plan is not one of flexible, one year, two years"] >= 40
    quarantine = pl.read_parquet(repository.folder / "data/quarantine.parquet")
    assert quarantine.head(40)["plan"].to_list() == ["family 2027"] * 40
    assert quarantine["reasons"].list.len().min() == 1
    valid = pl.read_parquet(repository.folder / "data/valid.parquet")
    assert valid.height + quarantine.height == report["rows"]["raw"]
    assert set(valid["row"]).isdisjoint(quarantine["row"])


@every_problem
def test_too_many_quarantined_rows_stop_the_line_with_reasons_and_counts(
    repository: Repository,
) -> None:
    repository.edit("params.yaml", "errors: 0.002 ", "errors: 0.05 ")
    completed = repository.run("dvc", "repro")
    quarantine = pl.read_parquet(repository.folder / "data/quarantine.parquet")
    reasons = dict(quarantine["reasons"].explode().value_counts().iter_rows())
    assert sum(reasons.values()) >= quarantine.height > 400
    assert quarantine["reasons"].list.len().min() == 1
    assert len(reasons) == 3
    stopped(
        completed,
        "data/quarantine.parquet: expected at most 2.0% of the rows to break the contract "
        "(`validate: quarantine_at_most`), found ",
        f"({quarantine.height:,} of {repository.raw().height:,}): ",
        *(f"{reason} ({count:,} rows)" for reason, count in reasons.items()),
    )


@every_problem
def test_an_empty_table_is_named(repository: Repository) -> None:
    repository.feed(repository.raw().head(0))
    stopped(
        repository.run("dvc", "repro"),
        "customers.csv: expected rows, found an empty table. Next: ",
    )


def test_a_missing_source_is_named_before_the_pipeline_runs(repository: Repository) -> None:
    repository.edit("params.yaml", "source: src/churn/example.py", "source: data/customers.csv")
    fixable(
        repository.run("churn", "check"),
        "data/customers.csv: expected to exist, found nothing there. Next: ",
    )
    stopped(repository.run("dvc", "repro"), "data/customers.csv")


@every_problem
@pytest.mark.parametrize("near", [True, False], ids=["misspelt", "gone"])
def test_a_missing_target_is_named_with_the_column_that_may_be_meant(
    repository: Repository, near: bool
) -> None:
    target, _ = EDITS[repository.problem].target
    column, suggestion = (f"{target}s", f"; did you mean `{target}s`?") if near else ("zzz", "")
    repository.feed(repository.raw().rename({target: column}))
    stopped(
        repository.run("dvc", "repro"),
        "data/raw.parquet: expected every column of contract.py, "
        f"found none named `{target}`{suggestion}. Next: fix contract.py or the source",
    )


def test_a_name_in_the_contract_that_is_no_column_is_suggested(repository: Repository) -> None:
    repository.edit("src/churn/contract.py", 'TIME: str | None = "week"', 'TIME = "weeks"')
    stopped(
        repository.run("dvc", "repro"),
        "contract.py: TIME names `weeks`, which is no column of Row; did you mean `week`?",
    )


@every_problem
def test_one_value_only_is_no_target(repository: Repository) -> None:
    (target, varied), rows = EDITS[repository.problem].target, repository.raw()
    counts = rows.filter(pl.col(target).cast(pl.String) != "")[target].value_counts(sort=True)
    repository.feed(rows.filter(pl.col(target) == counts[target][0]))
    message = f"data/raw.parquet: expected {varied} in `{target}`, found "
    stopped(repository.run("dvc", "repro"), message, "Next: ")


RULE = """

class Chosen(Row):
    @dy.rule()
    def chosen(cls) -> pl.Expr:
        return {}


Row = Chosen
"""
STAGES = {
    "validate": "reports/brief.json data/raw.parquet data/valid.parquet data/quarantine.parquet "
    "reports/data.json",
    "split": "data/valid.parquet data/quarantine.parquet data/train.parquet "
    "data/validation.parquet data/test.parquet reports/split.json",
}


def stage(repository: Repository, name: str) -> Completed:
    """One stage, as its command in `dvc.yaml` runs it."""
    module = f"{repository.package}.delivery.pipeline.{name}"
    return repository.run("python", "-m", module, "params.yaml", *STAGES[name].split())


@every_problem
def test_a_rule_that_reads_the_target_is_refused_until_it_is_meant(repository: Repository) -> None:
    target, _ = EDITS[repository.problem].target
    contract = repository.code("contract")
    repository.append(contract, RULE.format(f"pl.any_horizontal(pl.col('^{target}$').is_null())"))
    fixable(
        stage(repository, "validate"),
        f"contract.py: rule `chosen`: expected a rule that does not read the target `{target}`",
        'If it is meant, say why: MEANT["chosen"] = "…"',
    )
    repository.append(contract, 'MEANT["chosen"] = "it is the law"\nTRUE = pl.lit(True)\n')
    repository.edit(contract, "return pl.any_horizontal(", "return TRUE | pl.any_horizontal(")
    passes(stage(repository, "validate"))
    assert repository.json("reports/data.json")["rules_on_target"]["chosen"] == "it is the law"


def test_what_the_column_of_the_target_says_of_itself_is_no_such_rule_but_a_check_is(
    repository: Repository,
) -> None:
    contract = repository.code("contract")
    repository.edit(contract, '["leaves", "stays"], ', '["leaves", "stays"], nullable=True, ')
    passes(stage(repository, "validate"))
    repository.edit(
        contract, "nullable=True, desc", 'check=lambda c: c.is_in(["leaves", "stays"]), desc'
    )
    fixable(stage(repository, "validate"), "contract.py: rule `outcome|check`: expected a rule")


def test_rows_taken_out_of_the_test_part_stop_the_line(repository: Repository) -> None:
    """One Monday: too few of all rows to be noticed among them."""
    rule = "pl.col('week') != date(2025, 10, 6)"
    repository.append(repository.code("contract"), RULE.format(rule))
    passes(stage(repository, "validate"))
    data = repository.json("reports/data.json")
    assert data["quarantine_share"] < 0.015
    before = (repository.folder / "reports/split.json").read_bytes()
    fixable(
        stage(repository, "split"),
        "data/quarantine.parquet: expected at most 2.0% of the test rows to break the contract "
        "(`validate: quarantine_at_most` holds for the test part alone, too), found ",
        f"the row breaks chosen ({data['reasons']['the row breaks chosen']} rows)",
    )
    assert (repository.folder / "reports/split.json").read_bytes() == before


def test_rows_whose_part_nobody_can_tell_count_as_test_rows(repository: Repository) -> None:
    first = pl.int_range(pl.len()) < 60
    week = pl.when(first).then(pl.lit("some day")).otherwise("week").alias("week")
    repository.feed(repository.raw().with_columns(week))
    stopped(
        repository.run("dvc", "repro", "split"),
        "of the test rows to break the contract",
        ", 60 of them with a time or an entity that cannot be read): week is not a date",
    )


@every_problem
def test_the_report_tells_which_part_the_quarantined_rows_are_missing_from(
    repository: Repository,
) -> None:
    rows = repository.json("reports/data.json")["rows"]["quarantined"]
    parts = repository.json("reports/split.json")["quarantine"]
    assert sum(part["rows"] for part in parts.values()) == rows > 0
    assert parts["test"]["target_kept"].keys() <= parts["test"]["target"].keys()
    assert any(part["target"] for part in parts.values())
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    n, share = parts["test"]["rows"], parts["test"]["share"]
    assert f"\n| test | {n:,} | {share:.2%} | " in report
    assert f"Of the test part, {share:.2%} are in quarantine; of the training part, " in report
    assert "more than chance explains: look" not in report


def test_more_quarantined_test_rows_than_chance_explains_are_said_on_the_page(
    repository: Repository,
) -> None:
    """Few enough to pass: a person has to look."""
    rule = "(pl.col('week') < date(2025, 9, 1)) | (pl.col('monthly_charge') < 28)"
    repository.append(repository.code("contract"), RULE.format(rule))
    passes(stage(repository, "validate"))
    passes(stage(repository, "split"))
    passes(repository.run(repository.package, "summary", "--against", "HEAD"))
    page = (repository.folder / "reports/summary.md").read_text(encoding="utf-8")
    assert "**That is more than chance explains: look at which rows these are.**" in page
