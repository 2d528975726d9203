"""Everything that the pipeline made but the training, made again and compared with what is here.

Each stage runs in this process, with what is here as its input and a scratch folder for what it
writes: so each difference is named at the stage whose output it is in.
"""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from ..edge.errors import Fixable, Refused
from ..edge.files import read_json, read_table, sha256
from ..edge.parameters import read_section
from ..models import in_charge, model_folder
from ..pipeline import brief, decide, evaluate, ingest, predict, report, split, train, validate
from ..problem import training
from .plan import STAGES, split_paths

RULE, CHALLENGER, CHAMPION = Path("models/rule"), Path("models/challenger"), Path("models/champion")
TEST, BY_RULE = Path("data/test.parquet"), Path("data/predictions/rule.parquet")
TRAINED = (
    "candidates",
    "not_tried",
    "calibration",
)  # of reports/training.json: what only a training can tell
OF_THE_MACHINE = ("files", "libraries")  # of a card.json: it guards these files itself
CLOSE = 1e-6  # relative; another machine may add numbers in another order
Stage = Callable[[list[str]], int]


class Derivation(NamedTuple):
    """The stages that ran again, those that could not and why, and what is not as they make it."""

    stages: list[str]
    missing: list[str]
    faults: list[str]


def derive(scratch: Path) -> Derivation:
    """Run each stage again into the folder `scratch`, and compare."""
    stages: dict[str, Stage] = {
        "brief": brief.main,
        "ingest": ingest.main,
        "validate": validate.main,
        "split": split.main,
        "train": train_again,
        "predict": predict.main,
        "evaluate": evaluate.main,
        "decide": decide.main,
        "report": report.main,
    }
    derivation = Derivation([], [], [])
    for name in STAGES:
        reads, writes = split_paths(name)
        if absent := find_absent(name, [*reads, *writes]):
            derivation.missing.append(f"{name} ({absent} is not here)")
            continue
        derivation.stages.append(name)
        try:
            stages[name]([*reads, *(str(scratch / path) for path in writes)])
            faults = [fault for path in writes for fault in compare(scratch, Path(path))]
            faults += compare_scores(scratch) if name == "predict" else []
        except (Fixable, Refused) as problem:
            derivation.faults.append(f"{name} stops: {problem}")
        else:
            derivation.faults.extend(f"{fault}. {describe_next(name)}" for fault in faults)
    return derivation


def find_absent(name: str, paths: list[str]) -> str | None:
    """The first file or folder that is not here of those that a stage reads or writes."""
    source = str(read_section(Path("params.yaml"), "ingest").get("source"))
    needed = [source, *paths] if name == "ingest" else paths
    return next((path for path in needed if not Path(path).exists()), None)


def describe_next(stage: str) -> str:
    """The command that makes anew what a stage wrote."""
    alone = "" if stage == "train" else "--single-item "
    return f"Next: uv run dvc repro --force {alone}{stage}, then uv run dvc repro, then git commit"


def train_again(argv: list[str]) -> int:
    """The stage `train` without its training: the challenger is the one that is here, and so is
    what it said of the validation rows; rule, leaks and cards are made again.
    """

    def take_challenger(
        candidates: dict[str, Any], rows: train.Part, validation: train.Part
    ) -> tuple[list[train.Trial], dict[str, float]]:
        fitted, card = model_folder.load(CHALLENGER)
        predictions = training.predict(fitted, validation.x)
        loss = train.estimate_loss(predictions, validation.rows)
        return [train.Trial(card.name, fitted, predictions, loss, [])], {}

    return train.main(argv, fit=take_challenger)


def compare(scratch: Path, path: Path) -> Iterator[str]:
    """Each difference between what a stage wrote again and what is here: of a file or a folder."""
    again = scratch / path
    files = [path] if again.is_file() else _list_files(again, path)
    for file in files:
        if difference := find_difference(scratch / file, file):
            yield f"{file}: expected what these files give, found {difference}"


