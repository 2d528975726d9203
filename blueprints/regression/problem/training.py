"""Regression, training: how candidates and the rule are fitted, how far off they are, and what
they predict.

Only fitting needs scikit-learn, and importing it takes longer than a whole stage: the functions
that fit import it themselves.
"""

from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .action import read_own
from .target import TRUTH

LEVELS = np.arange(1, 20) / 20
"""The percentiles that a model gives, as shares: 0.05 to 0.95."""

NAMES = [f"p_{level * 100:02.0f}" for level in LEVELS]

PER_RANGE = 200  # calibration rows that tell the spread of one range of predictions


class Spread:
    """A fitted model, and how far rows that it did not learn from lay from its predictions.

    The distances are kept as quantiles (the conformal ones of Vovk, Gammerman and Shafer 2005: a
    percentile of n distances is the one of rank level x (n + 1)) for each of a few ranges of
    predictions, because dear things vary more than cheap ones. Between the middles of two ranges
    they change evenly, and no percentile falls where the prediction rises.
    """

    model: Any
    middles: NDArray[np.float64]
    """The mean prediction of each range, ascending."""

    distances: NDArray[np.float64]
    """Truth minus prediction: a row per range, a column per level."""

    decides: bool = False
    """Whether the model is a rule whose own answer (`act`) is valued as it is."""

    def fit(self, model: Any, x: pl.DataFrame, y: NDArray[np.float64]) -> Self:
        """Learn the distances of a fitted `model` on rows `x` with the truth `y`."""
        predicted = np.asarray(model.predict(x), dtype=np.float64)
        ranges = int(np.clip(len(y) // PER_RANGE, 1, 10))
        edges = np.quantile(predicted, np.arange(1, ranges) / ranges)
        which = np.searchsorted(np.unique(edges), predicted, side="right")
        parts = [which == k for k in np.unique(which)]
        self.model = model
        self.middles = np.array([predicted[part].mean() for part in parts])
        distances = np.array([_compute_quantiles(np.sort((y - predicted)[part])) for part in parts])
        rising = np.maximum.accumulate(self.middles[:, None] + distances, axis=0)
        self.distances = rising - self.middles[:, None]
        return self

    def percentiles(self, x: pl.DataFrame) -> NDArray[np.float64]:
        """The percentiles of each row: (rows, levels)."""
        predicted = np.asarray(self.model.predict(x), dtype=np.float64)
        apart = [np.interp(predicted, self.middles, distances) for distances in self.distances.T]
        return predicted[:, None] + np.column_stack(apart)


def _compute_quantiles(ascending: NDArray[np.float64]) -> NDArray[np.float64]:
    """The value at rank level x (n + 1) for each level, between two ranks the share of both."""
    ranks = LEVELS * (len(ascending) + 1) - 1
    return np.interp(ranks, np.arange(len(ascending)), ascending)


def fit(
    candidate: Any,
    x: pl.DataFrame,
    y: pl.Series,
    x_val: pl.DataFrame,
    y_val: pl.Series,
    cluster: pl.Series | None = None,
) -> tuple[Any, list[Any]]:
    """A candidate fitted on training rows, its spread taken from validation rows."""
    return Spread().fit(candidate.fit(x, _to_numbers(y)), x_val, _to_numbers(y_val)), []


def fit_rule(rule: Any, x: pl.DataFrame, y: pl.Series) -> Any:
    """The rule with what it takes from training rows, spread as these were."""
    spread = Spread().fit(rule.fit(x, _to_numbers(y)), x, _to_numbers(y))
    spread.decides = hasattr(rule, "act")
    return spread


LOSS = "pinball_loss"
"""What the choice between candidates goes by, and the unit it is in."""


def compute_loss(predictions: pl.DataFrame, y: pl.Series) -> NDArray[np.float64]:
    """The pinball loss of each row, the mean over its percentiles, in units of the target; prices
    play no part in it.

    The mean over levels is half the continuous ranked probability score (Gneiting and Ranjan 2011).
    """
    off = _to_numbers(y)[:, None] - predictions.select(NAMES).to_numpy()
    return np.asarray(np.maximum(LEVELS * off, (LEVELS - 1) * off).mean(axis=1))


def predict(model: Any, x: pl.DataFrame) -> pl.DataFrame:
    """One Float64 column `p_<percentile>` per level, ascending; of a rule that decides by itself
    also `OWN` (Float64), its answer, which is not a number where a person decides.
    """
    percentiles = pl.DataFrame(model.percentiles(x), schema=NAMES)
    if not model.decides:
        return percentiles
    return percentiles.with_columns(read_own(model.model.act(x), x.height, float("nan")))


def measure_judge(model: Any) -> dict[str, str | float] | None:
    """How far what judges an answer can be trusted; None: here that is the truth itself."""
    return None


def _to_numbers(y: pl.Series) -> NDArray[np.float64]:
    return y.cast(TRUTH).to_numpy()
