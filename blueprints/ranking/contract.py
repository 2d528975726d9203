"""What one row must look like, and what its columns are for.

Everything that must agree on the data reads this file: the validation of raw rows, training, the
tests' rows and the service's request. Rows that break it are set aside with the reasons.
"""

from datetime import date, timedelta

import dataframely as dy
import polars as pl

BRAND = "[a-z0-9-]+"
"""How a brand is written. Which brands there are is not said here: new ones come all the time."""

EVENT = f"{BRAND}:(click|order)(@[1-9][0-9]?)?"
"""`ono:order` or, by the list that was shown and at its fourth place, `ono:order@4`."""


class Row(dy.Schema):
    """One user's visit to the shop on one day."""

    user = dy.String(
        regex="^U[0-9]{6,}$", primary_key=True, description="Number of the user's account."
    )
    day = dy.Date(
        min=date(2015, 1, 1),
        max=date(2099, 12, 31),
        primary_key=True,
        description="Day of the visit; all in this row but `wanted` was known when it began.",
    )
    visitor = dy.Enum(["new", "returning"], description="Whether the user has been here before.")
    device = dy.Enum(["phone", "computer", "tablet"], description="What the user looks at.")
    came_from = dy.Enum(
        ["direct", "search", "newsletter", "advert"], description="How the user came to the shop."
    )
    history = dy.String(
        regex=f"^({BRAND}( {BRAND})*)?$",
        description="Brands of earlier visits, newest first, each once, with spaces between.",
    )
    wanted = dy.String(
        regex=f"^({EVENT}( {EVENT})*)?$",
        description="Brands the user went for, each with what came of it; empty without an event.",
    )

    @dy.rule()
    def new_visitor_has_no_history(cls) -> pl.Expr:
        """Who has not been here before has visited no brand."""
        return (pl.col("visitor") != "new") | (pl.col("history") == "")


ENTITY: str | None = "user"
"""Who or what a row is about; None if every row stands alone."""

TIME: str | None = "day"
"""When the row was known; None if the data has no time."""

HORIZON = timedelta(days=1)
"""The target is known this long after TIME, when the visit is over; train and test are kept this
far apart.
"""

TARGET = "wanted"
"""What is predicted, as words like `brand:event` or `brand:event@place`; the brief prices each kind
of event.
"""

SEGMENTS = ["visitor", "device"]
"""Groups for which a guardrail `where: each segment` must hold one by one."""

PERSONAL = ["user", "history"]
"""Personal data: never in a log, and no feature unless features.py says so."""

MEANT: dict[str, str] = {}
"""Features that alone give the target away, and rules above that read the target, each with the
reason why that is no leak and chooses no rows.
"""

FORMER: dict[str, str] = {}
"""Columns that were renamed, today's name first: `{"came_from": "channel"}`. An earlier champion
finds its columns by it; once a model with today's names is in charge, the entry can go.
"""

EXAMPLE: dict[str, object] = {
    "user": "U000123",
    "day": date(2025, 6, 2),
    "visitor": "returning",
    "device": "phone",
    "came_from": "newsletter",
    "history": "norrvik trekko ono",
    "wanted": "ono:order@4 alpenta:click",
}
"""One row written by hand: the tests' smallest data, and the service's example request."""
