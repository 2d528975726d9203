"""What must not cross from training to test stops the pipeline when it does."""

import re

import pytest

from ..made import Repository, passes, stopped
from .edits import stage
from .mutate import SPLIT, SPLIT_BY_TIME, edit

CONTRACT = "src/churn/contract.py"


def without_time(repository: Repository) -> None:
    """Let the contract name no time, so that the split goes by customer."""
    repository.edit(CONTRACT, 'TIME: str | None = "week"', "TIME: str | None = None")


def test_without_a_time_the_split_keeps_each_entity_on_one_side(repository: Repository) -> None:
    without_time(repository)
    passes(repository.run("dvc", "repro", "split"))
    assert repository.json("reports/split.json")["by"] == "entity"


def test_an_entity_on_two_sides_stops_the_line(repository: Repository) -> None:
    without_time(repository)
    edit(repository, SPLIT, "A[contract.ENTITY].cast(B)", "A['row'].cast(B)")
    completed = repository.run("dvc", "repro")
    stopped(
        completed,
        "data/valid.parquet: expected parts that share nothing, found that ",
        "values of `customer` are in more than one part. Next: ",
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("A = pl.col(B) + C", "A = pl.col(B)", "labels of train rows are known only on "),
        (
            "(A >= B) & (C <= D)",
            "(A >= B) & (A < D)",
            "labels of validation rows are known only on",
        ),
    ],
)
def test_a_label_that_leaks_through_time_stops_the_line(
    repository: Repository, old: str, new: str, words: str
) -> None:
    edit(repository, SPLIT_BY_TIME, old, new)
    stopped(repository.run("dvc", "repro"), "expected parts that share nothing", words)


def test_a_horizon_longer_than_the_data_leaves_nothing_to_train_on(repository: Repository) -> None:
    repository.edit(CONTRACT, "HORIZON = timedelta(weeks=8)", "HORIZON = timedelta(weeks=104)")
    stopped(
        repository.run("dvc", "repro"),
        "data/valid.parquet: expected train rows of two classes or more, found 0 rows of 0",
        "rows lie in the gap). Next: fix `split:` in params.yaml, or contract.py",
    )


@pytest.mark.parametrize("time", [True, False], ids=["by time", "by customer"])
def test_too_few_positives_are_told_before_training_with_the_share_that_holds_enough(
    repository: Repository, time: bool
) -> None:
    repository.edit("params.yaml", "customers: 10000 ", "customers: 1500 ")
    if not time:
        without_time(repository)
    for name in ("ingest", "validate"):
        stage(repository, name)
    words = stage(repository, "split").stdout
    share = re.compile(
        r"the test part holds (\d+) `leaves`.*`split: test: ([\d.]+)`.*would give 50"
    )
    [(number, enough)] = share.findall(words)
    split = repository.json("reports/split.json")
    [leaves] = [each for each in split["telling"] if each["group"] == "leaves"]
    assert leaves["test"] == int(number) < 50
    assert len(split["too_few"]) == 1
    repository.edit("params.yaml", "  test: 0.2 ", f"  test: {enough} ")
    assert ("leaves" in stage(repository, "split").stdout) is False or not time
    [leaves] = [
        each
        for each in repository.json("reports/split.json")["telling"]
        if each["group"] == "leaves"
    ]
    assert leaves["test"] >= (50 if time else 40)
