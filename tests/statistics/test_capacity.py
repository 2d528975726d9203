"""What there is room for in each period, whatever the rows and in whatever parts they come."""

import importlib

import numpy as np
import polars as pl
import pytest

from . import rooms  # puts the template on the path
from .test_by_simulation import rng

__all__ = ["rng", "rooms"]
action = importlib.import_module("delivery.problem.action")


def drawn(rng: np.random.Generator) -> pl.DataFrame:
    """Up to 60 rows of five weeks, some without a time, many with equal claims and lots."""
    n = int(rng.integers(1, 60))
    weeks = np.array(["2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26", "NaT"], "datetime64")
    return pl.DataFrame(
        {
            "period": pl.Series(rng.choice(weeks, n)).cast(pl.Date),
            "claim": rng.choice([-1.0, 0.0, 0.5, 1.0], n),
            "lot": rng.integers(0, 4, n).astype(np.uint64),
        }
    )


def test_each_period_keeps_its_best_and_all_together_as_many_as_the_brief_says(
    rng: np.random.Generator,
) -> None:
    for _ in range(60):
        most, of, table = int(rng.integers(1, 6)), int(rng.integers(5, 12)), drawn(rng)
        room = action.find_room(table, lambda n, most=most, of=of: n * most // of)
        assert room.sum() == table.height * most // of
        for _, part in table.with_columns(room=room).group_by("period"):
            kept, cut = (
                [(-claim, lot) for claim, lot in each.select("claim", "lot").rows()]
                for each in (part.filter("room"), part.filter(~pl.col("room")))
            )
            assert len(kept) <= part.height * most / of + 1
            assert not kept or not cut or max(kept) <= min(cut)


def test_a_row_without_a_claim_has_room_and_takes_none(rng: np.random.Generator) -> None:
    table = drawn(rng).with_columns(claim=pl.lit(None, pl.Float64))
    assert action.find_room(table, lambda n: 0).all()


@pytest.mark.parametrize(
    ("every", "starts"),
    [
        ("hour", ["2026-03-29 01:00", "2026-03-29 03:00"]),
        ("day", ["2026-03-29 00:00", "2026-03-29 00:00"]),
        ("Week", ["2026-03-23 00:00", "2026-03-23 00:00"]),
        ("month", ["2026-03-01 00:00", "2026-03-01 00:00"]),
        ("quarter", ["2026-01-01 00:00", "2026-01-01 00:00"]),
        ("year", ["2026-01-01 00:00", "2026-01-01 00:00"]),
        ("fortnight", [None, None]),
        (None, [None, None]),
    ],
)
def test_a_period_begins_by_the_clock_of_the_contract(
    every: str | None, starts: list[str | None]
) -> None:
    """Half past one in Berlin, and an hour later, when it is half past three."""
    utc = pl.Series(["2026-03-29 00:30", "2026-03-29 01:30"]).str.to_datetime(time_zone="UTC")
    rows = pl.DataFrame({action.TIME: utc.dt.convert_time_zone("Europe/Berlin")})
    period = action.find_periods(rows, every)
    assert [each and f"{each:%Y-%m-%d %H:%M}" for each in period.to_list()] == starts


def test_without_a_time_all_rows_are_one_period() -> None:
    assert action.find_periods(pl.DataFrame({"row": [1, 2]}), "week").null_count() == 2
