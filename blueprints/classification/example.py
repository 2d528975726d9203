"""A simulated telephone company, so that everything runs before your own data arrives.

Delete this file, and its section in `params.yaml`, once `source` names your own data.

The business
------------
Every week a list of customers comes up for review. A row is what the company knew about one
customer on one Monday, and whether that customer left within the following eight weeks. Most
customers appear once; some appear a second time, later, if they are still there.

What causes what
----------------
Nobody sees how *unhappy* a customer is. It shows, with noise, in three places:

    unhappy  ->  support calls, survey answers (few answer), falling data use
    unhappy  ->  leaving, whether or not it shows

Other causes of leaving, and what each depends on:

    a price rise       only while the customer is free to leave: on a flexible plan, or with a
                       fixed plan that ends within two months
    falling data use   only together with a support call: less use alone is a holiday
    support calls      by themselves; the first says more than the fifth
    being new          in the first half year, and less with every month
    a fixed plan       holds customers until it ends
    the islands        have a weaker network: more calls and more leaving

Age changes which plan people take and how much data they use, and nothing else.

A squad that counts support calls on flexible plans finds some of those who leave. It misses those
who met a price rise, those whose fixed plan is about to end and those who use the service less.
Half of the outcome is luck, as in life: the best possible model is far from perfect.

What a call does
----------------
`after_call` gives what happens to the same customers when some of them are called. A call persuades
44 of 100 who would have left and annoys 1 of 100 who would have stayed into leaving. Keeping a
customer is worth 100 and a call, with its offer, costs 4. That is the brief's value table:

    a right call   0.44 * 100 - 4 =  40
    a wrong call  -0.01 * 100 - 4 =  -5
"""

from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.random import PCG64, Generator, SeedSequence

FIRST_WEEK = date(2024, 1, 1)
"""A Monday. Dates are fixed: no clock is read anywhere."""

HORIZON_WEEKS = 8
WEEKS_PER_MONTH = 365.25 / 12 / 7

SAVED, ANNOYED = 0.44, 0.01
"""Share of the leavers that a call persuades, and of the stayers that it drives away."""

KEPT, CALL = 100.0, 4.0
"""What keeping a customer is worth, and what a call costs, in GBP."""

REGIONS = {"north": 0.30, "south": 0.27, "east": 0.22, "west": 0.18, "islands": 0.03}
AGE_BANDS = {"18-29": 0.22, "30-44": 0.30, "45-64": 0.30, "65+": 0.18}
PLANS = {"flexible": 0, "one year": 12, "two years": 24}
"""Months that a plan binds a customer."""

COLUMNS = [
    "customer",
    "week",
    "tenure_months",
    "plan",
    "months_left",
    "monthly_charge",
    "monthly_charge_before",
    "data_gb",
    "data_gb_before",
    "support_calls",
    "survey_score",
    "region",
    "age_band",
    "outcome",
]


def rows(
    customers: int = 20_000,
    weeks: int = 104,
    seed: int = 7,
    recurring: float = 0.1,
    drift: float = 0.0,
    errors: float = 0.002,
) -> pl.DataFrame:
    """Return the company's export: one row per customer and week, in order of week and customer.

    `customers` people are seen once in one of `weeks` weeks. The share `recurring` of them is due a
    second time, and is seen again unless the first row says that they leave. `drift` moves the
    business gradually: 0 is stable; at 1 the last weeks have many more flexible plans, price
    rises matter little, and a rival courts those who use much data. The share `errors` of the rows
    breaks the contract, as exports do: a negative charge, a plan withdrawn years ago, no region.

    The same arguments give the same rows, and each cause draws from a stream of its own: other
    `errors` change no other row, another `drift` changes no customer's luck.

    Columns are those of `contract.Row`; plan, region, age band and outcome are plain text here.

    Raises:
        ValueError: fewer than 1 customer or 16 weeks, or a share outside 0 to 1.
    """
    _refuse_impossible(customers, weeks, recurring=recurring, drift=drift, errors=errors)
    people_draws, calendar, first_draws, second_draws, mistakes = (
        Generator(PCG64(stream)) for stream in SeedSequence(seed).spawn(5)
    )
    pace = drift / (weeks - 1)
    first_week, second_week = _weeks_seen(calendar, customers, weeks, recurring)
    people = _people(people_draws, customers, first_week, pace)

    first = _snapshots(first_draws, people, first_week, pace)
    due_again = second_week >= 0
    second = _snapshots(second_draws, people.filter(due_again), second_week[due_again], pace)
    still_there = first.filter(due_again)["outcome"] == "stays"
    seen = pl.concat([first, second.filter(still_there)]).sort("week", "customer")
    return _with_errors(mistakes, seen, errors)


