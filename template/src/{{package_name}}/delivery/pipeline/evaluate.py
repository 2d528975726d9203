"""Stage `evaluate`: what each model would have been worth on the test rows, slice by slice."""

from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from ..edge.brief import read_brief
from ..edge.errors import run
from ..edge.files import parse_paths, read_table, write_json, write_table, write_text
from ..edge.parameters import read
from ..problem import outcomes
from ..problem.action import drop_own, find_periods, has_own
from ..problem.metric import list_ratios
from ..verdict.comparison import (
    PRIMARY,
    Comparison,
    Evaluate,
    compare,
    count_units,
    describe_actions,
    measure,
    measure_slices,
)
from ..verdict.price_map import build_price_map

MODELS = ("rule", "challenger", "champion")
CURVE = [step / 50 for step in range(1, 51)]  # shares of units acted on, for the value curve


class Result(NamedTuple):
    """What a model said of each test row, and what came of it."""

    predictions: pl.DataFrame
    outcome: pl.DataFrame


def measure_model(
    result: Result, brief: outcomes.PricedBrief, settings: Evaluate
) -> dict[str, dict[str, float | None]]:
    """Every metric of one model with its interval."""
    intervals = {
        metric: measure(result.outcome, metric, brief, settings) for metric in list_ratios(brief)
    }
    intervals |= outcomes.extra_metrics(result.outcome, result.predictions, settings.confidence)
    return {metric: interval._asdict() for metric, interval in intervals.items()}


def build_metrics(
    results: dict[str, Result], brief: outcomes.PricedBrief, settings: Evaluate
) -> dict[str, Any]:
    """The content of `reports/metrics.json`: counts of units, what each model did, every metric of
    every model, and whether the rule decides by itself and keeps to the brief's capacity.
    """
    units, priced = results["challenger"].outcome, price_rule(results["rule"], brief)
    pairs = {
        name: Comparison(units, result.outcome, brief, settings) for name, result in priced.items()
    }
    return {
        **count_units(units),
        "clusters": units["cluster"].n_unique(),
        "confidence": settings.confidence,
        "rule_decides": has_own(results["rule"].predictions),
        "capacity": describe_capacity(results["rule"], brief),
        "actions": {
            k: describe_actions(result.outcome) for k, result in (results | priced).items()
        },
        **{k: measure_model(result, brief, settings) for k, result in (results | priced).items()},
        **{f"gain_over_{k}": compare(pair, PRIMARY)._asdict() for k, pair in pairs.items()},
    }


def price_rule(rule: Result, brief: outcomes.PricedBrief) -> dict[str, Result]:
    """`rule_at_prices`, where the rule decides by itself: what today's prices would make of it. The
    challenger's gain over that is one that no better threshold explains. Unknown prices make
    nothing of it.
    """
    if not has_own(rule.predictions) or not brief.value.is_known:
        return {}
    predictions = drop_own(rule.predictions)
    return {"rule_at_prices": Result(predictions, outcomes.build_outcomes(predictions, brief))}


def describe_capacity(rule: Result, brief: outcomes.PricedBrief) -> dict[str, Any] | None:
    """The share of units that the brief has room for, the period that it is kept within (None: over
    all rows at once), and in how many of the periods the rule takes more; None without a limit.
    """
    most, of, every = brief.decision.at_most, brief.decision.out_of, brief.decision.every
    if most is None or of is None:
        return None
    period = find_periods(rule.predictions, every)
    taken = rule.outcome.select(outcomes.takes_room(brief).alias("taken"))
    counts = taken.with_columns(period).group_by("period").agg(pl.col("taken").sum(), n=pl.len())
    longer = counts.filter(pl.col("taken") > (pl.col("n") * (most / of)).ceil()).height
    return {
        "share": most / of,
        "every": None if period.null_count() == len(period) else every,
        "periods": counts.height,
        "rule_share": counts["taken"].sum() / len(period),
        "rule_exceeds_in": longer,
    }


def write_curves(results: dict[str, Result], brief: outcomes.PricedBrief, folder: Path) -> None:
    """Write the curves of rule and challenger as CSV, for DVC's plots and for the report. What a
    rule decides by itself is neither more nor less: its value curve is that at today's prices, and
    it has no points while these are unknown.
    """
    models = {name: results[name] for name in ("rule", "challenger")}
    calibration = {
        name: outcomes.calibration(result.outcome, result.predictions)
        for name, result in models.items()
    }
    value = {
        name: outcomes.value_curve(drop_own(result.predictions), brief, CURVE)
        for name, result in models.items()
    }
    for name, curves in (("calibration", calibration), ("value", value)):
        table = pl.concat(
            curve.select(pl.lit(model).alias("model"), pl.all()) for model, curve in curves.items()
        )
        if name == "value" and not brief.value.is_known:
            table = table.clear()
        write_text(
            table.with_columns(pl.selectors.float().round(6)).write_csv(), folder / f"{name}.csv"
        )


def main(argv: list[str] | None = None) -> int:
    """Read predictions and prices, write outcomes, metrics, slices and curves."""
    params, brief_path, *sources, out, metrics, sliced, curves = parse_paths(
        argv, __doc__, "params", "brief", *MODELS, "outcomes", "metrics", "slices", "plots"
    )
    settings = read(params, "evaluate", Evaluate)
    brief = outcomes.require_prices(read_brief(brief_path))
    results = {}
    for name, source in zip(MODELS, sources, strict=True):
        predictions = read_table(source)
        outcome = outcomes.build_outcomes(predictions, brief)
        if not brief.value.is_known:
            outcome = outcome.with_columns(value=pl.lit(None, pl.Float64))
        results[name] = Result(predictions, outcome)
        write_table(results[name].outcome, out / f"{name}.parquet")
    new, old = (results[name].outcome for name in ("challenger", "champion"))
    content = build_metrics(results, brief, settings)
    if not brief.value.is_known:
        challenger, champion = (results[name].predictions for name in ("challenger", "champion"))
        content["price_map"] = build_price_map(challenger, champion, brief, settings)
    write_json(content, metrics)
    write_json({"segments": measure_slices(Comparison(new, old, brief, settings))}, sliced)
    write_curves(results, brief, curves)
    return 0


if __name__ == "__main__":
    run(main)
