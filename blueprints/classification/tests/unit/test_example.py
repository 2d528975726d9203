"""The simulated business: the same every time, with the causes that its docstring promises."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal, assert_series_equal

from project.contract import HORIZON, Row
from project.example import CALL, KEPT, after_call, rows

MANY = 40_000
LEAVES = pl.col("outcome") == "leaves"


def share(frame: pl.DataFrame, event: pl.Expr, *where: pl.Expr) -> float:
    """Share of the rows `where` all holds in which `event` holds too."""
    return float(frame.filter(*where).select(event.cast(pl.Float64).mean()).item())


def everybody(frame: pl.DataFrame) -> pl.Series:
    return pl.repeat(True, frame.height, eager=True)


def test_the_same_seed_gives_the_same_rows_and_another_seed_gives_others() -> None:
    assert_frame_equal(rows(customers=500, seed=1), rows(customers=500, seed=1))
    assert not rows(customers=500, seed=1).equals(rows(customers=500, seed=2))


def test_columns_are_those_of_the_contract() -> None:
    assert rows(customers=50).columns == Row.column_names()


def test_without_errors_every_row_satisfies_the_contract() -> None:
    assert Row.is_valid(rows(customers=5_000, errors=0), cast=True)


def test_errors_break_that_share_of_rows_in_three_ways_and_change_no_other() -> None:
    clean, faulty = (rows(customers=MANY, errors=errors) for errors in (0.0, 0.01))
    valid, refused = Row.filter(faulty, cast=True)
    assert set(refused.counts()) == {"monthly_charge|min", "plan|dtype", "region|nullability"}
    assert len(refused) / faulty.height == pytest.approx(0.01, abs=0.002)
    valid_keys = valid.select("customer", "week")
    assert_frame_equal(
        clean.join(valid_keys, on=valid_keys.columns, how="semi", maintain_order="left"),
        faulty.join(valid_keys, on=valid_keys.columns, how="semi", maintain_order="left"),
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_about_one_customer_in_eight_leaves(seed: int) -> None:
    assert share(rows(customers=MANY, seed=seed), LEAVES) == pytest.approx(0.12, abs=0.01)


def test_who_is_seen_twice_was_still_there_and_is_seen_later() -> None:
    by_customer = rows(customers=MANY).group_by("customer", maintain_order=True)
    twice = by_customer.agg("week", "outcome", "tenure_months").filter(
        pl.col("week").list.len() > 1
    )
    assert twice.height / MANY == pytest.approx(0.09, abs=0.01)
    assert twice["week"].list.len().max() == 2
    assert twice["outcome"].list.first().unique().to_list() == ["stays"]
    week, tenure = pl.col("week").list, pl.col("tenure_months").list
    later = twice.select(week.get(1) - week.get(0) >= HORIZON, tenure.get(1) > tenure.get(0))
    assert later.select(pl.all().all()).row(0) == (True, True)


def test_a_price_rise_drives_away_only_those_who_are_free_to_leave() -> None:
    risen = pl.col("monthly_charge") > 1.1 * pl.col("monthly_charge_before")
    same = pl.col("monthly_charge") == pl.col("monthly_charge_before")
    free, bound = pl.col("months_left") <= 2, pl.col("months_left") > 2
    customers = rows(customers=MANY, errors=0)
    assert share(customers, LEAVES, risen, free) > 1.8 * share(customers, LEAVES, same, free)
    assert share(customers, LEAVES, risen, bound) < 1.3 * share(customers, LEAVES, same, bound)


def test_less_use_is_a_warning_only_together_with_a_support_call() -> None:
    less = pl.col("data_gb") < 0.6 * pl.col("data_gb_before")
    more = pl.col("data_gb") > pl.col("data_gb_before")
    rang, silent = pl.col("support_calls") > 0, pl.col("support_calls") == 0
    customers = rows(customers=MANY, errors=0)
    with_call = share(customers, LEAVES, less, rang) / share(customers, LEAVES, more, rang)
    without = share(customers, LEAVES, less, silent) / share(customers, LEAVES, more, silent)
    assert with_call > 2.5
    assert without < 2


def test_drift_changes_the_last_weeks_and_not_the_first() -> None:
    flexible = pl.col("plan") == "flexible"
    stable, moving = (rows(customers=MANY, drift=drift) for drift in (0.0, 1.0))
    early = pl.col("week") < pl.col("week").min().dt.offset_by("8w")
    late = pl.col("week") > pl.col("week").max().dt.offset_by("-8w")
    assert share(moving, flexible, early) == pytest.approx(share(stable, flexible, early), abs=0.03)
    assert share(moving, flexible, late) > share(stable, flexible, late) + 0.15


def test_a_call_is_worth_40_for_a_leaver_and_minus_5_for_a_stayer() -> None:
    customers = rows(customers=MANY, errors=0)
    customers = customers.with_columns(after_call(customers, everybody(customers)).alias("after"))
    stayed = LEAVES.cast(pl.Int8) - (pl.col("after") == "leaves").cast(pl.Int8)
    worth = customers.group_by("outcome").agg((stayed * KEPT - CALL).mean().alias("worth"))
    by_class = dict(worth.iter_rows())
    assert by_class["leaves"] == pytest.approx(40, abs=3)
    assert by_class["stays"] == pytest.approx(-5, abs=0.3)


def test_who_is_not_called_does_what_they_would_have_done() -> None:
    customers = rows(customers=2_000)
    assert_series_equal(after_call(customers, ~everybody(customers)), customers["outcome"])


def test_luck_belongs_to_the_customer_and_not_to_the_list() -> None:
    customers = rows(customers=5_000)
    after = after_call(customers, everybody(customers), seed=3)
    assert_series_equal(
        after_call(customers.reverse(), everybody(customers), seed=3), after.reverse()
    )
    first = customers.head(1_000)
    assert_series_equal(after_call(first, everybody(first), seed=3), after.head(1_000))
    some = customers["support_calls"] > 0
    mixed = after_call(customers, some, seed=3)
    assert_series_equal(mixed.filter(some), after.filter(some))
    assert not after_call(customers, everybody(customers), seed=4).equals(after)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"customers": 0}, "customers must be at least 1, found 0"),
        ({"weeks": 8}, "weeks must be at least 16, found 8"),
        ({"errors": 2.0}, "errors must be from 0 to 1, found 2.0"),
    ],
)
def test_impossible_settings_are_refused_by_name(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rows(**wrong)  # type: ignore[arg-type]
