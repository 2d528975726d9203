"""The statistics keep their promises, by simulation from fresh entropy.

Every rate is judged by the exact binomial tail: an assertion fails when a count this far beyond the
promised rate has a chance below 1e-7 were the true rate exactly at that limit. There are fewer than
100 assertions, so a run fails by bad luck less than once in 100,000, even if every property held
with no slack at all. To repeat a failure: SIMULATION_ENTROPY=<the number in the message>.
"""

import math
import os
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.integrate import quad
from scipy.stats import binom, norm

from .rooms import FEWEST, bootstrap, influence

ENTROPY = int(os.environ.get("SIMULATION_ENTROPY", np.random.SeedSequence().entropy))  # type: ignore[arg-type]
CHANCE = 1e-7
CONFIDENCE, DRAWS, UNITS = 0.95, 2_000, 4_000
ALPHA = (1 - CONFIDENCE) / 2
RIGHT, WRONG = 40.0, -5.0
PRICES = (WRONG - RIGHT, RIGHT - WRONG)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    """A generator for each test, so that one test alone repeats what it did among all."""
    name = list(request.node.nodeid.encode())
    return np.random.default_rng(np.random.SeedSequence([ENTROPY, *name]))


def at_most(limit: float, hits: int, of: int, what: str) -> None:
    sentence = in_words(hits, of, what)
    print(sentence)
    assert binom.sf(hits - 1, of, limit) > CHANCE, f"{sentence}; promised: at most {limit:.2%}"


def at_least(limit: float, hits: int, of: int, what: str) -> None:
    sentence = in_words(hits, of, what)
    print(sentence)
    assert binom.cdf(hits, of, limit) > CHANCE, f"{sentence}; promised: at least {limit:.2%}"


def in_words(hits: int, of: int, what: str) -> str:
    error = math.sqrt(max(hits, 1) * max(of - hits, 1) / of) / of
    rate = f"{hits / of:.2%}, Monte Carlo error {error:.2%}"
    return f"{what}: {rate} ({of:,} repetitions; SIMULATION_ENTROPY={ENTROPY})"


def table(numerator: Any, denominator: Any = None, cluster: Any = None) -> pl.DataFrame:
    n = np.asarray(numerator, dtype=float)
    d = np.ones(len(n)) if denominator is None else denominator
    return pl.DataFrame({"n": n, "d": d, "c": np.arange(len(n)) if cluster is None else cluster})


def ratio(frame: pl.DataFrame, extremes: tuple[float, float], rng: np.random.Generator) -> Any:
    return bootstrap.ratio(
        frame, "n", "d", "c", extremes=extremes,
        confidence=CONFIDENCE, draws=DRAWS, seed=int(rng.integers(2**31)),
    )  # fmt: skip


def tail(
    frame: pl.DataFrame, limit: float, extremes: tuple[float, float], rng: np.random.Generator
) -> float:
    p: float = bootstrap.tail(
        frame, "n", "d", "c", side="at_least", limit=limit, extremes=extremes,
        draws=DRAWS, seed=int(rng.integers(2**31)),
    )  # fmt: skip
    return p


def by_counts(
    values: tuple[float, ...], rng: np.random.Generator, units: int = UNITS
) -> Callable[..., Any]:
    """The interval of the gain by how often each difference in value occurs, the others being 0."""

    @cache
    def interval(*counts: int) -> Any:
        changed = np.repeat(values, counts)
        return ratio(table(np.append(changed, np.zeros(units - len(changed)))), PRICES, rng)

    return interval


# Differences in value where the two systems choose differently, and their chances, all of mean 0:
# one call in nine is right, which is where 40 and -5 break even, or both call equally often.
EQUAL = {
    "only omits calls: many small gains, rare big losses": ((-WRONG, -RIGHT), (8 / 9, 1 / 9)),
    "only adds calls: many small losses, rare big gains": ((WRONG, RIGHT), (8 / 9, 1 / 9)),
    "calls others, one in nine right": (
        (RIGHT, WRONG, -WRONG, -RIGHT),
        (1 / 18, 8 / 18, 8 / 18, 1 / 18),
    ),
    "calls others, three in ten right": ((RIGHT, WRONG, -WRONG, -RIGHT), (0.15, 0.35, 0.35, 0.15)),
}


