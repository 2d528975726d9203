"""The decision: what the outcomes say of each line of the brief, the verdict, and its reasons."""

from pathlib import Path
from typing import Any, Literal

import polars as pl

from ..problem import presentation
from ..problem.metric import find_bounds, load_metrics
from ..statistics import bootstrap
from ..statistics.interval import FEWEST, Interval
from .comparison import Evaluate, difference, few, measured, paired, per_unit, segments

PRIMARY = "value_per_1000"
Line = dict[str, Any]
Brief = dict[str, Any]
Side = Literal["at_least", "at_most"]


def judged(
    line: Line,
    new: pl.DataFrame,
    old: pl.DataFrame,
    brief: Brief,
    settings: Evaluate,
    margin: float,
) -> Line:
    """One line of the brief with what the data say of it.

    Adds `line` (in words), `limit`, `state` (holds, violated, unclear, too few) and `slices`, each
    with `slice`, `n`, `positives`, `estimate`, `lower`, `upper` and `state`. A slice is violated
    when its bound, Holm-adjusted over the slices that can be judged, is beyond the limit.
    """
    parts = list(_parts(line, new, old))
    versus = bool(line["beats"] or line["not_below"])
    limit, side = _limit(line, margin)
    found = [
        difference(a, b, line["metric"], brief, settings)
        if versus
        else measured(a, line["metric"], brief, settings)
        for _, a, b in parts
    ]
    can = [not few(a) for _, a, _ in parts]
    tails = [
        _tail(line["metric"], a, b if versus else None, brief, settings, limit, side)
        for _, a, b in parts
    ]
    beyond = iter(
        bootstrap.holm(
            [t for t, ok in zip(tails, can, strict=True) if ok], (1 - settings.confidence) / 2
        )
    )
    clears = 0.0 if line["beats"] else limit
    slices = [
        {"slice": name, "n": a.height, "positives": int(a["positive"].sum()), **interval._asdict()}
        | {"state": _state(interval, clears, side, next(beyond)) if ok else "too few"}
        for (name, a, _), interval, ok in zip(parts, found, can, strict=True)
    ]
    states = [part["state"] for part in slices]
    worst = next((s for s in ("violated", "unclear", "holds") if s in states), "too few")
    return {
        "line": in_words(line),
        "limit": clears,
        "state": worst,
        "slices": slices,
        "metric": line["metric"],
    }


def _parts(
    line: Line, new: pl.DataFrame, old: pl.DataFrame
) -> list[tuple[str, pl.DataFrame, pl.DataFrame]]:
    """The units that a line speaks of: all, one slice, or every slice of every segment."""
    if line["where"] is None:
        return [("all", new, old)]
    chosen = [(c, v) for c in segments(new) for v in sorted(new[c].unique())]
    if line["where"] != "each segment":
        column, _, value = line["where"].partition(" = ")
        chosen = [(column, value)] if (column, value) in chosen else []
    return [
        (f"{c} = {v}", new.filter(pl.col(c) == v), old.filter(pl.col(c) == v)) for c, v in chosen
    ]


def _limit(line: Line, margin: float) -> tuple[float, Side]:
    """The limit that must not be crossed, and on which side of it the good values lie."""
    if line["at_least"] is not None:
        return line["at_least"], "at_least"
    if line["at_most"] is not None:
        return line["at_most"], "at_most"
    return -(margin if line["beats"] else line["margin"]), "at_least"


def _tail(
    metric: str,
    new: pl.DataFrame,
    old: pl.DataFrame | None,
    brief: Brief,
    settings: Evaluate,
    limit: float,
    side: Side,
) -> float:
    """The chance of missing the limit by this much when in truth it is just met."""
    low, high = find_bounds(metric, brief, new, *([] if old is None else [old]))
    if old is None:
        table, extremes = per_unit(new, metric), (low, high)
    else:
        table = paired(new, old, metric)
        extremes = (low - high, high - low)
    return bootstrap.tail(
        table, "numerator", "denominator", "cluster", extremes=extremes,
        limit=limit, side=side, draws=settings.draws, seed=settings.seed,
    )  # fmt: skip


def _state(interval: Interval, limit: float, side: Side, beyond: bool) -> str:
    if interval.lower is None or interval.upper is None:
        return "too few"
    if beyond:
        return "violated"
    surely = interval.lower > limit if side == "at_least" else interval.upper < limit
    return "holds" if surely else "unclear"


def in_words(line: Line) -> str:
    """A line of the brief as a person would say it."""
    metric = line["metric"]
    told = metric.replace("_", " ").replace("per 1000", "per 1,000")
    told += f" in {line['where']}" if line["where"] else ""
    if line["beats"]:
        return f"{told} beats the champion (worth detecting: {figure(metric, line['by'])})"
    if line["not_below"]:
        return f"{told} not below the champion by more than {figure(metric, line['margin'])}"
    if line["at_least"] is not None:
        return f"{told} at least {figure(metric, line['at_least'])}"
    return f"{told} at most {figure(metric, line['at_most'])}"


