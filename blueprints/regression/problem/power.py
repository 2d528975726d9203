"""Regression: how well one feature alone tells the target."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .separation import (
    Codes,
    Groups,
    Numbers,
    Power,
    find_parts,
    find_views,
    measure_groups,
    rank,
    simplify,
)

Flags = NDArray[np.bool_]
ELSE = "another number"


AT_ONCE = 0.05  # share of one number among all targets from which it is a group of its own
PAIRED = 4_000  # rows that are compared two by two
FEWEST = 50  # rows without which no order is measured


def label(y: pl.Series) -> pl.Series:
    """The groups of rows that a feature may give away: those of the most frequent target, where it
    is frequent (nothing happened), and all others.
    """
    usual = y.value_counts(name="n").sort("n", y.name, descending=[True, False])
    if usual["n"][0] < AT_ONCE * len(y):
        return pl.Series("target", ["any"]).new_from_index(0, len(y))
    name = f"{usual[y.name][0]:g}"
    labels = pl.when(pl.col("y") == usual[y.name][0]).then(pl.lit(name)).otherwise(pl.lit(ELSE))
    return pl.DataFrame({"y": y}).select(target=labels).to_series()


def measure(feature: pl.Series, y: pl.Series, groups: Groups) -> Power:
    """How well one feature orders the units, or those of another than the most frequent target, or
    tells these two apart: the highest, on all rows and on those without its usual value.
    """
    plain, target = simplify(feature), y.cast(pl.Float64).to_numpy()
    best = measure_groups(feature, groups)
    happened = np.array([name == ELSE for name in groups.names])[groups.label]
    for rows in find_parts(plain):
        every = measure_order(plain, target, groups.half, rows)
        best = max(best, Power(every, "the order"), key=rank)
        if happened.any():
            order = measure_order(plain, target, groups.half, rows & happened)
            best = max(best, Power(order, "the order of what happened"), key=rank)
    return best


def measure_order(plain: pl.Series, target: Numbers, half: Flags, rows: Flags) -> float | None:
    """Of two units among `rows`, the chance that the one with the larger prediction (learned from
    the feature on one half, made on the other) has the larger target: what AUC is for two classes.
    """
    from scipy.stats import kendalltau

    plain, target, half = plain.filter(pl.Series(rows)), target[rows], half[rows]
    if min(half.sum(), (~half).sum()) < FEWEST:
        return None
    place = pl.Series(target).rank("average").to_numpy()
    looks = [
        predict(codes, place, half)
        for numbers in find_numbers(plain)
        for codes in find_views(numbers)
    ]
    actual = [place[~half][met] for _, met in looks]
    best = max(range(len(looks)), key=lambda k: _correlate(looks[k][0], actual[k]))
    step = max(len(actual[best]) // PAIRED, 1)
    order = kendalltau(looks[best][0][::step], actual[best][::step]).statistic
    return 0.5 if np.isnan(order) else float((1 + order) / 2)


def find_numbers(plain: pl.Series) -> list[pl.Series]:
    """The feature; and of a text the number in it."""
    if plain.dtype != pl.String:
        return [plain]
    number = plain.str.replace_all(r"[^0-9.\-]", "").cast(pl.Float64, strict=False)
    return [plain, number] if number.is_not_null().any() else [plain]


def predict(codes: Codes, place: Numbers, half: Flags) -> tuple[Numbers, Flags]:
    """For the rows that are not in `half` the mean place of those with their code that are, where
    there are any, and which rows these are.
    """
    sums, counts = (
        np.bincount(codes[half], weights=weights, minlength=int(codes.max()) + 1)
        for weights in (place[half], None)
    )
    others = codes[~half]
    met = counts[others] > 0
    return sums[others][met] / counts[others][met], met


def _correlate(predicted: Numbers, actual: Numbers) -> float:
    if len(actual) < FEWEST or not predicted.std() or not actual.std():
        return 0.0
    return float(np.corrcoef(predicted, actual)[0, 1])
