"""What intervals say about hand-made data: estimates, repeatability, "too few", known results."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom, norm, t
from sklearn.metrics import average_precision_score, roc_auc_score

from .rooms import FEWEST, Interval, bootstrap, influence, joint

NAMES = ("n", "d", "c")
SETTINGS: dict[str, Any] = {"confidence": 0.95, "draws": 2_000, "seed": 7}
TAIL: dict[str, Any] = {"extremes": (0, 1), "draws": 2_000, "seed": 7}


def table(numerator: Any, denominator: Any = None, cluster: Any = None) -> pl.DataFrame:
    n = np.asarray(numerator, dtype=float)
    d = np.ones(len(n)) if denominator is None else denominator
    return pl.DataFrame({"n": n, "d": d, "c": np.arange(len(n)) if cluster is None else cluster})


@pytest.fixture
def money() -> pl.DataFrame:
    """Values in 300 clusters; the order of addition shows in the last digit of their sums."""
    rng = np.random.default_rng(3)
    value = rng.choice([0.3, 4.0, -0.02, 0.1, 0.0], size=2_000)
    return table(value, None, pl.Series(rng.integers(0, 300, 2_000)).cast(pl.String))


def test_the_estimate_is_the_plain_ratio(money: pl.DataFrame) -> None:
    interval = bootstrap.ratio(money, *NAMES, extremes=(-0.02, 4), **SETTINGS)
    assert interval.estimate == pytest.approx(money["n"].sum() / 2_000, rel=1e-12)
    assert interval.lower < interval.estimate < interval.upper


def test_where_nothing_can_differ_the_interval_is_exactly_nothing() -> None:
    """And where nothing happens to differ in a sample, it is not."""
    nothing = table([0.0] * 200)
    assert bootstrap.ratio(nothing, *NAMES, extremes=(0, 0), **SETTINGS) == (0, 0, 0)
    by_chance = bootstrap.ratio(nothing, *NAMES, extremes=(-45, 45), **SETTINGS)
    assert by_chance.estimate == 0
    assert by_chance.lower < 0 < by_chance.upper
    limits: dict[str, Any] = {"draws": 2_000, "seed": 7, "extremes": (0, 0), "side": "at_least"}
    assert bootstrap.tail(nothing, *NAMES, limit=0.0, **limits) == 1
    assert bootstrap.tail(nothing, *NAMES, limit=-20.0, **limits) == 1


def test_the_order_of_rows_plays_no_part(money: pl.DataFrame) -> None:
    shuffled = money.sample(fraction=1, shuffle=True, seed=1)
    limits: dict[str, Any] = {"side": "at_least", "limit": 1.0, **TAIL, "extremes": (-0.02, 4)}
    assert bootstrap.ratio(money, *NAMES, extremes=(-0.02, 4), **SETTINGS) == bootstrap.ratio(
        shuffled, *NAMES, extremes=(-0.02, 4), **SETTINGS
    )
    assert (
        0
        < bootstrap.tail(money, *NAMES, **limits)
        == bootstrap.tail(shuffled, *NAMES, **limits)
        < 1
    )


def test_the_seed_decides_the_draws(money: pl.DataFrame) -> None:
    one, same, other = (
        bootstrap.ratio(money, *NAMES, extremes=(-0.02, 4), **{**SETTINGS, "seed": seed})
        for seed in (1, 1, 2)
    )
    assert one == same != other


def test_few_and_many_distinct_values_are_drawn_alike() -> None:
    """Noise too small to matter makes 20,000 distinct sums, which are drawn another way."""
    rng = np.random.default_rng(5)
    plain = rng.choice([40.0, -5.0, 0.0], size=20_000, p=[0.05, 0.1, 0.85])
    one, other = (
        bootstrap.ratio(table(value), *NAMES, extremes=(-5, 40), **SETTINGS)
        for value in (plain, plain + rng.normal(0, 1e-6, 20_000))
    )
    width = one.upper - one.lower
    assert abs(one.lower - other.lower) < 0.1 * width
    assert abs(one.upper - other.upper) < 0.1 * width


def test_rows_of_one_cluster_count_as_one() -> None:
    hits = np.arange(200) % 2
    alone = bootstrap.ratio(table(hits), *NAMES, extremes=(0, 1), **SETTINGS)
    fours = bootstrap.ratio(
        table(np.repeat(hits, 4), None, np.repeat(np.arange(200), 4)),
        *NAMES,
        extremes=(0, 1),
        **SETTINGS,
    )
    assert fours.upper - fours.lower == pytest.approx(alone.upper - alone.lower, rel=0.1)


def test_ten_gains_and_no_loss_are_not_yet_a_gain() -> None:
    value = np.append(np.full(10, 5.0), np.zeros(3_990))
    interval = bootstrap.ratio(table(value), *NAMES, extremes=(-45, 45), **SETTINGS)
    assert interval.lower < 0 < interval.estimate


@pytest.mark.parametrize("units", [1, 49, 50])
def test_below_fifty_units_there_are_no_bounds(units: int) -> None:
    hits = np.arange(units) % 2 == 0
    few = units < FEWEST
    padded = table(np.append(hits, np.zeros(500)), np.append(np.ones(units), np.zeros(500)))
    many = np.append(hits, np.zeros(500))
    target, score = np.arange(units + 500) < units, np.append(hits * 2.0, np.ones(500))
    for interval in (
        bootstrap.ratio(padded, *NAMES, extremes=(0, 1), **SETTINGS),
        influence.mean(many[:units], np.arange(units), 0.95),
        influence.roc_auc(target, score, np.arange(len(many)), 0.95),
        influence.average_precision(target, score, np.arange(len(many)), 0.95),
    ):
        assert interval.estimate is not None
        assert (interval.lower is None, interval.upper is None) == (few, few)


def test_what_is_undefined_is_none() -> None:
    nothing = (None, None, None)
    zeros = np.zeros(60)
    assert bootstrap.ratio(table(zeros, zeros), *NAMES, extremes=(0, 1), **SETTINGS) == nothing
    assert influence.roc_auc(zeros, np.arange(60), np.arange(60), 0.95) == nothing
    assert influence.average_precision(zeros, np.arange(60), np.arange(60), 0.95) == nothing
    assert influence.mean([], [], 0.95) == nothing


@pytest.mark.parametrize("decimals", [0, 1, 9])
def test_ranking_metrics_are_those_of_scikit_learn(decimals: int) -> None:
    """With many ties, some, and none."""
    rng = np.random.default_rng(11)
    y = rng.random(3_000) < 0.2
    score = np.round(rng.normal(size=3_000) + y, decimals)
    cluster = rng.integers(0, 900, 3_000).astype(str).astype(object)
    for name, known in (("roc_auc", roc_auc_score), ("average_precision", average_precision_score)):
        interval = getattr(influence, name)(y, score, cluster, 0.95)
        assert interval.estimate == pytest.approx(known(y, score), abs=1e-12), name
        assert 0 < interval.lower < interval.estimate < interval.upper < 1, name


def test_one_cluster_alone_tells_nothing() -> None:
    rng = np.random.default_rng(13)
    y, one = np.arange(400) < 100, np.zeros(400)
    for interval in (
        influence.mean(rng.normal(size=400), one, 0.95),
        influence.roc_auc(y, y + rng.normal(size=400), one, 0.95),
        influence.average_precision(y, y + rng.normal(size=400), one, 0.95),
    ):
        assert interval.estimate is not None
        assert interval.lower is interval.upper is None
    share = table(np.arange(400) < 40, None, one)
    assert bootstrap.tail(share, *NAMES, side="at_least", limit=0.4, **TAIL) > 0.5
    wide = bootstrap.ratio(share, *NAMES, extremes=(0, 1), **SETTINGS)
    assert wide.upper - wide.lower > 0.9


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_a_perfect_order_is_not_certain(name: str) -> None:
    y = np.arange(1_000) < 60
    interval = getattr(influence, name)(y, y * 1.0, np.arange(1_000), 0.95)
    assert interval.estimate == interval.upper == 1
    assert interval.lower == pytest.approx(0.025 ** (1 / 60))


@pytest.mark.parametrize(("hits", "limit"), [(12, 0.4), (6, 0.4), (0, 0.1), (38, 0.9)])
def test_the_tail_of_a_share_is_the_exact_binomial(hits: int, limit: float) -> None:
    """Far into the tail as well, and mirrored for `at_most`."""
    frame = table(np.arange(50) < hits)
    below = bootstrap.tail(frame, *NAMES, side="at_least", limit=limit, **TAIL)
    above = bootstrap.tail(
        table(np.arange(50) >= hits), *NAMES, side="at_most", limit=1 - limit, **TAIL
    )
    assert below == pytest.approx(binom.cdf(hits, 50, limit), rel=0.25)
    assert above == pytest.approx(binom.cdf(hits, 50, limit), rel=0.25)


def test_the_tail_is_one_where_the_limit_is_met_and_zero_where_one_miss_is_proof() -> None:
    frame = table(np.arange(100) < 40)
    assert bootstrap.tail(frame, *NAMES, side="at_least", limit=0.4, **TAIL) == 1
    assert bootstrap.tail(frame, *NAMES, side="at_most", limit=0.4, **TAIL) == 1
    assert bootstrap.tail(frame, *NAMES, side="at_least", limit=1.0, **TAIL) == 0
    assert bootstrap.tail(frame, *NAMES, side="at_most", limit=0.0, **TAIL) == 0


def test_the_tail_allows_for_a_spread_that_is_estimated() -> None:
    """A third kind of unit, though it hardly differs, leaves the spread to be estimated."""
    hits = (np.arange(60) < 12) * 1.0
    settled = bootstrap.tail(table(hits), *NAMES, side="at_least", limit=0.4, **TAIL)
    hits[30] = 1e-10
    estimated = bootstrap.tail(table(hits), *NAMES, side="at_least", limit=0.4, **TAIL)
    assert estimated == pytest.approx(t.sf(norm.isf(settled), 59), rel=0.1)
    assert estimated > 1.5 * settled


def test_the_mean_of_even_values_has_the_interval_of_student() -> None:
    """One that a single value makes up has a wider one."""
    values = np.linspace(-1, 1, 60)
    outlier = np.append(values[1:], 30)
    for x, more in ((values, 1.0), (outlier, 1.2)):
        interval = influence.mean(x, np.arange(60), 0.95)
        half = float(t.ppf(0.975, 59) * x.std(ddof=1) / math.sqrt(60))
        assert interval.estimate == pytest.approx(x.mean())
        assert interval.upper - interval.estimate == pytest.approx(
            interval.estimate - interval.lower
        )
        if more > 1:
            assert interval.upper - interval.estimate > more * half
        else:
            assert interval.upper - interval.estimate == pytest.approx(half, rel=1e-3)


def test_an_imagined_unit_is_as_large_as_a_usual_cluster() -> None:
    """A share of 0 in 60 clusters of ten rows is as unsure as in 60 rows."""
    rows = bootstrap.ratio(table(np.zeros(60)), *NAMES, extremes=(0, 1), **SETTINGS)
    tens = table(np.zeros(600), None, np.repeat(np.arange(60), 10))
    clusters = bootstrap.ratio(tens, *NAMES, extremes=(0, 1), **SETTINGS)
    assert clusters.lower == rows.lower == 0
    assert clusters.upper == pytest.approx(rows.upper)


def test_one_slice_alone_is_judged_nearly_as_by_its_interval() -> None:
    """Of 100 possible counts of hits, test and interval disagree on at most one per limit."""
    for limit in (0.2, 0.4, 0.7):
        differ = 0
        for hits in range(100):
            frame = table(np.arange(100) < hits)
            upper = bootstrap.ratio(frame, *NAMES, extremes=(0, 1), **SETTINGS).upper
            fired = bootstrap.tail(frame, *NAMES, side="at_least", limit=limit, **TAIL) <= 0.025
            differ += fired != (upper < limit)
        assert differ <= 1


def test_holm_steps_from_the_smallest_and_stops() -> None:
    assert bootstrap.holm([0.03, 0.001, 0.012], 0.025) == [False, True, True]
    assert bootstrap.holm([0.02, 0.001, 0.02], 0.025) == [False, True, False]
    assert bootstrap.holm([0.02, 0.02], 0.025) == [False, False]
    assert bootstrap.holm([], 0.025) == []


def test_units_needed_grow_with_the_square_of_a_smaller_effect() -> None:
    gain = Interval(0.1, -0.1, 0.3)
    expected = 1.1 * 1_000 * ((1.959964 + 0.841621) * (0.2 / 1.959964) / 0.2) ** 2
    assert bootstrap.find_needed_size(gain, 1_000, 0.2, 0.95) == math.ceil(expected)
    assert bootstrap.find_needed_size(gain, 1_000, 0.1, 0.95) == pytest.approx(4 * expected, abs=1)
    assert bootstrap.find_needed_size(Interval(0.1, None, None), 40, 0.1, 0.95) is None


def test_errors_too_small_to_square_twice_have_an_interval() -> None:
    tiny = influence.mean(np.array([1e-90] * 99 + [3e-90]), np.arange(100), 0.95)
    assert tiny.lower == tiny.estimate == tiny.upper


def test_intervals_that_err_together_need_no_more_than_one_and_others_more() -> None:
    rng = np.random.default_rng(5)
    alone = [rng.normal(size=4_000) for _ in range(8)]
    tables = [
        pl.DataFrame({"cluster": np.arange(4_000) // 2, "numerator": gain, "denominator": 1.0})
        for gain in alone
    ]
    sidak = 0.95 ** (1 / 8)
    assert joint.find_confidence(tables, 0.95, 7) == pytest.approx(sidak, abs=0.003)
    assert joint.find_confidence(tables[:1] * 8, 0.95, 7) == pytest.approx(0.95, abs=0.003)
    nothing = tables[0].with_columns(numerator=0.0)
    assert joint.find_confidence([nothing] * 8, 0.95, 7) == 0.95
    shuffled = [each.sample(fraction=1, shuffle=True, seed=1) for each in tables]
    assert joint.find_confidence(shuffled, 0.95, 7) == joint.find_confidence(tables, 0.95, 7)
