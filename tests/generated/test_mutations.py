"""Each default test of a generated repository goes red when what it tests is broken.

A mutation is one named edit of the team's or the template's code; the test that it must turn red is
run as a team would run it, and must fail (an error while it is collected or set up does not count).
"""

import ast
import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ..conftest import Render
from ..made import UV, Repository, call, passes
from .conftest import fresh
from .mutate import (
    ACTIONS,
    ANSWERS,
    BRIEF,
    CONFORM,
    DECISION,
    LOTS,
    OUTCOMES,
    REASON,
    REASONS_IN_WORDS,
    REQUESTS,
    ROOM,
    SERVICE,
    SPLIT_BY_TIME,
    VALIDATE,
    Where,
    edited,
    path_of,
)

CONTRACT, FEATURES, MODEL = (f"src/churn/{name}.py" for name in ("contract", "features", "model"))
EXAMPLE = "src/churn/example.py"


class Mutation(NamedTuple):
    """What is edited (where, old, new; more than once where needed), and what must turn red."""

    test: str
    edits: list[tuple[Where, str, str]]
    first: str = ""  # what has to run again before the test can see it


def one(test: str, where: Where, old: str, new: str, first: str = "") -> Mutation:
    return Mutation(test, [(where, old, new)], first)


MUTATIONS: dict[str, Mutation] = {
    # tests/unit/test_features.py
    "a price rise is a ratio": one(
        "unit/test_features.py::test_price_rise_is_the_share_by_which_the_charge_went_up",
        FEATURES, 'pl.col("monthly_charge_before") - 1', 'pl.col("monthly_charge_before")',
    ),
    "an unknown price rise is none": one(
        "unit/test_features.py::test_price_rise_is_unknown_for_a_new_customer",
        FEATURES, 'pl.col("monthly_charge_before") - 1',
        'pl.col("monthly_charge_before").fill_null(1)',
    ),
    "what is left of the use counts as gone": one(
        "unit/test_features.py::test_usage_drop_is_the_share_of_use_that_is_gone",
        FEATURES, 'drop = 1 - pl.col("data_gb") / before', 'drop = pl.col("data_gb") / before',
    ),
    "a rise in use has no bound": one(
        "unit/test_features.py::test_usage_drop_is_never_below_minus_one",
        FEATURES, "drop.clip(-1, 1)", "drop.clip(-100, 1)",
    ),
    "no use before is no drop": one(
        "unit/test_features.py::test_usage_drop_is_unknown_without_earlier_use",
        FEATURES, ".then(drop.clip(-1, 1))", ".then(drop.clip(-1, 1)).otherwise(0.0)",
    ),
    "a price per GB divides by zero": one(
        "unit/test_features.py::test_price_per_gb_is_finite_even_without_use",
        FEATURES, '(pl.col("data_gb") + 1)', 'pl.col("data_gb")',
    ),
    "free only in the last month": one(
        "unit/test_features.py::test_a_customer_is_free_to_leave_up_to_two_months_before_the_end",
        FEATURES, 'pl.col("months_left") <= 2', 'pl.col("months_left") <= 1',
    ),
    "the age band is a feature": one(
        "unit/test_features.py::test_features_are_the_listed_columns_and_nothing_that_identifies",
        FEATURES, 'CATEGORIES = ["plan", "region"]', 'CATEGORIES = ["plan", "region", "age_band"]',
    ),
    "a number among the categories": one(
        "unit/test_features.py::test_numbers_are_numbers_and_categories_are_enums",
        FEATURES, 'CATEGORIES = ["plan", "region"]',
        'CATEGORIES = ["plan", "region", "data_gb_before"]',
    ),
    "a feature that follows the calendar": one(
        "unit/test_features.py::test_features_need_no_target_and_do_not_follow_who_or_when",
        FEATURES, 'pl.col("months_left") <= 2',
        '(pl.col("months_left") <= 2) & (pl.col("week").dt.day() > 9)',
    ),
    "a feature that is infinite": one(
        "unit/test_features.py::test_no_feature_is_infinite_on_any_row",
        FEATURES, '(pl.col("data_gb") + 1)', 'pl.col("support_calls")',
    ),
    "a feature that looks at other rows": one(
        "unit/test_features.py::test_a_row_has_the_same_features_in_any_company_and_order",
        FEATURES, '(pl.col("data_gb") + 1)', '(pl.col("data_gb").mean() + 1)',
    ),
    # tests/unit/test_rule.py
    "the rule lists from the third call on": one(
        "unit/test_rule.py::test_the_list_holds_flexible_plans_with_two_support_calls",
        MODEL, 'often = pl.col("support_calls") >= self.calls',
        'often = pl.col("support_calls") > self.calls',
    ),
    "the rule mixes up its groups": one(
        "unit/test_rule.py::test_the_rule_learns_how_many_leave_on_and_off_its_list",
        MODEL, "[ended[~listed], ended[listed]]", "[ended[listed], ended[~listed]]",
    ),
    "an empty list has no shares": one(
        "unit/test_rule.py::test_where_nobody_is_on_the_list_everybody_counts",
        MODEL, "(g if len(g) else ended).mean(axis=0)", "g.sum(axis=0) / max(len(g), 1)",
    ),
    "shares that do not add up": one(
        "unit/test_rule.py::test_the_rule_gives_each_row_shares_that_add_up_to_one",
        MODEL, "return self.shares_.take(", "return (self.shares_ / 2).take(",
    ),
    # tests/unit/test_candidates.py
    "a candidate of chance": one(
        "unit/test_candidates.py::test_a_candidate_fits_and_the_same_seed_gives_the_same_model",
        MODEL, "early_stopping=False,\n            random_state=seed,",
        "early_stopping=False,\n            max_features=0.3,",
    ),
    "a candidate that needs every value": one(
        "unit/test_candidates.py::test_a_candidate_takes_one_row_with_every_optional_value_missing",
        MODEL, "make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())",
        "make_pipeline(StandardScaler())",
    ),
    "a direction of a category": one(
        "unit/test_candidates.py::test_directions_are_named_after_numeric_features",
        MODEL, 'DIRECTION = {"support_calls": +1, ', 'DIRECTION = {"plan": +1, ',
    ),
    "the constraint the wrong way round": one(
        "unit/test_candidates.py::test_a_candidate_can_learn_each_direction_that_is_known",
        MODEL, "{name: -sign for name, sign", "{name: sign for name, sign",
    ),
    # tests/unit/test_contract.py
    "the example row breaks the contract": one(
        "unit/test_contract.py::test_the_example_row_satisfies_the_contract",
        CONTRACT, '"months_left": 0,', '"months_left": 9,',
    ),
    "a limit that is gone": one(
        "unit/test_contract.py::test_a_row_with_one_fault_is_refused_for_that_reason",
        CONTRACT, "support_calls = dy.Int64(min=0, max=60,", "support_calls = dy.Int64(max=60,",
    ),
    "no primary key": Mutation(
        "unit/test_contract.py::test_the_same_customer_twice_in_one_week_is_refused",
        [
            (CONTRACT, 'regex="^C[0-9]{7,}$", primary_key=True', 'regex="^C[0-9]{7,}$"'),
            (CONTRACT, 'resolution="1w",\n        primary_key=True,', 'resolution="1w",'),
        ],
    ),
    "a category that nobody has": one(
        "unit/test_contract.py::test_every_value_that_the_contract_lists_occurs",
        CONTRACT, '"east", "west", "islands"]', '"east", "west", "islands", "moon"]',
    ),
    "a segment that is no column": one(
        "unit/test_contract.py::test_the_roles_name_columns_of_the_contract",
        CONTRACT, 'SEGMENTS = ["region", "age_band"]', 'SEGMENTS = ["region", "age"]',
    ),
    "a segment of numbers": one(
        "unit/test_contract.py::test_target_and_segments_have_a_fixed_list_of_values",
        CONTRACT, 'SEGMENTS = ["region", "age_band"]', 'SEGMENTS = ["region", "support_calls"]',
    ),
    "half a week": one(
        "unit/test_contract.py::test_the_outcome_is_known_after_whole_weeks",
        CONTRACT, "HORIZON = timedelta(weeks=8)", "HORIZON = timedelta(weeks=8.5)",
    ),
    "a column that nobody described": one(
        "unit/test_contract.py::test_every_column_is_described_in_a_sentence",
        CONTRACT, 'description="Region of the home address."', 'description=""',
    ),
    # tests/unit/test_expectations.py
    "four times as many leave": one(
        "unit/test_expectations.py::test_about_one_customer_in_eight_leaves_in_each_quarter",
        EXAMPLE, "        -3.5\n", "        -1.0\n", "dvc repro validate",
    ),
    # tests/unit/test_example.py
    "the seed is not used": one(
        "unit/test_example.py::test_the_same_seed_gives_the_same_rows_and_another_seed_gives_others",
        EXAMPLE, "SeedSequence(seed).spawn", "SeedSequence().spawn",
    ),
    "a column that the contract does not know": one(
        "unit/test_example.py::test_columns_are_those_of_the_contract",
        EXAMPLE, '    "outcome",\n]', '    "outcome",\n    "unhappy",\n]',
    ),
    "an answer outside the survey's scale": one(
        "unit/test_example.py::test_without_errors_every_row_satisfies_the_contract",
        EXAMPLE, ".round().clip(1, 5)", ".round()",
    ),
    "an error that is none": one(
        "unit/test_example.py::test_errors_break_that_share_of_rows_in_three_ways_and_change_no_other",
        EXAMPLE, 'pl.lit("family 2011")', 'pl.lit("flexible")',
    ),
    "twice as many leave": one(
        "unit/test_example.py::test_about_one_customer_in_eight_leaves",
        EXAMPLE, "        -3.5\n", "        -2.5\n",
    ),
    "who has left is seen again": one(
        "unit/test_example.py::test_who_is_seen_twice_was_still_there_and_is_seen_later",
        EXAMPLE, '["outcome"] == "stays"', '["outcome"] != "nobody"',
    ),
    "a price rise drives away everybody": one(
        "unit/test_example.py::test_a_price_rise_drives_away_only_those_who_are_free_to_leave",
        EXAMPLE, '* free * pl.col("rise")', '* pl.col("rise")',
    ),
    "less use alone is a warning": one(
        "unit/test_example.py::test_less_use_is_a_warning_only_together_with_a_support_call",
        EXAMPLE, "+ 2.0 * called * drop", "+ 4.0 * drop",
    ),
    "drift that changes nothing": one(
        "unit/test_example.py::test_drift_changes_the_last_weeks_and_not_the_first",
        EXAMPLE, "pace = drift / (weeks - 1)", "pace = 0 * drift",
    ),
    "a call that persuades fewer": one(
        "unit/test_example.py::test_a_call_is_worth_40_for_a_leaver_and_minus_5_for_a_stayer",
        EXAMPLE, "SAVED, ANNOYED = 0.44, 0.01", "SAVED, ANNOYED = 0.30, 0.01",
    ),
    "everybody counts as called": one(
        "unit/test_example.py::test_who_is_not_called_does_what_they_would_have_done",
        EXAMPLE, "leaves_if_called.zip_with(called, leaves)", "leaves_if_called",
    ),
    "luck goes by the order of the list": one(
        "unit/test_example.py::test_luck_belongs_to_the_customer_and_not_to_the_list",
        EXAMPLE, "_splitmix(customer + stream)", "_splitmix(np.sort(customer) + stream)",
    ),
    "an impossible setting passes": one(
        "unit/test_example.py::test_impossible_settings_are_refused_by_name",
        EXAMPLE, "if not 0 <= share <= 1:", "if share < 0:",
    ),
    # tests/integration/test_contract_on_data.py
    "a contract that the data do not keep": one(
        "integration/test_contract_on_data.py::test_every_valid_row_keeps_the_contract",
        CONTRACT, "support_calls = dy.Int64(min=0, max=60,",
        "support_calls = dy.Int64(min=0, max=3,",
    ),
    "whole rows are lost": one(
        "integration/test_contract_on_data.py::test_a_hand_written_row_comes_through_unchanged",
        CONFORM, "return A, B", "return A.head(0), B",
    ),
    "a reason that names nothing": one(
        "integration/test_contract_on_data.py::"
        "test_a_target_that_is_none_is_set_aside_with_its_reason",
        REASON, 'if A == "dtype":\n    return B',
        'if A == "dtype":\n    return B.partition(" ")[0] + " is wrong"',
    ),
    "a missing value without a reason": one(
        "integration/test_contract_on_data.py::"
        "test_a_missing_value_is_set_aside_in_every_column_that_needs_one",
        REASONS_IN_WORDS, '"nullability"', '"oddity"',
    ),
    # tests/integration/test_split_of_rows.py
    "no validation rows": one(
        "integration/test_split_of_rows.py::test_every_row_is_in_one_part_and_no_part_is_empty",
        SPLIT_BY_TIME, 'A.then(pl.lit("validation"))', 'A.then(pl.lit("train"))',
    ),
    "the horizon is forgotten": one(
        "integration/test_split_of_rows.py::test_labels_are_known_before_the_next_part_begins",
        SPLIT_BY_TIME, "A = pl.col(B) + C", "A = pl.col(B)",
    ),
    "test rows of any time": one(
        "integration/test_split_of_rows.py::"
        "test_other_rows_do_not_move_a_row_to_another_side_of_the_test",
        SPLIT_BY_TIME, 'pl.when(A).then(pl.lit("test"))',
        'pl.when(pl.int_range(pl.len()) % 5 == 0).then(pl.lit("test"))',
    ),
    # tests/integration/test_training.py
    "a candidate that learns nothing": one(
        "integration/test_training.py::test_a_small_training_run_learns_from_the_target",
        MODEL, "min_samples_leaf=40", "min_samples_leaf=4_000",
    ),
    "training by chance": one(
        "integration/test_training.py::test_training_twice_gives_the_same_scores",
        MODEL, "early_stopping=False,\n            random_state=seed,",
        "early_stopping=False,\n            max_features=0.3,",
    ),
    # tests/integration/test_delivered_model.py
    "a model that looks at the company": one(
        "integration/test_delivered_model.py::test_a_row_scores_alone_as_in_company_and_in_any_order",
        FEATURES, 'pl.col("monthly_charge_before") - 1',
        'pl.col("monthly_charge_before") - pl.col("monthly_charge").mean() / 20', "dvc repro train",
    ),
    "a model that knows its customers": one(
        "integration/test_delivered_model.py::test_who_it_is_and_how_it_ended_change_no_score",
        FEATURES, 'return pl.col("monthly_charge") / (pl.col("data_gb") + 1)',
        'return pl.col("customer").str.slice(1).cast(pl.Float64)', "dvc repro train",
    ),
    "a model without directions": Mutation(
        "integration/test_value_of_actions.py::test_the_score_moves_as_the_business_knows_it_must",
        [(MODEL, "            monotonic_cst={name: -sign for name, sign in DIRECTION.items()},\n",
        "")],
        "dvc repro train",
    ),
    # tests/integration/test_value_of_actions.py
    "a class without a price": one(
        "integration/test_value_of_actions.py::test_the_brief_prices_the_classes_of_the_contract",
        CONTRACT, '["leaves", "stays"]', '["leaves", "stays", "pauses"]',
    ),
    "every call is a right one": one(
        "integration/test_value_of_actions.py::test_each_unit_is_worth_what_the_brief_says",
        OUTCOMES, "float(A[B, C])", "float(A[B].max() + 0 * C)",
    ),
    "more calls than the squad can make": one(
        "integration/test_value_of_actions.py::"
        "test_no_more_units_are_acted_on_than_the_brief_allows",
        ROOM, "A < B[C]", "A < B[C] + 9",
    ),
    "a list that prices cut": one(
        "integration/test_value_of_actions.py::"
        "test_what_the_rule_decides_is_taken_as_it_is_whatever_it_costs",
        ACTIONS, "not has_own(A)", "bool(A.height)",
    ),
    "lots that know the place in a part": one(
        "integration/test_value_of_actions.py::"
        "test_ten_parts_act_as_the_whole_does_and_keep_to_capacity_in_each_period",
        LOTS, 'A["row"]', "pl.Series(range(A.height))",
    ),
    "a segment that the report does not have": one(
        "integration/test_slices.py::test_slices_of_the_report_are_those_of_the_outcomes",
        CONTRACT, 'SEGMENTS = ["region", "age_band"]', 'SEGMENTS = ["region", "age_band", "plan"]',
    ),
    # tests/integration/test_service.py
    "answers of others": one(
        "integration/test_service.py::test_online_says_what_batch_says",
        ANSWERS, "zip(A, B, C, strict=True)", "zip(A, B, C[::-1], strict=True)",
    ),
    "an example that is none": one(
        "integration/test_service.py::test_the_example_that_it_shows_is_answered",
        SERVICE, "{A: B for A, B in contract.EXAMPLE.items() if A != contract.TARGET}",
        "{A: B for A, B in contract.EXAMPLE.items() if A == contract.TARGET}",
    ),
    "a column that nobody has to send": one(
        "integration/test_service.py::test_a_row_that_breaks_the_contract_is_refused_by_name",
        REQUESTS, "{A: _build_field(B) for A, B in list_columns().items()}",
        "{A: _build_field(B) for A, B in [*list_columns().items()][1:]}",
    ),
    "a service that knows no name": one(
        "integration/test_service.py::test_it_says_who_is_in_charge_and_that_it_is_ready",
        SERVICE, '{"status": "ready", **A}', '{"status": "ready", "champion": "", "model": ""}',
    ),
    # tests/system/test_pipeline.py
    "a stage that always runs": one(
        "system/test_pipeline.py::test_the_pipeline_runs_and_a_second_run_does_nothing",
        "dvc.yaml", "  brief:\n    desc:", "  brief:\n    always_changed: true\n    desc:",
    ),
    "no limit to the quarantine": one(
        "system/test_pipeline.py::test_too_many_bad_rows_stop_the_line",
        VALIDATE, "A.quarantine_at_most", "1",
    ),
    "any text is a currency": one(
        "system/test_pipeline.py::test_a_bad_brief_stops_the_line",
        BRIEF, "currency: Annotated[A, StringConstraints(pattern=B)]",
        r'currency: Annotated[A, StringConstraints(pattern=r"^\w+$")]',
    ),
    "a decision that always ships": one(
        "system/test_pipeline.py::test_a_worse_model_is_not_shipped",
        DECISION,
        "verdict, reasons = reach_verdict(A, B, C, D, E)", 'verdict, reasons = "ship", []',
    ),
}  # fmt: skip

