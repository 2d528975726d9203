"""Stage `evaluate`: what each model would have been worth on the test rows, slice by slice."""

from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from ..edge.brief import read_brief
from ..edge.errors import run
from ..edge.files import parse_paths, read_table, write_json, write_table, write_text
from ..edge.parameters import read
from ..problem import outcomes
from ..problem.metric import load_ratios
from ..verdict.comparison import Comparison, Evaluate, count_units, measure, measure_slices

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
        metric: measure(result.outcome, metric, brief, settings) for metric in load_ratios()
    }
    intervals |= outcomes.extra_metrics(result.outcome, result.predictions, settings.confidence)
    return {metric: interval._asdict() for metric, interval in intervals.items()}


def build_metrics(
    results: dict[str, Result], brief: outcomes.PricedBrief, settings: Evaluate
) -> dict[str, Any]:
    """The content of `reports/metrics.json`: counts of units, and every metric of every model."""
    units = results["challenger"].outcome
    counts = {**count_units(units), "clusters": units["cluster"].n_unique()}
    return {
        **counts,
        "confidence": settings.confidence,
        **{name: measure_model(result, brief, settings) for name, result in results.items()},
    }


def write_curves(results: dict[str, Result], brief: outcomes.PricedBrief, folder: Path) -> None:
    """Write the curves of rule and challenger as CSV, for DVC's plots and for the report."""
    models = {name: results[name] for name in ("rule", "challenger")}
    calibration = {
        name: outcomes.calibration(result.outcome, result.predictions)
        for name, result in models.items()
    }
    value = {
        name: outcomes.value_curve(result.predictions, brief, CURVE)
        for name, result in models.items()
    }
    for name, curves in (("calibration", calibration), ("value", value)):
        table = pl.concat(
            curve.select(pl.lit(model).alias("model"), pl.all()) for model, curve in curves.items()
        )
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
        results[name] = Result(predictions, outcomes.build_outcomes(predictions, brief))
        write_table(results[name].outcome, out / f"{name}.parquet")
    new, old = (results[name].outcome for name in ("challenger", "champion"))
    write_json(build_metrics(results, brief, settings), metrics)
    write_json({"segments": measure_slices(Comparison(new, old, brief, settings))}, sliced)
    write_curves(results, brief, curves)
    return 0


if __name__ == "__main__":
    run(main)
