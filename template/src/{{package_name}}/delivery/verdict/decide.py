"""The decision: each line of the brief judged, the verdict, its reasons, and one sentence."""

import math
from collections.abc import Iterable, Sequence

from ..edge.brief import EARLY, Brief
from ..problem import presentation
from ..problem.words import find_money_format, format_amount, join_words, name_action
from ..statistics import bootstrap
from ..statistics.interval import FEWEST, Interval
from .comparison import PRIMARY, Comparison, compare, count_units, is_same
from .decision import Decision, Gain, Judgement, Standing, Verdict, find_standing
from .evidence import Evidence, Leak
from .judge import MOST, describe_result, judge

LARGEST = 0.6  # share of test rows that leaves enough to learn from
ADVICE: dict[Verdict, str] = {
    "ship": "Ship",
    "refresh": "Refresh if you need to",
    "unclear": "Cannot tell",
    "hold": "Hold",
}
UNCLEAR: dict[Standing, str] = {
    "better": "Not shown yet",
    "same": "No difference",
    "slightly worse": "Keep the champion",
    "worse": "Keep the champion",
}
MAY_REPLACE: tuple[Standing, ...] = ("better", "same", "no worse", "slightly worse")
NOT_BETTER: dict[Standing, str] = {
    "no worse": "no worse than the champion by more than the margin, but not surely better",
    "slightly worse": "worse than the champion, but by less than the margin",
    "worse": "worse than the champion; whether by more than the margin is open",
    "same": "nothing that the challenger does differs from the champion",
}
NO_PRICES = "prices are missing: until `value:` in the brief has them, no model can take charge"
EARLY_REASON = (
    "the brief is in phase {}, and a model ships from phase develop on: "
    "write what that phase asks for, then set `phase: develop`"
)


