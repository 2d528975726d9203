"""What one row must look like, and what its columns are for.

Everything that must agree on the data reads this file: the validation of raw rows, training, the
tests' rows and the service's request. Rows that break it are set aside with the reasons.
"""

from datetime import date, timedelta

import dataframely as dy
import polars as pl


class Row(dy.Schema):
    """One used car as the dealer sold it in one week."""

    car = dy.String(
        regex="^V[0-9]{7,}$",
        primary_key=True,
        description="Number of the registration document, which leads to the keeper.",
    )
    week = dy.Date(
        min=date(2015, 1, 5),
        max=date(2099, 12, 28),
        resolution="1w",
        primary_key=True,
        description="Monday of the week of the sale; everything in this row was known then.",
    )
    make = dy.Enum(
        ["Aster", "Borealis", "Cetus", "Delphin", "Ember", "Fornax", "Lyra", "Vela"],
        description="Who built the car.",
    )
    fuel = dy.Enum(["petrol", "diesel", "electric"], description="What the car runs on.")
    age_months = dy.Int64(min=0, max=600, description="Whole months since first registration.")
    mileage_km = dy.Int64(min=0, max=1_000_000, description="Reading of the odometer, in km.")
    power_kw = dy.Int64(min=20, max=800, description="Power of the engine or motor, in kW.")
    owners = dy.Int64(
        min=1,
        max=20,
        nullable=True,
        description="Owners so far; missing where the papers do not say.",
    )
    service_book = dy.Enum(
        ["full", "partial", "none"],
        nullable=True,
        description="How completely services are recorded; missing where nobody looked.",
    )
    region = dy.Enum(
        ["north", "south", "east", "west", "islands"], description="Region of the sale."
    )
    price = dy.Float64(
        min=100, max=250_000, description="Price the car was sold at, in GBP, with tax."
    )

    @dy.rule()
    def new_car_has_one_owner(cls) -> pl.Expr:
        """In its first three months a car has had one owner at most."""
        return (pl.col("age_months") >= 3) | (pl.col("owners") <= 1)


ENTITY: str | None = "car"
"""Who or what a row is about; None if every row stands alone."""

TIME: str | None = "week"
"""When the row was known; None if the data has no time."""

HORIZON = timedelta(weeks=4)
"""The target is known this long after TIME, when the car is paid and handed over; train and test
are kept this far apart.
"""

TARGET = "price"
"""What is predicted, in the currency of the brief; its errors are what the brief prices."""

SEGMENTS = ["make", "region"]
"""Groups for which a guardrail `where: each segment` must hold one by one."""

PERSONAL = ["car"]
"""Personal data: never in a log, and no feature unless features.py says so."""

MEANT: dict[str, str] = {}
"""Features that alone give the target away, and rules above that read the target, each with the
reason why that is no leak and chooses no rows.
"""

FORMER: dict[str, str] = {}
"""Columns that were renamed, today's name first: `{"fuel": "engine"}`. An earlier champion finds
its columns by it; once a model with today's names is in charge, the entry can go.
"""

EXAMPLE: dict[str, object] = {
    "car": "V0001234",
    "week": date(2025, 6, 2),
    "make": "Lyra",
    "fuel": "diesel",
    "age_months": 60,
    "mileage_km": 90_000,
    "power_kw": 110,
    "owners": 2,
    "service_book": "full",
    "region": "north",
    "price": 9_800.0,
}
"""One row written by hand: the tests' smallest data, and the service's example request."""
