"""A model folder that was damaged, or written by an enemy, is refused, and nothing in it is run."""

import json
import pickle
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest
import yaml

from ..champion.conftest import MADE_BY, Shared
from ..made import Completed, fixable
from . import hostile
from .hostile import Edit

CHALLENGER = "models/challenger"
ANEW = "Next: uv run dvc repro --force --single-item train, then uv run dvc repro"
BACK = (
    "Next: git checkout models/champion.dvc, "
    "then uv run dvc checkout --force models/champion.dvc, then uv run dvc repro"
)
LOAD = """
import json, sys
from pathlib import Path
from churn.delivery.models import model_folder
from churn.delivery.edge.errors import Fixable
found = {}
for folder in sorted(Path("models").glob("case-*")):
    try:
        model_folder.load(folder)
        found[folder.name] = "loaded"
    except Fixable as error:
        found[folder.name] = str(error)
print(json.dumps(found))
"""
TREE = "a tree that points outside itself"
CATEGORIES = "a tree that points outside its categories"
CASES: list[tuple[Edit, str]] = [
    (hostile.truncated, "expected the file that card.json names (SHA-256 "),
    (hostile.truncated_and_relabelled, "found BadZipFile: File is not a zip file"),
    (hostile.a_forest, "types that are not listed: sklearn.tree._tree.Tree"),
    (hostile.a_call_of_our_own_function, "a call of a function by churn.model.rule"),
    (hostile.our_own_function_as_key_type, "a call of a function by builtins.list"),
    (hostile.our_own_function_under_another_number, "a call of a function by builtins.str"),
    (hostile.a_climbing_path, "an archive with the path '../../up.npy'"),
    (hostile.an_absolute_path, "an archive with the path '/tmp/up.npy'"),
    (hostile.a_bomb, "an archive that unpacks to 3,221,225,472 bytes"),
    (hostile.a_bomb_of_repeats, "an archive that unpacks to 3,1"),
    (hostile.a_deep_schema, "found RecursionError"),
    (hostile.wild("left", 10**6), TREE),
    (hostile.wild("right", 10**6), TREE),
    (hostile.wild("left", 0), TREE),  # never ends
    (hostile.wild("feature_idx", 10**6), TREE),
    (hostile.wild("feature_idx", -1), TREE),
    (hostile.wild("bitset_idx", 10**6, categorical=True), CATEGORIES),
    (hostile.a_number_that_says_category, CATEGORIES),
    (hostile.masked_nodes, "a MaskedArray in place of an array"),
    (hostile.a_card_that_lies, "expected the file that card.json names (SHA-256 000000000000…)"),
    (hostile.a_card_that_is_silent, "expected the file that card.json names (SHA-256 None…)"),
    (hostile.card(files=None), "card.json: expected files and sources with their SHA-256"),
    (hostile.card(sources=None), "card.json: expected files and sources with their SHA-256"),
    (hostile.card(files=7), "card.json: expected files and sources with their SHA-256"),
    (hostile.card(files={"model.skops": 7}), "expected files and sources with their SHA-256"),
    (hostile.card(name=None), "expected the texts `name` and `kind`, found None and 'model'"),
    (hostile.card(features="all"), "card.json: expected texts by name, found `features`"),
    (hostile.card(trained_until=7), "card.json: expected `trained_until` to be a time, found 7"),
    (hostile.a_broken_card, "card.json: expected"),
    (hostile.broken_canaries, "canaries.parquet: expected rows that the model scores"),
    (hostile.untrue_canaries, "expected its canary rows to score as on the day it was made"),
    (lambda folder: (folder / "model.skops").unlink(), "model.skops: expected to exist"),
    (lambda folder: (folder / "card.json").unlink(), "card.json: expected to exist"),
]
OTHER_RELEASES: list[Edit] = [hostile.card(colour="red"), hostile.card(score_quantiles=None)]
"""A card with a key that this release does not know, and one without a key that it writes."""
RUNNING: list[Callable[[Path, Path], None]] = [
    hostile.a_pickle,
    hostile.a_pickle_as_array,
    hostile.a_system_call,
    hostile.a_named_system_function,
]
WITHOUT_RUNNING = [
    "found BadZipFile: File is not a zip file",
    "found ValueError: Object arrays cannot be loaded when allow_pickle=False",
    "types that are not listed: posix.system",
    "types that are not listed: posix.system",
]


def predict(repository: Shared) -> Completed:
    """The stage's own command, as dvc.yaml has it: DVC would first make the challenger anew."""
    pipeline = yaml.safe_load((repository.folder / "dvc.yaml").read_text())
    return repository.run("--quiet", *pipeline["stages"]["predict"]["cmd"].split())


def score(repository: Shared, *words: str) -> Completed:
    arguments = ["data/test.parquet", "scores.parquet", *words]
    return repository.run("--quiet", "churn", "score", *arguments)


def one_message(completed: Completed, *words: str) -> None:
    fixable(completed, *words)
    assert completed.stdout == ""
    assert len(completed.stderr.strip().splitlines()) == 1, completed.stderr
    assert completed.stderr.count("Next: ") == 1


def loaded(repository: Shared, edits: Sequence[Edit]) -> list[str]:
    """What each edit of the challenger's folder is told, in order; all in one process."""
    source = repository.folder / CHALLENGER
    for number, edit in enumerate(edits):
        edit(hostile.copied(source, repository.folder / f"models/case-{number:03}"))
    completed = repository.run("python", "-c", LOAD)
    assert completed.returncode == 0, completed
    return list(json.loads(completed.stdout).values())


