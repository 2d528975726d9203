"""The team's own Python: a slip is told with its place, and a model in a wrapper is read back."""

import pytest

from ..made import Repository, passes, stopped

FEATURES, MODEL = "src/churn/features.py", "src/churn/model.py"
SLIPS = {
    "a column that the contract does not have": (
        (FEATURES, 'pl.col("months_left") <= 2', 'pl.col("months_lefd") <= 2'),
        ["features.py, line ", 'unable to find column "months_lefd"', "Next: fix features.py"],
    ),
    "a candidate that cannot learn from missing values": (
        (MODEL, "SimpleImputer(add_indicator=True), StandardScaler()", "StandardScaler()"),
        ["model.py: candidates: `logistic regression`: expected to learn from these features",
         "contains NaN", "Next: fix model.py, then uv run dvc repro"],
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


@pytest.mark.parametrize("repository", ["regression"], indirect=True)
def test_boosting_inside_a_wrapper_is_written_and_read_back(repository: Repository) -> None:
    """A wrapper keeps the estimator that it was given, unfitted, beside the fitted one."""
    wrapped = "TransformedTargetRegressor(boosting, func=np.log, inverse_func=np.exp)"
    repository.edit(
        repository.code("model"),
        '"gradient boosting": boosting,',
        f'"gradient boosting": {wrapped},',
    )
    passes(repository.run("dvc", "repro", "predict"), "Running stage 'predict'")
    assert repository.json("models/challenger/card.json")["name"] == "gradient boosting"
