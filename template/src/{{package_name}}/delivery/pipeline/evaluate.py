"""Stage `evaluate`: what each model would have been worth on the test rows, slice by slice."""

from pathlib import Path
from typing import Any

import polars as pl

from ..edge.errors import Fixable, run
from ..edge.files import paths, read_json, read_table, write_json, write_table, write_text
from ..edge.parameters import read
from ..problem import outcomes
from ..problem.metric import load_ratios
from ..verdict.comparison import Evaluate, measured, slices

MODELS = ("rule", "challenger", "champion")
CURVE = [step / 50 for step in range(1, 51)]  # shares of units acted on, for the value curve


def plots(
    results: dict[str, tuple[pl.DataFrame, pl.DataFrame]], brief: dict[str, Any], folder: Path
) -> None:
    """Write the curves of rule and challenger as CSV, for DVC's plots and for the report."""
    for name, curve in (
        ("calibration", outcomes.calibration),
        ("value", lambda outcome, predictions: outcomes.value_curve(predictions, brief, CURVE)),
    ):
        table = pl.concat(
            curve(*results[model]).select(pl.lit(model).alias("model"), pl.all())
            for model in ("rule", "challenger")
        )
        write_text(
            table.with_columns(pl.selectors.float().round(6)).write_csv(), folder / f"{name}.csv"
        )


def main(argv: list[str] | None = None) -> int:
    """Read predictions and prices, write outcomes, metrics, slices and curves."""
    params, brief_path, *sources, out, metrics, sliced, curves = paths(
        argv, __doc__, "params", "brief", *MODELS, "outcomes", "metrics", "slices", "plots"
    )
    settings = read(params, "evaluate", Evaluate)
    brief = read_json(brief_path)
    if brief["value"] is None or brief["decision"] is None:
        raise Fixable(
            "project-brief.md: expected `decision:` and `value:` (from phase define on), found "
            "none. Next: write down what each action is worth, then uv run dvc repro"
        )
    results = {}
    for name, path in zip(MODELS, sources, strict=True):
        predictions = read_table(path)
        results[name] = (outcomes.build_outcomes(predictions, brief), predictions)
        write_table(results[name][0], out / f"{name}.parquet")
    challenger, champion = results["challenger"][0], results["champion"][0]
    told = {
        name: {
            metric: measured(outcome, metric, brief, settings)._asdict() for metric in load_ratios()
        }
        | {
            m: i._asdict()
            for m, i in outcomes.extra_metrics(outcome, predictions, settings.confidence).items()
        }
        for name, (outcome, predictions) in results.items()
    }
    counts = {
        "n": challenger.height,
        "positives": int(challenger["positive"].sum()),
        "clusters": challenger["cluster"].n_unique(),
        "confidence": settings.confidence,
    }
    write_json(counts | told, metrics)
    write_json({"segments": slices(challenger, champion, brief, settings)}, sliced)
    plots(results, brief, curves)
    return 0


if __name__ == "__main__":
    run(main)
