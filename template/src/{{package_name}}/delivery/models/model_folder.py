"""A model as a folder: weights, a card that says where it comes from, and canary rows with the
scores it gave them.

Weights are a skops file with an explicit list of types, never a pickle. Where that does not do,
`model.py` defines a pair:

- `save(fitted, folder)` writes files of its own and returns what is left of the model for skops:
  `fitted` itself where it wrote nothing (the rule, say), None where it wrote everything;
- `load(folder, rest)` gives the model back from these files and what skops read; `load(folder)`
  where nothing was left.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from ... import contract, features, model
from ..edge.errors import Fixable
from ..edge.files import mending, present, read_json, read_table, sha256, write_json, write_table
from ..problem import training
from . import model_file

TEAM = (contract, features, model)
LIBRARIES = ("numpy", "polars", "scikit-learn", "skops")
WEIGHTS, CANARIES = "model.skops", "canaries.parquet"
CLOSE: float = getattr(model, "CLOSE", 1e-9)
"""Canary scores that differ by more were not made by this model and code. A model that is not as
exact on every machine (float32, a graphics card) needs a `CLOSE` of its own in `model.py`.
"""
LINE = 300  # characters of what a library says


def sources() -> dict[str, str]:
    """The SHA-256 of each team file by its name: what scores depend on besides the weights."""
    return {
        module.__name__.rpartition(".")[2]: sha256(Path(module.__file__ or "")) for module in TEAM
    }


def scores(fitted: Any, rows: pl.DataFrame) -> pl.DataFrame:
    """`p_…` columns for contract rows: the one way from a row to what a model says of it."""
    return training.predict(fitted, features.features(rows))


def same(scores: pl.DataFrame, others: pl.DataFrame) -> bool:
    """Whether two tables of `p_…` columns say the same: texts exactly, numbers up to `CLOSE`."""
    words = pl.selectors.string()
    now, then = (table.select(~words).to_numpy() for table in (scores, others))
    alike = np.allclose(now, then, rtol=0, atol=CLOSE, equal_nan=True)
    return alike and scores.select(words).equals(others.select(words))


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
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


def save(fitted: Any, folder: Path, card: dict[str, Any], canaries: pl.DataFrame) -> None:
    """Write the folder; the same model, card and canaries are the same bytes."""
    with replaced_folder(folder) as part:
        rest = model.save(fitted, part) if hasattr(model, "save") else fitted
        if rest is not None:
            (part / WEIGHTS).write_bytes(model_file.dumps(rest))
        write_table(canaries.hstack(scores(fitted, canaries)), part / CANARIES)
        files = {
            path.relative_to(part).as_posix(): sha256(path)
            for path in sorted(part.rglob("*"))
            if path.is_file()
        }
        libraries = {name: version(name) for name in LIBRARIES}
        facts = {"files": files, "sources": sources(), "libraries": libraries}
        write_json(card | facts, part / "card.json")


def load(folder: Path) -> tuple[Any, dict[str, Any]]:
    """The model and its card; refuses changed files and sources, types outside the list, damaged
    files and untrue canaries. Nothing that the folder brings is run.
    """
    card = unaltered(folder)
    now = sources()
    if changed := [f"{name}.py" for name in now if card["sources"].get(name) != now[name]]:
        raise _refused(folder, "the code it was made with", f"{', '.join(changed)} changed since")
    try:
        fitted = _read(folder, card["files"])
        model_file.check_trees(fitted)
    except Exception as error:  # a foreign file can fail in any way that its libraries know
        path = folder if hasattr(model, "load") else folder / WEIGHTS
        raise _refused(path, "a model of listed types", _said(error)) from None
    try:
        canaries = read_table(folder / CANARIES)
        again = scores(fitted, canaries)
        told = canaries.select(again.columns)
        close = same(again, told)
    except Exception as error:
        raise _refused(folder / CANARIES, "rows that the model scores", _said(error)) from None
    if not close:
        raise _refused(folder, "its canary rows to score as on the day it was made", "other scores")
    return fitted, card


def _read(folder: Path, files: dict[str, str]) -> Any:
    """The model of the files that the card names: by skops, by `load` of `model.py`, or by both."""
    left = [model_file.loads((folder / WEIGHTS).read_bytes())] if WEIGHTS in files else []
    return model.load(folder, *left) if hasattr(model, "load") else left[0]


def unaltered(folder: Path) -> dict[str, Any]:
    """The card of a folder whose files are those that it names; reads nothing else of them."""
    path = folder / "card.json"
    card: dict[str, Any] = read_json(path, made_by=mending(folder))
    try:
        read = [CANARIES] if hasattr(model, "load") else [CANARIES, WEIGHTS]
        named = dict.fromkeys(read) | dict(card["files"])
        dict(card["sources"])
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(path, "files and sources with their SHA-256", _said(error)) from None
    for name, digest in named.items():
        found = sha256(present(folder / name, made_by=mending(folder)))
        if found != digest:
            told = f"the file that card.json names (SHA-256 {str(digest)[:12]}…)"
            raise _refused(folder / name, told, f"another ({found[:12]}…)")
    return card


def _refused(path: Path, expected: str, found: str) -> Fixable:
    """The message about a folder that must not be used."""
    folder = path if path.is_dir() else path.parent
    return Fixable(f"{path}: expected {expected}, found {found}. Next: {mending(folder)}")


def _said(error: Exception) -> str:
    """What an error of any library says, in at most a line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:LINE]
