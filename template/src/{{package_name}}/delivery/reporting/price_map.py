"""The price map for people: at which ratio of prices which model would be worth more."""

from typing import Any, NamedTuple

from ..problem import presentation
from ..problem.words import find_money_format, format_number
from ..statistics.interval import Interval
from . import charts
from .charts import Dot

Rows = list[list[object]]


class Point(NamedTuple):
    """The gain at one ratio of prices, per 1,000 units, where both prices add up to 1."""

    ratio: float
    gain: Interval


def read_points(metrics: dict[str, Any]) -> list[Point]:
    """The points of the map in `reports/metrics.json`, in the order of their ratios."""
    return [
        Point(point["ratio"], Interval(point["estimate"], point["lower"], point["upper"]))
        for point in metrics["price_map"]
    ]


def find_winner(gain: Interval, champion: str) -> str:
    """Which model would be worth more: `challenger surely`, `rule surely` or `cannot tell`."""
    if gain.lower is None or gain.upper is None:
        return "too few to tell"
    if gain.lower > 0:
        return "challenger surely"
    return f"{champion} surely" if gain.upper < 0 else "cannot tell"


def describe(points: list[Point], units: str, champion: str) -> tuple[str, list[str], Rows]:
    """What the map says in words, and as a table: header and rows."""
    before, after = presentation.MAP
    words = "Which model would be worth more depends on prices that nobody has named yet. "
    for winner, ratios in gather(points, champion).items():
        words += f"**{winner.capitalize()}**: where {before} {ratios} {after}. "
    format_gain = find_money_format(end for point in points for end in point.gain)
    rows: Rows = [
        [
            format_number(point.ratio),
            point.gain.format(format_gain),
            find_winner(point.gain, champion),
        ]
        for point in points
    ]
    header = [f"{before} so many times {after}", f">gain per 1,000 {units}", "worth more"]
    return words.rstrip(), header, rows


def draw(points: list[Point], sentence: str, units: str, champion: str) -> str:
    """The map as a chart: the gain at each ratio with its interval, in the colour of who wins."""
    tones = {"challenger surely": "challenger", f"{champion} surely": champion}
    dots = [
        Dot(format_number(point.ratio), tones.get(winner, "unclear"), *point.gain, winner)
        for point in points
        for winner in [find_winner(point.gain, champion)]
    ]
    before, after = presentation.MAP
    labels = (f"{before} so many times {after}", f"gain per 1,000 {units}")
    return charts.draw_map("prices", sentence, dots, labels)


def gather(points: list[Point], champion: str) -> dict[str, str]:
    """The ratios at which each model would be worth more, in words: `0.02 to 0.2 times, and 50`."""
    stretches: list[tuple[str, list[float]]] = []
    for point in points:
        winner = find_winner(point.gain, champion)
        if not stretches or stretches[-1][0] != winner:
            stretches.append((winner, []))
        stretches[-1][1].append(point.ratio)
    words: dict[str, list[str]] = {}
    for winner, ratios in stretches:
        ends = [format_number(ratio) for ratio in (ratios[0], ratios[-1])]
        words.setdefault(winner, []).append(" to ".join(dict.fromkeys(ends)))
    return {winner: f"{' or '.join(ranges)} times" for winner, ranges in words.items()}
