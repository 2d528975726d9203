"""Everything that the stages found, for people, in Markdown and as one HTML page.

A section is a pure function from the stages' JSON to Markdown; both files are the same sections.
"""

import html
import re
from typing import Any, NamedTuple

import polars as pl
from markdown_it import MarkdownIt

from ..edge.brief import Brief
from ..problem import presentation, target
from ..problem.action import PERIODS
from ..problem.metric import load_metrics
from ..problem.outcomes import PricedBrief
from ..problem.words import (
    fill_units,
    find_money_format,
    format_amount,
    format_number,
    name_action,
)
from ..statistics.interval import Interval
from ..verdict.decision import (
    Decision,
    Judgement,
    SliceResult,
    Standing,
    find_standing,
    is_simulated,
)
from . import charts, price_map
from .charts import Dot, Panel
from .style import read_style

Json = dict[str, Any]
Rows = list[list[object]]
NAMES = ("data", "split", "training", "seconds", "comparison", "metrics", "slices")
PRIMARY = "value_per_1000"
MOST = 10  # kinds of units that are counted one by one
MANY = 6  # candidates: so many that the best of them owes something to luck
BETTER = "The challenger would be worth more than the champion, beyond what chance explains"
SAME = "The challenger does the same as the champion"
REFRESH: dict[Standing, str] = {
    "better": f"{BETTER}, but a line that compares it with the champion is open.",
    "no worse": "The challenger is not worse than the champion by more than the margin. Nothing "
    "shows that it is better.",
    "slightly worse": "The challenger is worse than the champion, but by less than the margin.",
    "same": f"{SAME}, so nothing is gained and nothing is lost.",
}
UNCLEAR: dict[Standing, str] = {
    "no prices": "Nobody has said yet what a right action earns and a wrong one costs",
    "too few": f"There are too few {presentation.FEW} to tell anything",
    "better": f"{BETTER}, but something else that the brief asks for is not shown",
    "no worse": "The challenger is not worse than the champion by more than the margin, but "
    "something else that the brief asks for is not shown",
    "slightly worse": "The challenger is worse than the champion, though by less than the margin",
    "worse": "The challenger is worse than the champion; whether by more than the margin is open",
    "same": f"{SAME} and has no gain to show",
    "open": "The data cannot tell which is better",
}
STATES = {
    "holds": "the whole interval is on the good side of the limit",
    "unclear": "the limit lies inside the interval, so the data cannot tell",
    "violated": "on the bad side of the limit, beyond what chance explains in so many slices",
    "too few": f"too few {presentation.FEW} to judge, which is never a pass",
}
COMPARED = {
    1: "its stored predictions count, because the test rows are the same",
    2: "today's code scored the test rows with it, after its canary scores were reproduced",
    3: "the code at its tag scored the test rows",
    4: "the code at its tag scored the test rows, in the environment of its time",
}
REPRODUCE = """From the commit that holds this report:

    git checkout COMMIT
    uv sync
    uv run dvc pull      # data and models, where another machine made them
    uv run dvc repro     # only what changed runs
    git diff reports     # nothing: the same inputs give the same figures"""


LABELS = {
    "rule": "rule", "rule_at_prices": "rule at today's prices",
    "champion": "champion", "challenger": "challenger",
}  # fmt: skip
TONES = {model: "rule" if model == "rule_at_prices" else model for model in LABELS}


class Section(NamedTuple):
    """A heading, its Markdown, and an SVG that a page shows after the first paragraph."""

    heading: str
    text: str
    chart: str = ""


def escape(text: object) -> str:
    """Text that someone wrote as Markdown that shows just that; code spans stay code."""
    special = r"([\\*\[\]<&#|~$`]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))"
    parts = re.split(r"(`[^`|]+`)", " ".join(str(text).split()))
    return "".join(
        part if k % 2 else re.sub(special, r"\\\1", part) for k, part in enumerate(parts)
    )


def strip_markdown(text: str) -> str:
    """Markdown of this module as mere words, for a chart."""
    return re.sub(r"\\(.)|\*\*", r"\1", text)