def _list_files(*folders: Path) -> list[Path]:
    """The files of two folders, as paths below the second."""
    names = {
        path.relative_to(each) for each in folders for path in each.rglob("*") if path.is_file()
    }
    return [folders[-1] / name for name in sorted(names)]


def find_difference(again: Path, here: Path) -> str | None:
    """How a file differs from the same one made again; None where it does not."""
    if not (again.exists() and here.exists()):
        return "no file" if again.exists() else "a file that no stage writes"
    if again.read_bytes() == here.read_bytes() or here.name == "seconds.json":
        return None
    if here.suffix == ".parquet":
        return find_column(read_table(again), read_table(here))
    if here.suffix == ".json":
        return find_key(*(_read_derivable(path) for path in (again, here)))
    if here.parent in (RULE, CHALLENGER):
        return None  # weights: the card has their hash, and their scores are compared
    return "another text"


def _read_derivable(path: Path) -> Any:
    """The content of a JSON file that other files than the training and the machine give."""
    content = read_json(path)
    if path.name == "training.json":
        kept = {name: value for name, value in content.items() if name not in TRAINED}
        trials = [trial for trial in content["candidates"] if trial["name"] == content["chosen"]]
        return kept | {"candidates": trials}
    if path.name == "card.json":
        return {name: value for name, value in content.items() if name not in OF_THE_MACHINE}
    return content


def find_key(again: Any, here: Any, key: str = "") -> str | None:
    """The first key at which two JSON contents differ by more than the last digits of a float."""
    if isinstance(again, dict) and isinstance(here, dict) and again.keys() == here.keys():
        pairs = [(f"{key}.{name}" if key else name, again[name], here[name]) for name in again]
    elif isinstance(again, list) and isinstance(here, list) and len(again) == len(here):
        numbered = enumerate(zip(again, here, strict=True))
        pairs = [(f"{key}[{number}]", *values) for number, values in numbered]
    elif isinstance(again, float) and isinstance(here, float):
        close = math.isclose(again, here, rel_tol=CLOSE, abs_tol=CLOSE)
        return None if close else f"`{key}`: {here} in place of {again}"
    else:
        return None if again == here else f"`{key}`: {here!r} in place of {again!r}"[:200]
    faults = (find_key(one, other, name) for name, one, other in pairs)
    return next((fault for fault in faults if fault), None)


def find_column(again: pl.DataFrame, here: pl.DataFrame) -> str | None:
    """The first column in which two tables differ by more than the last digits of a number."""
    if again.schema != here.schema:
        return f"the columns {', '.join(here.columns)} in place of {', '.join(again.columns)}"
    if again.height != here.height:
        return f"{here.height:,} rows in place of {again.height:,}"
    for name, dtype in again.schema.items():
        differs = again[name].ne_missing(here[name])
        if dtype.is_float():
            far = (again[name] - here[name]).abs() > model_folder.CLOSE * (1 + again[name].abs())
            differs &= far.fill_null(value=True)
        if differs.any():
            return f"{differs.sum():,} of {here.height:,} rows with another `{name}`"
    return None


def compare_scores(scratch: Path) -> Iterator[str]:
    """The predictions of the rule that are not those of the rule fitted again, and the champion's
    stored ones that are not its own, where today's code is that of its time.
    """
    rows, card = read_table(TEST), in_charge.read_champion_card(CHAMPION)
    tables = [(scratch / RULE, BY_RULE)] if (scratch / RULE).exists() else []
    stored = CHAMPION / in_charge.PREDICTIONS
    if stored.exists() and card.rows.get("test") == sha256(TEST):
        tables += [(CHAMPION, stored)] if card.sources == model_folder.hash_sources() else []
    for folder, path in tables:
        fitted, _ = model_folder.load(folder)
        kept = read_table(path)
        judged = rows.join(kept.select("row"), on="row", how="semi")
        scores = judged.select("row").hstack(model_folder.score(fitted, judged))
        if difference := find_column(scores, kept.select(scores.columns)):
            yield f"{path}: expected what that model says of {TEST}, found {difference}"
