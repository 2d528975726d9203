"""An estimate between its bounds, and how few units are too few for any."""

from collections.abc import Callable
from typing import NamedTuple

FEWEST = 50
"""The fewest positives (or units that a ratio counts) for an interval; below it: too few."""


class Interval(NamedTuple):
    """An estimate (None: undefined) between its bounds (None: too few to tell)."""

    estimate: float | None
    lower: float | None
    upper: float | None

    def format(
        self, format_value: Callable[[float], str], *, unbounded: str = " (too few to tell)"
    ) -> str:
        """`384 (158 to 595)`, each number as `format_value` writes it; without bounds the estimate
        and `unbounded`; the estimate alone where it is exactly that.
        """
        if self.estimate is None:
            return "no units"
        if self.lower is None or self.upper is None:
            return format_value(self.estimate) + unbounded
        if self.lower == self.estimate == self.upper:
            return format_value(self.estimate)
        ends = f"{format_value(self.lower)} to {format_value(self.upper)}"
        return f"{format_value(self.estimate)} ({ends})"
