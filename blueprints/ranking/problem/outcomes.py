"""Ranking: one row is one unit, the answer is a short list, best first, and each thing on it earns
what comes of it.

A model orders everything that it knows. Of this the best `PLACES` are kept, each with the chance
that it is wanted, and the brief decides how many of them are worth their place. What is ranked is
called a thing here; a brief may call it a brand or a film.

What a prediction leads to is here: the action, within the brief's capacity, and what it is worth.
"""

import polars as pl
import polars.selectors as cs

from ..edge.brief import NEXT, Brief, Priced, Shown, require_kind
from ..edge.errors import Fixable
from ..statistics import influence
from ..statistics.interval import Interval
from .action import OWN, find_periods, has_own, list_segments, sum_best
from .metrics import PRICED, PRICES
from .target import COLUMNS, parse_events
from .training import CHANCES, DIGITS, NAMES, OF, PLACES, add_weights, list_places, sum_gain

NOTHING = "none"

PricedBrief = Priced[Shown]

DONE = pl.col("shown")
"""What a model did for each unit: where two did the same, their values are the same."""

RESULT = (
    pl.when(pl.col("places") == 0)
    .then(pl.lit(""))
    .when(pl.col("found") > 0)
    .then(pl.lit("wanted"))
    .otherwise(pl.lit("not wanted"))
)
"""What came of an action, in a word; empty where there is nothing to say of it."""


def require_prices(brief: Brief) -> PricedBrief:
    """The brief with its decision and its prices; Fixable where it has none."""
    return require_kind(brief, PRICES, PRICED)


