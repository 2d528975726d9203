"""Several classes, an action for some of them, and a person: the action of the highest expected
value is chosen, and the verdict is an honest one.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from ..conftest import ROOT, Render
from ..made import Repository, passes, says_no
from .pages import DOCS, blocks
from .reader import reader

PENGUINS = ROOT.parent / "shared/data/penguins.csv"
PAGE = (DOCS / "choosing.md").read_text(encoding="utf-8").partition("## Several classes")[2]
TEAM = Path(__file__).parent / "penguins"
KNOWN = "it is measured before anybody knows the species"
SHAPE = f'MEANT = {{"bill_shape": "{KNOWN}", "flipper_length_mm": "{KNOWN}"}}'
DOWNGRADES = """
    smaller = 4.0 * (1 - pl.col("use_change")).clip(0) + 0.1 * pl.col("charge_before") - 4.5
    luck = pl.lit(pl.Series(rng.random(people.height)))
    downgrades = luck < 1 / (1 + (-smaller).exp())
    outcome = (
        pl.when(leaves)
        .then(pl.lit("leaves"))
        .when(downgrades)
        .then(pl.lit("downgrades"))
        .otherwise(pl.lit("stays"))
    )
    return seen.with_columns(outcome=outcome).select(COLUMNS)
"""


def expected(repository: Repository, model: str) -> tuple[list[str], NDArray[np.float64]]:
    """Actions, and what each is expected to be worth for each test row, from the brief's prices and
    the model's probabilities alone. Doing nothing is worth 0, and a review the best action for what
    it finds, less its own price.
    """
    value = repository.json("reports/brief.json")["value"]
    p = pl.read_parquet(repository.folder / f"data/predictions/{model}.parquet").select("^p_.*$")
    worth = {"none": [0.0] * p.width} | {
        action: [prices[name.removeprefix("p_")] for name in p.columns]
        for action, prices in value["actions"].items()
    }
    if value["review"] is not None:
        worth["review"] = [
            value["review"] + max(each) for each in zip(*worth.values(), strict=True)
        ]
    return list(worth), p.to_numpy() @ np.array(list(worth.values())).T


def outcomes(repository: Repository, model: str) -> pl.DataFrame:
    return pl.read_parquet(repository.folder / f"data/outcomes/{model}.parquet")


def chosen_by_price(repository: Repository) -> set[str]:
    """Assert that rule and challenger take the dearest action everywhere and that it is paid as the
    brief says; the actions of the challenger.
    """
    actions = repository.json("reports/brief.json")["value"]["actions"]
    own = pl.read_parquet(repository.folder / "data/predictions/rule.parquet")
    decides = "p__action" in own.columns  # then prices play no part in what the rule does
    if decides:
        assert outcomes(repository, "rule")["action"].equals(own["p__action"].alias("action"))
    for model in ("challenger",) if decides else ("rule", "challenger"):
        names, worth = expected(repository, model)
        predictions = outcomes(repository, model)  # `score` is what acting, not nothing, is worth
        assert predictions["action"].to_list() == [names[best] for best in worth.argmax(axis=1)]
        assert np.allclose(predictions["score"], worth[:, 1:].max(axis=1))
        for action, truth, paid in predictions.select("action", "outcome", "value").iter_rows():
            if action in actions:
                assert paid == actions[action][truth]
        pays = {name for prices in actions.values() for name, price in prices.items() if price > 0}
        assert predictions["positive"].to_list() == [
            name in pays for name in predictions["outcome"]
        ]
    return set(outcomes(repository, "challenger")["action"])


def reported(repository: Repository) -> None:
    """Assert that the report has all prices, all classes, and every section."""
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    value = repository.json("reports/brief.json")["value"]
    for action, prices in value["actions"].items():
        cells = " | ".join(f"{value['currency']} {price:g}" for price in prices.values())
        assert f"| {action} | {cells} |" in report
    for name in repository.json("reports/data.json")["target"]:
        assert f"\n| {name} | " in report
    for heading in ("Calibration", "Slices", "Candidates tried", "Model card"):
        assert f"\n## {heading}\n" in report
    curve = pl.read_csv(repository.folder / "reports/plots/calibration.csv")
    assert curve.filter(model="challenger")["n"].sum() == outcomes(repository, "rule").height
    assert (repository.folder / "reports/report.html").exists()


@pytest.fixture(scope="module")
def penguins(render: Render, environment: Path) -> Repository:
    """A repository with the penguins' table and the team files of the folder `penguins`."""
    if not PENGUINS.exists():
        pytest.skip(f"needs {PENGUINS.name}, which is not part of this repository")
    at_work = reader(render, environment, "penguins").repository
    for name in ("contract", "features", "model"):
        shutil.copy(TEAM / f"{name}.py", at_work.folder / at_work.code(name))
    shutil.copy(TEAM / "project-brief.md", at_work.folder)
    shutil.copy(PENGUINS, at_work.folder)
    at_work.edit("params.yaml", f"source: {at_work.code('example')}", f"source: {PENGUINS.name}")
    return at_work