@pytest.mark.parametrize("discordant", [10, 30, 100, 1_000])
@pytest.mark.parametrize("how", EQUAL)
def test_an_equal_model_seems_better_in_at_most_5_percent(
    how: str, discordant: int, rng: np.random.Generator
) -> None:
    values, chances = EQUAL[how]
    interval = by_counts(values, rng)
    draws = rng.multinomial(discordant, chances, size=20_000 if len(values) == 2 else 600)
    hits = sum(interval(*counts).lower > 0 for counts in draws.tolist())
    at_most(0.05, hits, len(draws), f"{how}; {discordant} of {UNITS:,} units differ; seems better")


@pytest.mark.parametrize("how", EQUAL)
def test_a_model_better_by_the_effect_is_seen_at_the_units_needed(
    how: str, rng: np.random.Generator
) -> None:
    """Each repetition measures a pilot, asks how many units are needed, and draws as many anew."""
    values = np.array(EQUAL[how][0])
    equal = np.array(EQUAL[how][1])
    better = np.where(values > 0, equal * 1.25, equal)
    better /= better.sum()
    differs = 0.2
    effect = differs * float(values @ better)
    chances = np.append(differs * better, 1 - differs)
    pilot_units, repetitions, hits, sizes = 2_000, 500, 0, []
    for _ in range(repetitions):
        pilot = ratio(table(rng.choice([*values, 0], p=chances, size=pilot_units)), PRICES, rng)
        units = bootstrap.find_needed_size(pilot, pilot_units, effect, CONFIDENCE)
        sizes.append(units)
        hits += ratio(table(rng.choice([*values, 0], p=chances, size=units)), PRICES, rng).lower > 0
    at_least(
        0.80,
        hits,
        repetitions,
        f"{how}; better by {effect:.3f}, {np.median(sizes):,.0f} units; seen",
    )


@pytest.mark.parametrize("positives", [50, 100, 400])
@pytest.mark.parametrize("share", [0.1, 0.4, 0.75, 0.9])
def test_a_share_of_rows_that_stand_alone_is_covered(
    share: float, positives: int, rng: np.random.Generator
) -> None:
    @cache
    def interval(hits: int) -> Any:
        return ratio(table(np.arange(positives) < hits), (0, 1), rng)

    drawn = [interval(hits) for hits in rng.binomial(positives, share, size=20_000).tolist()]
    covered(
        sum(i.lower <= share <= i.upper for i in drawn),
        len(drawn),
        f"share {share}, {positives} units",
    )


def covered(hits: int, of: int, what: str) -> None:
    at_least(CONFIDENCE - 0.03, hits, of, f"{what}; covered")
    at_most(CONFIDENCE + 0.03, hits, of, f"{what}; covered")


def grouped(clusters: int, rng: np.random.Generator) -> Any:
    """The cluster of each row, for clusters of 1 to 5 rows."""
    return np.repeat(np.arange(clusters), rng.integers(1, 6, clusters))


def correlated(cluster: Any, chance: Any, rng: np.random.Generator) -> Any:
    """True with each row's chance, four fifths of the reason being shared by the cluster."""
    shared = rng.normal(size=cluster[-1] + 1)[cluster]
    own = rng.normal(size=len(cluster))
    return math.sqrt(0.8) * shared + math.sqrt(0.2) * own < norm.ppf(chance)


