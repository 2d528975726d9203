"""What the target of a ranking problem may be, and what it looks like."""

from typing import TYPE_CHECKING

import polars as pl

from ..edge.errors import Fixable

if TYPE_CHECKING:
    import dataframely as dy

TRUTH = pl.String
"""What predictions and outcomes hold the target as: `ono:order tempo:click@4`, or nothing."""

EVENT = r"^(?<brand>[^\s:@]+):(?<event>[^\s:@]+)(?:@(?<place>[1-9][0-9]*))?$"

COLUMNS = [
    "action", "outcome", "score", "value", "positive", "shown", "places", "wanted", "found",
    "expected", "ndcg", "in_head",
]  # fmt: skip


def parse_events(y: pl.Series) -> pl.DataFrame:
    """What the texts of a target say, an event per row.

    Columns: `row` (UInt32, the text's place in `y`), `brand`, `event` (String), `place` (Float64,
    on the list by which it came; null without one).

    Raises:
        Fixable: a word is not of the form `brand:event` or `brand:event@place`.
    """
    words = (
        pl.DataFrame({"word": y.cast(pl.String)})
        .select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), pl.col("word").str.split(" "))
        .explode("word", empty_as_null=True)
        .filter(pl.col("word") != "")
    )
    parts = words.with_columns(pl.col("word").str.extract_groups(EVENT).alias("parts"))
    events = parts.select("row", "word", pl.col("parts").struct.unnest())
    if strange := events.filter(pl.col("brand").is_null())["word"].head(1).to_list():
        raise Fixable(
            f"contract.py: TARGET: expected words like brand:event or brand:event@3, found "
            f"{strange[0]!r}. Next: fix the source, or the target's regex in contract.py, then "
            "uv run dvc repro"
        )
    return events.select("row", "brand", "event", pl.col("place").cast(pl.Float64))


def find_fault(target: "dy.Column") -> str | None:
    """What is wrong with the target's type in the contract, if anything."""
    if target.dtype == pl.String:
        return None
    return f"expected a text (dy.String) like brand:event, found {type(target).__name__}"


MOST = 10  # things that a report counts one by one


def summarize(target: pl.Series) -> dict[str, int]:
    """What the target looks like, for `reports/data.json`: events by thing, the most wanted first,
    and those of all the others.
    """
    counts = parse_events(target.drop_nulls()).group_by("brand").len()
    counts = counts.sort(["len", "brand"], descending=[True, False])
    others = counts[MOST:]
    events = dict(counts.head(MOST).iter_rows())
    if others.height:
        events[f"{others.height:,} others"] = int(others["len"].sum())
    return events


def mark(target: pl.Series) -> pl.Series:
    """What each unit may tell: one with an event; null for the others."""
    events = target.cast(pl.String).str.strip_chars().fill_null("") != ""
    return events.replace_strict([True], ["unit with an event"], default=None)


def measure_level(target: pl.Series) -> dict[str, float]:
    """The share of rows with an event, and with each kind of event, for `reports/split.json`."""
    rows, events = max(target.len(), 1), parse_events(target.fill_null(""))
    kinds = dict(events.group_by("event").agg(pl.col("row").n_unique()).sort("event").iter_rows())
    level = {"with an event": events["row"].n_unique() / rows}
    return level | {f"with {kind}": count / rows for kind, count in kinds.items()}


LEVEL = "share"
"""How the figures of `measure_level` are written."""


def list_priced(target: pl.Series) -> list[str]:
    """What the brief has to price: each kind of event."""
    return parse_events(target.drop_nulls())["event"].unique().to_list()


VARIETY = "events with two brands or more"
"""What a target has to be for anything to be learned."""