def act(predictions: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """`action` (String), `score` (Float64, the list's expected value in money) and `shown`
    (List[String], best first).

    At place k a thing is worth noticed^(k - 1) x its chance x the price of an event, and what
    showing it costs: `noticed` is the persistence of rank-biased precision (Moffat and Zobel 2008).
    It is shown while that is above 0, and while the list is shorter than `at_most`. The order that
    the rule has by itself is taken as it is, up to `at_most`. No unit competes with another.
    """
    if has_own(predictions):
        return _show_own(predictions, brief)
    value, decision = brief.value, brief.decision
    worth = _worth(predictions, brief)
    expected = [
        value.noticed**place * pl.col(CHANCES[place]).fill_null(0.0) * worth + value.shown
        for place in range(_most(brief))
    ]
    table = predictions.select(
        *(each.alias(CHANCES[place]) for place, each in enumerate(expected)),
        *(pl.col(name).fill_null("") for name in NAMES[: len(expected)]),
    )
    shows = [
        pl.all_horizontal(pl.col(CHANCES[: place + 1]) > 0) & (pl.col(NAMES[place]) != "")
        for place in range(len(expected))
    ]
    names = [pl.when(show).then(name) for show, name in zip(shows, NAMES, strict=False)]
    values = [pl.when(show).then(name) for show, name in zip(shows, CHANCES, strict=False)]
    return table.select(
        shown=pl.concat_list(names).list.drop_nulls(),
        score=pl.sum_horizontal(values).cast(pl.Float64),
    ).select(
        pl.when(pl.col("shown").list.len() == 0)
        .then(pl.lit(NOTHING))
        .otherwise(pl.lit(decision.action))
        .alias("action"),
        "score",
        "shown",
    )


def rank(predictions: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """What is best for each unit by itself: what `act` gives, as no unit competes with another."""
    return act(predictions, brief)


def cut(ranked: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """What `act` gives, of ranked rows: all of them, as there is room for each."""
    return ranked


def _show_own(predictions: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """What `act` gives where the rule has an order of its own."""
    value, place = brief.value, pl.col("place").cast(pl.Float64)
    rows = predictions.with_columns(row=pl.int_range(pl.len(), dtype=pl.UInt32)).select(
        "row",
        cs.starts_with("p_"),
        shown=pl.col(OWN).str.split(" ").list.head(_most(brief)),
        worth=_worth(predictions, brief),
    )
    looks = pl.lit(value.noticed).pow(place) * pl.col("chance").fill_null(0.0) * pl.col("worth")
    scores = (
        rows.select("row", "worth", brand="shown")
        .explode("brand", empty_as_null=True)
        .with_columns(place=pl.int_range(pl.len()).over("row"))
        .join(
            list_places(rows, PLACES).select("row", "brand", "chance"),
            on=["row", "brand"],
            how="left",
        )
        .sort("row", "place")
        .group_by("row", maintain_order=True)
        .agg(score=(looks + value.shown).sum())
    )
    return (
        rows.select("row", shown=pl.col("shown").list.filter(pl.element() != ""))
        .join(scores, on="row", how="left", maintain_order="left")
        .select(
            action=pl.when(pl.col("shown").list.len() == 0)
            .then(pl.lit(NOTHING))
            .otherwise(pl.lit(brief.decision.action)),
            score=pl.when(pl.col("shown").list.len() == 0).then(0.0).otherwise("score"),
            shown="shown",
        )
    )


def takes_room(brief: PricedBrief) -> pl.Expr:
    """Whether a unit of the outcomes table takes room that others want: no list does."""
    return pl.lit(False)


def build_outcomes(predictions: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """The outcomes table of one model.

    Columns: `unit` (UInt32), `cluster` and the segments (String), `action`, `outcome` (String, the
    truth), `score`, `value` (money against showing nothing), `positive` (whether anything was
    wanted), `shown` (String, the list with spaces between), `places` (UInt32, its length), `wanted`
    and `found` (how many things were wanted, and how many of these were shown), `expected` (how
    many of those shown the model expected to be wanted), `ndcg` (discounted gain of the list by the
    best possible) and `in_head` (UInt32, how many of those shown belong to the head). What came by
    a list counts by its weight (`weighted`) in value, wanted, found and ndcg.
    """
    segments = list_segments(predictions)
    units = predictions.select(
        pl.col("row").alias("unit"),
        "cluster",
        *segments,
        outcome=pl.col("target"),
        row=pl.int_range(pl.len(), dtype=pl.UInt32),
    )
    actions = act(predictions, brief).with_columns(pl.col("shown").list.join(" "))
    units = units.hstack(actions)
    truth = _truth(units["outcome"], brief)
    tables = (
        _measure_lists(_place_shown(units, predictions), truth, brief),
        truth.sort("row", "brand").group_by("row").agg(wanted=pl.col("weight").sum()),
        _measure_ideal(truth, brief),
    )
    for table in tables:
        units = units.join(table, on="row", how="left", maintain_order="left")
    return units.with_columns(
        pl.col("value", "found", "wanted", "expected").fill_null(0.0),
        pl.col("places", "in_head").cast(pl.UInt32).fill_null(0),
        positive=pl.col("wanted").is_not_null(),
        ndcg=(pl.col("reached") / pl.col("gain")).fill_null(0.0),
    ).select("unit", "cluster", *segments, *COLUMNS)


def _place_shown(units: pl.DataFrame, predictions: pl.DataFrame) -> pl.DataFrame:
    """Each thing on a list, with its place there and the chance that a model gave it: `row`,
    `brand`, `place_shown` and `chance`.
    """
    listed = (
        units.select("row", brand=pl.col("shown").str.split(" "))
        .explode("brand", empty_as_null=True)
        .filter(pl.col("brand") != "")
        .with_columns(place_shown=pl.int_range(1, pl.len() + 1).over("row"))
    )
    chances = list_places(
        predictions.with_columns(row=pl.int_range(pl.len(), dtype=pl.UInt32)), PLACES
    )
    return listed.join(chances.select("row", "brand", "chance"), on=["row", "brand"], how="left")


def _measure_lists(listed: pl.DataFrame, truth: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """What comes of each list: `row`, `value`, `places`, `found`, `expected`, `reached` (its
    discounted gain) and `in_head`.
    """
    value, place = brief.value, pl.col("place_shown").cast(pl.Float64)
    looks = pl.lit(value.noticed).pow(place - 1)
    return (
        listed.join(truth, on=["row", "brand"], how="left")
        .sort("row", "place_shown")
        .group_by("row", maintain_order=True)
        .agg(
            value=(looks * pl.col("worth").fill_null(0.0)).sum() + value.shown * pl.len(),
            places=pl.len(),
            found=pl.col("weight").sum(),
            expected=pl.col("chance").sum(),
            reached=(pl.col("weight") / (place + 1).log(2)).sum(),
            in_head=pl.col("brand").is_in(head(truth).implode()).sum(),
        )
    )


def _measure_ideal(truth: pl.DataFrame, brief: PricedBrief) -> pl.DataFrame:
    """The discounted gain of the best possible list of each row: `row` and `gain`."""
    ideal = truth.sort(["row", "weight"], descending=[False, True]).with_columns(
        place=pl.int_range(1, pl.len() + 1).over("row")
    )
    return sum_gain(ideal.filter(pl.col("place") <= _most(brief)), "place")


def _truth(y: pl.Series, brief: PricedBrief) -> pl.DataFrame:
    """What was wanted, each thing of a row once: `row`, `brand`, `weight` and `worth` (its price
    times its weight; of two events with one thing the dearer).
    """
    value = brief.value
    events = add_weights(parse_events(y), value.noticed)
    _check_prices(events["event"].unique().to_list(), brief)
    price = pl.col("event").replace_strict(
        list(value.events), list(value.events.values()), return_dtype=pl.Float64
    )
    return events.group_by("row", "brand").agg(
        pl.col("weight").max(), worth=(price * pl.col("weight")).max()
    )


def head(truth: pl.DataFrame) -> pl.Series:
    """The head: the fewest things that make half of what was wanted (`brand`, `weight`)."""
    counts = (
        truth.sort("brand", "row")
        .group_by("brand", maintain_order=True)
        .agg(pl.col("weight").sum().round(6))
    )
    ordered = counts.sort(["weight", "brand"], descending=[True, False])
    before = pl.col("weight").cum_sum() - pl.col("weight")
    return ordered.filter(before < pl.col("weight").sum() / 2)["brand"]


def extra_metrics(
    outcome: pl.DataFrame, predictions: pl.DataFrame, confidence: float
) -> dict[str, Interval]:
    """How much of the catalogue is ever shown: the share of the things wanted that were on any
    list; its interval is over things.
    """
    wanted = parse_events(outcome["outcome"])["brand"].unique().sort()
    shown = outcome["shown"].str.split(" ").explode().unique()
    ever = wanted.is_in(shown.implode()).cast(pl.Float64)
    return {"catalogue": influence.mean(ever.to_numpy(), wanted.to_numpy(), confidence)}


def calibration(outcome: pl.DataFrame, predictions: pl.DataFrame, bins: int = 10) -> pl.DataFrame:
    """Predicted against observed share of what is shown that is wanted, in `bins` groups of units
    of equal size; units that are shown nothing are left out.

    Columns: `mean_predicted`, `observed` (Float64), `n` (UInt32).
    """
    shown = outcome.filter(pl.col("places") > 0)
    expected = (pl.col("expected") / pl.col("places")).round(DIGITS)
    return (
        shown.with_columns(bin=((expected.rank("average") - 0.5) * bins // pl.len()))
        .group_by("bin")
        .agg(
            mean_predicted=pl.col("expected").sum() / pl.col("places").sum(),
            observed=pl.col("found").sum() / pl.col("places").sum(),
            n=pl.len(),
        )
        .sort("bin")
        .drop("bin")
    )


def value_curve(predictions: pl.DataFrame, brief: PricedBrief, shares: list[float]) -> pl.DataFrame:
    """Value per 1,000 units if only the surest `acted_share` of them were shown a list.

    Columns: `acted_share`, `value_per_1000` (Float64). Units of equal score count with their mean
    value.
    """
    ranked = build_outcomes(predictions, brief).with_columns(
        find_periods(predictions, brief.decision.every), score=pl.col("score").round(DIGITS)
    )
    worth = [earned * 1000 / ranked.height for earned in sum_best(ranked, shares)]
    return pl.DataFrame({"acted_share": shares, "value_per_1000": worth})


def _most(brief: PricedBrief) -> int:
    """How many things may be shown."""
    most = brief.decision.at_most
    if most is None or most > PLACES:
        raise Fixable(
            f"project-brief.md: decision: expected at_most up to {PLACES}, found "
            f"{most or 'none'}. "
            "Next: fix the brief, then uv run dvc repro"
        )
    return most


def _worth(predictions: pl.DataFrame, brief: PricedBrief) -> pl.Expr:
    """What an event is worth on average, in money."""
    kinds = [name.removeprefix(OF) for name in predictions.columns if name.startswith(OF)]
    _check_prices(kinds, brief)
    each = [pl.col(f"{OF}{kind}") * brief.value.events[kind] for kind in kinds]
    return pl.sum_horizontal(pl.lit(0.0), *each)


def _check_prices(kinds: list[str], brief: PricedBrief) -> None:
    """Stop where the data knows a kind of event that the brief does not price."""
    if fault := brief.value.find_unpriced(kinds):
        raise Fixable(f"project-brief.md: {fault}. {NEXT}")
