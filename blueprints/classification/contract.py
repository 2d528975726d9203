"""What one row must look like, and what its columns are for.

Everything that must agree on the data reads this file: the validation of raw rows, training, the
tests' rows and the service's request. Rows that break it are set aside with the reasons.
"""

from datetime import date, timedelta

import dataframely as dy
import polars as pl


class Row(dy.Schema):
    """One customer as the company knew them on one Monday."""

    customer = dy.String(
        regex="^C[0-9]{7,}$", primary_key=True, description="Customer number, as in billing."
    )
    week = dy.Date(
        min=date(2015, 1, 5),
        max=date(2099, 12, 28),
        resolution="1w",
        primary_key=True,
        description="Monday on which everything in this row was known.",
    )
    tenure_months = dy.Int64(min=0, max=1200, description="Whole months since the customer joined.")
    plan = dy.Enum(
        ["flexible", "one year", "two years"],
        description="How long the plan binds the customer; flexible ends any month.",
    )
    months_left = dy.Int64(
        min=0, max=24, description="Months until a fixed plan ends; 0 on a flexible plan."
    )
    monthly_charge = dy.Float64(
        min=0.01, max=500, description="Charge this month, in GBP, with tax."
    )
    monthly_charge_before = dy.Float64(
        min=0.01,
        max=500,
        nullable=True,
        description="Charge three months ago, in GBP; missing for newer customers.",
    )
    data_gb = dy.Float64(min=0, max=2000, description="Data used in the last full month, in GB.")
    data_gb_before = dy.Float64(
        min=0,
        max=2000,
        nullable=True,
        description="Data used in the month before that, in GB; missing in the first month.",
    )
    support_calls = dy.Int64(min=0, max=60, description="Calls to support in the last eight weeks.")
    survey_score = dy.Int64(
        min=1,
        max=5,
        nullable=True,
        description="Last survey answer, 1 (poor) to 5 (good); missing for most customers.",
    )
    region = dy.Enum(
        ["north", "south", "east", "west", "islands"], description="Region of the home address."
    )
    age_band = dy.Enum(
        ["18-29", "30-44", "45-64", "65+"],
        description="Age in years, from the contract. Used to judge the model, never by the model.",
    )
    outcome = dy.Enum(
        ["leaves", "stays"], description="Whether the customer left within eight weeks of `week`."
    )

    @dy.rule()
    def flexible_plan_has_no_months_left(cls) -> pl.Expr:
        """A flexible plan binds nobody."""
        return (pl.col("plan") != "flexible") | (pl.col("months_left") == 0)


ENTITY: str | None = "customer"
"""Who or what a row is about; None if every row stands alone."""

TIME: str | None = "week"
"""When the row was known; None if the data has no time."""

HORIZON = timedelta(weeks=8)
"""The target is known this long after TIME; train and test are kept this far apart."""

TARGET = "outcome"
"""What is predicted; its categories are the classes that the brief's value table prices."""

SEGMENTS = ["region", "age_band"]
"""Groups for which a guardrail `where: each segment` must hold one by one."""

PERSONAL = ["customer", "age_band"]
"""Personal data: never in a log, and no feature unless features.py says so."""

MEANT: dict[str, str] = {}
"""Features that alone give the target away, and rules above that read the target, each with the
reason why that is no leak and chooses no rows.
"""

FORMER: dict[str, str] = {}
"""Columns that were renamed, today's name first: `{"tariff": "plan"}`. An earlier champion finds
its columns by it; once a model with today's names is in charge, the entry can go.
"""

EXAMPLE: dict[str, object] = {
    "customer": "C0001234",
    "week": date(2025, 6, 2),
    "tenure_months": 14,
    "plan": "flexible",
    "months_left": 0,
    "monthly_charge": 22.0,
    "monthly_charge_before": 20.0,
    "data_gb": 6.0,
    "data_gb_before": 8.0,
    "support_calls": 2,
    "survey_score": None,
    "region": "north",
    "age_band": "30-44",
    "outcome": "leaves",
}
"""One row written by hand: the tests' smallest data, and the service's example request."""
