"""A slip in the team's own Python is told with its file and line, without a traceback."""

import pytest

from ..made import Repository, stopped

FEATURES, MODEL = "src/churn/features.py", "src/churn/model.py"
SLIPS = {
    "a column that the contract does not have": (
        (FEATURES, 'pl.col("months_left") <= 2', 'pl.col("months_lefd") <= 2'),
        ["features.py, line ", 'unable to find column "months_lefd"', "Next: mend features.py"],
    ),
    "a candidate that cannot learn from missing values": (
        (MODEL, "SimpleImputer(add_indicator=True), StandardScaler()", "StandardScaler()"),
        ["model.py: candidates: `logistic regression`: expected to learn from these features",
         "contains NaN", "Next: mend model.py, then uv run dvc repro"],
    ),
    "a candidate that gives no probabilities": (
        (MODEL, "LogisticRegression(max_iter=1000, random_state=seed)", "StandardScaler()"),
        ["model.py: candidates: `logistic regression`: expected to learn", "predict_proba"],
    ),
    "candidates that are not there": (
        (MODEL, "def candidates(seed: int)", "def contenders(seed: int)"),
        ["model.py: expected the functions rule() and candidates(seed)", "found no candidates"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_in_team_code_is_told_with_its_place(repository: Repository, slip: str) -> None:
    (path, old, new), words = SLIPS[slip]
    repository.edit(path, old, new)
    stopped(repository.run("dvc", "repro", "train"), *words)
