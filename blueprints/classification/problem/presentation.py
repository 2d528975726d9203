"""Words and tables about a classification problem, for decision and report."""

from .outcomes import PricedBrief
from .words import Capacity, Curve

FEW = "positive units"
"""What there must be enough of for a figure to be sure."""

POWER = "AUC"
"""What the power of a feature is measured as."""

OWN = "its own list"
"""What the rule is valued by where it decides by itself."""

CALIBRATION = Curve(
    "Where 10% is predicted, 10% should be positive (the diagonal)",
    ("predicted share of positive", "observed share"),
    ("challenger predicts", "observed"),
)


def capacity(brief: PricedBrief, unit: str) -> Capacity:
    """What the value curve shows, for the report."""
    most, of = brief.decision.at_most, brief.decision.out_of
    sentence, shares, mark = (
        f"The brief sets no limit on how many {unit}s are acted on.",
        [0.25, 0.5],
        None,
    )
    if most and of:
        now = most / of
        sentence = f"The brief has capacity for {most:,} of {of:,} {unit}s ({now:.1%})."
        shares, mark = [now / 2, now, min(2 * now, 1)], (now, "capacity today")
    heading = "What more or less capacity would be worth"
    return Capacity(heading, sentence, f"capacity, share of {unit}s", shares, mark)


def shares(target: dict[str, int]) -> tuple[list[str], list[list[str]]]:
    """What `summarize` found, as a table: header and rows."""
    rows = sum(target.values())
    return ["target", ">rows", ">share"], [
        [name, f"{count:,}", f"{count / rows:.1%}"] for name, count in target.items()
    ]


def judged_on(n: int, positives: int, unit: str) -> str:
    """The units that the gain was judged on."""
    return (
        f"Judged on {n:,} held-out {unit}s, {positives:,} of them positive: "
        "acting on those is worth more than doing nothing."
    )


def prices(brief: PricedBrief) -> tuple[list[str], list[list[str]]]:
    """The brief's prices as a table: header (`>`: to the right) and rows."""
    value = brief.value
    header = ["against doing nothing", *(f">{c}" for c in next(iter(value.actions.values())))]
    return header, [
        [action, *(f"{value.currency} {price:,g}" for price in priced.values())]
        for action, priced in value.actions.items()
    ]


def in_words(brief: PricedBrief) -> str:
    """The decision and its prices in one clause: `call at most 400 of 5,000 customers a week; a
    right call …`.
    """
    decision, value = brief.decision, brief.value
    words = " or ".join(decision.actions)
    if decision.at_most is not None:
        words += f" at most {decision.at_most:,} of {decision.out_of:,} {decision.unit}s"
        words += f" a {decision.every}" if decision.every else ""
    else:
        words += f" each {decision.unit} for whom it pays"
    for action in decision.actions:
        prices = value.actions[action].values()
        right, wrong = max(prices), -min(prices)
        words += (
            f"; a right {action} earns {value.currency} {right:,g}, a wrong one costs {wrong:,g}"
        )
    return words
