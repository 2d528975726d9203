"""How sure a mean or a ranking metric is, by the influence of each unit, summed by cluster.

The order of the rows plays no part.
"""

import math

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from .interval import FEWEST, Interval

Numbers = NDArray[np.float64]


def mean(values: ArrayLike, cluster: ArrayLike, confidence: float) -> Interval:
    """The mean of continuous values (a Brier score, say), normal over cluster sums."""
    x = np.asarray(values, dtype=np.float64)
    if len(x) == 0:
        return Interval(None, None, None)
    estimate = float(x.mean())
    half = _half_width(x - estimate, cluster, confidence)
    if half is None or len(x) < FEWEST:
        return Interval(estimate, None, None)
    return Interval(estimate, estimate - half, estimate + half)


def roc_auc(target: ArrayLike, score: ArrayLike, cluster: ArrayLike, confidence: float) -> Interval:
    """Area under the ROC curve; `target` is true where positive. None without both classes.

    Mid-ranks (DeLong, DeLong and Clarke-Pearson 1988), summed by cluster (Obuchowski 1997).
    """
    y, level, positive, negative = _levels(target, score)
    p, n = positive.sum(), negative.sum()
    if p == 0 or n == 0:
        return Interval(None, None, None)
    beaten = (negative.cumsum() - negative / 2) / n
    beating = 1 - (positive.cumsum() - positive / 2) / p
    estimate = float(positive @ beaten / p)
    influence = np.where(y, (beaten[level] - estimate) / p, (beating[level] - estimate) / n)
    return _share(estimate, influence * len(y), cluster, int(min(p, n)), confidence)


def average_precision(
    target: ArrayLike, score: ArrayLike, cluster: ArrayLike, confidence: float
) -> Interval:
    """Average precision, equal scores counted at the end of their tie. None without positives.

    The mean over positives of the precision at their score. A unit's influence is its derivative
    in the unit's weight: by its own term, and by the precision at all scores up to its own.
    """
    y, level, positive, negative = _levels(target, score)
    p = positive.sum()
    if p == 0:
        return Interval(None, None, None)
    hits, reached = (x[::-1].cumsum()[::-1] for x in (positive, positive + negative))
    precision = hits / reached
    estimate = float(positive @ precision / p)
    own = y * (precision[level] - estimate)
    others = (
        y * (positive / reached).cumsum()[level] - (positive * hits / reached**2).cumsum()[level]
    )
    influence = (own + others) / p
    return _share(estimate, influence * len(y), cluster, int(min(p, len(y) - p)), confidence)


def _levels(
    target: ArrayLike, score: ArrayLike
) -> tuple[NDArray[np.bool_], NDArray[np.intp], Numbers, Numbers]:
    """Who is positive, each unit's level of score, positives and negatives by level, ascending."""
    y = np.asarray(target, dtype=bool)
    values, level = np.unique(np.asarray(score), return_inverse=True)
    positive, negative = (
        np.bincount(level, weights=who, minlength=len(values)).astype(np.float64) for who in (y, ~y)
    )
    return y, level, positive, negative


def _half_width(influence: Numbers, cluster: ArrayLike, confidence: float) -> float | None:
    """Half the interval of the mean of influence values; None with one cluster alone.

    Student's t, its degrees of freedom by the kurtosis of the cluster sums (Satterthwaite 1946):
    where a few clusters make up the standard error, it is itself uncertain.
    """
    from scipy.special import stdtrit  # here, as `decide` measures nothing: it takes 0.1 s

    codes = pl.Series(np.asarray(cluster)).rank("dense").to_numpy() - 1
    sums = np.bincount(codes, weights=influence)
    square, most = float(sums @ sums), len(sums) - 1
    if most == 0 or square**2 == 0:  # nothing, or too little for a square of squares
        return 0.0 if most else None
    spread = float(np.sum(sums**4)) / square**2 - 1 / len(sums)
    df = max(min(4, most), min(most, 2 / spread)) if spread > 0 else most
    t = float(stdtrit(df, (1 + confidence) / 2))
    return t * math.sqrt(square * len(sums) / most) / len(influence)


def _share(
    estimate: float,
    influence: Numbers,
    cluster: ArrayLike,
    rarer: int,
    confidence: float,
) -> Interval:
    """Interval on the logit scale, which stays within 0 and 1 and is fair near both.

    Where nothing varies (a perfect order), a unit of the rarer class (`rarer` of them) may still
    be the first exception: Clopper and Pearson (1934) for none in `rarer`.
    """
    half = _half_width(influence, cluster, confidence)
    if half is None or rarer < FEWEST:
        return Interval(estimate, None, None)
    half *= math.sqrt(rarer / (rarer - 1))
    if half < 1e-12 or not 0 < estimate < 1:
        half = 1 - ((1 - confidence) / 2) ** (1 / rarer)
        return Interval(estimate, max(0.0, estimate - half), min(1.0, estimate + half))
    logit, half = math.log(estimate / (1 - estimate)), half / (estimate * (1 - estimate))
    lower, upper = (0.5 + 0.5 * math.tanh(x / 2) for x in (logit - half, logit + half))
    return Interval(estimate, lower, upper)