def verdict(
    gain: Interval, margin: float, success: list[Line], guardrails: list[Line], leaks: list[Line]
) -> tuple[str, list[str]]:
    """The verdict and its reasons, from what was judged; `success` and `guardrails` are results of
    `judged`.
    """
    reasons = [
        f"{line['line']}: {part['slice']} has {_told(line['metric'], part)}"
        for line in [*success, *guardrails]
        for part in line["slices"]
        if part["state"] == "violated"
    ]
    reasons += [
        f"`{leak['feature']}` alone predicts the target almost perfectly "
        f"({presentation.POWER} {leak['auc']:.3f}): "
        "a suspected leak; if it is meant, say why in contract.py under MEANT"
        for leak in leaks
        if not leak["meant"]
    ]
    if gain.upper is not None and gain.upper < -margin:
        reasons.append("worse than the champion by more than the margin")
    if reasons:
        return "hold", reasons
    if gain.lower is None:
        return "unclear", [f"too few {presentation.FEW} to tell (fewer than {FEWEST})"]
    open_lines = [line for line in success if line["state"] != "holds"]
    blind = [
        f"{line['line']}: too few {presentation.FEW} in every slice to tell"
        for line in guardrails
        if not _seen(line)
    ]
    if gain.lower > 0 and not open_lines and not blind:
        return "ship", []
    others = [line for line in open_lines if not line["beats"]]
    if gain.lower > -margin and margin > 0 and not others and not blind:
        return "refresh", [
            "no worse than the champion by more than the margin, but not surely better"
        ]
    return "unclear", blind + [
        f"{line['line']}: {_told(line['metric'], line['slices'][0])}" for line in open_lines
    ] or ["the gain may be below zero by more than the margin"]


def _seen(line: Line) -> bool:
    return any(part["state"] != "too few" for part in line["slices"])


def _told(metric: str, part: Line) -> str:
    if part["estimate"] is None:
        return "no units"
    told = [
        figure(metric, part[key]) for key in ("estimate", "lower", "upper") if part[key] is not None
    ]
    return f"{told[0]} ({' to '.join(told[1:]) or 'too few to tell'})"


def figure(metric: str, value: float) -> str:
    """A value of a metric for people: money whole, shares in percent."""
    form = load_metrics()[metric].form
    if form != "share":
        return f"{value:,.0f}" if form == "money" else f"{value:,.6g}"
    return f"{value:.1%}".replace(".0%", "%")


def sentence(
    told: str, reasons: list[str], gain: Interval, names: dict[str, str], words: dict[str, Any]
) -> str:
    """The decision in one sentence of money."""
    what = {
        "ship": "Ship",
        "refresh": "Refresh if you need to",
        "unclear": "Cannot tell",
        "hold": "Hold",
    }[told]
    champion = "the rule" if names["champion"] == "rule" else f"the champion ({names['champion']})"
    bounds = "" if gain.lower is None else f" ({gain.lower:,.0f} to {gain.upper:,.0f})"
    amount = gain.estimate or 0.0
    more = "more" if amount >= 0 else "less"
    if amount < 0 and gain.lower is not None and gain.upper is not None:
        bounds = f" ({-gain.upper:,.0f} to {-gain.lower:,.0f})"
    others = len(reasons) - 1
    why = f"; {reasons[0]}" if reasons else ""
    why += f" (and {others} more reason{'s' if others > 1 else ''})" if others > 0 else ""
    units = f"{'simulated ' if words['simulated'] else ''}{words['unit']}s"
    return (
        f"{what}: {words['decision']}. The challenger ({names['challenger']}) would be worth "
        f"{words['currency']} {abs(amount):,.0f}{bounds} {more} per 1,000 {words['unit']}s than "
        f"{champion}, on {words['n']:,} held-out {units}, if these prices hold{why}."
    )


def decide(
    new: pl.DataFrame,
    old: pl.DataFrame,
    brief: Brief,
    settings: Evaluate,
    *,
    data: dict[str, Any],
    training: dict[str, Any],
    names: dict[str, Any],
) -> dict[str, Any]:
    """The content of `reports/decision.json`.

    `new` and `old` are the outcomes of challenger and champion on the same units; `data`,
    `training` and `names` are the reports `data.json`, `training.json` and `comparison.json`.
    """
    gain = difference(new, old, PRIMARY, brief, settings)
    margin = max(
        (g["margin"] for g in brief["guardrails"] if g["metric"] == PRIMARY and g["margin"]),
        default=0.0,
    )
    success, guardrails = (
        [
            judged(line, new, old, brief, settings, margin) | {"beats": line["beats"]}
            for line in brief[kind]
        ]
        for kind in ("success", "guardrails")
    )
    told, reasons = verdict(gain, margin, success, guardrails, training["leaks"])
    effect = next(
        (line["by"] for line in brief["success"] if line["beats"] and line["metric"] == PRIMARY),
        None,
    )
    needed = bootstrap.needed(gain, new.height, effect, settings.confidence) if effect else None
    open_gain = gain.lower is not None and gain.lower <= 0
    if told == "unclear" and open_gain and needed and needed > new.height:
        reasons.append(f"about {needed - new.height:,} more units would tell a gain of {effect:g}")
    unit = brief["decision"]["unit"]
    words = {
        "decision": presentation.in_words(brief),
        "currency": brief["value"]["currency"],
        "unit": unit,
        "n": new.height,
    }
    words["simulated"] = Path(data["source"]).name == "example.py"
    return {
        "verdict": told,
        "sentence": sentence(told, reasons, gain, names, words),
        "gain": gain._asdict()
        | {"unit": f"{words['currency']} per 1,000 {unit}s", "n": new.height},
        "margin": margin,
        "worth_detecting": effect,
        "needed": needed,
        "lines": success,
        "guardrails": guardrails,
        "reasons": reasons,
        "compared_by": names["compared_by"],
        "champion": names["champion"],
        "challenger": names["challenger"],
    }
