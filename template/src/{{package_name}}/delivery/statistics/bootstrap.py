"""How sure a ratio of sums is, which slices are beyond a limit, and how many units would tell.

Ratios (value per unit, recall, precision, shares, paired differences of them) are resampled by
cluster. All is reproducible: the seed is given, and the order of the rows plays no part.
"""

import math
from statistics import NormalDist
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import stdtr

from .interval import FEWEST, Interval

Numbers = NDArray[np.float64]


def ratio(
    frame: pl.DataFrame,
    numerator: str,
    denominator: str,
    cluster: str,
    *,
    extremes: tuple[float, float],
    confidence: float,
    draws: int,
    seed: int,
) -> Interval:
    """sum(numerator) / sum(denominator) with a percentile bootstrap over clusters.

    `extremes` are the lowest and the highest numerator that one unit can have. A unit of each (a
    cluster of usual size, where rows share clusters) is imagined in the draws, not in the estimate,
    as Agresti and Coull (1998) add successes and failures: without them, ten small gains and no
    loss yet would look certain. Clusters whose sums are both 0 play no part. Extremes of 0 and 0
    say that nothing else can be: the interval is then 0 to 0.
    """
    sums, count = _cluster_sums(frame, numerator, denominator, cluster)
    top, bottom = count @ sums
    if bottom == 0:
        return Interval(None, None, None)
    estimate = float(top / bottom)
    if frame[denominator].cast(pl.Float64).ne(0).sum() < FEWEST:
        return Interval(estimate, None, None)
    sums, count = _add_imagined(sums, count, extremes)
    resampled = _draw_sums(sums, count, int(count.sum()), draws, seed)
    rest = (1 - confidence) / 2
    lower, upper = np.quantile(resampled[:, 0] / resampled[:, 1], [rest, 1 - rest])
    return Interval(estimate, float(lower), float(upper))


def tail(
    frame: pl.DataFrame,
    numerator: str,
    denominator: str,
    cluster: str,
    *,
    side: Literal["at_least", "at_most"],
    limit: float,
    extremes: tuple[float, float],
    draws: int,
    seed: int,
) -> float:
    """The chance of missing `limit` by this much or more when in truth it is just met.

    A one-sided p-value for `holm`; 1 where the limit is met. Clusters, the imagined ones of `ratio`
    among them, are reweighted by exponential tilting until they meet the limit (Efron 1981); for
    rows of 0 and 1 that stand alone this is the exact binomial test. The draws are made from the
    data as they are and weighted back (importance sampling, Davison and Hinkley 1997, 9.4), so the
    far tail that many slices ask for needs no more of them.
    """
    sums, count = _cluster_sums(frame, numerator, denominator, cluster)
    above = np.array([1, -limit]) if side == "at_least" else np.array([-1, limit])
    size, missed, nothing = int(count.sum()), float(count @ (sums @ above)), 1e-9
    if missed >= -nothing * (count @ np.abs(sums @ above)):
        return 1.0
    sums, count = _add_imagined(sums, count, extremes)
    scale = float(np.abs(sums @ above).max())
    gap = sums @ above / scale
    if gap.max() <= nothing:
        return 0.0  # no unit can do better than the limit, so one that does worse is proof
    tilt = _tilt(gap, count)
    resampled = _draw_sums(sums, count, size, draws, seed) @ above / scale
    weight = np.exp(tilt * resampled - size * math.log(count @ np.exp(tilt * gap) / count.sum()))
    p = float(np.mean(weight * (resampled <= missed / scale + nothing)))
    # With two kinds of clusters, the limit settles how much they vary; else that is estimated.
    return min(p, 1.0) if len(count) <= 4 else _student(p, size - 1)


def holm(p: list[float], alpha: float) -> list[bool]:
    """Which hypotheses are rejected, in the order of `p` (Holm 1979).

    The chance that any true one is among them is at most `alpha`. One slice alone is judged as by
    its two-sided interval when alpha = (1 - confidence) / 2.
    """
    rejected = [False] * len(p)
    for rank, i in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        if p[i] > alpha / (len(p) - rank):
            break
        rejected[i] = True
    return rejected


