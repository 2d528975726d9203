"""Metrics of outcomes and their intervals: of one model, of two on the same units, of slices."""

from typing import Any

import polars as pl
from pydantic import Field

from ..edge.errors import Fixable
from ..edge.parameters import Settings
from ..problem.metric import find_bounds, load_slice_metrics, measure_units
from ..statistics import bootstrap
from ..statistics.interval import FEWEST, Interval


class Evaluate(Settings):
    """`confidence` of every interval, bootstrap `draws` and their `seed`."""

    confidence: float = Field(gt=0.5, lt=1)
    draws: int = Field(ge=200)
    seed: int


def measured(
    outcome: pl.DataFrame, metric: str, brief: dict[str, Any], settings: Evaluate
) -> Interval:
    """A metric of one outcomes table (or a slice of it) with its interval."""
    table = per_unit(outcome, metric)
    return interval(table, find_bounds(metric, brief, outcome), few(outcome), settings)


def difference(
    new: pl.DataFrame, old: pl.DataFrame, metric: str, brief: dict[str, Any], settings: Evaluate
) -> Interval:
    """A metric of `new` minus that of `old` on the same units, with its paired interval."""
    low, high = find_bounds(metric, brief, new, old)
    return interval(paired(new, old, metric), (low - high, high - low), few(new), settings)


def per_unit(outcome: pl.DataFrame, metric: str) -> pl.DataFrame:
    """`cluster`, `numerator` and `denominator` of a metric per unit."""
    return outcome.select("cluster").hstack(measure_units(metric, outcome))


def paired(new: pl.DataFrame, old: pl.DataFrame, metric: str) -> pl.DataFrame:
    """`cluster`, `numerator` (new minus old) and `denominator` (the same for both) per unit."""
    if not new["unit"].equals(old["unit"]):
        raise Fixable(
            "data/outcomes: expected the same units for every model, found others. "
            "Next: uv run dvc repro --force predict"
        )
    table, before = per_unit(new, metric), measure_units(metric, old)
    if not table["denominator"].round(9).equals(before["denominator"].round(9)):
        raise Fixable(
            f"metrics.py: METRICS: `{metric}`: expected the same denominator for every model, "
            "because it is comparable; found another. Next: fix metrics.py, then uv run dvc repro"
        )
    return table.with_columns(pl.col("numerator") - before["numerator"])


def few(outcome: pl.DataFrame) -> bool:
    """Whether there are too few units that tell (the positive ones) for any interval."""
    return int(outcome["positive"].sum()) < FEWEST


def interval(
    table: pl.DataFrame, extremes: tuple[float, float], too_few: bool, settings: Evaluate
) -> Interval:
    """The interval of sum(numerator) / sum(denominator), without bounds where there is too little
    to tell.
    """
    found = bootstrap.ratio(
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
                    m: measured(part, m, brief, settings)._asdict() for m in load_slice_metrics()
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
