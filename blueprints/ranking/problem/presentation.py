"""Words and tables about a ranking problem, for decision and report."""

from .outcomes import NOTHING, PricedBrief
from .words import Capacity, Curve, describe_price, format_amount, join_words

FEW = "units with an event"
"""What there must be enough of for a figure to be sure."""

POWER = "power"
"""What the power of a feature is measured as."""

EVEN, MAP = "", ("", "")
"""Nothing: here prices are never missing."""

OWN = "its own order"
"""What the rule is valued by where it decides by itself."""

CALIBRATION = Curve(
    "Of what is shown with a chance of 10%, 10% should be wanted (the diagonal), per {unit}",
    ("chance of what is shown, mean", "share wanted"),
    ("challenger predicts", "observed"),
)


def capacity(brief: PricedBrief, units: str) -> Capacity:
    """What the value curve shows, for the report."""
    return Capacity(
        f"What it would be worth in some {units} only",
        f"If a list were shown only in those {units} in which it is expected to earn most.",
        f"share of {units} with a list",
        [0.2, 0.4, 0.6, 0.8],
        None,
    )


def shares(target: dict[str, int]) -> tuple[list[str], list[list[str]]]:
    """What `summarize` found, as a table: header and rows."""
    events = sum(target.values())
    return ["wanted", ">events", ">share"], [
        [name, f"{count:,}", f"{count / events:.1%}"] for name, count in target.items()
    ]


def judged_on(n: int, positives: int, units: str) -> str:
    """The units that the gain was judged on, and which side their record favours."""
    return (
        f"Judged on {n:,} held-out {units}, {positives:,} of them with an event. A list that was "
        "shown while they were recorded is favoured: who wanted anything else had to search for it "
        "or left no trace. Only a live experiment tells what other lists earn."
    )


def prices(brief: PricedBrief) -> tuple[list[str], list[list[str]]]:
    """The brief's prices as a table: header and rows."""
    value = brief.value
    rows = [
        [f"shown and wanted: {kind}", f"{value.currency} {format_amount(price)}"]
        for kind, price in value.events.items()
    ]
    rows += [
        ["each one shown", f"{value.currency} {format_amount(value.shown)}"],
        ["who looks at one place and looks at the next", f"{value.noticed:.0%}"],
    ]
    return ["against showing nothing", ">price"], rows


def in_words(brief: PricedBrief) -> str:
    """The decision and its prices in one clause: `show at most 5 brands for each visit; …`."""
    decision, value = brief.decision, brief.value
    words = f"{decision.action} at most {decision.at_most:,} {decision.of} for each "
    words += f"{decision.unit}; one that is wanted earns {value.currency} "
    words += join_words(
        (f"{format_amount(price)} ({kind})" for kind, price in value.events.items()), "or"
    )
    if not value.shown:
        return words
    return f"{words}, each one that is shown {describe_price(value.shown, value.currency)}"


def explain_action(action: str, brief: PricedBrief, n: int) -> str:
    """Why a model does the same for every one of `n` units."""
    if action == NOTHING:
        return "at these prices nothing is expected to be worth its place on a list"
    return (
        f"at these prices something is expected to be worth its place in each {brief.decision.unit}"
    )
