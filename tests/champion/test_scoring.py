"""`churn score IN OUT`: every row comes back, by the model in charge as it was promoted."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ..made import fixable, passes, says_no
from .conftest import MADE_BY, Shared
from .test_comparing import in_megabytes


def score(repository: Shared, source: Path, *words: str) -> pl.DataFrame:
    out = repository.folder.parent / "out.parquet"
    passes(repository.run("churn", "score", str(source), str(out), *words), "rows scored")
    return pl.read_parquet(out)


def test_rows(repository: Shared) -> pl.DataFrame:
    return pl.read_parquet(repository.folder / "data/test.parquet").drop("row")


test_rows.__test__ = False  # type: ignore[attr-defined]


def same(scores: pl.DataFrame, predictions: pl.DataFrame) -> None:
    assert_frame_equal(scores.select("^p_.*$"), predictions.select("^p_.*$"), rel_tol=1e-12)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("target", ["with the target", "without"])
def test_test_rows_score_as_in_the_pipeline(
    promoted: Shared, tmp_path: Path, kind: str, target: str
) -> None:
    rows = test_rows(promoted)
    rows = rows if target == "with the target" else rows.drop("outcome")
    source = tmp_path / f"rows.{kind}"
    rows.write_csv(source) if kind == "csv" else rows.write_parquet(source)
    scores = score(promoted, source)
    names = ["row", "customer", "week", "p_leaves", "p_stays", "action", "score", "reasons"]
    assert scores.columns == names
    same(scores, promoted.predictions()["champion"])
    outcomes = pl.read_parquet(promoted.folder / "data/outcomes/champion.parquet")
    assert scores["action"].value_counts(sort=True)["action"].to_list() == ["none", "call"]
    assert (scores["action"] == "call").sum() == (outcomes["action"] == "call").sum()
    assert_frame_equal(scores.select("score"), outcomes.select("score"), rel_tol=1e-12)
    assert scores["reasons"].null_count() == scores.height


def test_a_bad_row_comes_out_in_its_place_with_reasons_and_without_scores(
    promoted: Shared, tmp_path: Path
) -> None:
    rows = test_rows(promoted).head(5).cast(pl.String)
    charge = ["-3", *rows["monthly_charge"][1:4], "n/a"]
    rows.with_columns(monthly_charge=pl.Series(charge)).write_csv(tmp_path / "rows.csv")
    scores = score(promoted, tmp_path / "rows.csv")
    assert scores["row"].to_list() == [0, 1, 2, 3, 4]
    assert scores["customer"].to_list() == rows["customer"].to_list()
    reasons = ["monthly_charge is below the minimum"], ["monthly_charge is not a number"]
    assert scores["reasons"].to_list() == [reasons[0], None, None, None, reasons[1]]
    for name in ("p_leaves", "p_stays", "action", "score"):
        nulls = scores[name].is_null().to_list()
        assert nulls == [True, False, False, False, True], name
    same(scores[1:4], promoted.predictions()["champion"][1:4])


def test_a_table_without_one_good_row_comes_out_with_nothing_but_reasons(
    promoted: Shared, tmp_path: Path
) -> None:
    rows = test_rows(promoted).head(3).with_columns(region=pl.lit("nowhere"))
    rows.write_csv(tmp_path / "rows.csv")
    scores = score(promoted, tmp_path / "rows.csv")
    assert scores["p_leaves"].null_count() == scores["action"].null_count() == 3
    assert scores["reasons"].null_count() == 0


def test_before_any_promotion_the_rule_scores(started: Shared, tmp_path: Path) -> None:
    rows = test_rows(started)
    rows.write_parquet(tmp_path / "rows.parquet")
    scores = score(started, tmp_path / "rows.parquet")
    same(scores, started.predictions()["rule"])
    listed = (rows["plan"] == "flexible") & (rows["support_calls"] >= 2)
    assert scores["p_leaves"].n_unique() == 2
    assert (scores.filter(listed)["p_leaves"] > scores.filter(~listed)["p_leaves"].max()).all()
    assert (scores["action"] == "call").equals(
        listed
    )  # all of its list, whatever there is room for


def test_after_a_feature_changed_it_still_answers_as_on_the_day_it_took_charge(
    promoted: Shared, tmp_path: Path
) -> None:
    in_megabytes(promoted)
    rows = test_rows(promoted)
    rows.write_parquet(tmp_path / "rows.parquet")
    same(score(promoted, tmp_path / "rows.parquet"), promoted.predictions()["champion"])
    out = str(tmp_path / "out.parquet")
    completed = promoted.run(
        "churn", "score", str(tmp_path / "rows.parquet"), out, "--model", "models/challenger"
    )
    fixable(completed, "models/challenger", "features.py changed since")


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        (
            "nothing.csv",
            "out.parquet",
            ["nothing.csv: expected a table (.csv, ", "nothing"],
        ),
        ("void.csv", "out.parquet", ["void.csv: expected", "empty"]),
        ("header.csv", "out.parquet", ["header.csv: expected rows, found an empty table"]),
        ("rows.docx", "out.parquet", ["rows.docx: expected a table (.csv, "]),
        ("noise.parquet", "out.parquet", ["noise.parquet: expected a table"]),
        ("short.csv", "out.parquet", ["short.csv: expected every column", "`months_left`"]),
        ("misspelt.csv", "out.parquet", ["`region`; did you mean `regoin`?"]),
        ("rows.csv", "out.csv", ["out.csv: expected the name of another file, a .parquet"]),
        ("rows.parquet", "rows.parquet", ["expected the name of another file"]),
        ("rows.csv", "rows.csv/out.parquet", ["could not be written"]),
    ],
)
def test_what_cannot_be_scored_is_refused_in_one_message(
    champions: Path, environment: Path, tmp_path: Path, source: str, target: str, words: list[str]
) -> None:
    repository = Shared(champions / "promoted/churn", MADE_BY, environment)
    rows = test_rows(repository).head(3)
    rows.write_csv(tmp_path / "rows.csv")
    rows.write_parquet(tmp_path / "rows.parquet")
    (tmp_path / "rows.docx").write_bytes(b"PK")
    (tmp_path / "void.csv").touch()
    (tmp_path / "noise.parquet").write_bytes(b"PAR1 and noise")
    rows.head(0).write_csv(tmp_path / "header.csv")
    rows.drop("months_left").write_csv(tmp_path / "short.csv")
    rows.rename({"region": "regoin"}).write_csv(tmp_path / "misspelt.csv")
    before = sorted(tmp_path.iterdir())
    completed = repository.run("churn", "score", str(tmp_path / source), str(tmp_path / target))
    fixable(completed, *words)
    assert completed.stdout == ""
    assert sorted(tmp_path.iterdir()) == before


def test_a_damaged_champion_does_not_score(promoted: Shared, tmp_path: Path) -> None:
    test_rows(promoted).write_parquet(tmp_path / "rows.parquet")
    weights = promoted.folder / "models/champion/model.skops"
    whole = weights.read_bytes()
    weights.unlink()  # DVC's files may be links
    weights.write_bytes(whole[: len(whole) // 2])
    out = tmp_path / "out.parquet"
    fixable(
        promoted.run("churn", "score", str(tmp_path / "rows.parquet"), str(out)),
        "models/champion/model.skops: expected the file that card.json names",
    )
    assert not out.exists()


def test_a_clone_on_windows_has_the_same_bytes_and_the_champion_answers(
    promoted: Shared, tmp_path: Path
) -> None:
    clone = promoted.cloned(tmp_path / "clone/churn", "--config", "core.autocrlf=true")
    clone.stores_in(promoted)
    passes(promoted.run("dvc", "push", "--quiet"))
    passes(clone.run("churn", "bring"))
    passes(clone.run("churn", "check"), "ok  git: ", "ok  current: ")
    passes(clone.run("churn", "score", "data/test.parquet", "scored.parquet"), "rows scored")
    same(pl.read_parquet(clone.folder / "scored.parquet"), promoted.predictions()["champion"])
    assert clone.git("status", "--porcelain") == "", "what was scored is not for git"
    contract = clone.folder / clone.code("contract")
    contract.write_bytes(contract.read_bytes().replace(b"\n", b"\r\n"))
    found = "contract.py: expected lines that end as in the commit (LF), found CRLF"
    says_no(clone.run("churn", "check"), f"NO  git: src/churn/{found}")
    clone.git("rm", "-r", "--quiet", "--cached", ".")
    clone.git("reset", "--hard")
    passes(clone.run("dvc", "status"), "up to date")


NAMED, TAGGED = {"name": "a model", "kind": "model"}, {"tag": "champion-1"}
OTHER_SHAPES: dict[str, list[Any]] = {
    "card.json": [
        [], 7, {}, NAMED | {"kind": 1}, NAMED | {"rows": []}, NAMED | {"files": {"model.skops": 5}},
        NAMED | {"trained_on": "many"}, NAMED | {"trained_until": 2026},
        NAMED | {"score_quantiles": []}, NAMED | {"score_quantiles": {"p_stays": ["half"]}},
    ],
    "promotion.json": [
        [], 7, {}, {"tag": 5}, TAGGED | {"date": None}, TAGGED | {"data": [1]},
        TAGGED | {"files": {"card.json": 5}}, TAGGED | {"gain": "much"}, TAGGED | {"before": "it"},
        TAGGED | {"gain": {"estimate": "much"}}, TAGGED | {"before": {"name": "the rule"}},
    ],
}  # fmt: skip
READERS = """
import json, sys
from pathlib import Path
from churn.delivery.edge.errors import Fixable
from churn.delivery.models.in_charge import read_champion_card, read_promotion