ELSEWHERE = {
    "integration/test_stages.py::test_every_stage_names_the_files_it_imports": "test_parameters.py",
    "integration/test_slices.py::test_no_slice_is_below_a_guardrail_of_the_brief": (
        "test_verdicts.py"
    ),
}
"""Default tests that another module of this folder turns red."""


ALONE = {
    name: mutation
    for name, mutation in MUTATIONS.items()
    if mutation.first or mutation.test.startswith("system/")
}
"""Mutations that need more than their test."""

TOGETHER = {name: mutation for name, mutation in MUTATIONS.items() if name not in ALONE}


def mutated(folder: Path, mutation: Mutation) -> dict[str, str]:
    """The files that a mutation changes, by path, with their content after it."""
    files: dict[str, str] = {}
    for where, old, new in mutation.edits:
        path = path_of(where)
        text = files.get(path) or (folder / path).read_text(encoding="utf-8")
        files[path] = edited(text, where, old, new)
    return files


@pytest.fixture(scope="module")
def rendered(render: Render) -> Path:
    return render("churn")


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_has_its_place(rendered: Path, name: str) -> None:
    """The quickest to see what a renamed function asks for in mutate.py: nothing has to run."""
    assert mutated(rendered, MUTATIONS[name])


@pytest.fixture(scope="module")
def results(made: Repository, first_day: Path, place: Path, environment: Path) -> dict[str, Any]:
    """Exit code and output of each of the mutations that can share a process."""
    here = fresh(made, first_day, place, environment)
    mutations = {name: (each.test, mutated(here.folder, each)) for name, each in TOGETHER.items()}
    script = Path(__file__).with_name("one_after_the_other.py")
    completed = call(here.folder, UV, "run", "python", script, stdin=json.dumps(mutations))
    passes(completed, "results:")
    return dict(json.loads(completed.stdout.rpartition("results:")[2]))


