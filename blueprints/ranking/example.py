"""A simulated shop with many brands, so that everything runs before your own data arrives.

Delete this file, and its section in `params.yaml`, once `source` names your own data.

The business
------------
A shop sells sixty brands. At the top of its first page stands a list of five: `TODAY`, the best
sellers, the same for every visitor. A row is one user's visit on one day, with what was known when
it began, and what the user went for: each brand once, with what came of it.

What causes what
----------------
Each user has a *taste*, which nobody sees, and each brand serves one. It shows, with luck, in

    taste  ->  brands visited before  (`history`)
    taste  ->  brands wanted now

Other causes of what is wanted, and what each depends on:

    appeal            a few brands are wanted by many, most by few
    the season        some brands sell in winter, others in summer
    the way here      visitors from the newsletter want its brands; visitors by an advert want those
                      that are advertised
    launches          six brands come during the first year, and nobody wants them before
    fashion           with `drift`, what is wanted moves over the months

How a wanted brand becomes an event
-----------------------------------
A brand that is wanted is found in one of two ways, or not at all:

    on the list       85 of 100 who look at one place of it look at the next as well (`NOTICED`)
    by search         60 of 100 who did not see the brand look for it (`SEARCHED`)

Of what is found, a quarter is ordered and the rest is clicked. So the record favours the list of
its day, and its first place most: who wanted another brand had to search for it, or left no trace.

`after_showing` gives what the same visitors do when other lists are shown. An order earns GBP 10
and a click that leads to no order GBP 0.75, but 60 of 100 find the brand without the list. That is
the brief's value table:

    a wanted brand shown, order   (1 - 0.60) * 10.00 = 4.00
    a wanted brand shown, click   (1 - 0.60) *  0.75 = 0.30
"""

from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray

FIRST_DAY = date(2024, 1, 1)
"""A Monday. Dates are fixed: no clock is read anywhere."""

BEFORE_WEEKS = 26
"""Weeks of visits before the export begins: they are in the histories of its first users."""

STAY_WEEKS = 15
"""Mean number of weeks between a user's arrival and a visit."""

NOTICED, SEARCHED = 0.85, 0.60
"""Share of those who look at one place of the list that look at the next, and share of those who
did not see the brand that they want who search for it.
"""

ORDERED = 0.25
"""Share of the brands found that are ordered."""

ORDER, CLICK = 10.0, 0.75
"""What an order earns, and what a click earns that leads to no order, in GBP."""

REMEMBERED = 20
"""Brands that a history holds at most."""

TASTES = {
    "outdoor": "norrvik alpenta trekko fjellmar tindra granite bivak ridgeline moorland cairn",
    "classic": "hartwell bellamy oxley carrow lindgate merrion ashdown wexley tolland pembury",
    "street": "kobra zeroten blokk voltage rampart nightbus skuff dropzone asfalt hoodlum",
    "minimal": "ono lumi kanto plain studio-elf nordlys atelier-b soma haus-nr7 tacit",
    "festive": "carnavale glimmer rosetta velour soiree pomelo sequina bonbon mirabel diva",
    "sporty": "pacer sprintly corso velox hydra stadia endura kickoff relay tempo",
}
"""Brands by the taste that they serve, those with most appeal first; the last of each is launched
during the first year of the export.
"""

BRANDS = [brand for brands in TASTES.values() for brand in brands.split()]
TASTE = np.repeat(np.arange(len(TASTES)), [len(names.split()) for names in TASTES.values()])
LAUNCHED = [brands.split()[-1] for brands in TASTES.values()]

WINTER = ["alpenta", "fjellmar", "tindra", "cairn", "velour", "glimmer", "merrion", "nordlys"]
SUMMER = ["trekko", "pomelo", "hydra", "velox", "skuff", "lumi", "rosetta", "oxley"]
NEWSLETTER = ["bellamy", "kanto", "carnavale", "mirabel", "ashdown"]
ADVERTISED = ["kobra", "pacer", "voltage", "endura"]

