"""`docs/deep-learning.md` does what it says, and a network goes the whole way that models go."""

import difflib
import os
import pickle
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from ..conftest import ROOT, UNITS, Render
from ..made import UV, Repository, fixable, passes, surroundings
from ..security import hostile
from .pages import DOCS, blocks
from .reader import Reader, reader

PAGE = (DOCS / "deep-learning.md").read_text(encoding="utf-8")
FOLDER = DOCS / "deep-learning"
CLOSE = 1e-9
ONLY = '''

others = candidates


def candidates(seed: int) -> dict[str, BaseEstimator]:
    """Nothing but the network."""
    return {"network": others(seed)["network"]}
'''
deep = pytest.mark.deep


def test_the_variant_is_the_model_of_a_new_repository_and_one_more_candidate() -> None:
    ours = (ROOT / "blueprints/classification/model.py").read_text(encoding="utf-8")
    variant = (FOLDER / "model.py").read_text(encoding="utf-8")
    compared = difflib.ndiff(ours.splitlines(), variant.splitlines())
    gone = [line.removeprefix("- ") for line in compared if line.startswith("- ")]
    assert gone == [
        '"""What the business does today, and the models that challenge it.',
        "from sklearn.pipeline import make_pipeline",
    ]


def test_the_page_shows_lines_of_the_files_and_names_their_tests() -> None:
    snippets = [block for block in blocks(PAGE) if block.language == "python"]
    assert len(snippets) == 4
    for block in snippets:
        assert block.text in (FOLDER / str(block.file)).read_text(encoding="utf-8")
    tests = (FOLDER / "test_network.py").read_text(encoding="utf-8").replace("_", " ")
    rows = PAGE.partition("| test | so that |\n| --- | --- |\n")[2].partition("\n\n")[0]
    for row in rows.splitlines():
        assert f"def test {row.split(' | ')[0].removeprefix('| ').replace('`', '')}" in tests