@pytest.mark.parametrize("name", TOGETHER)
def test_a_mutation_turns_its_test_red(results: dict[str, Any], name: str) -> None:
    code, printed = results[name]
    assert code == pytest.ExitCode.TESTS_FAILED, printed
    assert f"FAILED tests/{TOGETHER[name].test}" in printed, printed


@pytest.mark.parametrize("name", ALONE)
def test_a_mutation_of_the_line_turns_its_test_red(repository: Repository, name: str) -> None:
    mutation = ALONE[name]
    for path, content in mutated(repository.folder, mutation).items():
        (repository.folder / path).write_text(content, encoding="utf-8")
    if mutation.first:
        completed = repository.run(*mutation.first.split())
        assert completed.returncode == 0, completed.stdout + completed.stderr
    test = f"tests/{mutation.test}"
    completed = repository.run("pytest", "-q", "--tb=line", test)
    assert completed.returncode == 1, completed.stdout + completed.stderr
    assert f"FAILED {test}" in completed.stdout, completed.stdout


def test_every_default_test_has_a_mutation(made: Repository) -> None:
    tests = made.folder / "tests"
    names = {
        f"{path.relative_to(tests).as_posix()}::{node.name}"
        for path in tests.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert names == {mutation.test for mutation in MUTATIONS.values()} | ELSEWHERE.keys()
    for test, module in ELSEWHERE.items():
        assert test.rpartition("::")[2] in (Path(__file__).with_name(module)).read_text() or (
            test.rpartition("::")[0].rpartition("/")[2]
            in Path(__file__).with_name(module).read_text()
        )
