"""The class that a page gives for a rule of one question: it learns its threshold, is saved, loaded
and does what it says.
"""

import json

from ..docs.pages import DOCS, blocks
from ..made import Repository, passes
from .test_tuning import TRAIN, WRITTEN

PAGE = (DOCS / "choosing.md").read_text(encoding="utf-8")
OLD = "return RetentionRule()"
NEW = 'return OneQuestion("support_calls", action="call", wanted="leaves")'
SHOW = """
import json
from pathlib import Path
import polars as pl
from churn.delivery.models import model_folder
rule, _ = model_folder.load(Path("models/rule"))
rows = pl.read_parquet("data/test.parquet")
scores = model_folder.score(rule, rows)
calls = rows["support_calls"].to_list()
columns = [scores[name].to_list() for name in ("p__action", "p_leaves")]
print(json.dumps([rule.threshold_, calls, *columns]))
"""


def test_one_question_with_two_answers_is_saved_and_does_what_it_says(
    repository: Repository,
) -> None:
    [page] = [block.text for block in blocks(PAGE) if "class OneQuestion(" in block.text]
    assert NEW in PAGE
    place = "def rule() -> RetentionRule:"
    repository.edit("src/churn/model.py", place, f"{page}\n\ndef rule() -> OneQuestion:")
    repository.edit("src/churn/model.py", OLD, NEW)
    passes(repository.run("ruff", "check", "src"))
    passes(repository.run("ruff", "format", "--check", "src"))
    words = [*TRAIN.split(), *WRITTEN.split()]
    passes(repository.run("python", "-m", "churn.delivery.pipeline.train", *words))

    completed = repository.run("python", "-c", SHOW)
    passes(completed)
    threshold, calls, actions, chances = json.loads(completed.stdout)
    assert 1 <= threshold <= 10
    assert actions == ["call" if number >= threshold else "none" for number in calls]
    assert len(set(chances)) == 2
    on_list = {chance for chance, action in zip(chances, actions, strict=True) if action == "call"}
    assert on_list == {max(chances)}