TODAY = ["hartwell", "kobra", "pacer", "ono", "norrvik"]
"""The list that everybody is shown: the best sellers when it was made."""

DEVICES = {"phone": 0.60, "computer": 0.385, "tablet": 0.015}
WAYS = {"direct": 0.40, "search": 0.30, "newsletter": 0.16, "advert": 0.14}

COLUMNS = ["user", "day", "visitor", "device", "came_from", "history", "wanted"]


def rows(
    visits: int = 20_000,
    weeks: int = 104,
    seed: int = 7,
    drift: float = 0.0,
    errors: float = 0.002,
) -> pl.DataFrame:
    """Return the shop's export: one row per user and day with a visit, in order of day and user.

    There are about `visits` rows in `weeks` weeks. `drift` moves fashion gradually: 0 is stable; at
    1, half of the brands have lost most of their appeal at the end and the others have gained it.
    The share `errors` of the rows breaks the contract, as exports do: an event that cannot be read,
    a device that nobody knows, no way by which the user came.

    The same arguments give the same rows, and each cause draws from a stream of its own: other
    `errors` change no other row, another `drift` changes nobody's taste.

    Columns are those of `contract.Row`; visitor, device and came_from are plain text here.

    Raises:
        ValueError: fewer than 1 visit or 8 weeks, or a share outside 0 to 1.
    """
    _refuse_impossible(visits, weeks, drift=drift, errors=errors)
    visit_rows, wants = _visits(visits, weeks, seed, drift)
    wanted = _format_events(_find_brands(wants, _as_today(visit_rows)))
    table = _with_history(visit_rows.join(wanted, on="visit", how="left", maintain_order="left"))
    export = table.filter(pl.col("day") >= FIRST_DAY).sort("day", "user").select(COLUMNS)
    mistakes = Generator(PCG64(SeedSequence(seed).spawn(5)[4]))
    return _with_errors(mistakes, export, errors)


def after_showing(
    lists: pl.DataFrame, visits: int = 20_000, weeks: int = 104, seed: int = 7, drift: float = 0.0
) -> pl.DataFrame:
    """Return `lists` with what the users do when they are shown these lists.

    `lists` has the columns user, day (of visits that `rows` gives with the same settings) and shown
    (List[String], the first place first; empty where nothing is shown). Added are `wanted`, as in
    the export, and `earned` (Float64): what its orders and clicks earn, in GBP, whichever way they
    came. Tastes, wants and luck are those of the export, so two ways of choosing lists can be
    compared on the same visits.
    """
    visit_rows, wants = _visits(visits, weeks, seed, drift)
    shown = lists.select("user", "day", "shown").join(visit_rows, on=["user", "day"], how="left")
    events = _find_brands(wants, shown.select("visit", "shown"))
    worth = pl.when(pl.col("event") == "order").then(ORDER).otherwise(CLICK)
    earned = events.group_by("visit").agg(earned=worth.sum())
    after = (
        shown.join(_format_events(events), on="visit", how="left")
        .join(earned, on="visit", how="left")
        .with_columns(pl.col("wanted").fill_null(""), pl.col("earned").fill_null(0.0))
    )
    return lists.join(
        after.select("user", "day", "wanted", "earned"),
        on=["user", "day"],
        how="left",
        maintain_order="left",
    )


def _refuse_impossible(visits: int, weeks: int, **shares: float) -> None:
    if visits < 1:
        raise ValueError(f"example: visits must be at least 1, found {visits}")
    if weeks < 8:
        raise ValueError(f"example: weeks must be at least 8, found {weeks}")
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"example: {name} must be from 0 to 1, found {share}")