def test_ratios_of_correlated_rows_are_covered(rng: np.random.Generator) -> None:
    """About 65 positives, a tenth of the rows; repetitions with fewer than 50 do not count."""
    base, hit, before, false_alarm = 0.1, 0.6, 0.5, 0.05
    truth = {
        "recall": hit,
        "precision": base * hit / (base * hit + (1 - base) * false_alarm),
        "value": base * hit * RIGHT + (1 - base) * false_alarm * WRONG,
        "gain in value": base * (hit - before) * RIGHT,
        "gain in recall": hit - before,
    }
    hits, counted = dict.fromkeys(truth, 0), 0
    for _ in range(800):
        cluster = grouped(220, rng)
        positive = correlated(cluster, base, rng)
        acted = correlated(cluster, np.where(positive, hit, false_alarm), rng)
        acted_before = correlated(cluster, np.where(positive, before, false_alarm), rng)
        if min(positive.sum(), acted.sum()) < FEWEST:
            continue
        counted += 1
        worth = np.where(positive, RIGHT, WRONG)
        more = acted * 1.0 - acted_before
        intervals = {
            "recall": ratio(table(positive & acted, positive * 1.0, cluster), (0, 1), rng),
            "precision": ratio(table(positive & acted, acted * 1.0, cluster), (0, 1), rng),
            "value": ratio(table(acted * worth, None, cluster), (WRONG, RIGHT), rng),
            "gain in value": ratio(table(more * worth, None, cluster), PRICES, rng),
            "gain in recall": ratio(table(more * positive, positive * 1.0, cluster), (-1, 1), rng),
        }
        for name, interval in intervals.items():
            hits[name] += interval.lower <= truth[name] <= interval.upper
    for name in truth:
        what = f"{name}, clusters of 1 to 5 rows"
        # The imagined units widen a gain that few units make up, as they should.
        at_least(CONFIDENCE - 0.03, hits[name], counted, f"{what}; covered")
        if not name.startswith("gain"):
            at_most(CONFIDENCE + 0.03, hits[name], counted, f"{what}; covered")


def true_ranking(distance: float, base: float) -> dict[str, float]:
    """Average precision and AUC of scores Normal(0, 1), for positives Normal(distance, 1)."""

    def precision(s: float) -> float:
        hits = base * norm.sf(s - distance)
        return float(hits / (hits + (1 - base) * norm.sf(s)))

    area = quad(lambda s: precision(s) * norm.pdf(s - distance), -8, distance + 8, limit=200)[0]
    return {"average_precision": area, "roc_auc": float(norm.cdf(distance / math.sqrt(2)))}