folder = Path("models/champion")
for name, shapes in json.loads(sys.argv[1]).items():
    for shape in shapes:
        (folder / name).write_text(json.dumps(shape))
        try:
            (read_champion_card if name == "card.json" else read_promotion)(folder)
        except Fixable as problem:
            assert str(folder / name) in str(problem) and "Next: git checkout" in str(problem)
        else:
            print("was taken:", name, shape)
"""


def test_a_card_or_a_promotion_of_another_shape_is_one_message_and_any_terminal_shows_it(
    promoted: Shared,
) -> None:
    folder = promoted.folder / "models/champion"
    kept = {name: (folder / name).read_text(encoding="utf-8") for name in OTHER_SHAPES}
    for name in OTHER_SHAPES:
        (folder / name).chmod(0o644)
    completed = promoted.run("python", "-c", READERS, json.dumps(OTHER_SHAPES))
    passes(completed)
    assert completed.stdout == ""
    fixable(promoted.run("churn", "champion"), "models/champion/card.json: expected lists of")
    (folder / "card.json").write_text(kept["card.json"])
    fixable(promoted.run("churn", "champion"), "models/champion/promotion.json: expected how")
    text = kept["promotion.json"].replace("it is worth more", "of \u2192 \u017c")
    assert text != kept["promotion.json"]
    (folder / "promotion.json").write_text(text, encoding="utf-8")
    for encoding in ("latin-1", "ascii"):
        narrow = {"PYTHONIOENCODING": encoding, "COLUMNS": "40"}
        passes(promoted.run("churn", "champion", **narrow), "because of ? ?.")


def test_a_project_is_reached_through_a_symbolic_link(promoted: Shared, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(promoted.folder)
    linked = Shared(tmp_path / "link", MADE_BY, promoted.environment)
    passes(linked.run("churn", "check"), "ok  current: ")
    passes(linked.run("churn", "score", "data/test.parquet", "scored.parquet"), "rows scored")
    assert (promoted.folder / "scored.parquet").exists()
    linked.settled()
