"""Words and tables about a classification problem, for decision and report."""

from .outcomes import NOTHING, REVIEW, PricedBrief
from .words import Capacity, Curve, format_amount, join_words

MOST = 3
"""The most prices that a sentence names one by one."""

FEW = "positive units"
"""What there must be enough of for a figure to be sure."""

POWER = "AUC"
"""What the power of a feature is measured as."""

EVEN = (
    "Each model acts as though a wrong action cost what a right one earns: where right is likelier "
    "than wrong, as far as there is capacity. What the rule decides by itself is taken as it is."
)
"""What models do while prices are missing."""

MAP = ("a wrong action costs", "what a right one earns")
"""The ratio of prices on which it depends which model is worth more."""

OWN = "its own list"
"""What the rule is valued by where it decides by itself."""

CALIBRATION = Curve(
    "Where 10% is predicted, 10% should be positive (the diagonal)",
    ("predicted share of positive", "observed share"),
    ("challenger predicts", "observed"),
)


def capacity(brief: PricedBrief, units: str) -> Capacity:
    """What the value curve shows, for the report."""
    most, of = brief.decision.at_most, brief.decision.out_of
    sentence, shares, mark = (
        f"The brief sets no limit on how many {units} are acted on.",
        [0.25, 0.5],
        None,
    )
    if most and of:
        now = most / of
        sentence = f"The brief has capacity for {most:,} of {of:,} {units} ({now:.1%})."
        shares, mark = [now / 2, now, min(2 * now, 1)], (now, "capacity today")
    heading = "What more or less capacity would be worth"
    return Capacity(heading, sentence, f"capacity, share of {units}", shares, mark)


def shares(target: dict[str, int]) -> tuple[list[str], list[list[str]]]:
    """What `summarize` found, as a table: header and rows."""
    rows = sum(target.values())
    return ["target", ">rows", ">share"], [
        [name, f"{count:,}", f"{count / rows:.1%}"] for name, count in target.items()
    ]


def judged_on(n: int, positives: int, units: str) -> str:
    """The units that the gain was judged on."""
    return (
        f"Judged on {n:,} held-out {units}, {positives:,} of them positive: "
        "acting on those is worth more than doing nothing."
    )


def prices(brief: PricedBrief) -> tuple[list[str], list[list[str]]]:
    """The brief's prices as a table: header (`>`: to the right) and rows."""
    value = brief.value
    header = ["against doing nothing", *(f">{c}" for c in next(iter(value.actions.values())))]
    return header, [
        [action, *(f"{value.currency} {format_amount(price)}" for price in priced.values())]
        for action, priced in value.actions.items()
    ]


def in_words(brief: PricedBrief) -> str:
    """The decision and its prices in one clause: `call at most 400 of 5,000 customers every week;
    to call earns …`.
    """
    decision, value = brief.decision, brief.value
    words = " or ".join(decision.actions)
    if decision.at_most is not None:
        words += f" at most {decision.at_most:,} of {decision.out_of:,} {decision.units}"
        words += f" every {decision.every}" if decision.every else ""
    else:
        words += f" each {decision.unit} where that pays"
    for action in decision.actions:
        prices = value.actions[action]
        worth = describe_prices(prices, value.currency) if value.is_known else describe_aim(prices)
        words += f"; to {action} {worth}"
    if value.review is not None:
        words += "; a person decides where that is worth more"
    return words


def describe_aim(prices: dict[str, float]) -> str:
    """For which classes an action is right and for which it is wrong, whatever that is worth."""
    parts = []
    for word, sign in (("right", 1), ("wrong", -1)):
        names = [name for name, price in prices.items() if sign * price > 0]
        more = [f"{len(names) - MOST} more"] if names[MOST:] else []
        parts += [f"{word} for {join_words([*names[:MOST], *more])}"] if names else []
    return f"is {join_words(parts)}"


def describe_prices(prices: dict[str, float], currency: str) -> str:
    """What an action is worth, class by class: `earns GBP 40 (leaves) and costs GBP 5 (stays)`."""
    parts = []
    for verb, sign in (("earns", 1), ("costs", -1)):
        amounts = sorted({sign * price for price in prices.values() if sign * price > 0})
        classes = {a: [name for name in prices if sign * prices[name] == a] for a in amounts}
        each = [f"{format_amount(a)} ({', '.join(classes[a])})" for a in reversed(amounts)]
        if len(each) > MOST:
            each = [f"{format_amount(amounts[0])} to {format_amount(amounts[-1])}, by class"]
        parts += [f"{verb} {currency} {join_words(each, 'or')}"] if each else []
    nothing = [name for name, price in prices.items() if price == 0]
    parts += [f"earns nothing ({', '.join(nothing)})"] if nothing else []
    return join_words(parts)


def explain_action(action: str, brief: PricedBrief, n: int) -> str:
    """Why a model does the same for every one of `n` units."""
    decision = brief.decision
    prices = "these prices" if brief.value.is_known else "equal prices of right and wrong"
    if action == REVIEW and brief.risk == "high":
        return "with risk: high a person decides every case"
    if action == REVIEW:
        return "a review is expected to be worth more than any action without one"
    if action == NOTHING and decision.capacity(n) == 0:
        return f"at most {decision.at_most:,} of {decision.out_of:,} is none of {n:,}"
    if action == NOTHING:
        return f"at {prices} nothing that could be done for any {decision.unit} is expected to pay"
    return f"at {prices} to {action} is expected to pay for each of them"
