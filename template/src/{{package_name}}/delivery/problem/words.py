"""What a report needs to be told about a kind of problem: metrics and curves in words."""

from typing import Literal, NamedTuple


class Metric(NamedTuple):
    """A metric for people; `{unit}` in its meaning stands for the brief's unit."""

    label: str
    meaning: str
    form: Literal["money", "share", "number"]


class Curve(NamedTuple):
    """What a calibration curve shows, the names of its axes, and those of its table's columns."""

    told: str
    axes: tuple[str, str]
    columns: tuple[str, str]


class Capacity(NamedTuple):
    """What a value curve shows: heading, sentence, the name of its axis, shares to tabulate, and
    where a line marks how things are today.
    """

    heading: str
    told: str
    axis: str
    shares: list[float]
    mark: tuple[float, str] | None
