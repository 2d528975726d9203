"""A simulated dealer in used cars, so that everything runs before your own data arrives.

Delete this file, and its section in `params.yaml`, once `source` names your own data.

The business
------------
Every week the dealer sells cars. A row is what was known about one car on the Monday of that week,
and the price it was sold at. Most cars appear once; a few come back and are sold again, older and
with one more owner.

What causes what
----------------
Nobody sees how well a car was *kept*. It shows, with noise, in three places:

    kept  ->  services on record, fewer owners, fewer km
    kept  ->  price, whether or not it shows; the older the car, the more

Other causes of the price, and what each depends on:

    make and power    set the price when new
    age               takes most in the first years; some makes hold their value, and electric cars
                      lose it faster
    mileage           costs a petrol car most, a diesel little; a petrol car beyond 150,000 km more
    a service book    is worth nothing for a new car, and more with every year
    owners            each after the first takes a little
    the season        electric cars sell badly in winter, powerful ones well in summer; an Aster,
                      which drives on all four wheels, sells well in winter
    the islands       are short of buyers: power is worth less there, an electric car more

A price list by make and age in whole years misses mileage, power, fuel and the service book. A
straight line through all of them misses whatever depends on something else, and much does.

What remains is luck: two buyers, two prices. Its share of the price grows with age, so that nobody
knows the price of an old car as exactly as that of a new one. No car is sold below GBP 500, its
scrap value.
"""

from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.random import PCG64, Generator, SeedSequence

FIRST_WEEK = date(2024, 1, 1)
"""A Monday. Dates are fixed: no clock is read anywhere."""

HORIZON_WEEKS = 4
WEEKS_PER_YEAR = 365.25 / 7

SCRAP = 500.0
"""What any car fetches, in GBP."""

REGIONS = {"north": 0.295, "south": 0.285, "east": 0.22, "west": 0.185, "islands": 0.015}

MAKES = {
    "Aster": (0.10, 16_500, 95, 0.95),
    "Borealis": (0.19, 14_000, 80, 1.05),
    "Cetus": (0.15, 15_000, 85, 1.00),
    "Delphin": (0.08, 17_000, 95, 1.10),
    "Ember": (0.14, 13_000, 75, 1.15),
    "Fornax": (0.08, 17_500, 100, 1.05),
    "Lyra": (0.16, 15_500, 90, 0.80),
    "Vela": (0.10, 14_500, 85, 1.30),
}
"""Share of the sales, price of a new petrol car of 100 kW in GBP, usual power in kW, and how fast
the make loses value (1 is the average).
"""

NEW, LOSS, WEAR = "price when new", "loss with age", "loss with mileage"
FUELS = {
    "petrol": {NEW: 0.00, LOSS: 1.00, WEAR: 1.0},
    "diesel": {NEW: 0.06, LOSS: 0.95, WEAR: 0.5},
    "electric": {NEW: 0.25, LOSS: 1.45, WEAR: 0.4},
}
"""Share by which the fuel raises the price when new, and its losses as multiples of petrol's."""

COLUMNS = [
    "car",
    "week",
    "make",
    "fuel",
    "age_months",
    "mileage_km",
    "power_kw",
    "owners",
    "service_book",
    "region",
    "price",
]


def rows(
    cars: int = 20_000,
    weeks: int = 104,
    seed: int = 7,
    recurring: float = 0.05,
    drift: float = 0.0,
    errors: float = 0.002,
) -> pl.DataFrame:
    """Return the dealer's export: one row per car and week, in order of week and car.

    `cars` cars are sold in one of `weeks` weeks each, and the share `recurring` of them a second
    time, later. `drift` moves the market gradually: 0 is stable; at 1 the last weeks have twice as
    many electric cars, and a diesel fetches little more than half of what it used to. The share
    `errors` of the rows breaks the contract, as exports do: a negative mileage, a make withdrawn
    years ago, no region.

    The same arguments give the same rows, and each cause draws from a stream of its own: other
    `errors` change no other row, another `drift` changes no car's luck.

    Columns are those of `contract.Row`; make, fuel, service book and region are plain text here.

    Raises:
        ValueError: fewer than 1 car or 8 weeks, or a share outside 0 to 1.
    """
    _refuse_impossible(cars, weeks, recurring=recurring, drift=drift, errors=errors)
    car_draws, calendar, first_draws, second_draws, mistakes = (
        Generator(PCG64(stream)) for stream in SeedSequence(seed).spawn(5)
    )
    pace = drift / (weeks - 1)
    first_week, second_week = _weeks_sold(calendar, cars, weeks, recurring)
    stock = _stock(car_draws, cars, first_week, pace)

    first = _sales(first_draws, stock, first_week, pace)
    again = second_week >= 0
    back = stock.filter(again).with_columns(pl.col("sold_before") + 1)
    second = _sales(second_draws, back, second_week[again], pace)
    return _with_errors(mistakes, pl.concat([first, second]).sort("week", "car"), errors)


