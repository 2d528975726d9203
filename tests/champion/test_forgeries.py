"""What somebody would edit to have a model shipped, and what says no to it.

Each forgery ends with `dvc commit --force` and `git commit`, so that DVC and git hold it for what
the pipeline made.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from ..made import fixable, passes, says_no, stopped
from .conftest import Shared

CHECK = ("churn", "check", "--committed")
SCORE = "p_leaves"


def commit(repository: Shared) -> None:
    """Have DVC and git take everything as it is."""
    passes(repository.run("dvc", "commit", "--force", "--quiet"))
    repository.commit("Nothing to see here")


def edit_table(path: Path, *changes: pl.Expr) -> None:
    """Write a table anew with other values in some columns."""
    pl.read_parquet(path).with_columns(*changes).write_parquet(path)


def edit_json(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Write a report anew with other content."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def invert(path: Path) -> None:
    """Those who leave are said to stay, and the other way round."""
    edit_table(path, pl.col("p_stays").alias(SCORE), pl.col(SCORE).alias("p_stays"))


def test_predictions_of_the_champion_that_were_inverted(promoted: Shared) -> None:
    """By whoever knows no better; then with each hash beside them, and the record too."""
    folder, record = promoted.folder / "models/champion", promoted.folder / "docs/releases.md"
    (before,) = re.findall(r"- Model: (\S+)", record.read_text())
    invert(folder / "predictions.parquet")
    passes(promoted.run("dvc", "add", "--quiet", "models/champion"))
    pointer = (
        f"NO  champion: models/champion.dvc: expected the champion of champion-1 ({before}, by "
    )
    back = "Next: git checkout champion-1 -- docs/releases.md models/champion.dvc"
    says_no(promoted.run("churn", "check"), pointer, back)
    stored = "models/champion/predictions.parquet: expected the file that promotion.json names"
    stopped(promoted.run("dvc", "repro"), stored)
    digest = hashlib.sha256((folder / "predictions.parquet").read_bytes()).hexdigest()
    edit_json(
        folder / "promotion.json",
        lambda content: content["files"].update({"predictions.parquet": digest}),
    )
    passes(promoted.run("dvc", "add", "--quiet", "models/champion"))
    passes(promoted.run("dvc", "repro", "--quiet"))
    (after,) = re.findall(r"md5: (\S+)", (promoted.folder / "models/champion.dvc").read_text())
    record.write_text(record.read_text().replace(before, after))
    promoted.commit("As it always was")
    completed = promoted.run(*CHECK)
    says_no(completed, f"{pointer}its tag)")
    words = (
        "models/champion/predictions.parquet: expected what that model says of data/test.parquet"
    )
    assert f"{words}, found 2,256 of 2,256 rows with another `{SCORE}`" in completed.stdout


def test_a_pointer_set_back_to_the_rule(promoted: Shared) -> None:
    """With the record as it is, without it, and with the change that it should have had."""
    promoted.git("checkout", "HEAD^", "--", "models/champion.dvc")
    passes(promoted.run("dvc", "checkout", "--quiet", "models/champion.dvc"))
    expected = "models/champion.dvc: expected the champion of champion-1 ("
    says_no(promoted.run("churn", "check"), f"NO  champion: {expected}")
    promoted.git("rm", "--quiet", "docs/releases.md")
    promoted.commit("There never was another")
    missing = "docs/releases.md: expected champion-1, which git has at champion-1, found no change"
    says_no(promoted.run("churn", "check"), f"NO  champion: {missing}")
    promoted.git("revert", "--no-edit", "HEAD")
    passes(promoted.run("dvc", "checkout", "--quiet"))
    passes(promoted.run("churn", "rollback"))
    passes(
        promoted.run("churn", "check"), "ok  champion: the rule is in charge, as it is on record"
    )


FORGED: dict[str, Callable[[Path], object]] = {
    "data/raw.parquet": lambda path: edit_table(path, pl.col("support_calls") + 1),
    "data/quarantine.parquet": lambda path: edit_table(path, pl.lit("lost").alias("customer_id")),
    "data/test.parquet": lambda path: pl.read_parquet(path).head(1500).write_parquet(path),
    "reports/split.json": lambda path: edit_json(path, lambda each: each.update(gap_rows=7)),
    "data/predictions/challenger.parquet": invert,
    "data/predictions/rule.parquet": lambda path: edit_table(path, pl.lit(0.5).alias(SCORE)),
    "reports/comparison.json": lambda path: edit_json(
        path, lambda each: each.update(champion="me")
    ),
    "data/outcomes/champion.parquet": lambda path: edit_table(path, pl.col("value") - 10),
    "reports/metrics.json": lambda path: edit_json(path, lambda each: each.update(n=7)),
    "reports/plots/value.csv": lambda path: path.write_text(path.read_text() + "rule,1.0,7.0\n"),
    "reports/training.json": lambda path: edit_json(path, lambda each: each.update(leak_auc=1.0)),
    "models/rule/card.json": lambda path: edit_json(
        path, lambda each: each["rows"].update(test="0")
    ),
    "models/challenger/card.json": lambda path: edit_json(
        path, lambda each: each.update(trained_on=1)
    ),
    "reports/decision.json": lambda path: edit_json(path, lambda each: each.update(needed=1)),
    "reports/report.md": lambda path: path.write_text("# Ship\n"),
}
"""What a stage wrote, and an edit of it."""


def test_each_output_that_was_edited_is_named_with_its_stage(started: Shared) -> None:
    """All at once: each stage is asked for itself, from what is here."""
    for name, forge in FORGED.items():
        forge(started.folder / name)
    commit(started)
    passes(started.run("churn", "check"))
    completed = started.run(*CHECK)
    says_no(completed, "NO  derived: ")
    for name in FORGED:
        assert f"{name}: expected what these files give, found " in completed.stdout, (
            completed.stdout
        )
    assert "`trained_on`: 1 in place of " in completed.stdout
    assert completed.stdout.count("Next: uv run dvc repro --force") >= len(FORGED)


def test_a_rule_that_is_worse_than_it_is(started: Shared) -> None:
    """Everything after it is as it gives it; the rule in `model.py` is another one."""
    model = started.folder / "src/churn/model.py"
    text = model.read_text()
    digest = hashlib.sha256(text.encode()).hexdigest()
    model.write_text(text.replace("calls: int = 2", "calls: int = 4"))
    passes(started.run("dvc", "repro", "--quiet", "decide"))
    model.write_text(text)
    for name in ("rule", "challenger"):
        card = started.folder / f"models/{name}/card.json"
        edit_json(card, lambda content: content["sources"].update(model=digest))
    commit(started)
    forged = "data/predictions/rule.parquet: expected what that model says of data/test.parquet"
    says_no(started.run(*CHECK), "NO  derived: ", forged)


def test_stages_that_do_not_run_or_run_on_other_files(started: Shared) -> None:
    passes(started.run("dvc", "freeze", "train", "predict"))
    frozen = "stage `{}`: expected to run whenever what it reads changes, found `frozen: true`"
    words = [f"dvc.yaml: {frozen.format(name)}" for name in ("train", "predict")]
    says_no(started.run("churn", "check"), *words, "Next: uv run dvc unfreeze train")
    started.commit("Training takes too long")
    fixable(started.run("churn", "promote"), "found `frozen: true` of train, predict. Next: uv run")
    started.git("checkout", "--quiet", "HEAD^", "--", "dvc.yaml")
    last, rule = (f"data/predictions/{name}.parquet" for name in ("champion", "rule"))
    started.edit("dvc.yaml", f"{last}\n      data/outcomes", f"{rule}\n      data/outcomes")
    started.edit("dvc.yaml", "    deps:\n      - data/predictions\n", "    deps:\n")
    commit(started)
    other = "NO  stages: dvc.yaml: stage `evaluate`: expected the cmd `"
    says_no(started.run("churn", "check"), other, f"{last} data/outcomes", f"{rule} data/outcomes")


PEEK = '''

def peek() -> pl.DataFrame:
    """The rows that nobody may see."""
    return pl.read_parquet("data/test.parquet")
'''


HELPER = """from pathlib import Path
from urllib.request import urlopen as ask