def decide(evidence: Evidence) -> Decision:
    """The decision that the brief asks for: the content of `reports/decision.json`."""
    comparison = evidence.comparison
    brief, n = comparison.brief, comparison.new.height
    gain, margin = compare(comparison, PRIMARY), find_margin(brief)
    success = tuple(judge(line, comparison, margin) for line in brief.success)
    guardrails = tuple(judge(line, comparison, margin) for line in brief.guardrails)
    verdict, reasons = reach_verdict(gain, margin, success, guardrails, evidence.leaks)
    if verdict in ("ship", "refresh") and brief.phase in EARLY:
        verdict, reasons = "unclear", [EARLY_REASON.format(brief.phase)]
    effect = find_effect(brief)
    needed = None
    if effect and find_standing(gain, margin) != "same":
        needed = bootstrap.find_needed_size(gain, n, effect, comparison.settings.confidence)
    if verdict == "unclear":
        reasons += explain_size(gain, n, effect, needed, brief.value.money)
    advice = explain_shortage(evidence) if verdict == "unclear" else []
    unit = f"{brief.value.money} per 1,000 {brief.decision.units}".lstrip()
    return Decision(
        verdict=verdict,
        sentence=describe(verdict, reasons, gain, evidence),
        gain=Gain(**gain._asdict(), unit=unit, n=n),
        margin=margin,
        worth_detecting=effect,
        needed=needed,
        lines=success,
        guardrails=guardrails,
        reasons=(*reasons, *advice),
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
    standing = find_standing(gain, margin)
    # Without prices no model does yet what it would do, so no line speaks of that either.
    judged = [] if standing == "no prices" else [*success, *guardrails]
    reasons = find_violations(judged) + find_unexplained(leaks)
    if standing == "much worse":
        reasons.append("worse than the champion" + (" by more than the margin" if margin else ""))
    if reasons:
        return "hold", reasons
    if standing == "no prices":
        return "unclear", [NO_PRICES]
    if standing == "too few":
        return "unclear", [f"too few {presentation.FEW} to tell (fewer than {FEWEST})"]
    unmet = [line for line in success if line.state != "holds"]
    blind = [line for line in guardrails if not line.is_judged]
    if standing == "better" and not unmet and not blind:
        return "ship", list_open(guardrails)
    not_better = [NOT_BETTER[standing]] if standing in NOT_BETTER else []
    if not_better:
        unmet = [line for line in unmet if line.metric != PRIMARY or not line.is_overall]
    doubts = [f"not shown: {describe_open(line)}" for line in (*blind, *unmet)]
    if standing in MAY_REPLACE and margin > 0 and not blind and all(line.beats for line in unmet):
        return "refresh", [*not_better, *doubts, *list_open(guardrails)]
    far = " by more than the margin" if margin else ""
    return "unclear", [*doubts, *not_better] or [f"the gain may be below zero{far}"]


def find_violations(lines: Iterable[Judgement]) -> list[str]:
    """Each slice that violates a line, with its figure."""
    return [
        f"{line.line}: {'' if line.is_overall else f'{part.slice} has '}"
        f"{describe_result(line.metric, part)}"
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


def list_open(guardrails: Iterable[Judgement]) -> list[str]:
    """The guardrails that stop nothing, because nothing shows that they are violated, but that are
    not shown to hold either.
    """
    return [
        f"a guardrail is not violated, but not shown to hold either: {describe_open(line)}"
        for line in guardrails
        if line.state == "unclear"
    ]


def describe_open(line: Judgement) -> str:
    """A line that is not shown to hold, with the figures of the slices that are open."""
    if line.is_overall:
        return f"{line.line}: {describe_result(line.metric, line.slices[0])}"
    if not any(part.state != "too few" for part in line.slices):
        return f"{line.line}: too few {presentation.FEW} in every slice to tell"
    if not line.is_judged:
        return (
            f"{line.line}: slices with enough {presentation.FEW} to tell hold "
            f"{line.covered or 0.0:.0%} of them, and {MOST:.0%} are needed"
        )
    parts = [part for part in line.open_slices if part.state != "too few"]
    figures = [f"{part.slice} {describe_result(line.metric, part)}" for part in parts[:2]]
    figures += [f"{len(parts) - 2} more slices"] if parts[2:] else []
    return f"{line.line}: {join_words(figures)}"


def explain_size(
    gain: Interval, n: int, effect: float | None, needed: int | None, currency: str
) -> list[str]:
    """How many more units would tell, where there are too few of them for the gain to clear 0."""
    has_open_gain = gain.lower is not None and gain.lower <= 0
    if not has_open_gain or not effect or not needed or needed <= n:
        return []
    worth = f"{currency} {format_amount(effect)}"
    return [f"about {needed - n:,} more units would tell a gain of {worth}"]


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
    comparison, brief = evidence.comparison, evidence.comparison.brief
    n, simulated = comparison.new.height, "simulated " if evidence.simulated else ""
    units = brief.decision.units
    rule = evidence.champion == "rule"
    champion = "the rule" if rule else f"the champion ({evidence.champion})"
    standing = find_standing(gain, find_margin(brief))
    start = f"{choose_advice(verdict, standing)}: {presentation.in_words(brief)}. "
    if standing == "no prices":
        others = [reason for reason in reasons if reason != NO_PRICES]
        return (
            f"{start}Prices are missing, so nothing tells whether the challenger "
            f"({evidence.challenger}) would be worth more than {champion}, on {n:,} held-out "
            f"{simulated}{units}{describe_reasons(others)}."
        )
    start += f"The challenger ({evidence.challenger}) "
    if is_same(comparison.new, comparison.old):
        others = [reason for reason in reasons if reason != NOT_BETTER["same"]]
        return (
            f"{start}does the same as {champion} for each of {n:,} held-out {simulated}{units}"
            f"{explain_same(comparison)}: its gain is exactly 0{describe_reasons(others)}."
        )
    return (
        f"{start}would be worth {brief.value.currency} {describe_gain(gain)} per 1,000 "
        f"{units} than {champion}, on {n:,} held-out {simulated}{units}, if these prices hold"
        f"{describe_reasons(reasons)}."
    )


def choose_advice(verdict: Verdict, standing: Standing) -> str:
    """The word of advice that the sentence begins with."""
    return (UNCLEAR if verdict == "unclear" else {}).get(standing, ADVICE[verdict])


def explain_same(comparison: Comparison) -> str:
    """What both models do for every unit and why, where that is one action; else nothing."""
    actions, brief = comparison.new["action"].unique().to_list(), comparison.brief
    if len(actions) != 1:
        return ""
    why = presentation.explain_action(actions[0], brief, comparison.new.height)
    return f" ({name_action(actions[0])}, because {why})"


def describe_gain(gain: Interval) -> str:
    """`384 (158 to 595) more`, or of a loss `12 (-30 to 54) less`."""
    estimate, lower, upper = gain.estimate or 0.0, gain.lower, gain.upper
    more = "more" if estimate >= 0 else "less"
    if estimate < 0:
        estimate = -estimate
        lower, upper = (None if end is None else -end for end in (gain.upper, gain.lower))
    format_money = find_money_format(gain)
    return f"{Interval(estimate, lower, upper).format(format_money, unbounded='')} {more}"


def describe_reasons(reasons: list[str]) -> str:
    """The first reason and how many more there are, as the end of a sentence."""
    if not reasons:
        return ""
    others = len(reasons) - 1
    more = f" (and {others} more reason{'s' if others > 1 else ''})" if others else ""
    return f"; {reasons[0]}{more}"
