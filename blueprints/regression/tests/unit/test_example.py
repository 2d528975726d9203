"""The simulated business: the same every time, with the causes that its docstring promises."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from project.contract import HORIZON, Row
from project.example import rows

MANY = 40_000
WINTER = pl.col("week").dt.month().is_in([12, 1, 2])
ELECTRIC, DIESEL = pl.col("fuel") == "electric", pl.col("fuel") == "diesel"
YOUNG, OLD = pl.col("age_months") < 36, pl.col("age_months") > 96


def median(frame: pl.DataFrame, *where: pl.Expr) -> float:
    """Median price of the rows where all of `where` holds, in GBP."""
    return float(frame.filter(*where).select(pl.col("price").median()).item())


@pytest.fixture(scope="module")
def sold() -> pl.DataFrame:
    return rows(cars=MANY, errors=0)


def test_the_same_seed_gives_the_same_rows_and_another_seed_gives_others() -> None:
    assert_frame_equal(rows(cars=500, seed=1), rows(cars=500, seed=1))
    assert not rows(cars=500, seed=1).equals(rows(cars=500, seed=2))


def test_columns_are_those_of_the_contract() -> None:
    assert rows(cars=50).columns == Row.column_names()


@pytest.mark.parametrize("weeks", [8, 104])
def test_without_errors_every_row_satisfies_the_contract(weeks: int) -> None:
    assert Row.is_valid(rows(cars=20_000, weeks=weeks, recurring=0.5, errors=0), cast=True)


def test_errors_break_that_share_of_rows_in_three_ways_and_change_no_other(
    sold: pl.DataFrame,
) -> None:
    faulty = rows(cars=MANY, errors=0.01)
    valid, refused = Row.filter(faulty, cast=True)
    assert set(refused.counts()) == {"mileage_km|min", "make|dtype", "region|nullability"}
    assert len(refused) / faulty.height == pytest.approx(0.01, abs=0.002)
    valid_keys = valid.select("car", "week")
    assert_frame_equal(
        sold.join(valid_keys, on=valid_keys.columns, how="semi", maintain_order="left"),
        faulty.join(valid_keys, on=valid_keys.columns, how="semi", maintain_order="left"),
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_prices_and_shares_are_those_of_the_brief(seed: int) -> None:
    some = rows(cars=MANY, seed=seed)
    assert some["price"].mean() == pytest.approx(6_500, rel=0.03)
    assert (some["region"] == "islands").mean() == pytest.approx(0.015, abs=0.005)


def test_a_car_that_is_sold_again_is_older_has_driven_further_and_has_one_owner_more(
    sold: pl.DataFrame,
) -> None:
    by_car = sold.group_by("car", maintain_order=True).agg(
        "week", "age_months", "mileage_km", "owners", pl.col("make").n_unique().alias("makes")
    )
    twice = by_car.filter(pl.col("week").list.len() > 1)
    assert twice.height / MANY == pytest.approx(0.05, abs=0.005)
    assert twice["week"].list.len().max() == 2
    assert twice["makes"].max() == 1
    gone = twice.select(
        pl.col("week", "age_months", "mileage_km", "owners").list.diff().list.get(1)
    )
    assert gone["week"].min() >= HORIZON  # type: ignore[operator]
    assert gone["age_months"].min() > 0  # type: ignore[operator]
    assert gone["mileage_km"].min() >= 0  # type: ignore[operator]
    assert gone["owners"].min() >= 1  # type: ignore[operator]


def test_a_car_loses_most_in_its_first_years(sold: pl.DataFrame) -> None:
    at = [median(sold, (pl.col("age_months") // 12) == years) for years in (0, 3, 6, 9)]
    first, second, third = (before - after for before, after in pairwise(at))
    assert first > 1.3 * second > 1.3 * 1.3 * third > 0


def test_some_makes_hold_their_value(sold: pl.DataFrame) -> None:
    lyra, vela = pl.col("make") == "Lyra", pl.col("make") == "Vela"
    share_kept = {
        name: median(sold, make, OLD) / median(sold, make, YOUNG)
        for name, make in {"lyra": lyra, "vela": vela}.items()
    }
    assert share_kept["lyra"] > 1.5 * share_kept["vela"]


def test_an_electric_car_is_dearer_when_new_and_loses_its_value_faster(sold: pl.DataFrame) -> None:
    petrol = pl.col("fuel") == "petrol"
    new, used = pl.col("age_months") < 12, pl.col("age_months").is_between(72, 96)
    assert median(sold, ELECTRIC, new) > 1.1 * median(sold, petrol, new)
    assert median(sold, ELECTRIC, used) < median(sold, petrol, used)


def test_a_service_book_is_worth_more_with_every_year(sold: pl.DataFrame) -> None:
    full, none = pl.col("service_book") == "full", pl.col("service_book") == "none"
    young = median(sold, full, YOUNG) / median(sold, none, YOUNG)
    old = median(sold, full, OLD) / median(sold, none, OLD)
    assert young == pytest.approx(1.05, abs=0.07)
    assert old > 1.3


def test_powerful_cars_sell_well_in_summer(sold: pl.DataFrame) -> None:
    summer, powerful = pl.col("week").dt.month().is_in([6, 7, 8]), pl.col("power_kw") >= 136
    change = {
        name: median(sold, summer, where) / median(sold, ~summer, where)
        for name, where in {"powerful": powerful, "others": ~powerful}.items()
    }
    assert change["powerful"] > change["others"] + 0.03


def test_winter_is_hard_on_electric_cars_and_kind_to_four_wheels(sold: pl.DataFrame) -> None:
    aster = pl.col("make") == "Aster"
    others = ~aster & ~ELECTRIC

    def change(*where: pl.Expr) -> float:
        return median(sold, WINTER, *where) / median(sold, ~WINTER, *where)

    assert change(ELECTRIC, ~aster) < 0.96
    assert change(aster, ~ELECTRIC) > 1.04
    assert change(others) == pytest.approx(1, abs=0.04)


def test_prices_of_old_cars_are_less_certain_than_those_of_new_ones(sold: pl.DataFrame) -> None:
    alike = sold.select(
        pl.col("make", "fuel", "service_book"),
        years=pl.col("age_months") // 12,
        power=pl.col("power_kw") // 10,
        km=pl.col("mileage_km") // 10_000,
        log_price=pl.col("price").log(),
    )
    groups = alike.group_by(pl.exclude("log_price")).agg(
        pl.col("log_price").std().alias("spread"), pl.len()
    )
    enough = groups.filter(pl.col("len") >= 3)
    young, old = (
        enough.filter(where)["spread"].median()
        for where in (pl.col("years") < 2, pl.col("years") >= 6)
    )
    assert old > 1.3 * young  # type: ignore[operator]


def test_drift_changes_the_last_weeks_and_not_the_first(sold: pl.DataFrame) -> None:
    moving = rows(cars=MANY, errors=0, drift=1.0)
    early = pl.col("week") < pl.col("week").min().dt.offset_by("8w")
    late = pl.col("week") > pl.col("week").max().dt.offset_by("-8w")
    assert median(moving, DIESEL, early) > 0.92 * median(sold, DIESEL, early)
    assert median(moving, DIESEL, late) < 0.65 * median(sold, DIESEL, late)
    share = {
        name: frame.filter(late).select(ELECTRIC.mean()).item()
        for name, frame in {"stable": sold, "moving": moving}.items()
    }
    assert share["moving"] > share["stable"] + 0.08


def test_drift_changes_no_cars_luck(sold: pl.DataFrame) -> None:
    moving = rows(cars=MANY, errors=0, drift=0.2)
    both = sold.join(moving, on=["car", "week"], suffix="_moving")
    petrol = both.filter(pl.col("fuel") == "petrol", pl.col("fuel_moving") == "petrol")
    assert both.height == sold.height
    assert np.array_equal(petrol["price"], petrol["price_moving"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"cars": 0}, "cars must be at least 1, found 0"),
        ({"weeks": 4}, "weeks must be at least 8, found 4"),
        ({"errors": 2.0}, "errors must be from 0 to 1, found 2.0"),
    ],
)
def test_impossible_settings_are_refused_by_name(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rows(**wrong)  # type: ignore[arg-type]
