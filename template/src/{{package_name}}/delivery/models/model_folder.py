"""A model as a folder: weights, a card that says where it comes from, and canary rows with the
scores it gave them.

Weights are a skops file with an explicit list of types, never a pickle. Where that does not do,
`model.py` defines a pair:

- `save(fitted, folder)` writes files of its own and returns what is left of the model for skops:
  `fitted` itself where it wrote nothing (the rule, for example), None where it wrote everything;
- `load(folder, rest)` gives the model back from these files and what skops read; `load(folder)`
  where nothing was left.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ... import contract, features, model
from ..edge.errors import Fixable
from ..edge.files import describe_fix, read_table, require_file, sha256, write_table
from ..problem import training
from . import model_file
from .card import ModelCard, read_card, write_card

TEAM = (contract, features, model)
LIBRARIES = ("numpy", "polars", "scikit-learn", "skops")
WEIGHTS, CANARIES = "model.skops", "canaries.parquet"
CLOSE: float = getattr(model, "CLOSE", 1e-9)
"""Canary scores that differ by more were not made by this model and code. A model that is not as
exact on every machine (float32, a graphics card) needs a `CLOSE` of its own in `model.py`.
"""
LINE = 300  # characters of the message of a library's error


def hash_sources() -> dict[str, str]:
    """The SHA-256 of each team file by its name: what scores depend on besides the weights."""
    return {
        module.__name__.rpartition(".")[2]: sha256(Path(module.__file__ or "")) for module in TEAM
    }


def score(fitted: Any, rows: pl.DataFrame) -> pl.DataFrame:
    """The `p_…` columns of a model for contract rows: the one way from rows to scores."""
    return training.predict(fitted, features.features(rows))


def is_close(scores: pl.DataFrame, others: pl.DataFrame) -> bool:
    """Whether two tables of `p_…` columns agree: texts exactly, numbers up to `CLOSE`."""
    texts = pl.selectors.string()
    numbers, other_numbers = (table.select(~texts).to_numpy() for table in (scores, others))
    close = np.allclose(numbers, other_numbers, rtol=0, atol=CLOSE, equal_nan=True)
    return close and scores.select(texts).equals(others.select(texts))


@contextmanager
def replace_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder that becomes `folder` on success."""
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        shutil.rmtree(folder, ignore_errors=True)
        part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def save(fitted: Any, folder: Path, card: ModelCard, canaries: pl.DataFrame) -> None:
    """Write the folder; the same model, card and canary rows give the same bytes. The hashes and
    versions of the card are filled in here.
    """
    with replace_folder(folder) as part:
        rest = model.save(fitted, part) if hasattr(model, "save") else fitted
        if rest is not None:
            (part / WEIGHTS).write_bytes(model_file.dumps(rest))
        write_table(canaries.hstack(score(fitted, canaries)), part / CANARIES)
        files = {
            path.relative_to(part).as_posix(): sha256(path)
            for path in sorted(part.rglob("*"))
            if path.is_file()
        }
        libraries = {name: version(name) for name in LIBRARIES}
        whole = replace(card, files=files, sources=hash_sources(), libraries=libraries)
        write_card(whole, part / "card.json")


def load(folder: Path) -> tuple[Any, ModelCard]:
    """The model in a folder and its card. Nothing that the folder brings is run.

    Raises:
        Fixable: files or sources have changed, a type is not on the list, a file is damaged, or
            the canary rows do not get the scores that were kept with them.
    """
    card = require_unaltered(folder)
    sources = hash_sources()
    if changed := [f"{name}.py" for name in sources if card.sources.get(name) != sources[name]]:
        expected, finding = "the code it was made with", f"{', '.join(changed)} changed since"
        raise Fixable(_describe(folder, expected, finding))
    try:
        fitted = _read_model(folder, card)
        model_file.check_trees(fitted)
    except Exception as error:  # a foreign file can fail in any way that its libraries know
        path = folder if hasattr(model, "load") else folder / WEIGHTS
        raise Fixable(_describe(path, "a model of listed types", _explain(error))) from None
    try:
        canaries = read_table(folder / CANARIES)
        scores = score(fitted, canaries)
        reproduced = is_close(scores, canaries.select(scores.columns))
    except Exception as error:
        expected = "rows that the model scores"
        raise Fixable(_describe(folder / CANARIES, expected, _explain(error))) from None
    if not reproduced:
        expected = "its canary rows to score as on the day it was made"
        raise Fixable(_describe(folder, expected, "other scores"))
    return fitted, card


def _read_model(folder: Path, card: ModelCard) -> Any:
    """The model of the files that the card names: by skops, by `load` of `model.py`, or by both."""
    rest = [model_file.loads((folder / WEIGHTS).read_bytes())] if WEIGHTS in card.files else []
    return model.load(folder, *rest) if hasattr(model, "load") else rest[0]


def require_unaltered(folder: Path) -> ModelCard:
    """The card of a folder whose files are those that the card names. Their content is not read.

    Raises:
        Fixable: the card names no files, or a file is missing or another.
    """
    path = folder / "card.json"
    card = read_card(path, fix=describe_fix(folder))
    if not (card.files and card.sources):
        raise Fixable(_describe(path, "files and sources with their SHA-256", "none"))
    needed = [CANARIES] if hasattr(model, "load") else [CANARIES, WEIGHTS]
    for name, expected in (dict.fromkeys(needed) | card.files).items():
        actual = sha256(require_file(folder / name, made_by=describe_fix(folder)))
        if actual != expected:
            named = f"the file that card.json names (SHA-256 {str(expected)[:12]}…)"
            raise Fixable(_describe(folder / name, named, f"another ({actual[:12]}…)"))
    return card


def _describe(path: Path, expected: str, finding: str) -> str:
    """The message about a folder that must not be used."""
    folder = path if path.is_dir() else path.parent
    return f"{path}: expected {expected}, found {finding}. Next: {describe_fix(folder)}"


def _explain(error: Exception) -> str:
    """The error of any library in at most a line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:LINE]