def test_three_species_become_an_honest_decision(penguins: Repository) -> None:
    passes(penguins.run("dvc", "repro"))
    says_no(penguins.run("penguins", "check"), "Hold: ", "` alone predicts the target")
    leaks = penguins.json("reports/training.json")["leaks"]
    assert {leak["feature"] for leak in leaks} == {"bill_shape", "flipper_length_mm"}

    penguins.edit("src/penguins/contract.py", "MEANT: dict[str, str] = {}", SHAPE)
    passes(penguins.run("dvc", "repro"))
    few = penguins.json("reports/metrics.json")["positives"]
    assert few < 50
    decision = penguins.json("reports/decision.json")
    assert (decision["verdict"], decision["gain"]["lower"]) == ("unclear", None)
    reason = "too few positive units to tell (fewer than 50)."
    passes(penguins.run("penguins", "check"), "Cannot tell: track or sample each penguin", reason)
    assert {"track", "sample"} <= chosen_by_price(penguins)
    reported(penguins)

    penguins.edit("params.yaml", "  test: 0.2 ", "  test: 0.4 ")
    passes(penguins.run("dvc", "repro"))
    assert penguins.json("reports/metrics.json")["positives"] > 50 > few
    decision = penguins.json("reports/decision.json")
    assert decision["verdict"] == "ship"
    assert decision["gain"]["lower"] > 0
    assert {"track", "sample", "review", "none"} <= chosen_by_price(penguins)
    reported(penguins)


def test_the_tests_of_the_repository_hold_for_three_species(penguins: Repository) -> None:
    shutil.rmtree(penguins.folder / "tests/unit")  # about the example's columns
    passes(penguins.run("pytest", "tests/integration"))


@pytest.fixture(scope="module")
def three(
    making: Callable[[str], Repository],
    first_day: Path,
    environment: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Repository:
    """The simulated telephone company, where some customers take a smaller plan."""
    folder = tmp_path_factory.mktemp("three") / "churn"
    shutil.copytree(first_day, folder)
    (folder / ".venv").symlink_to(environment)
    repository = Repository(folder, making("classification").how)
    example, model = (repository.code(name) for name in ("example", "model"))
    outcome = """
    outcome = pl.when(leaves).then(pl.lit("leaves")).otherwise(pl.lit("stays"))
    return seen.with_columns(outcome=outcome).select(COLUMNS)
"""
    repository.edit(example, outcome, DOWNGRADES)
    repository.edit(
        repository.code("contract"), '["leaves", "stays"]', '["leaves", "downgrades", "stays"]'
    )
    direction = 'DIRECTION = {"support_calls": +1, "price_rise": +1}'
    repository.edit(model, direction, "DIRECTION: dict[str, int] = {}")
    bound = "            monotonic_cst={name: -sign for name, sign in DIRECTION.items()},\n"
    repository.edit(model, bound, "")  # scikit-learn binds two classes only
    (priced,) = (block.text for block in blocks(PAGE) if block.text.startswith("decision: "))
    brief = (folder / "project-brief.md").read_text(encoding="utf-8")
    old = brief[brief.index("decision: ") : brief.index("success:")]
    repository.edit("project-brief.md", old, priced)
    return repository


def test_three_classes_ship(three: Repository) -> None:
    passes(three.run("dvc", "repro"))
    passes(three.run("churn", "check"), "Ship: call or offer each customer where that pays")
    assert three.json("reports/decision.json")["gain"]["lower"] > 0
    assert chosen_by_price(three) == {"call", "offer", "review", "none"}
    reported(three)