@pytest.fixture(scope="module")
def messages(
    champions: Path, environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[str]:
    """What each case is told; the last are folders of other releases and one as it was."""
    folder = tmp_path_factory.mktemp("cases") / "churn"
    repository = Shared(champions / "promoted/churn", MADE_BY, environment).copy(folder)
    return loaded(repository, [*(edit for edit, _ in CASES), *OTHER_RELEASES, lambda _: None])


@pytest.mark.parametrize(("number", "words"), list(enumerate(words for _, words in CASES)))
def test_a_folder_is_refused(messages: list[str], number: int, words: str) -> None:
    assert words in messages[number]
    assert messages[number].startswith(f"models/case-{number:03}")
    assert messages[number].endswith(ANEW)


def test_a_card_of_another_release_loads(messages: list[str]) -> None:
    assert messages[len(CASES) : -1] == ["loaded"] * len(OTHER_RELEASES)


def test_a_folder_as_it_was_loads(messages: list[str]) -> None:
    assert messages[-1] == "loaded"


def test_reading_a_model_never_runs_what_is_in_it(promoted: Shared, tmp_path: Path) -> None:
    sentinels = [tmp_path / edit.__name__ for edit in RUNNING]
    edits = [
        partial(lambda edit, sentinel, folder: edit(folder, sentinel), edit, sentinel)
        for edit, sentinel in zip(RUNNING, sentinels, strict=True)
    ]
    for message, words in zip(loaded(promoted, edits), WITHOUT_RUNNING, strict=True):
        assert words in message
    assert not [path for path in sentinels if path.exists()]


@pytest.mark.parametrize("edit", [hostile.a_pickle, hostile.a_system_call])
def test_the_commands_refuse_what_would_run(
    promoted: Shared, tmp_path: Path, edit: Callable[[Path, Path], None]
) -> None:
    sentinel = tmp_path / "sentinel"
    edit(promoted.folder / CHALLENGER, sentinel)
    one_message(predict(promoted), f"{CHALLENGER}/model.skops: expected", ANEW)
    one_message(score(promoted, "--model", CHALLENGER), f"{CHALLENGER}/model.skops: expected")
    assert not sentinel.exists()
    assert not (promoted.folder / "scores.parquet").exists()


def test_the_sentinels_would_be_touched(tmp_path: Path) -> None:
    """By whoever reads these files as pickles do: otherwise the tests above show nothing."""
    (tmp_path / "card.json").write_text('{"files": {"model.skops": ""}}')
    hostile.a_pickle(tmp_path, tmp_path / "sentinel")
    pickle.loads((tmp_path / "model.skops").read_bytes())
    assert (tmp_path / "sentinel").exists()


def test_a_tree_with_wild_indices_is_never_followed(promoted: Shared) -> None:
    hostile.wild("left", 2**31)(promoted.folder / CHALLENGER)
    one_message(predict(promoted), TREE, ANEW)
    one_message(score(promoted, "--model", CHALLENGER), TREE, ANEW)


@pytest.mark.parametrize("of", ["predict", "score"])
def test_a_champion_that_is_not_what_its_card_says_is_refused(promoted: Shared, of: str) -> None:
    hostile.truncated(promoted.folder / "models/champion")
    completed = predict(promoted) if of == "predict" else score(promoted)
    one_message(
        completed, "models/champion/model.skops: expected the file that card.json names", BACK
    )


def test_the_message_about_a_champion_names_the_commands_that_bring_it_back(
    promoted: Shared,
) -> None:
    hostile.truncated(promoted.folder / "models/champion")
    completed = promoted.run("dvc", "repro")  # writes the hash of what it finds into champion.dvc
    assert completed.returncode not in (0, 1, 2), completed
    assert BACK in completed.stderr
    brought_back(promoted)


@pytest.mark.parametrize("file", ["card.json", "promotion.json"])
def test_so_does_the_message_about_what_is_no_json(promoted: Shared, file: str) -> None:
    promoted.append(f"models/champion/{file}", "<<<<<<< ours\n")
    one_message(promoted.run("--quiet", "churn", "champion"), f"{file}: expected JSON", BACK)
    brought_back(promoted)


def brought_back(promoted: Shared) -> None:
    """The commands of the message, one after the other."""
    for command in BACK.removeprefix("Next: ").split(", then "):
        words = command.removeprefix("uv run ").split()
        promoted.git(*words[1:]) if words[0] == "git" else promoted.run(*words)
    promoted.settled()


def test_dvc_makes_a_changed_challenger_anew(promoted: Shared) -> None:
    hostile.a_card_that_lies(promoted.folder / CHALLENGER)
    completed = promoted.run("dvc", "repro")
    assert completed.returncode == 0, completed
    promoted.settled()


def test_a_hostile_challenger_is_not_promoted(started: Shared) -> None:
    """Its bytes are committed and pass for those that the reports are about."""
    hostile.wild("left", 10**6)(started.folder / CHALLENGER)
    completed = started.run("dvc", "commit", "--force")
    assert completed.returncode == 0, completed
    started.commit("A challenger that nobody trained")
    before = started.state()
    completed = started.run("--quiet", "churn", "promote")
    fixable(completed, f"{CHALLENGER}/model.skops: expected", TREE, ANEW)
    assert started.state() == before
    started.settled()