def test_a_new_repository_does_without_torch() -> None:
    assert "torch" not in (ROOT / "template/pyproject.toml.jinja").read_text(encoding="utf-8")
    assert (
        "torch" not in (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[tool")[0]
    )


@pytest.fixture(scope="module")
def page(render: Render, environment: Path, template: Path) -> Reader:
    """The repository of somebody who has done what the page says."""
    at_work = reader(render, environment, "churn", units=UNITS)
    (at_work.repository.folder.parent / "exemplar").symlink_to(template)
    for block in blocks(PAGE):
        if block.language == "bash":
            at_work.run(block.text)
        elif block.language == "text":
            at_work.expect(block.text)
    return at_work


@deep
def test_the_network_is_one_of_the_candidates(page: Reader) -> None:
    training = page.repository.json("reports/training.json")
    names = {"network", "logistic regression", "gradient boosting"}
    assert {candidate["name"] for candidate in training["candidates"]} == names
    assert page.repository.json("models/challenger/card.json")["name"] == training["chosen"]
    assert page.repository.json("reports/seconds.json")["seconds"].keys() == names
    loss = {candidate["name"]: candidate["log_loss"] for candidate in training["candidates"]}
    assert loss["network"] < training["rule"]["log_loss"] - 0.02


@deep
def test_nothing_of_the_template_was_edited(page: Reader) -> None:
    changed = page.repository.git("status", "--short", "--untracked-files=all").splitlines()
    code = [line[3:] for line in changed if line.endswith(".py")]
    assert code == ["src/churn/model.py", "tests/unit/test_network.py"]
    added = page.repository.git("diff", "--unified=0", "pyproject.toml").splitlines()
    lines = [line for line in added if line[0] in "+-" and line[:3] not in ("+++", "---")]
    assert len(lines) == 2
    assert all(name in "".join(lines) for name in ("torch>=", "safetensors>="))


@deep
def test_what_the_page_brings_is_tidy_and_typed(page: Reader) -> None:
    brought = ["src/churn/model.py", "tests/unit/test_network.py"]
    passes(page.repository.run("ruff", "check", *brought))
    passes(page.repository.run("ruff", "format", "--check", *brought))
    passes(page.repository.run("mypy"))


@pytest.fixture(scope="module")
def alone(page: Reader, environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository with the network for its only candidate, after a run."""
    folder = tmp_path_factory.mktemp("alone") / "churn"
    shutil.copytree(page.repository.folder, folder, symlinks=True)
    repository = Repository(folder, page.repository.how)
    repository.append("src/churn/model.py", ONLY)
    passes(repository.run("dvc", "repro"), "network: ")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--no-verify", "--message", "Nothing but the network")
    return repository


def another(of: Repository, folder: Path) -> Repository:
    """A copy without its models, its predictions and DVC's cache of them."""
    without = shutil.ignore_patterns("cache", "predictions", "checkpoints", "__pycache__")
    shutil.copytree(of.folder, folder, symlinks=True, ignore=without)
    for name in ("rule", "challenger"):
        shutil.rmtree(folder / "models" / name)
    return Repository(folder, of.how)


def scores(repository: Repository) -> np.ndarray:
    """What the challenger says of the test rows."""
    predictions = pl.read_parquet(repository.folder / "data/predictions/challenger.parquet")
    return predictions.select("^p_.*$").to_numpy()


def train(repository: Repository) -> list[str]:
    """The command of the stage `train`, as in `dvc.yaml`."""
    plan = yaml.safe_load((repository.folder / "dvc.yaml").read_text(encoding="utf-8"))
    return [UV, "run", *plan["stages"]["train"]["cmd"].split()]


@deep
def test_its_weights_are_safetensors_and_the_rest_is_skops(alone: Repository) -> None:
    assert alone.json("reports/training.json")["chosen"] == "network"
    files = {path.name for path in (alone.folder / "models/challenger").iterdir()}
    assert files == {"network.safetensors", "model.skops", "canaries.parquet", "card.json"}
    assert set(alone.json("models/challenger/card.json")["files"]) == files - {"card.json"}
    assert not (alone.folder / "models/rule/network.safetensors").exists()
    assert not list((alone.folder / "data/checkpoints").iterdir())


@deep
def test_a_second_run_does_nothing(alone: Repository) -> None:
    passes(alone.run("dvc", "repro"), "Data and pipelines are up to date.")


@deep
def test_the_gates_and_all_tests_of_the_repository_pass(alone: Repository) -> None:
    passes(alone.run("churn", "check"), "(network) would be worth")
    passes(alone.run("pytest"), " passed")


@deep
def test_it_is_promoted_and_scores_elsewhere_as_here(
    alone: Repository, environment: Path, tmp_path: Path
) -> None:
    copy = Repository(tmp_path / "churn", alone.how)
    shutil.copytree(alone.folder, copy.folder, symlinks=True)
    assert copy.json("reports/decision.json")["verdict"] == "ship"
    passes(copy.run("churn", "promote"), "champion-1: network takes charge")
    assert copy.git("status", "--porcelain") == ""
    command = ["churn", "score", "data/test.parquet"]
    passes(copy.run(*command, "here.parquet"), "rows scored")
    older = {"ATEN_CPU_CAPABILITY": "default"}  # the instructions of another kind of processor
    passes(copy.run(*command, "elsewhere.parquet", **older), "rows scored")
    here, elsewhere = (
        pl.read_parquet(copy.folder / name).select("^p_.*$").to_numpy()
        for name in ("here.parquet", "elsewhere.parquet")
    )
    assert np.allclose(here, scores(alone), rtol=0, atol=CLOSE)
    assert np.allclose(here, elsewhere, rtol=0, atol=CLOSE)


@deep
def test_another_folder_gives_the_same_scores(
    alone: Repository, environment: Path, tmp_path: Path
) -> None:
    copy = another(alone, tmp_path / "churn")
    passes(copy.run("dvc", "repro"), "Running stage 'train'", "network: ")
    assert np.allclose(scores(copy), scores(alone), rtol=0, atol=CLOSE)


@deep
def test_training_that_was_killed_goes_on_and_ends_as_if_nothing_had_been(
    alone: Repository, environment: Path, tmp_path: Path
) -> None:
    copy = another(alone, tmp_path / "churn")
    running = subprocess.Popen(
        train(copy), cwd=copy.folder, env=surroundings(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    checkpoints, ends = copy.folder / "data/checkpoints", time.monotonic() + 120
    while not list(checkpoints.glob("*.safetensors")):
        assert running.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < ends
        time.sleep(0.005)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    (checkpoint,) = checkpoints.glob("*.safetensors")
    assert not (copy.folder / "models/challenger").exists()
    assert copy.git("status", "--porcelain", "--", "data") == ""
    passes(
        copy.run("dvc", "repro"), "going on after epoch ", f"of data/checkpoints/{checkpoint.name}"
    )
    assert np.allclose(scores(copy), scores(alone), rtol=0, atol=CLOSE)
    assert not list(checkpoints.glob("*.safetensors"))


def other_weights(path: Path) -> None:
    """The last numbers of the file are others; its header is as it was."""
    file = path.read_bytes()
    path.write_bytes(file[:-64] + np.random.default_rng(7).normal(size=8).tobytes())


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8])


def a_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(hostile.Touch(path.parent.parent / "ran")))


TAMPERED: dict[str, tuple[Callable[[Path], None], bool, str]] = {
    "other weights": (other_weights, False, "expected the file that card.json names"),
    "other weights in the card": (other_weights, True, "expected its canary rows to score as"),
    "truncated in the card": (truncated, True, "expected a model of listed types, found"),
    "a pickle in the card": (a_pickle, True, "expected a model of listed types, found"),
    "nothing": (Path.unlink, False, "network.safetensors: expected to exist"),
}


@deep
@pytest.mark.parametrize("name", TAMPERED)
def test_weights_that_were_tampered_with_are_refused(
    alone: Repository, environment: Path, name: str
) -> None:
    tamper, in_the_card, message = TAMPERED[name]
    model = alone.folder / "models/tampered"
    shutil.rmtree(model, ignore_errors=True)
    shutil.copytree(alone.folder / "models/challenger", model)
    tamper(model / "network.safetensors")
    if in_the_card:
        hostile.relabel(model)
    completed = alone.run(
        "churn", "score", "data/test.parquet", "out.parquet", "--model", str(model)
    )
    fixable(completed, message)
    assert not (alone.folder / "models/ran").exists()
    assert not (alone.folder / "out.parquet").exists()
