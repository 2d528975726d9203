"""Stage `evaluate`: what each model would have been worth on the test rows, slice by slice."""

from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

from . import intervals, problem
from .errors import Mendable, run
from .files import paths, read_json, read_table, write_json, write_table, write_text
from .intervals import FEWEST, Interval
from .parameters import Settings, read

MODELS = ("rule", "challenger", "champion")
CURVE = [step / 50 for step in range(1, 51)]  # shares of units acted on, for the value curve


class Evaluate(Settings):
    """`confidence` of every interval, bootstrap `draws` and their `seed`."""

    confidence: float = Field(gt=0.5, lt=1)
    draws: int = Field(ge=200)
    seed: int


def measured(
    outcome: pl.DataFrame, metric: str, brief: dict[str, Any], settings: Evaluate
) -> Interval:
    """A metric of one outcomes table (or a slice of it) with its interval."""
    numerator, denominator = problem.TERMS[metric]
    table = outcome.select("cluster", numerator=numerator, denominator=denominator)
    return interval(table, problem.bounds(metric, brief, outcome), few(outcome), settings)


def difference(
    new: pl.DataFrame, old: pl.DataFrame, metric: str, brief: dict[str, Any], settings: Evaluate
) -> Interval:
    """A metric of `new` minus that of `old` on the same units, with its paired interval."""
    low, high = problem.bounds(metric, brief, new, old)
    return interval(paired(new, old, metric), (low - high, high - low), few(new), settings)


def paired(new: pl.DataFrame, old: pl.DataFrame, metric: str) -> pl.DataFrame:
    """`cluster`, `numerator` (new minus old) and `denominator` (the same for both) per unit."""
    numerator, denominator = problem.TERMS[metric]
    if not new["unit"].equals(old["unit"]):
        raise Mendable(
            "data/outcomes: expected the same units for every model, found others. "
            "Next: uv run dvc repro --force predict"
        )
    before = old.select(before=numerator)
    return (
        new.select("cluster", numerator=numerator, denominator=denominator)
        .hstack(before)
        .select(
            "cluster", numerator=pl.col("numerator") - pl.col("before"), denominator="denominator"
        )
    )


def few(outcome: pl.DataFrame) -> bool:
    """Whether there are too few units that tell (the positive ones) for any interval."""
    return int(outcome["positive"].sum()) < FEWEST


def interval(
    table: pl.DataFrame, extremes: tuple[float, float], too_few: bool, settings: Evaluate
) -> Interval:
    """The interval of sum(numerator) / sum(denominator), without bounds where there is too little
    to tell.
    """
    found = intervals.ratio(
        table, "numerator", "denominator", "cluster", extremes=extremes,
        confidence=settings.confidence, draws=settings.draws, seed=settings.seed,
    )  # fmt: skip
    return Interval(found.estimate, None, None) if too_few else found


def segments(outcome: pl.DataFrame) -> list[str]:
    """The segment columns of an outcomes table: those between `cluster` and `action`."""
    return outcome.columns[outcome.columns.index("cluster") + 1 : outcome.columns.index("action")]


def slices(
    outcome: pl.DataFrame, champion: pl.DataFrame, brief: dict[str, Any], settings: Evaluate
) -> dict[str, Any]:
    """Per segment column and value: units, positives, the challenger's metrics and its gain over
    the champion.
    """
    return {
        column: [
            {
                "slice": f"{column} = {name}",
                "n": part.height,
                "positives": int(part["positive"].sum()),
                "judged": not few(part),
                "metrics": {
                    m: measured(part, m, brief, settings)._asdict() for m in problem.SLICE_METRICS
                }
                | {"gain": difference(part, base, "value_per_1000", brief, settings)._asdict()},
            }
            for name in sorted(outcome[column].unique())
            for part, base in [
                (outcome.filter(pl.col(column) == name), champion.filter(pl.col(column) == name))
            ]
        ]
        for column in segments(outcome)
    }


def plots(
    results: dict[str, tuple[pl.DataFrame, pl.DataFrame]], brief: dict[str, Any], folder: Path
) -> None:
    """Write the curves of rule and challenger as CSV, for DVC's plots and for the report."""
    for name, curve in (
        ("calibration", problem.calibration),
        ("value", lambda outcome, predictions: problem.value_curve(predictions, brief, CURVE)),
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
        raise Mendable(
            "project-brief.md: expected `decision:` and `value:` (from phase define on), found "
            "none. Next: write down what each action is worth, then uv run dvc repro"
        )
    results = {}
    for name, path in zip(MODELS, sources, strict=True):
        predictions = read_table(path)
        results[name] = (problem.outcomes(predictions, brief), predictions)
        write_table(results[name][0], out / f"{name}.parquet")
    challenger, champion = results["challenger"][0], results["champion"][0]
    told = {
        name: {
            metric: measured(outcome, metric, brief, settings)._asdict() for metric in problem.TERMS
        }
        | {
            m: i._asdict()
            for m, i in problem.extra_metrics(outcome, predictions, settings.confidence).items()
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