def words() -> str:
    return ask("http://localhost").read() or Path("words").read_text()
"""


def test_code_of_the_team_that_reads_files_or_asks_a_server(started: Shared) -> None:
    """Also through a module of its own; a function that has to do so says why."""
    started.append("src/churn/model.py", PEEK)
    started.append("src/churn/features.py", "\nfrom .asking import words\n")
    helper = started.folder / "src/churn/asking.py"
    helper.write_text(HELPER)
    completed = started.run("churn", "check")
    none = "expected no input or output, found"
    says_no(
        completed, f"NO  code: src/churn/asking.py, line 6: {none} urllib.request.urlopen() in "
    )
    assert f"{none} Path('words').read_text() in `words`" in completed.stdout
    assert f"{none} polars.read_parquet() in `peek`" in completed.stdout
    completed = started.run("python", "-m", "churn.delivery.checks.team_files")
    says_no(completed, "in `peek`. Next: ")
    [advice] = re.findall(r"model\.py: (FILES = .*…'})", completed.stdout)
    helper.write_text("def words() -> str:\n    return ''\n")
    started.append(
        "src/churn/model.py", f"\n{advice}\n".replace("…", "the rows of a demonstration")
    )
    why = "rows alone, but for files: peek in model.py (the rows of a demonstration)"
    assert (
        f"ok  code: what a model says depends on its {why}" in started.run("churn", "check").stdout
    )


def test_less_certainty_than_a_verdict_needs(started: Shared) -> None:
    started.edit("params.yaml", "confidence: 0.95 ", "confidence: 0.51 ")
    started.edit("params.yaml", "draws: 2000 ", "draws: 200 ")
    commit(started)
    completed = started.run(*CHECK)
    line = "params.yaml: evaluate: `{}`: expected greater than or equal to {}, found {}"
    says_no(completed, f"NO  derived: evaluate stops: {line.format('confidence', '0.9', '0.51')}")
    assert line.format("draws", "1000", "200") in completed.stdout


def test_a_clone_says_what_of_the_champion_it_cannot_see(promoted: Shared, tmp_path: Path) -> None:
    """No tag, and a promotion as a release before the hashes wrote it."""
    clone = promoted.cloned(tmp_path / "clone/churn", "--depth", "1", "--no-tags")
    shutil.copytree(promoted.folder / "models/champion", clone.folder / "models/champion")
    line = "ok  champion: champion-1 is in charge, as it is on record; champion-1 has no tag"
    completed = clone.run("churn", "check")
    assert line in completed.stdout, completed
    assert "git fetch --unshallow --tags" in completed.stdout
    assert "older release" not in completed.stdout
    edit_json(clone.folder / "models/champion/promotion.json", lambda content: content.pop("files"))
    assert "an older release promoted it" in clone.run("churn", "check").stdout


DERIVE = """
from pathlib import Path
from typing import Any
from churn.delivery.checks.derive import derive
_, missing, faults = derive(Path("scratch"))
print("missing:", missing, "faults:", faults)
"""


def test_the_last_digits_of_another_machine_and_data_that_are_not_here(started: Shared) -> None:
    (started.folder / "data/raw.parquet").unlink()
    edit_table(started.folder / "data/predictions/challenger.parquet", pl.col(SCORE) + 1e-13)
    edit_json(
        started.folder / "reports/metrics.json",
        lambda content: content.update(confidence=0.95 + 1e-9),
    )
    completed = started.run("python", "-c", DERIVE)
    absent = "data/raw.parquet is not here"
    passes(completed, f"missing: ['ingest ({absent})', 'validate ({absent})'] faults: []")
    edit_json(
        started.folder / "reports/metrics.json", lambda content: content.update(confidence=0.951)
    )
    completed = started.run("python", "-c", DERIVE)
    passes(
        completed,
        "reports/metrics.json: expected what these files give, found `confidence`: 0.951 in ",
    )