def find_needed_size(
    gain: Interval, n: int, effect: float, confidence: float, power: float = 0.8
) -> int | None:
    """Units in all for a true gain of `effect` to get a lower bound above 0 with chance `power`.

    n * ((z(confidence) + z(power)) * standard error / effect)^2 (Lachin 1981, eq. 1), the standard
    error being half the width of `gain`, measured on `n` units, over z(confidence); and a tenth
    more, because skewed gains fall two points short of the power without it (by simulation). None
    where `gain` has no bounds.
    """
    if gain.lower is None or gain.upper is None:
        return None
    error = (gain.upper - gain.lower) / 2 / _z(confidence)
    wanted = (_z(confidence) + NormalDist().inv_cdf(power)) * error
    return math.ceil(1.1 * n * (wanted / effect) ** 2)


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _cluster_sums(
    frame: pl.DataFrame, numerator: str, denominator: str, cluster: str
) -> tuple[Numbers, Numbers]:
    """Distinct (numerator, denominator) sums of clusters, sorted, and the clusters with each."""
    terms = (
        pl.col(numerator).cast(pl.Float64).alias("n"),
        pl.col(denominator).cast(pl.Float64).alias("d"),
    )
    sums = frame.select(pl.col(cluster).alias("c"), *terms).group_by("c").sum().drop("c").to_numpy()
    # To twelve digits, because sums depend on the order of addition in the last one.
    digits = 11 - np.floor(np.log10(np.abs(sums).max(axis=0, initial=1e-9))).astype(int)
    n, d = (column.round(places) + 0.0 for column, places in zip(sums.T, digits, strict=True))
    distinct = pl.DataFrame({"n": n, "d": d}).filter((pl.col("n") != 0) | (pl.col("d") != 0))
    distinct = distinct.group_by("n", "d").agg(pl.len().cast(pl.Float64)).sort("n", "d")
    return distinct.select("n", "d").to_numpy(), distinct["len"].to_numpy()


def _add_imagined(
    sums: Numbers, count: Numbers, extremes: tuple[float, float]
) -> tuple[Numbers, Numbers]:
    """One more cluster of each extreme, as large as the cluster in which the average unit lives."""
    each = sums[:, 1]
    size = (count @ each**2) / (count @ each)
    return np.vstack([sums, [[x * size, size] for x in extremes]]), np.append(count, [1.0, 1.0])


def _draw_sums(sums: Numbers, count: Numbers, size: int, draws: int, seed: int) -> Numbers:
    """Sums over `size` clusters drawn with replacement, `draws` times: (draws, 2)."""
    rng = np.random.default_rng(seed)
    kinds, few = len(count), len(count) * 25 < size
    clusters = np.repeat(sums, count.astype(int), axis=0).T.copy()
    chunk = max(1, 4_000_000 // (kinds if few else size))  # keeps memory below 100 MB
    parts = []
    for start in range(0, draws, chunk):
        rows = min(chunk, draws - start)
        if few:
            parts.append(rng.multinomial(size, count / count.sum(), size=rows) @ sums)
        else:
            who = rng.integers(0, clusters.shape[1], size=(rows, size))
            parts.append(np.stack([column[who].sum(axis=1) for column in clusters], axis=1))
    return np.concatenate(parts)


def _student(p: float, df: int) -> float:
    """A small one-sided normal `p` as Student's t has it."""
    if not 0 < p < 0.5:
        return min(p, 1.0)
    return float(stdtr(df, NormalDist().inv_cdf(p)))


def _tilt(gap: Numbers, count: Numbers) -> float:
    """The exponent at which clusters weighted by exp(exponent * gap) have a mean gap of 0."""
    low, high = 0.0, 1.0
    while count @ (gap * np.exp(high * (gap - gap.max()))) < 0:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        below = count @ (gap * np.exp(middle * (gap - gap.max()))) < 0
        low, high = (middle, high) if below else (low, middle)
    return high