def build_table(header: list[str], rows: Rows) -> str:
    """A Markdown table; below a heading that starts with `>`, aligned to the right."""
    marks = ["---:" if name.startswith(">") else "---" for name in header]
    lines: Rows = [[name.removeprefix(">") for name in header], [*marks], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def format_interval(metric: str, interval: Interval, currency: str = "") -> str:
    """An estimate with its interval: shares in percent, money whole, words for what is unknown."""
    if interval.estimate is None:
        return "no units"
    kind = load_metrics()[metric].form
    if kind == "money":
        return f"{currency} {interval.format(find_money_format(interval))}".lstrip()
    form = {"share": ".1%", "number": ",.3f"}[kind]
    return interval.format(lambda value: format(value, form))


def format_loss(loss: Interval) -> str:
    """A loss with its interval, with as many places as its size asks for."""
    size = max((abs(end) for end in loss if end is not None), default=0.0)
    places = 0 if size >= 1000 else 2 if size >= 10 else 4
    return loss.format(lambda value: f"{value:,.{places}f}")


def escape_units(brief: PricedBrief) -> tuple[str, str]:
    """The brief's words for one unit and for several, for Markdown."""
    return escape(brief.decision.unit), escape(brief.decision.units)


def build_dot(label: str, tone: str, interval: Interval, note: str = "") -> Dot:
    """An estimate with its interval, to be drawn."""
    return Dot(label, tone, *interval, note)


def present_verdict(brief: Brief, decision: Decision) -> Section:
    """The sentence, the verdict and what it means, the reasons."""
    text = f"{escape(decision.sentence)}\n\n> **{decision.verdict}** {explain_verdict(decision)}\n"
    if decision.reasons:
        text += ">\n" + "".join(f"> - {escape(reason)}\n" for reason in decision.reasons)
    return Section(escape(brief.title), text.rstrip())


def explain_verdict(decision: Decision) -> str:
    """What the verdict means, as the gain and the lines have it."""
    standing = find_standing(decision.gain.interval, decision.margin)
    if decision.verdict == "hold":
        return "The challenger must not take over. The champion stays in charge."
    if decision.verdict == "refresh":
        return f"{REFRESH[standing]} It may take over where someone asks for it."
    if decision.verdict == "unclear":
        return f"{UNCLEAR[standing]}, so the champion stays in charge."
    states = [line.state for line in decision.guardrails]
    if set(states) <= {"holds"}:
        return (
            f"{BETTER}, and {'every line' if states else 'every success line'} of the brief holds."
        )
    return (
        f"{BETTER}, and every success line of the brief holds. No guardrail is violated, but not "
        "every one is shown to hold either."
    )


def present_gain(brief: PricedBrief, decision: Decision, reports: Json) -> Section:
    """The gain at the brief's prices; while these are missing, at all prices."""
    metrics, data = reports["metrics"], reports["data"]
    if brief.value.is_known:
        return present_worth(brief, decision, metrics, data)
    points = price_map.read_points(metrics)
    name = "rule" if reports["comparison"]["champion"] == "rule" else "champion"
    words, header, rows = price_map.describe(points, escape(brief.decision.units), name)
    chart = price_map.draw(points, strip_markdown(words), brief.decision.units, name)
    notes = "\n".join(f"- {note}" for note in list_limits(brief, metrics, data))
    text = f"{words}\n\n{notes}\n\n{build_table(header, rows)}"
    return Section("At which prices it would be worth more", text, chart)


def present_worth(brief: PricedBrief, decision: Decision, metrics: Json, data: Json) -> Section:
    """The gain in money, for the brief's own period too, and the prices it rests on."""
    gain, currency = decision.gain.interval, brief.value.money
    words = describe_worth(brief, gain)
    header, prices = presentation.prices(brief)
    rows: Rows = [[escape(cell) for cell in row] for row in prices]
    titles = [re.sub("[^>].*", lambda name: escape(name[0]), name) for name in header]
    marks = [(-decision.margin, "margin"), (decision.worth_detecting or 0.0, "worth detecting")]
    gain_dot = build_dot("gain", "challenger", gain, format_interval(PRIMARY, gain, currency))
    visible_marks = [mark for mark in marks if mark[0]]
    chart = charts.draw_gain(strip_markdown(words), gain_dot, visible_marks, decision.gain.unit)
    notes = "\n".join(f"- {note}" for note in list_limits(brief, metrics, data))
    return Section(
        "What it would be worth", f"{words}\n\n{notes}\n\n{build_table(titles, rows)}", chart
    )


def describe_worth(brief: PricedBrief, gain: Interval) -> str:
    """The gain per 1,000 units and, where capacity comes once in a while, each time."""
    decision, currency = brief.decision, brief.value.money
    units, size = escape(decision.units), decision.out_of
    if gain.lower == gain.upper == 0:
        return f"The gain is exactly {currency} 0: challenger and champion do the same."
    words = "Against the champion, the challenger's gain would be worth "
    words += f"{format_interval(PRIMARY, gain, currency)} per 1,000 {units}."
    if decision.every and size:
        scaled = Interval(*(value and value * size / 1000 for value in gain))
        words += f" For {size:,} {units}, that is **{format_interval(PRIMARY, scaled, currency)} "
        words += f"every {escape(decision.every)}**."
    return words


def list_limits(brief: PricedBrief, metrics: Json, data: Json) -> list[str]:
    """What a gain rests on, and what it does not say."""
    notes = [
        presentation.judged_on(metrics["n"], metrics["positives"], escape(brief.decision.units)),
        f"In brackets: {metrics['confidence']:.0%} intervals.",
        "Nothing was measured live: this is what acting would have been worth at the prices below.",
    ]
    if not brief.value.is_known:
        notes += [
            "The intervals hold for all prices in the table at once. A gain is counted as "
            "though both prices added up to 1; which sign it has does not depend on that."
        ]
    if is_simulated(str(data["source"])):
        notes += ["**The data is simulated**: it shows how this works, not what you would gain."]
    if brief.review is not None:
        price = f"{brief.value.money} {format_amount(-brief.review)}"
        notes += [f"A review costs {price} and finds the truth."]
    return notes


def present_comparison(metrics: Json, comparison: Json, brief: PricedBrief) -> Section:
    """Every metric of rule, champion and challenger on the same units."""
    (unit, units), currency = escape_units(brief), brief.value.money
    champion, how = comparison["champion"], "the rule, which is today's code"
    if champion != "rule":
        how = f"{escape(champion)}: {COMPARED[comparison['compared_by']]}"
    models = ["rule", "rule_at_prices", "champion", "challenger"]
    left_out = {"champion"} if champion == "rule" else set()
    models = [model for model in models if model in metrics and model not in left_out]
    rows: Rows = []
    panels, notes = [], []
    for metric in metrics["challenger"]:
        words = load_metrics()[metric]
        known = {m: Interval(**metrics[m][metric]) for m in models if metric in metrics[m]}
        cells = [format_interval(metric, known[m], currency) if m in known else "" for m in models]
        rows.append([words.label, *cells])
        notes += [f"- *{words.label}*: {fill_units(words.meaning, unit, units)}"]
        title = f"{words.label}, {currency}" if currency and words.form == "money" else words.label
        dots = [build_dot(LABELS[m], TONES[m], interval) for m, interval in known.items()]
        panels.append(Panel(title, dots, words.form == "share"))
    text = f"All models were given the same {metrics['n']:,} {units}. The challenger is "
    text += f"{escape(comparison['challenger'])}, the champion is {how}. "
    text += f"{describe_rule(metrics, units, brief)}\n\n"
    text += (
        build_table(["metric", *(f">{LABELS[model]}" for model in models)], rows)
        + "\n\n"
        + "\n".join(notes)
    )
    sentence = "; ".join(f"{row[0]}: {', '.join(str(cell) for cell in row[1:])}" for row in rows)
    chart = charts.draw_panels("models", sentence, panels, columns=2)
    return Section("Champion against challenger", text, chart)


def describe_rule(metrics: Json, units: str, brief: PricedBrief) -> str:
    """What the rule is valued by, what a better threshold alone would have done, and whether the
    rule takes more than the brief has room for.
    """
    if not brief.value.is_known:
        return f"Prices are missing. {presentation.EVEN}"
    if not metrics.get("rule_decides"):  # what an older release wrote does not say
        return "The rule does not decide by itself: its probabilities go through today's prices."
    gain = Interval(**metrics["gain_over_rule_at_prices"])
    words = f"The rule is valued by {presentation.OWN}, as it is today; prices play no part in it. "
    words += f"The {LABELS['rule_at_prices']} is what the same rule would be worth if it acted as "
    words += "the challenger does. Over that, which needs no model, the challenger's gain is "
    words += f"{format_interval(PRIMARY, gain, brief.value.money)} per 1,000 {units}."
    room = metrics["capacity"]
    if room and room["rule_exceeds_in"]:
        words += (
            f" **The rule takes {room['rule_share']:.1%} of the {units}, and the brief has room "
        )
        words += f"for {room['share']:.1%}**: it is valued whole"
        every = f", though it takes more than that in {room['rule_exceeds_in']:,} of "
        every += f"{room['periods']:,} {escape(room['every'])}s"
        words += f"{every if room['every'] else ''}."
    return words


def present_actions(metrics: Json, comparison: Json, brief: PricedBrief) -> Section:
    """The share of units for which each model does what."""
    did = metrics.get("actions", {})
    left_out = "champion" if comparison["champion"] == "rule" else ""
    models = [model for model in LABELS if model in did and model != left_out]
    shares: dict[str, dict[str, float]] = {}
    for model in models:
        for part in did[model]:
            each = shares.setdefault(part["action"], dict.fromkeys(models, 0.0))
            each[model] += part["share"]
    rows: Rows = [
        [escape(name_action(action)), *(f"{share:.1%}" for share in each.values())]
        for action, each in sorted(shares.items())
    ]
    unit, units = escape_units(brief)
    table = build_table([f"for each {unit}", *(f">{LABELS[model]}" for model in models)], rows)
    text = f"Of {metrics['n']:,} {units}, the share for which each model does what.\n\n{table}"
    for action, each in shares.items():
        if each["challenger"] > 1 - 1e-9:
            why = presentation.explain_action(action, brief, metrics["n"])
            text += (
                f"\n\nThe challenger's action is the same for all of them, because {escape(why)}."
            )
    return Section("What each model does", text)


def present_causes(reports: Json, brief: PricedBrief) -> Section:
    """Where to look after a *hold*: slices and actions that cost most, the target in each part."""
    units, currency = escape(brief.decision.units), brief.value.money
    text = "Where the challenger does worst against the champion, and whether its target has moved."
    tables = [build_levels(reports["split"])]
    if brief.value.is_known:
        worst = build_worst_actions(reports["metrics"], units, currency)
        tables = [build_worst_slices(reports["slices"], brief), worst, *tables]
    return Section("What to look at", "\n\n".join([text, *tables]))


def build_worst_slices(sliced: Json, brief: PricedBrief, shown: int = 3) -> str:
    """The slices in which the challenger gains least, of those that can be judged."""
    parts = [part for column in sliced["segments"].values() for part in column if part["judged"]]
    if not brief.value.is_known:
        return "Prices are missing, so no slice is known to be worse than another."
    if not parts:
        return "No slice can be judged."
    parts.sort(key=lambda part: part["metrics"]["gain"]["estimate"])
    rows: Rows = []
    for part in parts[:shown]:
        gain = format_interval(PRIMARY, Interval(**part["metrics"]["gain"]), brief.value.money)
        rows.append([escape(part["slice"]), f"{part['n']:,}", gain])
    units = escape(brief.decision.units)
    return build_table(["worst slices", f">{units}", ">gain per 1,000"], rows)


def build_worst_actions(metrics: Json, units: str, currency: str, shown: int = 3) -> str:
    """What the challenger does, and what comes of it, that costs most against the champion."""
    worth: dict[tuple[str, str], dict[str, float]] = {}
    for model in ("champion", "challenger"):
        for part in metrics.get("actions", {}).get(model, []):
            each = worth.setdefault((part["action"], part["result"]), {})
            each[model], each[f"{model} share"] = part["value_per_1000"], part["share"]
    losses = {
        does: each.get("challenger", 0.0) - each.get("champion", 0.0)
        for does, each in worth.items()
    }
    rows: Rows = []
    format_money = find_money_format(losses.values())
    for does in sorted(losses, key=lambda does: (losses[does], does))[:shown]:
        if losses[does] < 0:
            shares = [
                worth[does].get(f"{model} share", 0.0) for model in ("champion", "challenger")
            ]
            words = [escape(word) for word in (name_action(does[0]), does[1]) if word]
            rows.append([": ".join(words), *(f"{share:.1%}" for share in shares)])
            rows[-1].append(f"{currency} {format_money(losses[does])}")
    if not rows:
        return "Nothing that the challenger does costs more than what the champion does."
    header = [f"costs most, of all {units}", ">champion", ">challenger", ">gain per 1,000"]
    return build_table(header, rows)


def build_levels(split: Json, shown: int = 6) -> str:
    """The level of the target in each part: what moved most from training to test rows first."""
    parts = {name: split[name].get("target", {}) for name in ("train", "validation", "test")}
    names = list(dict.fromkeys(name for levels in parts.values() for name in levels))
    train, test = parts["train"], parts["test"]
    names.sort(key=lambda name: -abs(test.get(name, 0.0) - train.get(name, 0.0)))
    form = "{:.1%}".format if target.LEVEL == "share" else format_number
    rows: Rows = [
        [escape(name), *(form(levels.get(name, 0.0)) for levels in parts.values())]
        for name in names[:shown]
    ]
    return build_table(["target", *(f">{name}" for name in parts)], rows)


def present_capacity(brief: PricedBrief, metrics: Json, curve: pl.DataFrame) -> Section:
    """What more or less of the scarce thing would be worth."""
    units, currency = escape(brief.decision.units), brief.value.money
    heading, sentence, label, shares, mark = presentation.capacity(brief, units)
    sentence += describe_periods(brief, metrics.get("capacity"))
    sentence += " The curve has no intervals: it shows where capacity matters, not surely how much."
    if metrics.get("rule_decides"):
        sentence += f" The curve of the rule is that of the {LABELS['rule_at_prices']}."
    lines = list_points(curve, "acted_share", PRIMARY)
    steps = curve["acted_share"].unique().to_list()
    format_money = find_money_format(curve[PRIMARY].to_list())
    rows: Rows = []
    for share in sorted({min(steps, key=lambda share: abs(share - x)) for x in [*shares, 1.0]}):
        worth = [f"{currency} {format_money(y[x.index(share)])}" for x, y in lines.values()]
        rows.append([f"{share:.0%}", *worth])
    labels = (strip_markdown(label), strip_markdown(f"{currency} per 1,000 {units}"))
    chart = charts.draw_curves("value", strip_markdown(sentence), lines, labels, mark=mark)
    text = f"{sentence}\n\n{build_table([label, *(f'>{model}' for model in lines)], rows)}"
    return Section(heading, text, chart)


def describe_periods(brief: PricedBrief, room: Json | None) -> str:
    """Within which periods capacity was kept, and why not within those of the brief."""
    every = brief.decision.every
    if room is None:
        return ""
    if room["every"]:
        return f" It is kept within each {escape(every)}, of which there are {room['periods']:,}."
    is_known = (every or "").lower() in PERIODS
    reason = "`contract.py` names no time" if is_known else "the brief says no `every`"
    if every and not is_known:
        reason = f"`every: {escape(every)}` is none of {', '.join(PERIODS)}"
    return f" It is kept over all {escape(brief.decision.units)} at once, because {reason}."


def list_points(curve: pl.DataFrame, x: str, y: str) -> dict[str, tuple[list[float], list[float]]]:
    """The points of one curve per model."""
    parts = curve.partition_by("model", as_dict=True, maintain_order=True)
    return {str(name): (part[x].to_list(), part[y].to_list()) for (name,), part in parts.items()}


def present_lines(decision: Decision, currency: str) -> Section:
    """Every success line and guardrail with its figure and its state."""
    rows: Rows = []
    states = set()
    for kind, judgements in (
        ("success line", decision.lines),
        ("guardrail", decision.guardrails),
    ):
        for line in judgements:
            rows.append([escape(line.line), kind, describe_judgement(line, currency), line.state])
            states |= {part.state for part in line.slices}
    if not rows:
        return Section("Success lines and guardrails", "The brief names none.")
    text = "What the brief asks for, and whether it holds.\n\n"
    text += build_table(["line", "kind", "found", "state"], rows) + "\n\n"
    text += "\n".join(f"- *{state}*: {STATES[state]}" for state in STATES if state in states)
    if not currency:
        text += (
            "\n- While prices are missing, no line decides: what models do will change with them."
        )
    return Section("Success lines and guardrails", text)


def describe_judgement(line: Judgement, currency: str) -> str:
    """The figure of one line; of many slices how many are in which state, and the worst by name."""
    if len(line.slices) == 1:
        return format_interval(line.metric, line.slices[0].interval, currency)
    states: dict[str, list[SliceResult]] = {state: [] for state in STATES}
    for part in line.slices:
        states[part.state].append(part)
    counts = [f"{len(states[k])} {k.replace('holds', 'hold')}" for k in STATES if states[k]]
    worst = states["violated"] or states["unclear"]
    words = [
        f"{escape(part.slice)} {format_interval(line.metric, part.interval, currency)}"
        for part in worst[:3]
    ]
    words += [f"{len(worst) - 3} more, see the slices"] if worst[3:] else []
    if line.state == "too few" and len(counts) > 1:
        words = [f"those judged hold {line.covered or 0:.0%} of the {presentation.FEW}", *words]
    return "; ".join([f"of {len(line.slices)} slices: {', '.join(counts) or 'none'}", *words])


def present_slices(sliced: Json, decision: Decision, brief: PricedBrief) -> Section:
    """The challenger in each slice, those not judged by name, guardrails slice by slice."""
    parts = [part for column in sliced["segments"].values() for part in column]
    if not parts:
        return Section("Slices", "`contract.py` names no segments, so no slice was looked at.")
    unjudged, n = list_unjudged(sliced), len(parts)
    words = f"{n - len(unjudged)} of {n} slices hold enough {presentation.FEW} to be judged."
    words += (
        f" **Not judged, because there are too few: {', '.join(unjudged)}.**" if unjudged else ""
    )
    judgements = [line for line in (*decision.guardrails, *decision.lines) if not line.is_overall]
    known = {part["slice"] for part in parts}
    together = [
        part.slice for line in judgements for part in line.slices if part.slice not in known
    ]
    if together:
        words += f" Small ones are judged together: {escape(', '.join(dict.fromkeys(together)))}."
    currency = brief.value.money
    panels = [draw_judgement(line) for line in judgements]
    if not panels and brief.value.is_known:
        panels = [draw_slices(parts, "gain", f"gain over the champion, {currency} per 1,000", 0)]
    elif not panels:
        metric = next(iter(parts[0]["metrics"]))
        panels = [draw_slices(parts, metric, load_metrics()[metric].label)]
    chart = charts.draw_panels("slices", strip_markdown(words), panels)
    return Section("Slices", f"{words}\n\n{build_table_of_slices(parts, judgements, brief)}", chart)


def draw_slices(parts: list[Json], metric: str, title: str, limit: float | None = None) -> Panel:
    """A metric of the challenger, or its gain, in each slice."""
    dots = [
        build_dot(part["slice"], "challenger", Interval(**part["metrics"][metric]))
        for part in parts
    ]
    return Panel(title, dots, metric != "gain" and load_metrics()[metric].form == "share", limit)


def draw_judgement(line: Judgement) -> Panel:
    """A line's slices against its limit."""
    dots = [
        build_dot(part.slice, part.state.replace(" ", "-"), part.interval, part.state)
        for part in line.slices
    ]
    share = load_metrics()[line.metric].form == "share"
    return Panel(line.line, dots, share, line.limit)


def build_table_of_slices(
    parts: list[Json], judgements: list[Judgement], brief: PricedBrief
) -> str:
    """Each slice with its units, the challenger's gain and metrics, and the states of its lines."""
    states: dict[str, list[str]] = {part["slice"]: [] for part in parts}
    for line in judgements:
        for result in line.slices:
            states.setdefault(result.slice, []).append(result.state)
    others = [metric for metric in parts[0]["metrics"] if metric not in ("gain", PRIMARY)]
    units, currency = escape(brief.decision.units), brief.value.money
    is_counted = any(part["positives"] != part["n"] for part in parts)
    rows: Rows = []
    for part in parts:
        intervals = {metric: Interval(**interval) for metric, interval in part["metrics"].items()}
        cells = [f"{part['positives']:,}"] if is_counted else []
        if currency:
            cells += [format_interval(PRIMARY, intervals["gain"], currency)]
        cells += [format_interval(metric, intervals[metric]) for metric in others]
        cells += [", ".join(dict.fromkeys(states[part["slice"]])) or "no line"]
        rows.append([escape(part["slice"]), f"{part['n']:,}", *cells])
    positive, gain = [">positive"] if is_counted else [], [">gain per 1,000"] if currency else []
    metrics = (f">{load_metrics()[metric].label}" for metric in others)
    return build_table(["slice", f">{units}", *positive, *gain, *metrics, "lines"], rows)


def list_unjudged(sliced: Json) -> list[str]:
    """The slices with too few units that tell."""
    parts = [part for column in sliced["segments"].values() for part in column]
    return [escape(part["slice"]) for part in parts if not part["judged"]]


def present_calibration(curve: pl.DataFrame, brief: PricedBrief) -> Section:
    """Whether predicted shares come true."""
    if curve.is_empty():
        return Section("Calibration", "No model does anything of which it gives a chance.")
    unit, units = escape_units(brief)
    p, observed, n = pl.col("mean_predicted"), pl.col("observed"), pl.col("n")
    distance = ((p - observed).abs() * n).sum() / n.sum()
    distances = curve.group_by("model", maintain_order=True).agg(distance).iter_rows()
    curve_words = presentation.CALIBRATION
    words = f"{fill_units(curve_words.sentence, unit, units)}. Mean distance from it: "
    words += ", ".join(f"{model} {100 * apart:.1f} points" for model, apart in distances) + "."
    part = curve.filter(model="challenger").select(p, observed, n)
    rows: Rows = [[f"{x:.1%}", f"{y:.1%}", f"{count:,}"] for x, y, count in part.iter_rows()]
    points = list_points(curve, "mean_predicted", "observed")
    chart = charts.draw_curves("calibration", words, points, curve_words.axes, diagonal=True)
    header = [curve_words.columns[0], f">{curve_words.columns[1]}", f">{units}"]
    return Section("Calibration", f"{words}\n\n{build_table(header, rows)}", chart)


def present_candidates(training: Json, seconds: Json) -> Section:
    """The models that were tried, those that lost among them, beside the rule; why others were not
    tried; and how far what judges them can be trusted.
    """
    models = [*training["candidates"], {"name": "rule"} | training["rule"]]
    words = {training["chosen"]: "chosen", "rule": "for comparison"}
    rows: Rows = []
    loss = training["loss"]
    for model in sorted(models, key=lambda model: model[loss]):
        name = model["name"]
        interval = Interval(model[loss], model[f"{loss}_lower"], model[f"{loss}_upper"])
        figure = format_loss(interval)
        duration = f"{seconds[name]:,.1f}" if name in seconds else ""
        rows.append([escape(name), figure, duration, words.get(name, "lost")])
    label = loss.replace("_", " ")
    text = f"The candidate with the lowest {label} on the validation rows became the challenger. "
    text += describe_luck(len(training["candidates"]))
    text += "In brackets: 95% intervals. Seconds were measured when it was first trained like this."
    text += "\n\n" + build_table(["candidate", f">{label}", ">seconds", "note"], rows)
    for model in training["not_tried"]:
        text += f"\n\n**Not tried: {escape(model['name'])}**, because {escape(model['why'])}."
    text += describe_calibration(training["calibration"])
    if training["yardstick"]:
        text += f"\n\n{escape(training['yardstick']['told'])}"
    return Section("Candidates tried", text)


def describe_luck(number: int) -> str:
    """What the lowest of so many losses says."""
    if number < MANY:
        return ""
    return (
        f"The lowest of {number:,} losses on the same rows is partly luck; the test rows, on which "
        "the challenger alone was judged, do not share it. "
    )


def describe_calibration(ways: list[Json]) -> str:
    """How the chosen candidate's probabilities fared without and with each way of calibration."""
    if not ways:
        return ""
    names = {"none": "none (before)"}
    rows: Rows = [
        [
            names.get(way["method"], way["method"]),
            f"{way['log_loss']:.4f}",
            f"{100 * way['apart']:.1f} points",
            f"{way['auc']:.3f}",
            "chosen" if way["chosen"] else "",
        ]
        for way in ways
    ]
    header = ["calibration", ">log loss", ">mean distance", ">lowest AUC", "note"]
    words = "Calibration of the chosen candidate, on validation rows it did not learn from: "
    words += "the simplest way within one standard error of the lowest log loss is taken, unless "
    words += "it orders a class worse."
    return f"\n\n{words}\n\n{build_table(header, rows)}"


def present_data(data: Json, split: Json) -> Section:
    """Rows, quarantine, split, the target's balance, columns."""
    n, gap = data["rows"], split["gap_rows"]
    sentence = f"Of {n['raw']:,} rows, {n['valid']:,} keep the contract and {n['quarantined']:,} "
    text = [sentence + f"({data['quarantine_share']:.2%}) are in quarantine."]
    if data["reasons"]:
        reasons: Rows = [
            [escape(reason), f"{count:,}"] for reason, count in data["reasons"].items()
        ]
        text.append(build_table(["why in quarantine", ">rows"], reasons))
    if n["quarantined"]:
        text.append(describe_quarantine(split))
    if rules := data["rules_on_target"]:
        named = "; ".join(f"{escape(name)}: {escape(reason)}" for name, reason in rules.items())
        text.append(f"Rules of the contract that read the target, and why they may: {named}.")
    if entity := data["entities"]:
        again = f"{entity['recurring']:,} of them in more than one row"
        text.append(f"{escape(entity['column'])}: {entity['distinct']:,} distinct, {again}.")
    rows: Rows = []
    for name in ("train", "validation", "test"):
        part = split[name]
        rows.append([name, f"{part['rows']:,}", part.get("first", ""), part.get("last", "")])
    rows += [["gap (target not known in time)", f"{gap:,}", "", ""]] if gap else []
    text.append(build_table([f"split by {split['by']}", ">rows", "first", "last"], rows))
    text += describe_telling(split)
    text.append(build_levels(split))
    header, balance = presentation.shares(data["target"])
    text.append(build_table(header, [[escape(name), *cells] for name, *cells in balance]))
    columns: Rows = []
    for column in data["columns"]:
        cells = [
            column["dtype"],
            f"{column['null_share']:.1%}",
            describe_column(column, n["valid"]),
        ]
        columns.append([escape(column["name"]), *cells])
    text.append(build_table(["column", "type", ">missing", "values"], columns))
    if data["unused"]:
        unused = ", ".join(escape(name) for name in data["unused"])
        text.append(f"In the source but not in the contract: {unused}.")
    return Section("Data quality", "\n\n".join(text))


def describe_quarantine(split: Json, shown: int = 6) -> str:
    """Which part the quarantined rows are missing from, and what their target looks like."""
    rows: Rows = []
    for part, content in split["quarantine"].items():
        kept = content["target_kept"]
        values = [
            f"{escape(name)} {value:,.6g}" + (f" ({kept[name]:,.6g})" if name in kept else "")
            for name, value in content["target"].items()
        ]
        values[shown:] = [f"{len(values) - shown} more"] if values[shown:] else []
        rows.append([part, f"{content['rows']:,}", f"{content['share']:.2%}", ", ".join(values)])
    words = "The part that they would belong to, and their target (in brackets: of those kept)."
    header = ["part", ">in quarantine", ">of its rows", "target"]
    return f"{words}\n\n{build_table(header, rows)}\n\n{describe_missing(split)}"


def describe_missing(split: Json) -> str:
    """How much of the test part is in quarantine, and whether that is more than of the training
    part by more than chance explains (three standard errors).
    """
    test, train = (split["quarantine"].get(part, {"rows": 0}) for part in ("test", "train"))
    taken, n = test["rows"], test["rows"] + split["test"]["rows"]
    others, m = train["rows"], train["rows"] + split["train"]["rows"]
    both = (taken + others) / (n + m)
    error = (both * (1 - both) * (1 / n + 1 / m)) ** 0.5
    words = f"Of the test part, {taken / n:.2%} are in quarantine; of the training part, "
    words += f"{others / m:.2%}."
    if taken / n - others / m > 3 * error:
        words += " **That is more than chance explains: look at which rows these are.**"
    return words


def describe_telling(split: Json) -> list[str]:
    """How many units of the test part can tell, and where there are too few, which share would hold
    enough.
    """
    counts = [f"{each['test']:,} `{each['group']}`" for each in split["telling"][:MOST]]
    words = [f"The test part holds {', '.join(counts)}."] if counts else []
    return words + [f"**{escape(words)}.**" for words in split["too_few"]]


def describe_column(column: Json, rows: int) -> str:
    """What a column holds, in a few words; nothing of a personal one."""
    if column["personal"]:
        return "personal, not shown"
    if counts := column.get("values"):
        most = sorted(counts, key=counts.__getitem__, reverse=True)
        more = f", {len(most) - 6} more" if most[6:] else ""
        return ", ".join(f"{escape(name)} {counts[name] / rows:.0%}" for name in most[:6]) + more
    ends = [column[key] for key in ("minimum", "maximum") if column.get(key) is not None]
    words = " to ".join(end if isinstance(end, str) else format_number(end) for end in ends)
    words += f", mean {format_number(column['mean'], 4)}" if column.get("mean") is not None else ""
    return words or f"{column.get('distinct', 0):,} distinct"


def present_leaks(training: Json) -> Section:
    """Features that alone give the target away, the strongest ones, and what was not checked."""
    limit = f"{presentation.POWER} {training['leak_auc']:g}"
    leaks, strongest = training["leaks"], training["strongest"]
    words = f"These features alone reach {limit}: they know the target, or `contract.py` says why "
    words += "not." if leaks else ""
    if not leaks and any(each["auc"] is not None for each in strongest):
        words = f"None of the features that were checked reaches {limit} alone."
    elif not leaks:
        words = "No feature could be checked."
    for group in training["not_checked"]:
        words += f" **{escape(group['group'])}: not checked: {group['rows']:,} positives.**"
    shown = leaks + [each for each in strongest if each not in leaks]
    rows: Rows = []
    for each in shown:
        figure = "not checked" if each["auc"] is None else f"{each['auc']:.3f}"
        why = escape(each["meant"] or "")
        why = why or ("**no reason given, so the decision is hold**" if each in leaks else "")
        rows.append([escape(each["feature"]), figure, escape(each["tells"]), why])
    header = ["strongest features", f">{presentation.POWER}", "tells", "why it is meant"]
    return Section("Suspected leaks", f"{words}\n\n{build_table(header, rows)}")


def present_card(brief: PricedBrief, card: Json, data: Json, sliced: Json) -> Section:
    """What the challenger is for, who answers for it, what it was made from and where it ends."""
    goal, decision, link = brief.outcome, brief.decision, "in [the brief](../project-brief.md"
    otherwise = decision.otherwise or "nothing"
    room = f", at most {decision.at_most:,} " if decision.at_most else ""
    room += decision.of or (f"of {decision.out_of:,}" if room else "")
    room += f" every {decision.every}" if decision.every else ""
    personal = [column["name"] for column in data["columns"] if column["personal"]]
    seen = [name for name in personal if name in card["features"]]
    until = f" until {card['trained_until']}" if card["trained_until"] else ""
    facts = {
        "outcome": f"{goal.metric}: {format_number(goal.today)} today, "
        f"{format_number(goal.target)} wanted"
        if goal
        else "not given",
        "decision": f"{' or '.join([*decision.actions, otherwise])}, for each "
        f"{decision.unit}{room}",
        "answers for it": brief.owner or "nobody yet",
        "sponsor": brief.sponsor or "nobody yet",
        "model": card["name"],
        "trained on": f"{card['trained_on']:,} rows{until}",
        "features": ", ".join(card["features"]),
        "personal columns": ", ".join(personal) or "none",
        "of these, features": ", ".join(seen) or "none by name",
        "risk": "high: a person decides every case" if brief.risk == "high" else brief.risk,
        "review by": brief.review_by or "no date yet",
    }
    rows: Rows = [[name, escape(fact)] for name, fact in facts.items()]
    rows.append(["slices not judged", ", ".join(list_unjudged(sliced)) or "none"])
    rows.append(["users", f"{link}#users)"])
    rows.append(["wrong answers", f"how they are handled is {link}#how-wrong-answers-are-handled)"])
    return Section("Model card", build_table(["about", "the challenger"], rows))


def present_origin(card: Json) -> Section:
    """The commands that give the same figures, and what they were made from."""
    hashes = {f"{part} rows": digest for part, digest in card["rows"].items()}
    hashes |= {f"{name}.py": digest for name, digest in card["sources"].items()}
    versions = ", ".join(f"{name} {version}" for name, version in card["libraries"].items())
    rows: Rows = [[name, f"`{digest[:12]}`"] for name, digest in hashes.items()]
    text = f"{REPRODUCE}\n\nMade with {versions}.\n\n"
    return Section(
        "How to reproduce", text + build_table(["made from", "SHA-256 begins with"], rows)
    )


def build_sections(
    brief: PricedBrief,
    decision: Decision,
    reports: Json,
    card: Json,
    calibrated: pl.DataFrame,
    valued: pl.DataFrame,
) -> list[Section]:
    """All sections, in the order in which people ask; `reports` holds the stages' JSON by name."""
    data, metrics, training = (reports[name] for name in ("data", "metrics", "training"))
    sliced, seconds = reports["slices"], reports["seconds"]["seconds"]
    return [
        present_verdict(brief, decision),
        *([present_causes(reports, brief)] if decision.verdict == "hold" else []),
        present_gain(brief, decision, reports),
        present_comparison(metrics, reports["comparison"], brief),
        present_actions(metrics, reports["comparison"], brief),
        *([present_capacity(brief, metrics, valued)] if brief.value.is_known else []),
        present_lines(decision, brief.value.money),
        present_slices(sliced, decision, brief),
        present_calibration(calibrated, brief),
        present_candidates(training, seconds),
        present_data(data, reports["split"]),
        present_leaks(training),
        present_card(brief, card, data, sliced),
        present_origin(card),
    ]


def render_markdown(sections: list[Section]) -> str:
    """All sections as one Markdown document."""
    first, *others = (f"# {section.heading}\n\n{section.text}\n" for section in sections)
    return "\n#".join([first, *others])


PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body class="{verdict}">
<main>
{body}</main>
</body>
</html>
"""


DRESSED = [  # what the style sheet needs: states, intervals on their own line, tables that scroll
    (r"<td>(holds|violated|unclear|too few)</td>", r'<td><b class="\1">\1</b></td>'),
    (r'(<td style="[^"]*">)([^<(]+) (\([^<)]+\))<', r"\1\2 <i>\3</i><"),
    (r"<table>(.*?)</table>", r'<div class="scroll" tabindex="0"><table>\1</table></div>'),
]


def render_page(sections: list[Section], verdict: str) -> str:
    """The same sections as one HTML page that needs nothing else, in the colours of its verdict."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    body = ""
    for section in sections:
        first, _, rest = section.text.partition("\n\n")
        figure = f"<figure>{section.chart}</figure>\n" if section.chart else ""
        part = reader.render(first) + figure + reader.render(rest)
        for bare_html, dressed in DRESSED:
            part = re.sub(bare_html, dressed, part, flags=re.DOTALL)
        rank = "h2" if body else "h1"
        heading = reader.renderInline(section.heading)
        body += f"<section>\n<{rank}>{heading}</{rank}>\n{part}</section>\n"
    title = html.escape(strip_markdown(sections[0].heading))
    return PAGE.format(title=title, style=read_style(), verdict=verdict, body=body)
