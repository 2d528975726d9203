"""The keyword table, as a model."""

import polars as pl
import pytest

from project.contract import INTENTS
from project.features import features
from project.model import ANSWERS, KEYWORDS, rule


def build_rows(*texts: str) -> pl.DataFrame:
    """Features of questions with these words."""
    return pl.DataFrame({"text": texts, "recorded": None}, schema_overrides={"recorded": pl.String})


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("where is my refund, i want my money back", "refund_when"),
        ("i forgot my password", "password"),
        ("the teapot arrived broken", "damaged_item"),
        ("good morning", "none"),
        ("", "none"),
    ],
)
def test_the_intent_with_most_keywords_stands(text: str, intent: str) -> None:
    assert rule().answers(build_rows(text))["intent"].to_list() == [intent]
    assert rule().act(build_rows(text)).to_list() == [intent]


def test_of_intents_with_as_many_keywords_the_first_stands_and_leads_by_nothing() -> None:
    answers = rule().answers(build_rows("my password, my voucher"))
    assert list(KEYWORDS).index("voucher") < list(KEYWORDS).index("password")
    assert answers.select("intent", "score").row(0) == ("voucher", 0.0)


def test_the_score_is_by_how_many_keywords_the_intent_leads() -> None:
    texts = ("cancel", "cancel, i changed my mind", "cancel, i changed my mind, refund")
    assert rule().answers(build_rows(*texts))["score"].to_list() == [1, 2, 1]


def test_what_is_said_is_the_prepared_passage_or_nothing() -> None:
    answers = rule().answers(build_rows("my password", "good morning"))
    assert answers["said"].to_list() == [ANSWERS["password"], ""]
    assert answers["cost"].to_list() == [0, 0]


def test_every_intent_has_keywords_and_one_passage() -> None:
    assert list(KEYWORDS) == list(ANSWERS) == INTENTS
    assert len(set(ANSWERS.values())) == len(INTENTS)
    assert all(KEYWORDS.values())


def test_a_question_has_the_same_answer_in_any_company_and_order(sample: pl.DataFrame) -> None:
    rows = features(sample)
    answers = rule().answers(rows)
    assert rule().answers(rows.reverse()).equals(answers.reverse())
    assert rule().answers(rows[5:6]).equals(answers[5:6])
    assert answers["intent"].n_unique() > 15
