"""What a report says of a kind of problem's curves, in words."""

from typing import NamedTuple


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
