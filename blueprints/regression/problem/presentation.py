"""Words and tables about a regression problem, for decision and report."""

from .outcomes import PricedBrief
from .words import Capacity, Curve

FEW = "units"
"""What there must be enough of for a figure to be sure."""

POWER = "share of pairs in the right order"
"""What the power of a feature is measured as."""

OWN = "its own answers"
"""What the rule is valued by where it decides by itself."""

CALIBRATION = Curve(
    "Below a percentile should lie its share of the {unit}s (the diagonal)",
    ("percentile given", "share below it"),
    ("challenger's percentile", "below it"),
)


def capacity(brief: PricedBrief, unit: str) -> Capacity:
    """What the value curve shows, for the report."""
    review, currency = brief.value.review, brief.value.currency
    sentence = f"If a person decided the {unit}s of which the model is least sure"
    sentence += f", at {currency} {-review:,g} each." if review else ", and that cost nothing."
    return Capacity(
        "What it would be worth to ask a person more often",
        sentence,
        f"share of {unit}s that are answered without a person",
        [0.5, 0.75, 0.9],
        None,
    )


def shares(target: dict[str, float]) -> tuple[list[str], list[list[str]]]:
    """What `summarize` found, as a table: header and rows."""
    return ["target", ">value"], [[name, f"{value:,.6g}"] for name, value in target.items()]


def judged_on(n: int, positives: int, unit: str) -> str:
    """The units that the gain was judged on."""
    return f"Judged on {n:,} held-out {unit}s."


def prices(brief: PricedBrief) -> tuple[list[str], list[list[str]]]:
    """The brief's prices as a table: header and rows."""
    value = brief.value
    money = value.currency
    rows = [
        ["an answer too high, for each 1", f"{money} {value.per_unit_too_high:,g}"],
        ["an answer too low, for each 1", f"{money} {value.per_unit_too_low:,g}"],
        ["either way, up to this", f"{value.free_within:,g} free"],
    ]
    return ["against knowing the truth", ">price"], rows


def in_words(brief: PricedBrief) -> str:
    """The decision and its prices in one clause: `offer for each car; each 1 too high costs …`."""
    decision, value = brief.decision, brief.value
    free = f" beyond {value.free_within:,g}" if value.free_within else ""
    words = f"{decision.action} for each {decision.unit}; each 1 too high costs "
    words += f"{value.currency} {-value.per_unit_too_high:,g}, each 1 too low "
    words += f"{-value.per_unit_too_low:,g},{free}" if free else f"{-value.per_unit_too_low:,g}"
    if value.review is not None:
        most = ""
        if decision.at_most is not None:
            most = f" at most {decision.at_most:,} of {decision.out_of:,}"
        words += f"; a person decides{most} where that is cheaper"
    return words
