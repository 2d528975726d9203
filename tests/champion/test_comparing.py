"""The champion is compared by its own answers, four ways, or not at all."""

import shutil
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ..made import UV, call, passes, stopped
from .conftest import Shared

SCORES = """
import sys
from pathlib import Path
import polars as pl
from churn import features
from churn.delivery.models import model_file
from churn.delivery.problem import training
weights, rows, out = map(Path, sys.argv[1:])
p = training.predict(
    model_file.loads(weights.read_bytes()), features.features(pl.read_parquet(rows))
)
p.write_parquet(out)
"""
NEWER = ("params.yaml", "weeks: 104 ", "weeks: 112 ")


def in_megabytes(repository: Shared) -> None:
    """A feature means something else from now on; the columns are called as before."""
    repository.edit(
        "src/churn/features.py",
        "price_rise=price_rise(),",
        "price_rise=price_rise(),\n        data_gb=pl.col('data_gb') * 1000,",
    )


def by_code_in(repository: Shared, source: Path, out: Path) -> pl.DataFrame:
    """The champion's file under the code in `source`, without any of its guards."""
    words = ["-c", SCORES, str(repository.folder / "models/champion/model.skops")]
    words += [str(repository.folder / "data/test.parquet"), str(out)]
    python = repository.environment / "bin/python"
    completed = call(source, python, *words, PYTHONPATH=str(source / "src"))
    assert completed.returncode == 0, completed
    return pl.read_parquet(out)


def probabilities(predictions: pl.DataFrame) -> pl.DataFrame:
    return predictions.select("^p_.*$")


def test_on_the_same_test_rows_its_stored_predictions_count_whatever_the_code_is_now(
    promoted: Shared,
) -> None:
    assert promoted.compared_by() == 1
    before = promoted.predictions()
    assert_frame_equal(before["champion"], before["challenger"])
    promoted.edit(
        "src/churn/features.py",
        "price_rise=price_rise(),",
        "price_rise=price_rise(),\n        data_gb=pl.lit(0.0),",
    )
    passes(promoted.run("dvc", "repro", "decide"))
    assert promoted.compared_by() == 1
    assert_frame_equal(promoted.predictions()["champion"], before["champion"])
    assert not promoted.predictions()["challenger"].equals(before["challenger"])


def test_on_new_test_rows_the_same_code_scores_and_no_row_it_learned_from_enters(
    promoted: Shared, tmp_path: Path
) -> None:
    promoted.edit(*NEWER)
    passes(promoted.run("dvc", "repro", "decide"))
    assert promoted.compared_by() == 2
    own = by_code_in(promoted, promoted.folder, tmp_path / "own.parquet")
    assert_frame_equal(probabilities(promoted.predictions()["champion"]), own)


def test_after_a_feature_changed_the_champion_scores_with_the_code_of_its_time(
    promoted: Shared, tmp_path: Path
) -> None:
    promoted.edit(*NEWER)
    in_megabytes(promoted)
    passes(promoted.run("dvc", "repro", "decide"))
    assert promoted.compared_by() == 3
    scores = probabilities(promoted.predictions()["champion"])
    promoted.git("worktree", "add", "--quiet", str(tmp_path / "then"), "champion-1")
    assert_frame_equal(scores, by_code_in(promoted, tmp_path / "then", tmp_path / "1.parquet"))
    wrong = by_code_in(promoted, promoted.folder, tmp_path / "2.parquet")
    assert (wrong - scores).to_numpy().__abs__().max() > 0.01


def test_a_renamed_column_reaches_the_champion_under_its_former_name_and_not_without(
    promoted: Shared,
) -> None:
    before = promoted.predictions()["champion"]
    renamed = promoted.raw().rename({"support_calls": "calls_to_support"})
    renamed.write_parquet(promoted.folder / "customers.parquet")
    promoted.edit("params.yaml", "source: src/churn/example.py", "source: customers.parquet")
    for name in ("contract.py", "features.py", "model.py"):
        path = promoted.folder / "src/churn" / name
        path.write_text(path.read_text().replace("support_calls", "calls_to_support"))
    stopped(
        promoted.run("dvc", "repro", "decide"),
        "blocked: ", "support_calls is missing", "FORMER in contract.py", "churn rollback",
    )  # fmt: skip
    promoted.edit(
        "src/churn/contract.py",
        "FORMER: dict[str, str] = {}",
        'FORMER: dict[str, str] = {"calls_to_support": "support_calls"}',
    )
    passes(promoted.run("dvc", "repro", "decide"))
    assert promoted.compared_by() == 3
    assert_frame_equal(promoted.predictions()["champion"], before)


