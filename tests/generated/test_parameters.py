"""What is wrong in params.yaml, or in the plan of the stages, is said by name."""

import pytest

from ..made import Repository, fixable, says_no, stopped

FAULTS = {
    "a key that is nearly right": (
        ("  leak_auc:", "  leak_acu:"),
        "params.yaml: train: `leak_acu` is not a key here; did you mean `leak_auc`?",
    ),
    "a key of nothing": (
        ("  leak_auc:", "  colour: red\n  leak_auc:"),
        "params.yaml: train: `colour` is not a key here; allowed: seed, leak_auc",
    ),
    "a wrong type": (
        ("draws: 2000 ", "draws: many "),
        "params.yaml: evaluate: `draws`: expected a valid integer, found 'many'",
    ),
    "out of range": (
        ("quarantine_at_most: 0.02 ", "quarantine_at_most: 2 "),
        "params.yaml: validate: `quarantine_at_most`: expected less than or equal to 1, found 2",
    ),
    "a seed below zero": (
        ("  seed: 7          # candidates", "  seed: -1  # candidates"),
        "params.yaml: train: `seed`: expected greater than or equal to 0, found -1",
    ),
    "a share that is infinite": (
        ("quarantine_at_most: 0.02 ", "quarantine_at_most: .inf "),
        "params.yaml: validate: `quarantine_at_most`: expected less than or equal to 1, found inf",
    ),
    "a key of the example": (
        ("  customers: ", "  custmers: "),
        "params.yaml: ingest: settings: `custmers` is not a key here; did you mean `customers`?",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_value_stops_the_stage_that_reads_it(repository: Repository, fault: str) -> None:
    (old, new), words = FAULTS[fault]
    repository.edit("params.yaml", old, new)
    stopped(repository.run("dvc", "repro"), words, "Next: fix the line, then uv run dvc repro")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("\ntrain:\n", "\ntrian:\n", "expected a section `train:` with its numbers, found none"),
        ("\ntrain:\n", "\ntrain: [\n", "expected YAML, found\n"),
        ("  seed: 7          # candidates", "  leak_auc: 1  # candidates", "found duplicate key"),
    ],
    ids=["missing section", "broken YAML", "a key given twice"],
)
def test_a_file_that_cannot_be_read_is_named_by_the_gate_and_stops_the_line(
    repository: Repository, old: str, new: str, words: str
) -> None:
    repository.edit("params.yaml", old, new)
    stopped(repository.run("dvc", "repro"), "params.yaml")
    fixable(repository.run("churn", "check"), "params.yaml: ", words, "Next: fix the line")
    fixable(repository.run("churn", "start"), "params.yaml: ", words, "Next: fix the line")


def test_a_stage_whose_deps_lack_a_file_that_it_uses_is_named(repository: Repository) -> None:
    used = "      - models/champion\n      - src/churn/contract.py\n"
    repository.edit("dvc.yaml", used + "      - src/churn/features.py\n", used)
    message = "dvc.yaml: stage `predict`: expected `src/churn/features.py` among its deps"
    says_no(repository.run("churn", "check"), "NO  stages: " + message)
    says_no(repository.run("pytest", "tests/integration/test_stages.py"), message, "1 failed")
