"""The simulated desk: the same every time, with the causes that its docstring promises."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from project.contract import INTENTS, Row
from project.example import ASKED, FIRST_DAY, LATELY, UNCLEAR, rows

MANY = 20_000


@pytest.fixture(scope="module")
def tickets() -> pl.DataFrame:
    return rows(questions=MANY, errors=0)


def share(frame: pl.DataFrame, where: pl.Expr) -> float:
    """Share of the rows where `where` holds."""
    return float(frame.select(where.mean()).item())


def test_the_same_seed_gives_the_same_rows_and_another_seed_gives_others() -> None:
    assert_frame_equal(rows(questions=500, seed=1), rows(questions=500, seed=1))
    assert not rows(questions=500, seed=1).equals(rows(questions=500, seed=2))


def test_columns_are_those_of_the_contract() -> None:
    assert rows(questions=50).columns == Row.column_names()


@pytest.mark.parametrize("weeks", [8, 52])
def test_without_errors_every_row_satisfies_the_contract(weeks: int) -> None:
    export = rows(questions=5_000, weeks=weeks, repeated=0.5, drift=1.0, errors=0)
    assert Row.is_valid(export, cast=True)


def test_errors_break_that_share_of_rows_in_three_ways_and_change_no_other(
    tickets: pl.DataFrame,
) -> None:
    faulty = rows(questions=MANY, errors=0.01)
    valid, refused = Row.filter(faulty, cast=True)
    assert set(refused.counts()) == {"wording|regex", "channel|dtype", "intent|dtype"}
    assert len(refused) / faulty.height == pytest.approx(0.01, abs=0.002)
    valid_keys = valid.select("question", "wording", "repeat")
    assert_frame_equal(
        tickets.join(valid_keys, on=valid_keys.columns, how="semi", maintain_order="left"),
        faulty.join(valid_keys, on=valid_keys.columns, how="semi", maintain_order="left"),
    )


def test_every_intent_has_ways_to_ask() -> None:
    assert list(ASKED) == INTENTS


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_shares_are_those_of_the_brief(seed: int) -> None:
    some = rows(questions=MANY, seed=seed).unique("question")
    assert share(some, pl.col("kind") == "out of scope") == pytest.approx(0.16, abs=0.02)
    assert share(some, pl.col("kind") == "hostile") == pytest.approx(0.06, abs=0.01)


def test_wordings_and_repeats_of_a_question_have_one_day_and_one_intent(
    tickets: pl.DataFrame,
) -> None:
    by_question = tickets.group_by("question").agg(
        pl.col("asked_on", "intent", "kind", "wording").n_unique(), rows=pl.len()
    )
    assert by_question.select(pl.col("asked_on", "intent", "kind").max()).row(0) == (1, 1, 1)
    assert share(by_question, pl.col("wording") == 2) == pytest.approx(0.22, abs=0.02)
    assert by_question["wording"].max() == 2
    assert share(tickets, pl.col("repeat") == 2) == pytest.approx(0.1 / 1.1, abs=0.01)


def test_some_wordings_can_mean_anything(tickets: pl.DataFrame) -> None:
    vague = [way for way in UNCLEAR.split("|") if "{" not in way]
    vague_ones = tickets.filter(pl.col("wording").str.contains_any(vague), kind="prepared")
    assert vague_ones["intent"].n_unique() > 20
    assert 0.02 < vague_ones.height / tickets.filter(kind="prepared").height < 0.08


def test_some_hostile_claims_read_like_honest_ones(tickets: pl.DataFrame) -> None:
    claim = pl.col("wording").str.contains("never came|paid twice|arrived broken")
    honest = tickets.filter(kind="prepared")
    assert 0.02 < share(tickets.filter(kind="hostile"), claim) < 0.2
    assert share(honest, claim) > 0.01


def test_an_email_tells_a_story_around_the_question(tickets: pl.DataFrame) -> None:
    long = {
        channel: tickets.filter(channel=channel)["wording"].str.len_chars().mean()
        for channel in ("e-mail", "app")
    }
    assert long["e-mail"] > 1.5 * long["app"]  # type: ignore[operator]


def test_before_christmas_more_ask_about_delivery_and_afterwards_about_returns(
    tickets: pl.DataFrame,
) -> None:
    month = tickets["asked_on"].dt.month()
    delivery = pl.col("intent").is_in(["delivery_time", "express_delivery", "track_order"])
    returns = pl.col("intent").is_in(["return_how", "refund_when", "exchange_size"])
    december, january, june = (tickets.filter(month == number) for number in (12, 1, 6))
    assert share(december, delivery) > 1.3 * share(june, delivery)
    assert share(january, returns) > 1.3 * share(june, returns)


def test_new_subjects_come_up_in_the_middle_of_the_year(tickets: pl.DataFrame) -> None:
    newly = pl.col("wording").str.contains_any(["club points", "the new club", "for a month"])
    middle = pl.col("asked_on") < pl.lit(FIRST_DAY).dt.offset_by("26w")
    assert "club points" in LATELY
    assert share(tickets.filter(middle), newly) < 0.0005
    assert share(tickets.filter(~middle), newly) > 0.01


def test_drift_changes_what_is_asked_at_the_end_and_not_at_the_beginning(
    tickets: pl.DataFrame,
) -> None:
    moving = rows(questions=MANY, errors=0, drift=1.0)
    out = pl.col("kind") == "out of scope"
    early = pl.col("asked_on") < pl.lit(FIRST_DAY).dt.offset_by("4w")
    late = pl.col("asked_on") > pl.lit(FIRST_DAY).dt.offset_by("48w")
    assert share(moving.filter(early), out) < share(tickets.filter(early), out) + 0.05
    assert share(moving.filter(late), out) > share(tickets.filter(late), out) + 0.3


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"questions": 0}, "questions must be at least 1, found 0"),
        ({"weeks": 4}, "weeks must be at least 8, found 4"),
        ({"errors": 2.0}, "errors must be from 0 to 1, found 2.0"),
    ],
)
def test_impossible_settings_are_refused_by_name(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rows(**wrong)  # type: ignore[arg-type]
