"""Words and tables about a regression problem, for decision and report."""

from .outcomes import NOTHING, REVIEW, PricedBrief
from .words import (
    Capacity,
    Curve,
    describe_price,
    format_amount,
    format_number,
)

FEW = "units"
"""What there must be enough of for a figure to be sure."""

POWER = "share of pairs in the right order"
"""What the power of a feature is measured as."""

EVEN = (
    "Each model answers as though too high cost what too low costs: with its median. What the rule "
    "answers by itself is taken as it is."
)
"""What models do while prices are missing."""

MAP = ("each 1 too high costs", "what each 1 too low costs")
"""The ratio of prices on which it depends which model is worth more."""

OWN = "its own answers"
"""What the rule is valued by where it decides by itself."""

CALIBRATION = Curve(
    "Below a percentile should lie its share of the {unit}s (the diagonal)",
    ("percentile given", "share below it"),
    ("challenger's percentile", "below it"),
)


def capacity(brief: PricedBrief, units: str) -> Capacity:
    """What the value curve shows, for the report."""
    review, currency = brief.value.review, brief.value.currency
    sentence = f"If a person decided the {units} of which the model is least sure"
    sentence += (
        f", at {currency} {format_amount(-review)} each." if review else ", and that cost nothing."
    )
    return Capacity(
        "What it would be worth to ask a person more often",
        sentence,
        f"share of {units} that are answered without a person",
        [0.5, 0.75, 0.9],
        None,
    )


def shares(target: dict[str, float]) -> tuple[list[str], list[list[str]]]:
    """What `summarize` found, as a table: header and rows."""
    return ["target", ">value"], [[name, format_number(value)] for name, value in target.items()]


def judged_on(n: int, positives: int, units: str) -> str:
    """The units that the gain was judged on."""
    return f"Judged on {n:,} held-out {units}."


def prices(brief: PricedBrief) -> tuple[list[str], list[list[str]]]:
    """The brief's prices as a table: header and rows."""
    value = brief.value
    money = value.currency
    rows = [
        ["an answer too high, for each 1", f"{money} {format_amount(value.per_unit_too_high)}"],
        ["an answer too low, for each 1", f"{money} {format_amount(value.per_unit_too_low)}"],
        ["either way, up to this", f"{format_number(value.free_within)} free"],
    ]
    return ["against knowing the truth", ">price"], rows


def in_words(brief: PricedBrief) -> str:
    """The decision and its prices in one clause: `say what to offer for each car; each 1 too high
    costs …`.
    """
    decision, value = brief.decision, brief.value
    words = f"say what to {decision.action} for each {decision.unit}; "
    if not value.is_known:
        return f"{words}what each 1 too high or too low costs is not known"
    words += "each 1 too high "
    words += f"{describe_price(value.per_unit_too_high, value.currency)}, each 1 too low "
    words += describe_price(value.per_unit_too_low, value.currency)
    words += f", the first {format_number(value.free_within)} are free" if value.free_within else ""
    if value.review is not None:
        most = ""
        if decision.at_most is not None:
            most = f" at most {decision.at_most:,} of {decision.out_of:,}"
        words += f"; a person decides{most} where that is cheaper"
    return words


def explain_action(action: str, brief: PricedBrief, n: int) -> str:
    """Why a model does the same for every one of `n` units."""
    if action == REVIEW and brief.risk == "high":
        return "with risk: high a person decides every case"
    if action == REVIEW:
        return "a review costs less than the error that is expected of any answer"
    if action == NOTHING:
        return "there is no answer to give"
    if brief.value.review is None:
        return "the brief has no review"
    return "every answer is expected to cost less than a review"
