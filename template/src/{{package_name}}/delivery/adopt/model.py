"""The draft of `model.py`: what is done today, or a stand-in, and models that challenge it."""

import re

import polars as pl

from ..edge.errors import Fixable
from .contract import list_features
from .features import list_dated, list_texts
from .literals import quote
from .pieces import keep, list_tests, read_draft
from .proposal import Proposal

SKEWED = 1.0  # of the target: from here on its logarithm is learned
ACTION = "act"


def draft_model(proposal: Proposal) -> str:
    """Return the text of `model.py` for a proposal.

    Raises:
        Fixable: nothing is left to learn from, or today's rule is none that can be read.
    """
    form = find_form(proposal)
    rule = "rule_of_today" if proposal.answers.rule else f"rule_to_replace{form}"
    candidates = f"candidates{form}"
    text = keep(
        read_draft("model"),
        ["DIRECTION", rule, candidates],
        {rule: "rule", candidates: "candidates"},
    )
    if proposal.answers.rule:
        today = require_rule(proposal, proposal.answers.rule)
        text = set_value(text, "TODAY", quote(today))
        text = set_value(text, "ACTION", quote(name_action(proposal)))
    return set_value(text, "LOGARITHM", str(is_skewed(proposal)))


def find_form(proposal: Proposal) -> str:
    """Return how the drafts for what features there are end: with texts, of texts alone, or plain.

    Raises:
        Fixable: there is no feature.
    """
    columns = list_features(proposal)
    if not columns and not list_dated(proposal):
        raise Fixable(
            f"The table: expected a column to learn `{proposal.target.name}` from, found none that "
            "may be a feature. Next: name those that may, with --feature COLUMN"
        )
    texts = list_texts(proposal)
    if not texts:
        return ""
    is_text_only = len(texts) == len(columns) and not list_dated(proposal)
    return "_of_texts" if is_text_only else "_beside_texts"


def name_action(proposal: Proposal) -> str:
    """Return what is done for a unit: in the team's word, if it gave one."""
    return proposal.answers.action or ACTION


def set_value(text: str, name: str, value: str) -> str:
    """Give a constant of a draft its value; the text as it is where there is none of that name."""
    return re.sub(rf"^({name}(?:: [^=]+)?) = .+$", lambda m: f"{m[1]} = {value}", text, flags=re.M)


def require_rule(proposal: Proposal, rule: str) -> str:
    """Return what is done today as an expression of features in SQL.

    Raises:
        Fixable: it cannot be read, or gives no answer of the right kind for these rows.
    """
    names = {column.name for column in list_features(proposal)}
    sql = f'"{rule}"' if rule in names else rule
    wanted = pl.Boolean if proposal.problem == "classification" else pl.Float64
    try:
        answer = proposal.rows.select(sorted(names)).select(pl.sql_expr(sql).alias("today"))
        answer = answer.with_columns(pl.col("today").cast(wanted))
    except pl.exceptions.PolarsError as error:
        raise Fixable(
            f"--rule {rule!r}: expected a condition or a figure made of features "
            f"({', '.join(sorted(names)[:20])}), found {str(error).splitlines()[0]}\n"
            "Next: write it like --rule \"tenure < 12 and plan = 'flexible'\", or give the name of "
            "the column that holds it"
        ) from None
    if answer["today"].n_unique() < 2:
        raise Fixable(
            f"--rule {rule!r}: expected rows for which it differs, found that it says the same of "
            "all. Next: correct it, or leave it out"
        )
    return sql


def is_skewed(proposal: Proposal) -> bool:
    """Whether a target is above zero and a few of its values are far larger than most."""
    if proposal.problem != "regression":
        return False
    known = proposal.rows[proposal.target.name].drop_nulls().cast(pl.Float64)
    lowest, skew = known.min(), known.skew()
    return isinstance(lowest, float) and lowest > 0 and (skew or 0) > SKEWED


def draft_tests(proposal: Proposal) -> dict[str, str]:
    """Return the unit tests of the drafts, by file name: those that this table has a case for."""
    has_texts, has_rule = bool(list_texts(proposal)), proposal.answers.rule is not None
    features = [
        "test_features_are_the_listed_columns_with_texts_and_nothing_that_identifies"
        if has_texts
        else "test_features_are_the_listed_columns_and_nothing_that_identifies",
        "test_numbers_are_numbers_and_categories_are_enums",
        "test_features_need_no_target",
        "test_a_row_has_the_same_features_in_any_company_and_order",
        "test_no_feature_is_infinite_on_any_row",
    ]
    if has_texts:
        features += ["test_no_text_is_missing"]
    if any(column.open for column in list_features(proposal)):
        features += ["test_a_value_that_is_not_known_becomes_other"]
    own = ("test_the_rule_acts_", "test_the_rule_decides_") if has_rule else ("test_the_stand_in_",)
    return {
        "test_contract.py": keep_tests("test_contract", own),
        "test_features.py": keep(read_draft("test_features"), features),
        "test_rule.py": keep_tests("test_rule", own),
        "test_candidates.py": keep_tests("test_candidates", own),
    }


def keep_tests(name: str, own: tuple[str, ...]) -> str:
    """A file of tests, without those of the other kind of rule."""
    source = read_draft(name)
    others = ("test_the_stand_in_", "test_the_rule_acts_", "test_the_rule_decides_")
    tests = [
        test for test in list_tests(source) if not test.startswith(others) or test.startswith(own)
    ]
    return keep(source, tests)