def after_call(rows: pl.DataFrame, called: pl.Series, seed: int = 7) -> pl.Series:
    """Return what becomes of `rows` when those with a true `called` are called.

    A row that is not called keeps its outcome. A customer's luck depends on the seed, the customer
    and the week alone: it is the same in any order, in any subset, and whoever else is called, so
    that two ways of choosing can be compared on the same people.

    `rows` needs the columns customer, week and outcome; the answer is text: leaves or stays.
    """
    luck = pl.Series(_luck(rows, seed))
    leaves = rows["outcome"].cast(pl.String) == "leaves"
    leaves_if_called = (leaves & (luck >= SAVED)) | (~leaves & (luck < ANNOYED))
    answer = leaves_if_called.zip_with(called, leaves)
    outcome = pl.when(answer).then(pl.lit("leaves")).otherwise(pl.lit("stays"))
    return pl.select(outcome=outcome).to_series()


def _refuse_impossible(customers: int, weeks: int, **shares: float) -> None:
    if customers < 1:
        raise ValueError(f"example: customers must be at least 1, found {customers}")
    if weeks < 2 * HORIZON_WEEKS:
        raise ValueError(f"example: weeks must be at least {2 * HORIZON_WEEKS}, found {weeks}")
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"example: {name} must be from 0 to 1, found {share}")


def _people(rng: Generator, n: int, week: np.ndarray, pace: float) -> pl.DataFrame:
    """What stays the same about customers first seen in `week`; `pace` is drift per week."""
    region = _choose(rng, REGIONS, n)
    older = _choose(rng, AGE_BANDS, n)
    people = pl.DataFrame(
        {
            "region": pl.Series(list(REGIONS)).gather(region),
            "age_band": pl.Series(list(AGE_BANDS)).gather(older),
            "joined": week - rng.exponential(30, n) * WEEKS_PER_MONTH,
            "taste": rng.random(n) + 0.05 * (older - 1.5),
            "appetite": np.exp(2.6 - 0.25 * older + 0.5 * rng.standard_normal(n)),
            "character": rng.standard_normal(n),
            "drifted": pace * week,
        }
    )
    number = pl.int_range(1, n + 1).cast(pl.String).str.zfill(7)
    plan = (
        pl.when(pl.col("taste") < 0.45 + 0.25 * pl.col("drifted"))
        .then(pl.lit("flexible"))
        .when(pl.col("taste") < 0.78 + 0.10 * pl.col("drifted"))
        .then(pl.lit("one year"))
        .otherwise(pl.lit("two years"))
    )
    return people.with_columns(customer=pl.lit("C") + number, plan=plan)


def _choose(rng: Generator, shares: dict[str, float], n: int) -> np.ndarray:
    """Draw `n` positions in `shares`, each as often as its share says."""
    return np.searchsorted(np.cumsum(list(shares.values()))[:-1], rng.random(n), side="right")


