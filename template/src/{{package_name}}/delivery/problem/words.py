"""Words and numbers as people write them, and what a report says of a problem's curves."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import NamedTuple


def format_number(value: float, digits: int = 6) -> str:
    """`1,234,567`, `0.12`, `5.3`: at most so many digits after those of the whole number."""
    if abs(value) >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{Decimal(f'{value + 0.0:.{digits}g}'):,f}"


def format_amount(value: float) -> str:
    """An amount of money: `40`, `0.30`, `1,250,000`, `0.005`."""
    if round(value, 2) != value:
        return format_number(value)
    return f"{value + 0.0:,.0f}" if value == int(value) else f"{value:,.2f}"


def find_money_format(amounts: Iterable[float | None]) -> Callable[[float], str]:
    """How to write amounts that stand together: whole from 20 on, else with two places."""
    largest = max((abs(amount) for amount in amounts if amount is not None), default=0.0)
    places = 0 if largest >= 20 or largest == 0 else 2
    return lambda amount: f"{round(amount, places) + 0.0:,.{places}f}"


def fill_units(text: str, unit: str, units: str) -> str:
    """A text with the brief's words for `{unit}` and for several of them, `{unit}s`."""
    return text.replace("{unit}s", "{units}").format(unit=unit, units=units)


def name_action(action: str) -> str:
    """What a model does for a unit, in words."""
    return {"none": "nothing", "review": "a person decides"}.get(action, action)


def join_words(words: Iterable[str], last: str = "and") -> str:
    """`a, b and c`."""
    *others, end = words
    return f"{', '.join(others)} {last} {end}" if others else end


def describe_price(worth: float, currency: str) -> str:
    """`earns GBP 40`, `costs GBP 5`, `earns nothing`."""
    if worth == 0:
        return "earns nothing"
    return f"{'earns' if worth > 0 else 'costs'} {currency} {format_amount(abs(worth))}"


class Curve(NamedTuple):
    """What a calibration curve shows, the names of its axes, and those of its table's columns."""

    sentence: str
    axes: tuple[str, str]
    columns: tuple[str, str]


class Capacity(NamedTuple):
    """What a value curve shows: heading, sentence, the name of its axis, shares to tabulate, and
    where a line marks how things are today.
    """

    heading: str
    sentence: str
    axis: str
    shares: list[float]
    mark: tuple[float, str] | None