def _refuse_impossible(cars: int, weeks: int, **shares: float) -> None:
    if cars < 1:
        raise ValueError(f"example: cars must be at least 1, found {cars}")
    if weeks < 2 * HORIZON_WEEKS:
        raise ValueError(f"example: weeks must be at least {2 * HORIZON_WEEKS}, found {weeks}")
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"example: {name} must be from 0 to 1, found {share}")


def _stock(rng: Generator, n: int, week: np.ndarray, pace: float) -> pl.DataFrame:
    """What stays the same about cars first sold in `week`; `pace` is drift per week."""
    make = _choose(rng, [share for share, *_ in MAKES.values()], n)
    _, new, usual, loss = (np.array(values)[make] for values in zip(*MAKES.values(), strict=True))
    region = _choose(rng, list(REGIONS.values()), n)
    number = pl.int_range(1, n + 1).cast(pl.String).str.zfill(7)
    cars = pl.DataFrame(
        {
            "make": pl.Series(list(MAKES)).gather(make),
            "region": pl.Series(list(REGIONS)).gather(region),
            "new": new,
            "loss_of_make": loss,
            "power_kw": (usual * np.exp(0.22 * rng.standard_normal(n))).round().clip(40, 320),
            "taste": rng.random(n) + 0.12 * pace * week,
            "years": rng.gamma(2.2, 2.6, n).clip(0.1, 25),
            "week_number": week,
            "kept": rng.standard_normal(n),
            "thirst": np.exp(0.35 * rng.standard_normal(n)),
            "booked": rng.standard_normal(n),
            "changes": rng.random(n),
            "sold_before": np.zeros(n),
        }
    )
    fuel = (
        pl.when(pl.col("taste") < 0.32)
        .then(pl.lit("diesel"))
        .when(pl.col("taste") < 0.88)
        .then(pl.lit("petrol"))
        .otherwise(pl.lit("electric"))
    )
    electric, diesel = pl.col("fuel") == "electric", pl.col("fuel") == "diesel"
    years = pl.when(electric).then(pl.col("years") * 0.55).otherwise("years")
    habit = 12_500 * (1 + 0.35 * diesel) * pl.col("thirst") * (-0.08 * pl.col("kept")).exp()
    return cars.with_columns(car=pl.lit("V") + number, fuel=fuel).with_columns(
        registered=pl.col("week_number") - years * WEEKS_PER_YEAR, km_a_year=habit
    )


def _choose(rng: Generator, shares: list[float], n: int) -> np.ndarray:
    """Draw `n` positions in `shares`, each as often as its share says."""
    return np.searchsorted(np.cumsum(shares)[:-1], rng.random(n), side="right")


