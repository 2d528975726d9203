"""What is done with each unit: what the rule decides by itself, or the best at the brief's prices,
as far as each period has room for it.

What is best for one row does not depend on others, so rows can come in parts: each part is ranked
alone, and what there is no room for is cut once all parts are together.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..edge.errors import Fixable

OWN = "p__action"
"""The column of predictions with what the rule does today, by itself."""

TIME = "_time"
"""The column of predictions with the contract's time, where it has one."""

PERIODS = {"hour": "1h", "day": "1d", "week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}
"""The words for `every` that capacity is kept by, and the steps of time that they stand for."""


def read_own(values: Any, rows: int, nothing: str | float) -> pl.Series:
    """What `act` of a rule returned, as a column `OWN` of the type of `nothing`, which stands where
    a value is missing.

    Raises:
        Fixable: it is no such value for each row.
    """
    dtype = pl.String if isinstance(nothing, str) else pl.Float64
    finding = f"{type(values).__name__}"
    try:
        plain = values.to_list() if isinstance(values, pl.Series) else np.asarray(values).tolist()
        own = pl.Series(OWN, plain).cast(dtype)
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        own = pl.Series(OWN, [], dtype=dtype)
    else:
        finding = f"{len(own):,}"
    if len(own) != rows:
        kind = "text" if dtype == pl.String else "number"
        raise Fixable(
            f"model.py: rule: act: expected a {kind} for each of {rows:,} rows, found {finding}. "
            "Next: fix model.py, then uv run dvc repro"
        )
    return own.fill_null(nothing)


def has_own(predictions: pl.DataFrame) -> bool:
    """Whether the predictions say what the rule does by itself, which is valued as it is."""
    return OWN in predictions.columns


def drop_own(predictions: pl.DataFrame) -> pl.DataFrame:
    """The same predictions without it: what they lead to at the brief's prices."""
    return predictions.drop(OWN, strict=False)


def list_segments(predictions: pl.DataFrame) -> list[str]:
    """The segment columns of predictions: those that are neither the unit's nor a model's."""
    of_unit = ("row", "cluster", TIME, "target")
    return [c for c in predictions.columns if c not in of_unit and not c.startswith("p_")]


def draw_lots(predictions: pl.DataFrame) -> pl.Series:
    """`lot` (UInt64), a hash of each unit: it breaks ties, so that no order of rows favours
    anyone.
    """
    row = predictions["row"].to_numpy().astype(np.uint64)
    return pl.Series("lot", row * np.uint64(2654435761) % np.uint64(2**32))


def find_periods(predictions: pl.DataFrame, every: str | None) -> pl.Series:
    """`period`: when the hour, day, week, month, quarter or year of each row began, in the time
    zone of the contract; null where the contract has no time or `every` is no such word.
    """
    step = PERIODS.get((every or "").lower())
    if step is None or TIME not in predictions.columns:
        return pl.Series("period", [None] * predictions.height, dtype=pl.Date)
    return predictions[TIME].dt.truncate(step).alias("period")


def find_room(ranked: pl.DataFrame, capacity: Callable[[int], int | None]) -> pl.Series:
    """Whether there is room for each row (Boolean): in each `period`, for the rows with the highest
    `claim` (Float64), of equal ones for those with the lowest `lot`.

    `capacity` tells for how many of so many rows there is room; what rounding leaves over in one
    period passes on to the next. A row without a claim takes no room, and needs none.
    """
    if capacity(ranked.height) is None:
        return pl.Series([True] * ranked.height, dtype=pl.Boolean)
    place, period, until = _rank(ranked, ranked["claim"].fill_null(-np.inf), ranked["lot"])
    room = np.diff([capacity(int(n)) or 0 for n in until], prepend=0)
    return pl.Series(place < room[period]) | ranked["claim"].is_null()


def find_last_with_room(
    ranked: pl.DataFrame, capacity: Callable[[int], int | None]
) -> tuple[float, int]:
    """The `claim` and the `lot` that one more row has to be ahead of, to have room among all of
    these whatever their period: those of the last row that still has it.
    """
    room = capacity(ranked.height + 1)
    if room is None or room > ranked.height:
        return -np.inf, 2**64 - 1  # everybody is ahead of it
    if room == 0:
        return np.inf, 0
    claim = pl.col("claim").cast(pl.Float64).fill_null(-np.inf)
    in_order = ranked.select(claim, "lot").sort("claim", "lot", descending=[True, False])
    return in_order.row(room - 1)


def need_no_room(ranked: pl.DataFrame, last: tuple[float, int]) -> pl.DataFrame:
    """The ranked rows, without a claim where they are ahead of the `last` that has room: then all
    who still have one find none.
    """
    claim, lot = pl.col("claim").cast(pl.Float64), pl.col("lot")
    ahead = (claim > last[0]) | ((claim == last[0]) & (lot < last[1]))
    return ranked.with_columns(claim=pl.when(~ahead).then(claim))


def sum_best(ranked: pl.DataFrame, shares: list[float]) -> list[float]:
    """The sum of `value` over the rows with the highest `score`, for each of `shares` of the rows
    of each `period`. Rows of equal score count with their mean value.
    """
    even = ranked.with_columns(pl.col("value").mean().over("period", "score"))
    place, period, until = _rank(even, even["score"], even["score"])
    start = np.append(0, until[:-1])
    values = np.empty(even.height)
    values[start[period] + place] = even["value"].to_numpy()
    earned = np.append(0.0, values.cumsum())
    rooms = [np.diff([max(int(share * n), 1) for n in until], prepend=0) for share in shares]
    return [float((earned[start + room] - earned[start]).sum()) for room in rooms]


def _rank(
    ranked: pl.DataFrame, claim: pl.Series, lot: pl.Series
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The place of each row within its period, from 0; the number of that period, in order of time
    (rows without a time first); and how many rows there are until the end of each period.
    """
    period = ranked["period"].rank("dense").fill_null(0).to_numpy().astype(np.int64)
    order = np.lexsort((lot.to_numpy(), -claim.to_numpy(), period))
    sizes = np.bincount(period)
    until = sizes.cumsum()
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order)) - (until - sizes)[period[order]]
    return place, period, until