@pytest.mark.parametrize("clustered", [False, True], ids=["rows alone", "clusters"])
@pytest.mark.parametrize(
    ("distance", "base", "positives"),
    [(1.0, 0.1, 60), (2.0, 0.1, 60), (3.5, 0.1, 60), (2.0, 0.5, 65), (1.0, 0.1, 400)],
)
def test_ranking_metrics_are_covered(
    distance: float, base: float, positives: int, clustered: bool, rng: np.random.Generator
) -> None:
    """Clusters share labels and scores; repetitions with fewer than 50 of a class do not count."""
    truth = true_ranking(distance, base)
    hits, counted = dict.fromkeys(truth, 0), 0
    for _ in range(800):
        rows = round(positives / base)
        cluster = grouped(rows // 3, rng) if clustered else np.arange(rows)
        y = correlated(cluster, base, rng)
        shared = rng.normal(size=cluster[-1] + 1)[cluster]
        score = distance * y + math.sqrt(0.7) * shared + math.sqrt(0.3) * rng.normal(size=len(y))
        if min(y.sum(), (~y).sum()) < FEWEST:
            continue
        counted += 1
        for name, true in truth.items():
            interval = getattr(influence, name)(y, score, cluster, CONFIDENCE)
            hits[name] += interval.lower <= true <= interval.upper
    for name, true in truth.items():
        covered(hits[name], counted, f"{name} {true:.3f}, about {positives} positives")


def test_a_mean_of_skewed_values_is_covered(rng: np.random.Generator) -> None:
    """Squared errors in clusters of 1 to 5 rows that share most of their error; the mean is 1."""
    hits, repetitions = 0, 2_000
    for _ in range(repetitions):
        cluster = grouped(100, rng)
        error = math.sqrt(0.8) * rng.normal(size=100)[cluster] + math.sqrt(0.2) * rng.normal(
            size=len(cluster)
        )
        interval = influence.mean(error**2, cluster, CONFIDENCE)
        hits += interval.lower <= 1 <= interval.upper
    covered(hits, repetitions, "mean of squared errors, 100 clusters")


@pytest.mark.parametrize("slices", [1, 5, 20, 60])
@pytest.mark.parametrize("limit", [0.1, 0.4, 0.9])
def test_a_guardrail_met_in_every_slice_seldom_fires(
    slices: int, limit: float, rng: np.random.Generator
) -> None:
    """Slices of 50 to 120 positives whose recall is exactly the limit."""

    @cache
    def p(positives: int, hits: int) -> float:
        return tail(table(np.arange(positives) < hits), limit, (0, 1), rng)

    repetitions = 2_000
    sizes = rng.choice([50, 80, 120], size=(repetitions, slices))
    hits = rng.binomial(sizes, limit)
    fired = sum(
        any(bootstrap.holm([p(*pair) for pair in zip(n, k, strict=True)], ALPHA))
        for n, k in zip(sizes.tolist(), hits.tolist(), strict=True)
    )
    at_most(ALPHA, fired, repetitions, f"{slices} slices at recall {limit}; fires")


@pytest.mark.parametrize("small", [2, 12])
@pytest.mark.parametrize("limit", [0.1, 0.9])
def test_small_slices_judged_together_fire_as_seldom(
    small: int, limit: float, rng: np.random.Generator
) -> None:
    """Two slices of 80 positives, and small ones of 20 to 49 that are one slice more; the recall is
    the limit in each, or above and below it in pairs of small ones, which meet it as one.
    """

    @cache
    def p(positives: int, hits: int) -> float:
        return tail(table(np.arange(positives) < hits), limit, (0, 1), rng)

    repetitions = 1_000
    for spread in (0.0, 0.08):
        fired = 0
        for _ in range(repetitions):
            sizes = np.repeat(rng.integers(20, FEWEST, size=(small + 1) // 2), 2)
            recalls = limit + spread * np.resize([1, -1], len(sizes))
            other = int(sizes.sum()), int(rng.binomial(sizes, recalls).sum())
            judged = [(80, int(hits)) for hits in rng.binomial(80, limit, size=2)]
            judged += [other] if other[0] >= FEWEST else []
            fired += any(bootstrap.holm([p(*pair) for pair in judged], ALPHA))
        what = f"{small} small slices at recall {limit} +- {spread}, as one"
        at_most(ALPHA, fired, repetitions, f"{what}; fires")


@pytest.mark.parametrize("what", ["recall", "value"])
def test_a_guardrail_over_slices_of_correlated_rows_seldom_fires(
    what: str, rng: np.random.Generator
) -> None:
    """Slices of about 65 positives in clusters, those with fewer than 50 not judged.

    Each is tested as the first of 1, 5 and 20 slices: at that part of alpha, none may fire oftener.
    """
    pool = []
    for _ in range(2_500):
        cluster = grouped(220, rng)
        positive = correlated(cluster, 0.1, rng)
        if positive.sum() < FEWEST:
            continue
        acted = correlated(cluster, 0.4, rng)
        if what == "recall":
            pool.append(tail(table(positive & acted, positive * 1.0, cluster), 0.4, (0, 1), rng))
        else:
            worth = np.where(positive, RIGHT, WRONG) * acted
            pool.append(
                tail(
                    table(worth, None, cluster),
                    0.4 * (0.1 * RIGHT + 0.9 * WRONG),
                    (WRONG, RIGHT),
                    rng,
                )
            )
    for family in (1, 5, 20):
        fired = sum(bootstrap.holm([p] + [1.0] * (family - 1), ALPHA)[0] for p in pool)
        at_most(
            ALPHA / family, fired, len(pool), f"{what} of one of {family} slices in clusters; fires"
        )


def test_a_guardrail_missed_in_one_slice_of_many_fires(rng: np.random.Generator) -> None:
    """One of 20 slices has a recall of 0.4 where 0.7 was asked; the others have 0.8."""
    sizes, recall, fired, repetitions = 100, np.array([0.4] + [0.8] * 19), 0, 200

    @cache
    def p(hits: int) -> float:
        return tail(table(np.arange(sizes) < hits), 0.7, (0, 1), rng)

    for hits in rng.binomial(sizes, recall, size=(repetitions, 20)).tolist():
        fired += bootstrap.holm([p(k) for k in hits], ALPHA)[0]
    at_least(0.9, fired, repetitions, "a slice at recall 0.4 against 0.7, among 20; fires")