def _weeks_sold(
    rng: Generator, cars: int, weeks: int, recurring: float
) -> tuple[np.ndarray, np.ndarray]:
    """The week in which each car is sold, and a later one, or -1 where there is none.

    Two weeks are drawn on a circle, at least a horizon apart both ways round, and then ordered: so
    every week is as likely as any other.
    """
    apart = max(HORIZON_WEEKS, weeks // 8)
    week = rng.integers(0, weeks, cars)
    other = (week + rng.integers(apart, weeks - apart + 1, cars)) % weeks
    comes_back = rng.random(cars) < recurring
    first = np.where(comes_back, np.minimum(week, other), week)
    return first, np.where(comes_back, np.maximum(week, other), -1)


def _sales(rng: Generator, stock: pl.DataFrame, week: np.ndarray, pace: float) -> pl.DataFrame:
    """What was known about the cars of `stock` in `week`, and what they were sold at."""
    n = stock.height
    sold = stock.with_columns(
        week_number=pl.Series(week, dtype=pl.Int64),
        drifted=pl.Series(pace * week, dtype=pl.Float64),
        luck=rng.standard_normal(n),
        nobody_looked=rng.random(n) < 0.10,
        no_papers=rng.random(n) < 0.04,
    ).with_columns(
        week=pl.lit(FIRST_WEEK) + pl.col("week_number") * timedelta(weeks=1),
        years=(pl.col("week_number") - pl.col("registered")) / WEEKS_PER_YEAR,
    )
    kept, record = pl.col("kept"), pl.col("kept") + 0.8 * pl.col("booked")
    book = pl.when(record > 0).then(pl.lit("full")).when(record > -1.1).then(pl.lit("partial"))
    changed = pl.col("years") * pl.col("changes") * (0.45 - 0.1 * kept)
    hands = 1 + changed.clip(0, 8).floor() + pl.col("sold_before")
    sold = sold.with_columns(
        age_months=(pl.col("years") * 12).floor().cast(pl.Int64),
        mileage_km=(pl.col("years") * pl.col("km_a_year")).round().cast(pl.Int64),
        power_kw=pl.col("power_kw").cast(pl.Int64),
        book=book.otherwise(pl.lit("none")),
        hands=pl.when(pl.col("years") < 0.25).then(1).otherwise(hands).cast(pl.Int64),
    )
    return sold.with_columns(
        owners=pl.when(~pl.col("no_papers")).then("hands"),
        service_book=pl.when(~pl.col("nobody_looked")).then("book"),
        price=((_log_price().exp() / 5).round() * 5).clip(SCRAP),
    ).select(COLUMNS)


def _log_price() -> pl.Expr:
    """Logarithm of the price in GBP: the causes named at the top of this file, and luck."""
    new, loss, wear = (
        pl.col("fuel").replace_strict({fuel: each[part] for fuel, each in FUELS.items()})
        for part in (NEW, LOSS, WEAR)
    )
    years, km, month = pl.col("years"), pl.col("mileage_km") / 10_000, pl.col("week").dt.month()
    electric, petrol = pl.col("fuel") == "electric", pl.col("fuel") == "petrol"
    winter, summer = month.is_in([12, 1, 2]), month.is_in([6, 7, 8])
    islands, size = pl.col("region") == "islands", (pl.col("power_kw") / 100).log()
    book = pl.col("book").replace_strict({"full": 0.016, "partial": 0.0, "none": -0.016})
    return (
        pl.col("new").log()
        + new
        + size * (0.75 - 0.20 * islands)
        - 0.19 * pl.col("loss_of_make") * loss * years**0.85
        - wear * (0.025 * km + 0.02 * petrol * (km - 15).clip(0))
        + (book + 0.004 * pl.col("kept")) * years.clip(0, 10)
        - 0.02 * (pl.col("hands") - 1)
        + 0.03 * (pl.col("region") == "south")
        - 0.05 * islands
        + electric * (0.10 * islands - 0.10 * winter)
        + 0.08 * summer * (size > 0.3)
        + 0.08 * winter * (pl.col("make") == "Aster")
        - 0.60 * pl.col("drifted") * (pl.col("fuel") == "diesel")
        + (0.03 + 0.006 * years) * pl.col("luck")
    )


def _with_errors(rng: Generator, rows: pl.DataFrame, share: float) -> pl.DataFrame:
    """Break the contract in a `share` of `rows`, each time in one of three ways."""
    broken = pl.lit(pl.Series(rng.random(rows.height) < share))
    way = pl.lit(pl.Series(rng.integers(0, 3, rows.height)))
    # A kilometre more, so that a car that never moved is wrong as well.
    below_zero = -1 - pl.col("mileage_km")
    return rows.with_columns(
        mileage_km=pl.when(broken & (way == 0)).then(below_zero).otherwise("mileage_km"),
        make=pl.when(broken & (way == 1)).then(pl.lit("Umbra")).otherwise("make"),
        region=pl.when(~(broken & (way == 2))).then("region"),
    )
