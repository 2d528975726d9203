"""How sure each of several intervals has to be for all of them to hold at once."""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import polars as pl
from numpy.typing import NDArray

DRAWS = 100_000


def find_confidence(tables: Sequence[pl.DataFrame], confidence: float, seed: int) -> float:
    """The confidence that each interval has to have, so that with `confidence` all of them hold.

    The `tables` have the columns `cluster`, `numerator` and `denominator` (as a ratio of sums) of
    the same clusters. Estimates from the same clusters err together, so that less is needed than
    one error for each: the largest of normal errors with the correlations of the clusters' parts
    (Hothorn, Bretz and Westfall 2008). Rounded up to four places, beyond which machines differ.
    """
    parts = np.stack([_measure_parts(table) for table in tables], axis=1)
    scale = np.sqrt((parts**2).sum(axis=0))
    parts = parts[:, scale > 0] / scale[scale > 0]  # an estimate without error is always right
    if parts.shape[1] < 2:
        return confidence
    values, vectors = np.linalg.eigh(parts.T @ parts)
    draws = np.random.default_rng(seed).standard_normal((DRAWS, len(values)))
    errors = draws @ (vectors * np.sqrt(np.clip(values, 0, None))).T
    largest = float(np.quantile(np.abs(errors).max(axis=1), confidence))
    each = 2 * NormalDist().cdf(largest) - 1
    return min(max(math.ceil(each * 10_000) / 10_000, confidence), 0.9999)


def _measure_parts(table: pl.DataFrame) -> NDArray[np.float64]:
    """What each cluster adds to the error of a ratio of sums, clusters in the order of their names:
    its numerator less the ratio times its denominator.
    """
    sums = table.group_by("cluster").agg(pl.col("numerator", "denominator").sum()).sort("cluster")
    above, below = sums["numerator"].to_numpy(), sums["denominator"].to_numpy()
    return above - above.sum() / below.sum() * below
