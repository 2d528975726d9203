"""The service of each kind of problem: what clients send never breaks it and comes back in no
answer and no log, and a row alone gets what it gets among others.
"""

import json
from pathlib import Path

import polars as pl

from ..made import Repository, passes
from .conftest import every_problem

SCRIPT = Path(__file__).with_name("requests_to_service.py")
COUNT = 800  # for each kind of problem
CAPACITY = """
import json
from pathlib import Path
import polars as pl
from churn import contract
from churn.delivery.edge.brief import read_project_brief
from churn.delivery.problem import outcomes
from churn.delivery.service.champion import load_champion
brief = outcomes.require_prices(read_project_brief(Path("project-brief.md"))[0])
rows = pl.read_parquet("data/test.parquet").drop("row").with_row_index("row")
answers = load_champion(Path("models/champion"), brief).answer(rows)
print(json.dumps([sum(each["action"] == "call" for each in answers), len(answers)]))
"""


@every_problem
def test_requests_with_faults_are_refused_by_field_and_reason_and_nothing_is_repeated_or_logged(
    repository: Repository,
) -> None:
    completed = repository.run("python", str(SCRIPT), "models/challenger", str(COUNT), "7")
    passes(completed)
    came = json.loads(completed.stdout)
    assert set(came["statuses"]) == {"200", "413", "422"}, came["statuses"]
    assert sum(came["statuses"].values()) == COUNT
    assert came["statuses"]["200"] > 0.02 * COUNT
    assert came["log"] == []
    # No predictions are kept with a challenger.
    assert all("canary rows" in line for line in came["printed"].splitlines())
    assert came["differ"] == []


def test_alone_a_row_has_room_if_it_would_have_it_among_the_test_rows_the_rule_s_too(
    repository: Repository,
) -> None:
    """A rule that decides nothing itself, so that its rows compete for 8 places in 100."""
    repository.edit("src/churn/model.py", "    def act(", "    def no_act(")
    repository.edit("src/churn/model.py", "calls: int = 2", "calls: int = 1")
    passes(repository.run("dvc", "repro", "--quiet", "predict"))
    completed = repository.run("python", "-c", CAPACITY)
    passes(completed)
    called, rows = json.loads(completed.stdout)
    listed = pl.read_parquet(repository.folder / "data/predictions/rule.parquet")["p_leaves"]
    highest = listed.filter(listed == listed.max())
    assert len(highest) > 0.08 * len(listed)  # more than there is room for
    assert abs(called / rows - 0.08) < 0.015
    assert "canary rows" not in completed.stderr
