"""The decision: each line of the brief judged, the verdict, its reasons, and one sentence."""

import math
from collections.abc import Iterable, Sequence

from ..edge.brief import Brief
from ..problem import presentation
from ..statistics import bootstrap
from ..statistics.interval import FEWEST, Interval
from .comparison import PRIMARY, compare, count_units
from .decision import Decision, Gain, Judgement, Verdict
from .evidence import Evidence, Leak
from .judge import describe_result, judge

LARGEST = 0.6  # share of test rows that leaves enough to learn from
ADVICE: dict[Verdict, str] = {
    "ship": "Ship",
    "refresh": "Refresh if you need to",
    "unclear": "Cannot tell",
    "hold": "Hold",
}


def decide(evidence: Evidence) -> Decision:
    """The decision that the brief asks for: the content of `reports/decision.json`."""
    comparison = evidence.comparison
    brief, n = comparison.brief, comparison.new.height
    gain, margin = compare(comparison, PRIMARY), find_margin(brief)
    success = tuple(judge(line, comparison, margin) for line in brief.success)
    guardrails = tuple(judge(line, comparison, margin) for line in brief.guardrails)
    verdict, reasons = reach_verdict(gain, margin, success, guardrails, evidence.leaks)
    effect = find_effect(brief)
    confidence = comparison.settings.confidence
    needed = bootstrap.find_needed_size(gain, n, effect, confidence) if effect else None
    if verdict == "unclear":
        reasons += explain_size(gain, n, effect, needed) + explain_shortage(evidence)
    unit = f"{brief.value.currency} per 1,000 {brief.decision.unit}s"
    return Decision(
        verdict=verdict,
        sentence=describe(verdict, reasons, gain, evidence),
        gain=Gain(**gain._asdict(), unit=unit, n=n),
        margin=margin,
        worth_detecting=effect,
        needed=needed,
        lines=success,
        guardrails=guardrails,
        reasons=tuple(reasons),
        compared_by=evidence.compared_by,
        champion=evidence.champion,
        challenger=evidence.challenger,
    )


def find_margin(brief: Brief) -> float:
    """By how much the gain may be below zero where 'no worse' is enough; 0 where it is not."""
    margins = [line.margin for line in brief.guardrails if line.metric == PRIMARY]
    return max((margin for margin in margins if margin), default=0.0)


def find_effect(brief: Brief) -> float | None:
    """The gain that the brief calls worth detecting."""
    return next((line.by for line in brief.success if line.beats and line.metric == PRIMARY), None)


def reach_verdict(
    gain: Interval,
    margin: float,
    success: Sequence[Judgement],
    guardrails: Sequence[Judgement],
    leaks: Iterable[Leak],
) -> tuple[Verdict, list[str]]:
    """The verdict and its reasons, from the gain and the judged lines."""
    reasons = find_violations([*success, *guardrails]) + find_unexplained(leaks)
    if gain.upper is not None and gain.upper < -margin:
        reasons.append("worse than the champion by more than the margin")
    if reasons:
        return "hold", reasons
    if gain.lower is None:
        return "unclear", [f"too few {presentation.FEW} to tell (fewer than {FEWEST})"]
    unmet = [line for line in success if line.state != "holds"]
    blind = [
        f"{line.line}: too few {presentation.FEW} in every slice to tell"
        for line in guardrails
        if not line.is_judged
    ]
    if gain.lower > 0 and not unmet and not blind:
        return "ship", []
    no_worse = gain.lower > -margin and margin > 0
    if no_worse and not blind and all(line.beats for line in unmet):
        return "refresh", [
            "no worse than the champion by more than the margin, but not surely better"
        ]
    doubts = blind + [f"{line.line}: {describe_first(line)}" for line in unmet]
    return "unclear", doubts or ["the gain may be below zero by more than the margin"]


def find_violations(lines: Iterable[Judgement]) -> list[str]:
    """Each slice that violates a line, with its figure."""
    return [
        f"{line.line}: {part.slice} has {describe_result(line.metric, part)}"
        for line in lines
        for part in line.slices
        if part.state == "violated"
    ]


def find_unexplained(leaks: Iterable[Leak]) -> list[str]:
    """Each suspected leak for which `contract.py` gives no reason."""
    return [
        f"`{leak.feature}` alone predicts the target almost perfectly "
        f"({presentation.POWER} {leak.auc:.3f}{f' for {leak.tells}' if leak.tells else ''}): "
        "a suspected leak; if it is meant, say why in contract.py under MEANT"
        for leak in leaks
        if not leak.meant
    ]


def describe_first(line: Judgement) -> str:
    """The figure of a line's first slice."""
    return describe_result(line.metric, line.slices[0]) if line.slices else "no units"


def explain_size(gain: Interval, n: int, effect: float | None, needed: int | None) -> list[str]:
    """How many more units would tell, where there are too few of them for the gain to clear 0."""
    has_open_gain = gain.lower is not None and gain.lower <= 0
    if not has_open_gain or not effect or not needed or needed <= n:
        return []
    return [f"about {needed - n:,} more units would tell a gain of {effect:g}"]


def explain_shortage(evidence: Evidence) -> list[str]:
    """Which share of test rows would hold enough units that tell, where there are too few."""
    units = count_units(evidence.comparison.new)
    n, positives = units["n"], units["positives"]
    if positives >= FEWEST:
        return []
    words = f"the test rows hold {positives:,} {presentation.FEW}"
    share = math.ceil(1000 * FEWEST / max(positives, 1) * n / evidence.rows) / 1000
    if positives and share <= LARGEST:
        return [f"{words}; `split: test: {share:g}` in params.yaml would give about {FEWEST}"]
    return [f"{words}; no share of today's rows would give {FEWEST}: collect more"]


def describe(verdict: Verdict, reasons: list[str], gain: Interval, evidence: Evidence) -> str:
    """The decision in one sentence of money."""
    brief, n = evidence.comparison.brief, evidence.comparison.new.height
    unit, simulated = brief.decision.unit, "simulated " if evidence.simulated else ""
    rule = evidence.champion == "rule"
    champion = "the rule" if rule else f"the champion ({evidence.champion})"
    return (
        f"{ADVICE[verdict]}: {presentation.in_words(brief)}. "
        f"The challenger ({evidence.challenger}) would be worth {brief.value.currency} "
        f"{describe_gain(gain)} per 1,000 {unit}s than {champion}, "
        f"on {n:,} held-out {simulated}{unit}s, if these prices hold{describe_reasons(reasons)}."
    )


def describe_gain(gain: Interval) -> str:
    """`384 (158 to 595) more`, or of a loss `12 (-30 to 54) less`."""
    estimate, lower, upper = gain.estimate or 0.0, gain.lower, gain.upper
    more = "more" if estimate >= 0 else "less"
    if estimate < 0:
        estimate = -estimate
        lower, upper = (None if end is None else -end for end in (gain.upper, gain.lower))
    return f"{Interval(estimate, lower, upper).format('{:,.0f}'.format, unbounded='')} {more}"


def describe_reasons(reasons: list[str]) -> str:
    """The first reason and how many more there are, as the end of a sentence."""
    if not reasons:
        return ""
    others = len(reasons) - 1
    more = f" (and {others} more reason{'s' if others > 1 else ''})" if others else ""
    return f"; {reasons[0]}{more}"