def _weeks_seen(
    rng: Generator, customers: int, weeks: int, recurring: float
) -> tuple[np.ndarray, np.ndarray]:
    """The week in which each customer is seen, and a later one, or -1 where there is none.

    Two weeks are drawn on a circle, at least a horizon apart both ways round, and then ordered: so
    every week is as likely as any other.
    """
    apart = max(HORIZON_WEEKS, weeks // 8)
    week = rng.integers(0, weeks, customers)
    other = (week + rng.integers(apart, weeks - apart + 1, customers)) % weeks
    due_again = rng.random(customers) < recurring
    first = np.where(due_again, np.minimum(week, other), week)
    return first, np.where(due_again, np.maximum(week, other), -1)


def _snapshots(rng: Generator, people: pl.DataFrame, week: np.ndarray, pace: float) -> pl.DataFrame:
    """What the company knew about `people` in `week`, and what they then did."""
    seen = _circumstances(rng, people, week, pace)
    month = pl.col("tenure_months")
    seen = seen.with_columns(
        week=pl.lit(FIRST_WEEK) + pl.col("week_number") * timedelta(weeks=1),
        months_left=pl.when(pl.col("bound") > 0)
        .then(pl.col("bound") - month % pl.col("bound").clip(1))
        .otherwise(0),
        monthly_charge=(pl.col("charge_before") * (1 + pl.col("rise"))).round(2),
        monthly_charge_before=pl.when(month >= 3).then(pl.col("charge_before").round(2)),
        data_gb=(pl.col("gb_before") * pl.col("use_change")).round(2),
        data_gb_before=pl.when(month >= 1).then(pl.col("gb_before").round(2)),
        support_calls=pl.Series(rng.poisson(seen["calls_expected"].to_numpy())),
        survey_score=pl.when("answers").then(pl.col("opinion").cast(pl.Int64)),
    )
    leaves = pl.lit(pl.Series(rng.random(people.height))) < 1 / (1 + (-_log_odds()).exp())
    outcome = pl.when(leaves).then(pl.lit("leaves")).otherwise(pl.lit("stays"))
    return seen.with_columns(outcome=outcome).select(COLUMNS)


def _circumstances(
    rng: Generator, people: pl.DataFrame, week: np.ndarray, pace: float
) -> pl.DataFrame:
    """What is going on in the customers' lives in `week`; most of it the company never learns."""
    n = people.height
    months = (pl.col("week_number") - pl.col("joined")) / WEEKS_PER_MONTH
    noise = {name: rng.standard_normal(n) for name in ("mood", "use", "use_before", "opinion")}
    lives = people.with_columns(
        week_number=pl.Series(week, dtype=pl.Int64),
        drifted=pl.Series(pace * week, dtype=pl.Float64),
        rise=np.where(rng.random(n) < 0.35, rng.gamma(3, 0.05, n), 0.0),
        answers=rng.random(n) < 0.3,
        **{name: pl.Series(values) for name, values in noise.items()},
    ).with_columns(
        tenure_months=months.floor().cast(pl.Int64),
        bound=pl.col("plan").replace_strict(PLANS),
        unhappy=0.8 * pl.col("character") + 0.6 * pl.col("mood"),
    )
    unhappy = pl.col("unhappy")
    islands = pl.col("region") == "islands"
    return lives.with_columns(
        charge_before=8 + 0.5 * pl.col("appetite") + 4 * (pl.col("bound") == 0),
        gb_before=pl.col("appetite") * (0.3 * pl.col("use_before")).exp(),
        use_change=(0.3 * pl.col("use") - 0.25 * unhappy.clip(0)).exp(),
        calls_expected=(0.5 * unhappy - 0.45 + 0.4 * islands).exp(),
        opinion=(3.5 - 0.9 * unhappy + 0.7 * pl.col("opinion")).round().clip(1, 5),
    )


def _log_odds() -> pl.Expr:
    """Log-odds of leaving: the causes named at the top of this file, with their weights."""
    drifted = pl.col("drifted")
    free = (pl.col("months_left") <= 2).cast(pl.Float64)
    drop = (1 - pl.col("use_change")).clip(0)
    called = pl.col("support_calls").clip(0, 1)
    newness = (1 - pl.col("tenure_months") / 6).clip(0)
    return (
        -3.5
        + 0.5 * pl.col("unhappy")
        + 0.7 * free
        + 6.0 * (1 - 0.9 * drifted) * free * pl.col("rise").clip(0, 0.25)
        + 2.0 * called * drop
        + 0.5 * pl.col("support_calls").sqrt()
        + 0.8 * newness
        + 0.4 * (pl.col("region") == "islands")
        + 1.5 * drifted * free * (pl.col("data_gb") > 15)
    )


def _with_errors(rng: Generator, rows: pl.DataFrame, share: float) -> pl.DataFrame:
    """Break the contract in a `share` of `rows`, each time in one of three ways."""
    broken = pl.lit(pl.Series(rng.random(rows.height) < share))
    way = pl.lit(pl.Series(rng.integers(0, 3, rows.height)))
    charge = pl.col("monthly_charge")
    return rows.with_columns(
        monthly_charge=pl.when(broken & (way == 0)).then(-charge).otherwise(charge),
        plan=pl.when(broken & (way == 1)).then(pl.lit("family 2011")).otherwise("plan"),
        region=pl.when(~(broken & (way == 2))).then("region"),
    )


def _luck(rows: pl.DataFrame, seed: int) -> np.ndarray:
    """A number from 0 to 1 per row, fixed by seed, customer and week.

    Two rounds of SplitMix64 (Steele, Lea and Flood, 2014): unlike the hashes of libraries, it
    gives the same numbers in every version and on every machine.
    """
    customer = rows["customer"].str.strip_chars_start("C").cast(pl.UInt64).to_numpy()
    week = rows["week"].to_physical().cast(pl.UInt64).to_numpy()
    stream = np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64)
    mixed = _splitmix(_splitmix(customer + stream) ^ week)
    return (mixed >> np.uint64(11)) * 2.0**-53


def _splitmix(state: np.ndarray) -> np.ndarray:
    z = state + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
