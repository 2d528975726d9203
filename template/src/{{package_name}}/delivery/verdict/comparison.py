"""Metrics of outcomes with their intervals: of one model, of two on the same units, of slices."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import polars as pl
from pydantic import Field

from ..edge.errors import Fixable
from ..edge.parameters import Seed, Settings
from ..problem import outcomes
from ..problem.metric import (
    find_bounds,
    list_slice_metrics,
    load_ratios,
    measure_units,
    needs_prices,
)
from ..statistics import bootstrap
from ..statistics.interval import FEWEST, Interval

PRIMARY = "value_per_1000"


class Evaluate(Settings):
    """`confidence` of every interval, bootstrap `draws` and their `seed`. Less of either than this
    would ship equal models too often.
    """

    confidence: float = Field(ge=0.9, lt=1)
    draws: int = Field(ge=1000)
    seed: Seed


@dataclass(frozen=True)
class Comparison:
    """Outcomes of the challenger (`new`) and of the champion (`old`) on the same units, what the
    brief asks of them, and how sure to be.
    """

    new: pl.DataFrame
    old: pl.DataFrame
    brief: outcomes.PricedBrief
    settings: Evaluate

    def slice(self, column: str, value: str) -> "Comparison":
        """The same of the units of one segment."""
        new, old = (table.filter(pl.col(column) == value) for table in (self.new, self.old))
        return replace(self, new=new, old=old)


class Terms(NamedTuple):
    """A metric as sum(numerator) / sum(denominator): `table` has the columns `cluster`,
    `numerator` and `denominator` per unit; `extremes` are the lowest and the highest numerator
    that one unit can have.
    """

    table: pl.DataFrame
    extremes: tuple[float, float]


def build_terms(outcome: pl.DataFrame, metric: str, brief: outcomes.PricedBrief) -> Terms:
    """The terms of a metric of one outcomes table."""
    table = outcome.select("cluster").hstack(measure_units(metric, outcome))
    return Terms(table, find_bounds(metric, brief, outcome))


def build_paired_terms(comparison: Comparison, metric: str) -> Terms:
    """The terms of a metric of the challenger minus that of the champion: the numerators are the
    differences, the denominators are the same for both. Where both models did the same for every
    unit, no difference is possible.
    """
    new, old = comparison.new, comparison.old
    if not new["unit"].equals(old["unit"]):
        raise Fixable(
            "data/outcomes: expected the same units for every model, found others. "
            "Next: uv run dvc repro --force predict"
        )
    table, before = measure_units(metric, new), measure_units(metric, old)
    if not table["denominator"].round(9).equals(before["denominator"].round(9)):
        raise Fixable(
            f"metrics.py: METRICS: `{metric}`: expected the same denominator for every model, "
            "because it is comparable; found another. Next: fix metrics.py, then uv run dvc repro"
        )
    gained = table.with_columns(pl.col("numerator") - before["numerator"])
    low, high = (
        (0.0, 0.0)
        if (gained["numerator"] == 0).all() and is_same(new, old, metric)
        else find_bounds(metric, comparison.brief, new, old)
    )
    return Terms(new.select("cluster").hstack(gained), (low - high, high - low))


def is_same(new: pl.DataFrame, old: pl.DataFrame, metric: str = PRIMARY) -> bool:
    """Whether two models did the same for every unit, as far as the metric goes: for the value it
    is enough that a person decides for both, other metrics may count what each would have said.
    """
    if metric != PRIMARY:
        return new.drop("score").equals(old.drop("score"))
    did, before = (table.select(done=outcomes.DONE)["done"] for table in (new, old))
    return did.equals(before)


def describe_actions(outcome: pl.DataFrame) -> list[dict[str, Any]]:
    """What one model did, for `reports/metrics.json`: each action and what came of it (`result`),
    with the share of units and its part of the value per 1,000 units (null: prices are unknown).
    """
    n = outcome.height
    worth = pl.when(pl.col("value").has_nulls().not_()).then(pl.col("value").sort().sum())
    return (
        outcome.group_by("action", result=outcomes.RESULT)
        .agg(share=pl.len() / n, value_per_1000=worth.first() * 1000 / n)
        .sort("action", "result")
        .to_dicts()
    )


def measure(
    outcome: pl.DataFrame, metric: str, brief: outcomes.PricedBrief, settings: Evaluate
) -> Interval:
    """A metric of one outcomes table (or a slice of it) with its interval."""
    terms = build_terms(outcome, metric, brief)
    return estimate(terms, settings, too_few=has_too_few(outcome))


def compare(comparison: Comparison, metric: str) -> Interval:
    """A metric of the challenger minus that of the champion, with its paired interval; undefined
    where it needs prices and these are unknown.
    """
    if not comparison.brief.value.is_known and needs_prices(load_ratios()[metric]):
        return Interval(None, None, None)
    terms = build_paired_terms(comparison, metric)
    return estimate(terms, comparison.settings, too_few=has_too_few(comparison.new))


def estimate(terms: Terms, settings: Evaluate, *, too_few: bool) -> Interval:
    """The ratio of the sums with its interval, without bounds where there is too little to tell."""
    interval = bootstrap.ratio(
        terms.table, "numerator", "denominator", "cluster", extremes=terms.extremes,
        confidence=settings.confidence, draws=settings.draws, seed=settings.seed,
    )  # fmt: skip
    return Interval(interval.estimate, None, None) if too_few else interval


def count_units(outcome: pl.DataFrame) -> dict[str, int]:
    """How many units there are, `n`, and how many of them are `positives`."""
    return {"n": outcome.height, "positives": int(outcome["positive"].sum())}


def has_too_few(outcome: pl.DataFrame) -> bool:
    """Whether there are too few units that tell (the positive ones) for any interval."""
    return int(outcome["positive"].sum()) < FEWEST


def find_segments(outcome: pl.DataFrame) -> list[str]:
    """The segment columns of an outcomes table: those between `cluster` and `action`."""
    return outcome.columns[outcome.columns.index("cluster") + 1 : outcome.columns.index("action")]


def find_slices(comparison: Comparison, column: str) -> Iterator[tuple[str, Comparison]]:
    """Each slice of a segment column, by its name (`region = east`)."""
    for value in sorted(comparison.new[column].unique()):
        yield f"{column} = {value}", comparison.slice(column, value)


def measure_slices(comparison: Comparison) -> dict[str, Any]:
    """The content of `reports/slices.json`: per segment column its slices, each with units,
    positives, the challenger's metrics and its gain over the champion.
    """
    return {
        column: [
            {
                "slice": name,
                **count_units(part.new),
                "judged": not has_too_few(part.new),
                "metrics": {
                    **{
                        metric: _measure_new(part, metric)
                        for metric in list_slice_metrics(part.brief)
                    },
                    "gain": compare(part, PRIMARY)._asdict(),
                },
            }
            for name, part in find_slices(comparison, column)
        ]
        for column in find_segments(comparison.new)
    }


def _measure_new(part: Comparison, metric: str) -> dict[str, float | None]:
    return measure(part.new, metric, part.brief, part.settings)._asdict()
