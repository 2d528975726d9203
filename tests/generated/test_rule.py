"""The rule is valued by what it does today, and capacity is kept within each period."""

import polars as pl
import pytest

from ..made import Repository, passes, stopped

MODEL, BRIEF = "src/churn/model.py", "project-brief.md"


def acted(repository: Repository, model: str) -> pl.DataFrame:
    """What was done with each test row: `week`, `listed` (on the squad's list), `called`."""
    rows = pl.read_parquet(repository.folder / "data/test.parquet")
    outcome = pl.read_parquet(repository.folder / f"data/outcomes/{model}.parquet")
    assert outcome["unit"].equals(rows["row"].alias("unit"))
    listed = (pl.col("plan") == "flexible") & (pl.col("support_calls") >= 2)
    return rows.select("week", "support_calls", "plan", listed=listed).with_columns(
        called=outcome["action"] == "call"
    )


def test_the_rule_calls_its_list_and_a_model_keeps_to_capacity_in_each_week(
    repository: Repository,
) -> None:
    rule, challenger = acted(repository, "rule"), acted(repository, "challenger")
    assert rule["called"].equals(rule["listed"].alias("called"))
    weeks = challenger.group_by("week").agg(pl.col("called").sum(), n=pl.len())
    assert weeks.height > 15
    assert weeks.filter(pl.col("called") > (pl.col("n") * 0.08).ceil()).is_empty()
    assert challenger["called"].sum() == int(challenger.height * 0.08)
    metrics = repository.json("reports/metrics.json")
    gains = [repository.json("reports/decision.json")["gain"], metrics["gain_over_rule_at_prices"]]
    for name, gain in zip(("rule", "rule_at_prices"), gains, strict=True):
        worth = [metrics[model]["value_per_1000"]["estimate"] for model in ("challenger", name)]
        assert gain["estimate"] == pytest.approx(worth[0] - worth[1], abs=1e-3)
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    assert "| metric | rule | rule at today's prices | challenger |" in report
    assert "The rule is valued by its own list, as it is today" in report
    assert "It is kept within each week, of which there are 22." in report


def test_prices_and_capacity_do_not_cut_the_list_of_the_rule_and_the_report_says_so(
    repository: Repository,
) -> None:
    """Nobody is worth a call at these prices, and the list is longer than there is room for."""
    repository.edit(MODEL, "calls: int = 2", "calls: int = 1")
    repository.edit(BRIEF, "call: {leaves: 40,", "call: {leaves: 4,")
    repository.edit(BRIEF, "every: week}", "every: fortnight}")
    passes(repository.run("dvc", "repro"), "Running stage 'report'")
    rule = acted(repository, "rule")
    longer = (rule["plan"] == "flexible") & (rule["support_calls"] >= 1)
    assert rule["called"].equals(longer.alias("called"))
    metrics = repository.json("reports/metrics.json")
    assert metrics["rule_at_prices"]["acted_share"]["estimate"] == 0
    share = metrics["rule"]["acted_share"]["estimate"]
    assert share == pytest.approx(longer.mean(), abs=1e-6)
    assert share > 0.1
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    words = f"**The rule takes {share:.1%} of the customers, and the brief has room for 8.0%**"
    assert f"{words}: it is valued whole." in report
    assert "at once, because `every: fortnight` is none of hour, day, week, month" in report


@pytest.mark.parametrize(
    ("returned", "finding"),
    [('["call"]', "rows, found 1."), ('np.full(x.height, "ring")', "found 'ring'")],
)
def test_what_act_returns_is_checked(repository: Repository, returned: str, finding: str) -> None:
    repository.edit(MODEL, 'return np.where(self.listed(x), "call", "none")', f"return {returned}")
    stopped(repository.run("dvc", "repro"), "model.py: rule: act: expected", finding)
