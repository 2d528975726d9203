"""One line of the brief, judged: which units it speaks of, what the data say, what state it is in.

A line speaks of all units, of one slice, or of each slice of every segment. There, small slices of
one segment are judged together, and those that can be judged have to hold most of its positives.
"""

from dataclasses import replace
from typing import Literal

import polars as pl

from ..edge.brief import Line
from ..problem.metric import load_metrics
from ..problem.words import format_amount, format_number
from ..statistics import bootstrap
from ..statistics.interval import Interval
from .comparison import (
    Comparison,
    Evaluate,
    Terms,
    build_paired_terms,
    build_terms,
    count_units,
    estimate,
    find_segments,
    find_slices,
    has_too_few,
)
from .decision import Judgement, SliceResult, State

MOST = 0.8  # of a segment's positives: so many have to be in slices that can be judged
Side = Literal["at_least", "at_most"]


def judge(line: Line, comparison: Comparison, margin: float) -> Judgement:
    """A line of the brief with what the data say of it; `margin` is what a line that the challenger
    has to win may fall short by before it is violated.

    A slice is violated when its bound, Holm-adjusted over the slices that can be judged, is beyond
    the limit; it holds when its whole interval is on the good side.
    """
    limit, side = find_limit(line, margin)
    to_clear = 0.0 if line.beats else limit
    parts = find_parts(line, comparison)
    terms = {name: build_line_terms(line, part) for name, part in parts.items()}
    violated = find_violated(
        {name: terms[name] for name, part in parts.items() if not has_too_few(part.new)},
        limit, side, comparison.settings,
    )  # fmt: skip
    results = []
    for name, part in parts.items():
        interval = estimate(terms[name], part.settings, too_few=has_too_few(part.new))
        state = "violated" if name in violated else find_state(interval, to_clear, side)
        results.append(
            SliceResult(slice=name, **count_units(part.new), **interval._asdict(), state=state)
        )
    covered = measure_coverage(results, comparison) if line.where == "each segment" else None
    return Judgement(
        line=describe_line(line, comparison.brief.value.money),
        limit=to_clear,
        state=find_worst(results, covered),
        slices=tuple(results),
        metric=line.metric,
        beats=line.beats,
        covered=covered,
    )


def find_parts(line: Line, comparison: Comparison) -> dict[str, Comparison]:
    """The units that a line speaks of, by the name of their slice."""
    if line.where is None:
        return {"all": comparison}
    segments = find_segments(comparison.new)
    slices = {column: dict(find_slices(comparison, column)) for column in segments}
    if line.where == "each segment":
        others = (join_small(column, parts) for column, parts in slices.items())
        return {name: part for parts in (*slices.values(), *others) for name, part in parts.items()}
    return {k: part for parts in slices.values() for k, part in parts.items() if k == line.where}


def join_small(column: str, slices: dict[str, Comparison]) -> dict[str, Comparison]:
    """The slices of a segment that are too small to be judged, as one; none where they are no more
    than one, or too small together as well.
    """
    small = [part for part in slices.values() if has_too_few(part.new)]
    if len(small) < 2:
        return {}
    new, old = (
        pl.concat(tables) for tables in zip(*((part.new, part.old) for part in small), strict=True)
    )
    name = f"{column} = other ({len(small)} small slices)"
    return {} if has_too_few(new) else {name: replace(small[0], new=new, old=old)}


def measure_coverage(results: list[SliceResult], comparison: Comparison) -> float:
    """The share of the positives that slices hold which can be judged; of the segment in which that
    is least.
    """
    positives = count_units(comparison.new)["positives"]
    judged = {
        column: sum(
            part.positives
            for part in results
            if part.state != "too few" and part.slice.startswith(f"{column} = ")
        )
        for column in find_segments(comparison.new)
    }
    return min(judged.values(), default=0) / max(positives, 1)


def find_limit(line: Line, margin: float) -> tuple[float, Side]:
    """The limit that must not be crossed, and on which side of it the good values lie."""
    if line.at_least is not None:
        return line.at_least, "at_least"
    if line.at_most is not None:
        return line.at_most, "at_most"
    return -(margin if line.margin is None else line.margin), "at_least"


def build_line_terms(line: Line, part: Comparison) -> Terms:
    """The line's metric: of the challenger, or of the challenger minus the champion."""
    if line.compares:
        return build_paired_terms(part, line.metric)
    return build_terms(part.new, line.metric, part.brief)


def find_violated(
    terms: dict[str, Terms], limit: float, side: Side, settings: Evaluate
) -> set[str]:
    """The slices that miss the limit by more than chance explains in so many of them."""
    chances = [
        bootstrap.tail(
            table, "numerator", "denominator", "cluster", extremes=extremes,
            limit=limit, side=side, draws=settings.draws, seed=settings.seed,
        )
        for table, extremes in terms.values()
    ]  # fmt: skip
    beyond = bootstrap.holm(chances, (1 - settings.confidence) / 2)
    return {name for name, is_beyond in zip(terms, beyond, strict=True) if is_beyond}


def find_state(interval: Interval, limit: float, side: Side) -> State:
    """The state of a slice that is not violated."""
    if interval.lower is None or interval.upper is None:
        return "too few"
    holds = interval.lower > limit if side == "at_least" else interval.upper < limit
    return "holds" if holds else "unclear"


def find_worst(results: list[SliceResult], covered: float | None) -> State:
    """The worst state of the slices that can be judged; too few where these hold too little."""
    states = {result.state for result in results}
    if covered is not None and covered < MOST and "violated" not in states:
        return "too few"
    ranked: tuple[State, ...] = ("violated", "unclear", "holds")
    return next((state for state in ranked if state in states), "too few")


def describe_line(line: Line, currency: str) -> str:
    """A line of the brief as a person would say it."""
    metric = line.metric
    money = f"{currency} ".lstrip() if load_metrics()[metric].form == "money" else ""
    words = metric.replace("_", " ").replace("per 1000", "per 1,000")
    words += f" in {line.where}" if line.where else ""
    if line.by is not None:
        return (
            f"{words} beats the champion (worth detecting: {money}{format_value(metric, line.by)})"
        )
    if line.margin is not None:
        most = format_value(metric, line.margin)
        return f"{words} not below the champion by more than {money}{most}"
    if line.at_least is not None:
        return f"{words} at least {money}{format_value(metric, line.at_least)}"
    return f"{words} at most {money}{format_value(metric, line.at_most or 0.0)}"


def describe_result(metric: str, result: SliceResult) -> str:
    """What a line found in a slice: `17.5% (12.1% to 22.9%)`."""
    return result.interval.format(lambda value: format_value(metric, value))


def format_value(metric: str, value: float) -> str:
    """A value of a metric for people: money whole from 20 on, shares in percent."""
    form = load_metrics()[metric].form
    if form == "money":
        return f"{value:,.0f}" if abs(value) >= 20 else format_amount(round(value, 2))
    if form == "number":
        return format_number(value)
    return f"{value:.1%}".replace(".0%", "%")
