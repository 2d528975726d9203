"""The simulated business: the same every time, with the causes that its docstring promises."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from project import example
from project.contract import Row
from project.example import after_showing, rows

MANY = 40_000


def events(visits: pl.DataFrame) -> pl.DataFrame:
    """One row per event: those of the visits, with brand, kind and place."""
    parts = pl.col("word").str.extract_groups(
        r"^(?<brand>[^:]+):(?<kind>[a-z]+)(?:@(?<place>[0-9]+))?$"
    )
    return (
        visits.with_columns(word=pl.col("wanted").str.split(" "))
        .explode("word", empty_as_null=True)
        .filter(pl.col("word") != "")
        .with_columns(parts.struct.unnest())
    )


def share(visits: pl.DataFrame, brands: list[str]) -> float:
    """The share of all events that is with one of `brands`."""
    return float(events(visits).select(pl.col("brand").is_in(brands).mean()).item())


def part(table: pl.DataFrame, where: pl.Expr) -> float:
    """The share of rows where this holds."""
    return float(table.select(where.mean()).item())


def months(*numbers: int) -> pl.Expr:
    return pl.col("day").dt.month().is_in(numbers)


def showing(visits: pl.DataFrame, brands: list[str]) -> pl.DataFrame:
    """The visits with the same list for all."""
    shown = pl.Series("shown", [brands] * visits.height, dtype=pl.List(pl.String))
    return visits.select("user", "day").with_columns(shown)


@pytest.fixture(scope="module")
def visits() -> pl.DataFrame:
    return rows(visits=MANY, errors=0)


def test_the_same_seed_gives_the_same_rows_and_another_seed_gives_others() -> None:
    assert_frame_equal(rows(visits=500, seed=1), rows(visits=500, seed=1))
    assert not rows(visits=500, seed=1).equals(rows(visits=500, seed=2))


def test_columns_are_those_of_the_contract() -> None:
    assert rows(visits=50).columns == Row.column_names()


@pytest.mark.parametrize("weeks", [8, 104])
def test_without_errors_every_row_satisfies_the_contract(weeks: int) -> None:
    assert Row.is_valid(rows(visits=20_000, weeks=weeks, errors=0), cast=True)


def test_errors_break_that_share_of_rows_in_three_ways_and_change_no_other(
    visits: pl.DataFrame,
) -> None:
    faulty = rows(visits=MANY, errors=0.01)
    valid, refused = Row.filter(faulty, cast=True)
    assert set(refused.counts()) == {"device|dtype", "came_from|nullability", "wanted|regex"}
    assert len(refused) / faulty.height == pytest.approx(0.01, abs=0.002)
    valid_keys = valid.select("user", "day")
    assert_frame_equal(
        visits.join(valid_keys, on=valid_keys.columns, how="semi", maintain_order="left"),
        faulty.join(valid_keys, on=valid_keys.columns, how="semi", maintain_order="left"),
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_shares_are_those_of_the_brief(seed: int) -> None:
    some = rows(visits=MANY, seed=seed)
    assert some.height == pytest.approx(MANY, rel=0.03)
    assert part(some, pl.col("wanted") != "") == pytest.approx(0.54, abs=0.02)
    assert part(some, pl.col("visitor") == "new") == pytest.approx(0.21, abs=0.02)
    assert part(some, pl.col("history") == "") == pytest.approx(0.34, abs=0.03)
    assert part(some, pl.col("device") == "tablet") == pytest.approx(0.015, abs=0.004)
    assert part(events(some), pl.col("kind") == "order") == pytest.approx(0.25, abs=0.02)


def test_a_history_holds_what_earlier_visits_ended_with_the_newest_first(
    visits: pl.DataFrame,
) -> None:
    before: dict[str, list[str]] = {}
    checked = 0
    fresh = visits.filter(pl.col("visitor") == "new")["user"].implode()
    for user, _, history, wanted in (
        visits.filter(pl.col("user").is_in(fresh))
        .select("user", "day", "history", "wanted")
        .sort("user", "day")
        .head(5_000)
        .iter_rows()
    ):
        history_before = before.setdefault(user, [])
        assert history.split() == history_before
        checked += bool(history_before)
        liked = sorted({word.partition(":")[0] for word in wanted.split()})
        rest = [brand for brand in history_before if brand not in liked]
        before[user] = (liked + rest)[: example.REMEMBERED]
    assert checked > 1_000


def test_the_tail_is_long_and_the_list_of_today_is_the_best_sellers(visits: pl.DataFrame) -> None:
    orders = events(visits).filter(kind="order")["brand"].value_counts(sort=True)
    assert orders.height == len(example.BRANDS) == 60
    assert set(orders["brand"].head(5)) == set(example.TODAY)
    assert share(visits, example.TODAY) == pytest.approx(0.38, abs=0.03)
    tail = orders["brand"].tail(30).to_list()
    assert 0.10 < share(visits, tail) < 0.25


def test_a_taste_shows_in_what_was_visited_and_in_what_is_wanted(visits: pl.DataFrame) -> None:
    for brands in (names.split() for names in example.TASTES.values()):
        last = pl.col("history").str.split(" ").list.first().is_in(brands)
        assert share(visits.filter(last), brands) > 2 * share(visits.filter(~last), brands)


@pytest.mark.parametrize(
    ("brands", "where"),
    [
        (example.WINTER, months(11, 12, 1, 2)),
        (example.SUMMER, months(5, 6, 7, 8)),
        (example.NEWSLETTER, pl.col("came_from") == "newsletter"),
        (example.ADVERTISED, pl.col("came_from") == "advert"),
    ],
)
def test_a_season_and_a_way_here_have_their_brands(
    visits: pl.DataFrame, brands: list[str], where: pl.Expr
) -> None:
    assert share(visits.filter(where), brands) > 1.5 * share(visits.filter(~where), brands)


def test_nobody_wants_a_brand_before_its_launch(visits: pl.DataFrame) -> None:
    early = visits.filter(pl.col("day") < pl.date(2024, 2, 20))
    assert share(early, example.LAUNCHED) == 0
    assert share(visits.filter(pl.col("day") > pl.date(2025, 1, 1)), example.LAUNCHED) > 0.02


def test_what_stands_at_the_top_is_found_more_often_because_it_stands_there(
    visits: pl.DataFrame,
) -> None:
    brand, other = example.TODAY[0], example.TODAY[-1]
    turned = [other, *example.TODAY[1:-1], brand]
    by_list = {
        name: events(after_showing(showing(visits, shown), visits=MANY))
        .filter(pl.col("place").is_not_null())["brand"]
        .value_counts()
        for name, shown in {"today": example.TODAY, "turned": turned}.items()
    }
    orders = {name: counts.filter(brand=brand)["count"].item() for name, counts in by_list.items()}
    assert orders["turned"] / orders["today"] == pytest.approx(example.NOTICED**4, abs=0.03)


def test_under_todays_list_all_is_as_in_the_export(visits: pl.DataFrame) -> None:
    again = after_showing(showing(visits, example.TODAY), visits=MANY)
    assert_frame_equal(
        again.select("user", "day", "wanted"), visits.select("user", "day", "wanted")
    )


def test_a_wanted_brand_shown_first_earns_what_the_brief_says(visits: pl.DataFrame) -> None:
    one = example.TODAY[:1]
    with_it, without = (after_showing(showing(visits, list_), visits=MANY) for list_ in (one, []))
    gained = float((with_it["earned"] - without["earned"]).sum())
    clicks, orders = (
        events(with_it).filter(pl.col("brand").is_in(one), kind=kind).height
        for kind in ("click", "order")
    )
    assert gained / (0.30 * clicks + 4.00 * orders) == pytest.approx(1, abs=0.06)


def test_luck_belongs_to_the_visit_and_not_to_the_list(visits: pl.DataFrame) -> None:
    lists = showing(visits.head(2_000), ["ono", "pacer"])
    whole = after_showing(lists, visits=MANY)
    part = after_showing(lists.tail(500).reverse(), visits=MANY)
    assert_frame_equal(part, whole.tail(500).reverse())


def test_drift_changes_the_last_weeks_and_not_the_first(visits: pl.DataFrame) -> None:
    moving = rows(visits=MANY, errors=0, drift=1.0)
    losing = [brand for number, brand in enumerate(example.BRANDS) if number % 2 == 0]
    early = pl.col("day") < pl.date(2024, 3, 1)
    late = pl.col("day") > pl.date(2025, 10, 1)
    assert share(moving.filter(early), losing) > 0.85 * share(visits.filter(early), losing)
    assert share(moving.filter(late), losing) < 0.65 * share(visits.filter(late), losing)
    assert_frame_equal(
        moving.select("user", "day", "device"), visits.select("user", "day", "device")
    )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"visits": 0}, "visits must be at least 1, found 0"),
        ({"weeks": 4}, "weeks must be at least 8, found 4"),
        ({"errors": 2.0}, "errors must be from 0 to 1, found 2.0"),
    ],
)
def test_impossible_settings_are_refused_by_name(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rows(**wrong)  # type: ignore[arg-type]
