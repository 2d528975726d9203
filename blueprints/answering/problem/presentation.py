"""Words and tables about an answering problem, for decision and report."""

from .outcomes import PricedBrief
from .target import HAND_OVER
from .words import Capacity, Curve, describe_price, format_amount

FEW = "units"
"""What there must be enough of for a figure to be sure."""

POWER = "AUC"
"""What the power of a feature is measured as."""

EVEN, MAP = "", ("", "")
"""Nothing: here prices are never missing."""

OWN = "its own answers"
"""What the rule is valued by where it decides by itself."""

CALIBRATION = Curve(
    "Of answers given a chance of 80%, 80% should be right (the diagonal)",
    ("chance of being right given", "share that is right"),
    ("challenger's chance", "right"),
)


def capacity(brief: PricedBrief, units: str) -> Capacity:
    """What the value curve shows, for the report."""
    most, of = brief.decision.at_most, brief.decision.out_of
    return Capacity(
        "What it would be worth to answer more or less",
        f"If the {units} of which a model is surest were answered, and a person answered the "
        f"others at {brief.value.currency} {format_amount(-brief.value.handed_over)} each.",
        f"share of {units} answered without a person",
        [0.25, 0.5, 0.75],
        (most / of, "at most, says the brief") if most and of else None,
    )


def shares(target: dict[str, int]) -> tuple[list[str], list[list[str]]]:
    """What `summarize` found, as a table: header and rows."""
    rows = sum(target.values())
    return ["target", ">rows", ">share"], [
        [name, f"{count:,}", f"{count / rows:.1%}"] for name, count in target.items()
    ]


def judged_on(n: int, positives: int, units: str) -> str:
    """The units that the gain was judged on."""
    return f"Judged on {n:,} held-out {units}."


def prices(brief: PricedBrief) -> tuple[list[str], list[list[str]]]:
    """The brief's prices as a table: header and rows."""
    value = brief.value
    money, call = value.currency, value.call
    worth = {
        "a right answer": value.right,
        "a wrong answer": value.wrong,
        f"to {brief.decision.otherwise or HAND_OVER}": value.handed_over,
    }
    rows = [[name, f"{money} {format_amount(price)}"] for name, price in worth.items()]
    paid = "what was paid for it" if call == "measured" else f"{money} {format_amount(call)}"
    return [f"for each {brief.decision.unit}", ">worth"], [*rows, ["a call", paid]]


def in_words(brief: PricedBrief) -> str:
    """The decision and its prices in one clause: `answer each question where that pays, else …`."""
    decision, value = brief.decision, brief.value
    otherwise, money = decision.otherwise or HAND_OVER, value.currency
    most = ""
    if decision.at_most is not None:
        most = f", at most {decision.at_most:,} of {decision.out_of:,}"
    return (
        f"{decision.action} each {decision.unit} where that pays{most}, {otherwise} the others; "
        f"a right answer {describe_price(value.right, money)}, a wrong one "
        f"{describe_price(value.wrong, money)}, to {otherwise} "
        f"{describe_price(value.handed_over, money)}"
    )


def explain_action(action: str, brief: PricedBrief, n: int) -> str:
    """Why a model does the same for every one of `n` units."""
    decision = brief.decision
    if action == decision.action:
        return f"each answer is sure enough at these prices to {decision.action}"
    if brief.risk == "high":
        return "with risk: high a person answers always"
    if decision.capacity(n) == 0:
        return f"at most {decision.at_most:,} of {decision.out_of:,} is none of {n:,}"
    return "no answer is sure enough at these prices to be sent"