def _visits(visits: int, weeks: int, seed: int, drift: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All visits, those before the export among them, and what is wanted in each.

    Visits: visit (UInt32), user, day, device, came_from. Wants: visit, brand, and three numbers
    from 0 to 1 that decide what becomes of it: looks, searches, orders.
    """
    people, calendar, appetite, luck, _ = (
        Generator(PCG64(stream)) for stream in SeedSequence(seed).spawn(5)
    )
    n = round(visits * (weeks + BEFORE_WEEKS) / weeks)
    users = max(n // 3, 1)
    tastes = people.dirichlet(np.full(len(TASTES), 0.10), users)
    active = people.gamma(0.9, size=users) + 0.05
    visitor = people.choice(users, n, p=active / active.sum())
    span = weeks + BEFORE_WEEKS
    arrival = calendar.integers(0, span, users)[visitor] + calendar.exponential(STAY_WEEKS, n)
    week = arrival.astype(np.int64) % span - BEFORE_WEEKS  # on a circle, so that no week is rarer
    drawn = pl.DataFrame(
        {
            "who": visitor,
            "number": 7 * week + calendar.integers(0, 7, n),
            "device": _choose(calendar, DEVICES, n),
            "came_from": _choose(calendar, WAYS, n),
        }
    ).unique(["who", "number"], keep="first", maintain_order=True)
    table = drawn.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("visit"),
        (pl.lit("U") + pl.col("who").cast(pl.String).str.zfill(6)).alias("user"),
        (pl.lit(FIRST_DAY) + pl.col("number") * timedelta(days=1)).alias("day"),
        "device",
        "came_from",
    )
    pull = _pull(table, tastes[drawn["who"].to_numpy()], drift / weeks)
    return table, _wants(appetite, luck, pull)


def _choose(rng: Generator, shares: dict[str, float], n: int) -> pl.Series:
    """Draw `n` of the names, each as often as its share says."""
    which = np.searchsorted(np.cumsum(list(shares.values()))[:-1], rng.random(n), side="right")
    return pl.Series(list(shares)).gather(which)


def _pull(
    visit_rows: pl.DataFrame, tastes: NDArray[np.float64], pace: float
) -> NDArray[np.float64]:
    """How strongly each brand draws the user in each visit, as a logarithm: (visits, brands).

    `tastes` are the shares of each taste in the user; `pace` is drift per week.
    """
    brands = np.array(BRANDS)
    month = visit_rows["day"].dt.month().to_numpy()
    weeks = ((visit_rows["day"] - FIRST_DAY).dt.total_days() / 7).to_numpy()
    way = visit_rows["came_from"].to_numpy()

    def where(visits: NDArray[np.bool_], names: list[str]) -> NDArray[np.float64]:
        return np.outer(visits, np.isin(brands, names)).astype(np.float64)

    # The first brand of each taste leads; the tail is long.
    rank = np.concatenate([np.arange(len(names.split())) for names in TASTES.values()])
    appeal = 1.0 - 0.9 * np.log1p(rank) + np.where(np.isin(brands, TODAY), 0.55, 0.0)
    fashion = np.where(np.arange(len(brands)) % 2 == 0, -2.2, 1.2)
    launch = np.where(np.isin(brands, LAUNCHED), 8.0 + 6 * TASTE, -np.inf)
    pull = (
        appeal
        + np.log(0.02 + tastes[:, TASTE])
        + 1.5 * where(np.isin(month, [11, 12, 1, 2]), WINTER)
        + 1.5 * where(np.isin(month, [5, 6, 7, 8]), SUMMER)
        + 1.6 * where(way == "newsletter", NEWSLETTER)
        + 1.2 * where(way == "advert", ADVERTISED)
        + np.where(np.isin(brands, LAUNCHED), 1.6, 0.0)
        + pace * np.outer(np.clip(weeks, 0, None), fashion)
    )
    return np.where(weeks[:, None] >= launch, pull, -np.inf)


def _wants(rng: Generator, luck: Generator, pull: NDArray[np.float64]) -> pl.DataFrame:
    """What is wanted in each visit: none to three brands, drawn without replacement by their pull
    (Gumbel's noise added, the highest taken).
    """
    n = len(pull)
    many = np.searchsorted(np.cumsum([0.30, 0.45, 0.18]), rng.random(n), side="right")
    noisy = pull + rng.gumbel(size=pull.shape)
    best = np.argsort(-noisy, axis=1)[:, :3]
    visit, place = np.nonzero(np.arange(3) < many[:, None])
    drawn = luck.random((3, n, 3))
    return pl.DataFrame(
        {
            "visit": visit.astype(np.uint32),
            "brand": pl.Series(BRANDS).gather(best[visit, place]),
            "looks": drawn[0, visit, place],
            "searches": drawn[1, visit, place],
            "orders": drawn[2, visit, place],
        }
    )


def _as_today(visits: pl.DataFrame) -> pl.DataFrame:
    """Today's list for every visit: visit, shown."""
    return visits.select(
        "visit", shown=pl.lit(pl.Series([TODAY], dtype=pl.List(pl.String))).first()
    )


def _find_brands(wants: pl.DataFrame, lists: pl.DataFrame) -> pl.DataFrame:
    """What becomes of the wants under `lists` (visit, shown): visit, brand, event (order or click)
    and place, the place on the list by which the brand was found, or null where it was by search.
    """
    places = (
        lists.explode("shown", empty_as_null=True)
        .select("visit", brand="shown", place=pl.int_range(1, pl.len() + 1).over("visit"))
        .drop_nulls("brand")
    )
    sees = pl.col("looks") < NOTICED ** (pl.col("place") - 1)
    return (
        wants.join(lists.select("visit"), on="visit", how="semi")
        .join(places, on=["visit", "brand"], how="left")
        .with_columns(place=pl.when(sees).then("place"))
        .filter(pl.col("place").is_not_null() | (pl.col("searches") < SEARCHED))
        .select(
            "visit",
            "brand",
            event=pl.when(pl.col("orders") < ORDERED)
            .then(pl.lit("order"))
            .otherwise(pl.lit("click")),
            place="place",
        )
        .sort("visit", "brand")
    )


def _format_events(events: pl.DataFrame) -> pl.DataFrame:
    """Return the events as in the export: visit, wanted (`ono:click@4 tempo:order`)."""
    by_list = pl.lit("@") + pl.col("place").cast(pl.String)
    event = pl.concat_str("brand", pl.lit(":"), "event", by_list.fill_null(""))
    return events.group_by("visit").agg(wanted=event.sort().str.join(" "))


def _with_history(visits: pl.DataFrame) -> pl.DataFrame:
    """Visits with what was known of the user when each began: visitor, and history with the brands
    of earlier visits, the newest first, each once.
    """
    ordered = visits.sort("user", "day").with_columns(
        pl.col("wanted").fill_null(""), nth=pl.int_range(pl.len()).over("user")
    )
    touched = (
        ordered.select("user", "nth", brand=pl.col("wanted").str.extract_all(r"[a-z0-9-]+:"))
        .explode("brand")
        .drop_nulls("brand")
        .with_columns(pl.col("brand").str.strip_suffix(":"))
    )
    before = (
        ordered.select("visit", "user", at="nth")
        .join(touched, on="user")
        .filter(pl.col("nth") < pl.col("at"))
        .group_by("visit", "brand")
        .agg(pl.col("nth").max())
        .sort(["visit", "nth", "brand"], descending=[False, True, False])
        .group_by("visit", maintain_order=True)
        .agg(history=pl.col("brand").head(REMEMBERED).str.join(" "))
    )
    visitor = pl.when(pl.col("nth") == 0).then(pl.lit("new")).otherwise(pl.lit("returning"))
    return ordered.join(before, on="visit", how="left").with_columns(
        pl.col("history").fill_null(""), visitor=visitor
    )


def _with_errors(rng: Generator, export: pl.DataFrame, share: float) -> pl.DataFrame:
    """Break that share of the rows in one of three ways each."""
    n = export.height
    kind = np.where(rng.random(n) < share, rng.integers(1, 4, n), 0)
    return export.with_columns(kind=pl.Series(kind)).select(
        "user",
        "day",
        "visitor",
        device=pl.when(pl.col("kind") == 1).then(pl.lit("watch")).otherwise("device"),
        came_from=pl.when(pl.col("kind") != 2).then("came_from"),
        history="history",
        wanted=pl.when(pl.col("kind") == 3).then(pl.lit("order 4711")).otherwise("wanted"),
    )