def test_a_library_that_cannot_read_the_file_leaves_it_to_the_environment_of_its_time(
    promoted: Shared, tmp_path: Path
) -> None:
    # skops 0.13 takes boosted trees for unknown types; today's model is one that it can read.
    promoted.edit(*NEWER)
    model = promoted.folder / "src/churn/model.py"
    text = model.read_text()
    start = text.index('        "gradient boosting": ')
    model.write_text(text[:start] + "    }\n")
    own = Shared(promoted.folder, promoted.how, tmp_path / "older")
    assert 'name = "skops"\nversion = "0.16' in (own.folder / "uv.lock").read_text()
    passes(call(own.folder, UV, "lock", "--upgrade-package", "skops==0.13.0"))
    passes(own.run("dvc", "repro", "decide"))
    assert own.compared_by() == 4
    promoted.git("worktree", "add", "--quiet", str(tmp_path / "then"), "champion-1")
    then = by_code_in(promoted, tmp_path / "then", tmp_path / "1.parquet")
    assert_frame_equal(probabilities(own.predictions()["champion"]), then)


def test_a_shallow_clone_fetches_the_one_tag_it_needs(promoted: Shared, tmp_path: Path) -> None:
    passes(promoted.run("dvc", "push"))
    promoted.edit(*NEWER)
    in_megabytes(promoted)
    promoted.commit("Usage in megabytes, newer rows")
    shallow = promoted.cloned(tmp_path / "shallow", "--depth", "1")
    assert shallow.git("tag") == ""
    shallow.stores_in(promoted)
    passes(shallow.run("dvc", "pull", "models/champion.dvc"))
    passes(shallow.run("dvc", "repro", "decide"))
    assert shallow.compared_by() == 3
    assert shallow.git("tag") == "champion-1"
    assert shallow.git("rev-list", "--count", "HEAD") == "1"


def test_an_experiment_fetches_the_tag_from_its_project(promoted: Shared) -> None:
    apart = promoted.folder / ".dvc/tmp/exps/standalone/tmp1"  # as `dvc exp run --temp` makes it
    apart.mkdir(parents=True)
    passes(call(apart, "git", "init", "--quiet"))
    fetch = "from churn.delivery.models.champion import fetch; fetch('champion-1')"
    code = {"PYTHONPATH": str(promoted.folder / "src")}
    passes(call(apart, promoted.environment / "bin/python", "-c", fetch, **code))
    passes(call(apart, "git", "show", "--quiet", "--format=%D", "champion-1"), "champion-1")


def test_a_clone_without_cache_and_storage_is_blocked_and_told_the_command(
    promoted: Shared, tmp_path: Path
) -> None:
    bare = promoted.cloned(tmp_path / "bare")
    completed = bare.run("dvc", "repro")
    assert completed.returncode != 0
    assert "Traceback" not in completed.stderr, completed
    assert "models/champion" in completed.stderr, completed
    for verb in ("start", "check"):
        completed = bare.run("churn", verb)
        assert completed.returncode == 2, completed
        assert "uv run dvc pull models/champion.dvc" in completed.stderr, completed
        assert "Traceback" not in completed.stderr, completed


def test_a_tag_that_is_gone_everywhere_blocks_and_names_the_command(promoted: Shared) -> None:
    promoted.edit(*NEWER)
    in_megabytes(promoted)
    promoted.git("tag", "--delete", "champion-1")
    decided = (promoted.folder / "reports/decision.json").read_text()
    stopped(promoted.run("dvc", "repro"), "blocked: ", "the tag champion-1", "git fetch origin tag")
    assert (promoted.folder / "reports/decision.json").read_text() == decided
    passes(promoted.run("churn", "champion"), "(champion-1) is in charge")


def test_test_rows_from_the_time_of_its_training_never_enter(promoted: Shared) -> None:
    until = promoted.json("reports/comparison.json")["champion_trained_until"]
    promoted.edit("params.yaml", "test: 0.2 ", "test: 0.5 ")
    passes(promoted.run("dvc", "repro", "decide"))
    test = pl.read_parquet(promoted.folder / "data/test.parquet")
    later = test.filter(pl.col("week") > pl.lit(until).str.to_date())
    assert 0 < later.height < test.height
    for predictions in promoted.predictions().values():
        assert predictions["row"].to_list() == later["row"].to_list()
    assert promoted.json("reports/comparison.json")["test_rows"] == later.height
    early = promoted.raw().filter(pl.col("week") <= pl.lit(until).str.to_date())
    early.write_parquet(promoted.folder / "customers.parquet")
    promoted.edit("params.yaml", "source: src/churn/example.py", "source: customers.parquet")
    stopped(promoted.run("dvc", "repro", "decide"), "blocked: ", f"after {until}", "newer rows")


@pytest.mark.parametrize("damage", ["the weights", "the tag's name"])
def test_a_champion_that_was_tampered_with_is_not_compared(promoted: Shared, damage: str) -> None:
    promoted.edit(*NEWER)
    folder = promoted.folder / "models/champion"
    if damage == "the weights":
        shutil.copy(promoted.folder / "models/rule/model.skops", folder / "model.skops")
        words = ["models/champion/model.skops", "another ("]
    else:
        (folder / "promotion.json").unlink()
        in_megabytes(promoted)
        words = ["blocked: ", "promotion.json"]
    passes(promoted.run("dvc", "commit", "--force", "models/champion.dvc"))
    stopped(promoted.run("dvc", "repro", "decide"), *words)
