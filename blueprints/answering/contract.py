"""What one row must look like, and what its columns are for.

Everything that must agree on the data reads this file: the validation of raw rows, training, the
tests' rows and the service's request. Rows that break it are set aside with the reasons.
"""

from datetime import date, timedelta

import dataframely as dy
import polars as pl

INTENTS = [
    "track_order",
    "delivery_time",
    "express_delivery",
    "delivery_cost",
    "delivery_abroad",
    "change_address",
    "missed_delivery",
    "parcel_lost",
    "damaged_item",
    "wrong_item",
    "return_how",
    "return_cost",
    "refund_when",
    "exchange_size",
    "cancel_order",
    "payment_methods",
    "payment_failed",
    "charged_twice",
    "invoice",
    "voucher",
    "gift_card",
    "password",
    "change_email",
    "delete_account",
    "newsletter",
    "out_of_stock",
    "warranty",
    "desk_hours",
]
"""What customers ask for and an answer is prepared for; `model.py` holds the answers."""


class Row(dy.Schema):
    """One asking: a question in one wording, asked once or again."""

    question = dy.String(
        regex="^Q[0-9]{6,}$",
        primary_key=True,
        description="Number of the ticket: all its wordings and repeats are one question.",
    )
    wording = dy.String(
        regex=r"\S",
        primary_key=True,
        description="What the customer wrote; may hold names and addresses.",
    )
    repeat = dy.Int64(
        min=1,
        max=99,
        primary_key=True,
        description="1 where it was asked for the first time; a model may answer otherwise again.",
    )
    asked_on = dy.Date(
        min=date(2015, 1, 1), max=date(2099, 12, 31), description="Day of the question."
    )
    channel = dy.Enum(["web", "app", "e-mail"], description="Where the customer wrote.")
    kind = dy.Enum(
        ["prepared", "out of scope", "hostile"],
        nullable=True,
        description="What it turned out to be; missing until the desk has read it.",
    )
    recorded = dy.String(
        regex=r"^\{.*\}$",
        nullable=True,
        description="Recorded answers of language models, as a JSON object by fingerprint.",
    )
    intent = dy.Enum(
        [*INTENTS, "none"],
        description="What the desk says was asked for; none where no answer is prepared.",
    )

    @dy.rule()
    def what_was_read_has_a_kind(cls) -> pl.Expr:
        """Whoever knows the intent knows the kind."""
        return pl.col("intent").is_null() | pl.col("kind").is_not_null()

    @dy.rule()
    def only_prepared_questions_have_an_intent(cls) -> pl.Expr:
        """Whatever is out of scope or hostile is handed over, so its intent is none."""
        return (pl.col("kind") == "prepared") == (pl.col("intent") != "none")


ENTITY: str | None = "question"
"""Who or what a row is about; None if every row stands alone. Wordings and repeats of one question
count as one.
"""

TIME: str | None = "asked_on"
"""When the row was known; None if the data has no time."""

HORIZON = timedelta(days=7)
"""The target is known this long after TIME, when the desk has read the question; train and test are
kept this far apart.
"""

TARGET = "intent"
"""What is asked for; `none` where nothing is prepared and a person has to answer."""

SEGMENTS = ["kind", "channel"]
"""Groups for which a guardrail may be stated one by one."""

PERSONAL = ["question", "wording", "recorded"]
"""Personal data: never in a log, and no feature unless features.py says so."""

MEANT: dict[str, str] = {
    "what_was_read_has_a_kind": "a row without it was read by halves, whatever its intent",
    "only_prepared_questions_have_an_intent": "kind and intent are one reading, not two facts",
}
"""Features that alone give the target away, and rules above that read the target, each with the
reason why that is no leak and chooses no rows.
"""

FORMER: dict[str, str] = {}
"""Columns that were renamed, today's name first: `{"wording": "message"}`. An earlier champion
finds its columns by it; once a model with today's names is in charge, the entry can go.
"""

EXAMPLE: dict[str, object] = {
    "question": "Q000123",
    "wording": "Hello, when will my refund for the kettle be on my card?",
    "repeat": 1,
    "asked_on": date(2025, 6, 2),
    "channel": "web",
    "kind": "prepared",
    "recorded": None,
    "intent": "refund_when",
}
"""One row written by hand: the tests' smallest data, and the service's example request."""
