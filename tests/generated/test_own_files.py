"""`save`, `load` and `CLOSE` in model.py: a team writes of a model what skops cannot, and says how
close is the same.
"""

import polars as pl
import pytest

from ..made import Completed, Repository, fixable, passes
from ..security.hostile import relabel

MODEL = "src/churn/model.py"
IMPORTS = """

from copy import copy
from pathlib import Path
"""
EVERYTHING = """

def save(fitted: Any, folder: Path) -> None:
    import skops.io

    skops.io.dump(fitted, folder / "all.skops")


def load(folder: Path) -> Any:
    import skops.io

    path = folder / "all.skops"
    return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
"""
PART = """

def save(fitted: Any, folder: Path) -> Any:
    if isinstance(fitted, RetentionRule):
        return fitted
    rest = copy(fitted)
    (folder / "classes.txt").write_text(",".join(fitted.classes_))
    del rest.classes_
    return rest


def load(folder: Path, rest: Any) -> Any:
    if not isinstance(rest, RetentionRule):
        named = (folder / "classes.txt").read_text().split(",")
        rest.classes_ = np.array(named, dtype=object)
    return rest
"""
ALWAYS = {"canaries.parquet", "card.json"}


def files(repository: Repository, model: str) -> set[str]:
    names = {path.name for path in (repository.folder / "models" / model).iterdir()}
    assert set(repository.json(f"models/{model}/card.json")["files"]) == names - {"card.json"}
    return names - ALWAYS


def scored(repository: Repository) -> pl.DataFrame:
    return pl.read_parquet(repository.folder / "data/predictions/challenger.parquet")


@pytest.mark.parametrize(
    ("pair", "of_rule", "of_challenger"),
    [
        (EVERYTHING, {"all.skops"}, {"all.skops"}),
        (PART, {"model.skops"}, {"model.skops", "classes.txt"}),
    ],
    ids=["everything", "a part of some models"],
)
def test_what_a_team_writes_itself_is_read_back(
    repository: Repository, pair: str, of_rule: set[str], of_challenger: set[str]
) -> None:
    before = scored(repository)
    repository.append(MODEL, IMPORTS + pair)
    passes(repository.run("dvc", "repro", "predict"), "Running stage 'predict'")
    assert files(repository, "rule") == of_rule
    assert files(repository, "challenger") == of_challenger
    assert scored(repository).equals(before)


SCORE = ["churn", "score", "data/test.parquet", "out.parquet", "--model", "models/challenger"]


def test_a_file_of_the_team_is_guarded_as_those_of_the_template(repository: Repository) -> None:
    repository.append(MODEL, IMPORTS + PART)
    passes(repository.run("dvc", "repro", "train"))
    passes(repository.run(*SCORE), "rows scored")
    model = repository.folder / "models/challenger"
    (model / "classes.txt").write_text("stays,leaves")
    fixable(repository.run(*SCORE), "classes.txt: expected the file that card.json names")
    relabel(model)
    fixable(repository.run(*SCORE), "expected its canary rows to score as on the day it was made")
    (model / "classes.txt").write_bytes(b"\xff")
    relabel(model)
    fixable(repository.run(*SCORE), "challenger: expected a model of listed types, found Unicode")


@pytest.mark.parametrize(("close", "within", "beyond"), [("", 1e-10, 1e-7), ("1e-5", 1e-6, 1e-4)])
def test_canaries_may_be_off_by_as_much_as_the_team_says(
    repository: Repository, close: str, within: float, beyond: float
) -> None:
    repository.append(MODEL, f"\n\nCLOSE = {close}\n" if close else "\n")
    passes(repository.run("dvc", "repro", "train"))
    model = repository.folder / "models/challenger"
    rows = pl.read_parquet(model / "canaries.parquet")

    def off(distance: float) -> Completed:
        rows.with_columns(pl.col("^p_.*$") + distance).write_parquet(model / "canaries.parquet")
        relabel(model)
        return repository.run(*SCORE)

    passes(off(within), "rows scored")
    fixable(off(beyond), "expected its canary rows to score as on the day it was made")
