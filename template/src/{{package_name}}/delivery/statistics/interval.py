"""An estimate between its bounds, and how few units are too few for any."""

from typing import NamedTuple

FEWEST = 50
"""The fewest positives (or units that a ratio counts) for an interval; below it: too few."""


class Interval(NamedTuple):
    """An estimate (None: undefined) between its bounds (None: too few to tell)."""

    estimate: float | None
    lower: float | None
    upper: float | None
