"""Settings are tried as the page says: on validation rows, counted, and no test row is touched."""

import re

from ..docs.pages import DOCS, blocks
from ..made import Repository, call, fixable, passes

PAGE = blocks((DOCS / "tuning.md").read_text(encoding="utf-8"))
MODEL = "src/churn/model.py"
LINE = re.compile(r"^log_loss [\d.]+ \(.+\): (.+)$", re.MULTILINE)
TRAIN = "params.yaml data/train.parquet data/validation.parquet reports/split.json"
WRITTEN = "models/rule models/challenger reports/training.json reports/seconds.json"


def test_the_page_is_followed_and_every_trial_is_counted(repository: Repository) -> None:
    [changes] = [block.text.splitlines() for block in PAGE if block.language == "diff"]
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert (old[0], new[0]) == ("-", "+")
        repository.edit(MODEL, old[1:], new[1:])
    (repository.folder / ".git/hooks/pre-commit").unlink(missing_ok=True)
    [values] = [block.text for block in PAGE if block.language == "yaml"]
    repository.edit("params.yaml", "\ntrain:\n", f"\n{values}")
    outcomes = repository.folder / "data/outcomes/challenger.parquet"
    before, judged = outcomes.stat().st_mtime_ns, repository.json("reports/metrics.json")

    attempt, judge = (block.text for block in PAGE if block.language == "bash")
    completed = call(repository.folder, "bash", "-euc", attempt)
    passes(completed, "Running stage 'train'")
    assert "Running stage 'predict'" not in completed.stdout
    assert outcomes.stat().st_mtime_ns == before
    assert repository.json("reports/metrics.json") == judged
    boosting = [name for name in LINE.findall(completed.stdout) if name.startswith("gradient")]
    assert len(boosting) == len(set(boosting)) == 3 + 6
    assert LINE.findall(completed.stdout).count("logistic regression") == 2

    completed = call(repository.folder, "bash", "-euc", judge)
    [expected] = [block.text for block in PAGE if block.language == "text"]
    passes(completed, expected)
    chosen = repository.json("reports/training.json")["chosen"]
    assert chosen in boosting
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    assert f"| {chosen} |" in report
    assert "The lowest of 7 losses on the same rows is partly luck" in report

    repository.edit("params.yaml", "leaves: ", "leafs: ")
    words = ["python", "-m", "churn.delivery.pipeline.train", *TRAIN.split(), *WRITTEN.split()]
    fixable(
        repository.run(*words),
        "params.yaml: train: candidates: expected what `candidates` of model.py takes besides the "
        "seed (leaves, rate), found `leafs`; did you mean `leaves`?",
    )
