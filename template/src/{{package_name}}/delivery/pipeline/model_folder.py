"""A model as a folder: weights, a card that says where it comes from, and canary rows with the
scores it gave them.

Weights are a skops file with an explicit list of types, never a pickle, unless `model.py` defines
`save` and `load`.
"""

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import polars as pl
import skops.io

from ... import contract, features, model
from . import problem
from .errors import Mendable
from .files import present, read_json, read_table, write_json, write_table

TYPES = [
    "functools.partial",
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
]
"""Types of other packages that a model file may hold, besides those that skops itself knows to be
harmless.
"""
TEAM = (contract, features, model)
LIBRARIES = ("numpy", "polars", "scikit-learn", "skops")
NEXT = "Next: uv run dvc repro makes it anew, uv run dvc checkout brings the committed bytes back"
CLOSE = 1e-9  # canary probabilities that differ by more were not made by this model and code


def own_types() -> list[str]:
    """Classes and functions that contract, features and model themselves define."""
    return [
        f"{module.__name__}.{name}"
        for module in TEAM
        for name, thing in vars(module).items()
        if isinstance(thing, type | FunctionType) and thing.__module__ == module.__name__
    ]


def source_hash(module: ModuleType) -> str:
    """SHA-256 of a team file."""
    return hashlib.sha256(Path(module.__file__ or "").read_bytes()).hexdigest()


def sources() -> dict[str, str]:
    """The hash of each team file by its name: what scores depend on besides the weights."""
    return {module.__name__.rpartition(".")[2]: source_hash(module) for module in TEAM}


def scores(fitted: Any, rows: pl.DataFrame) -> pl.DataFrame:
    """`p_<class>` columns for contract rows: the one way from a row to a probability."""
    return problem.predict(fitted, features.features(rows))


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
        if hasattr(model, "save"):
            model.save(fitted, part)
        else:
            (part / "model.skops").write_bytes(without_addresses(skops.io.dumps(fitted)))
        write_table(canaries.hstack(scores(fitted, canaries)), part / "canaries.parquet")
        libraries = {name: version(name) for name in LIBRARIES}
        write_json(card | {"sources": sources(), "libraries": libraries}, part / "card.json")


def without_addresses(file: bytes) -> bytes:
    """A skops file with counted in place of memory-address names, and without times: bytes depend
    on the model alone.
    """
    names: dict[str, str] = {}
    source = zipfile.ZipFile(io.BytesIO(file))
    schema = json.loads(source.read("schema.json"), object_hook=lambda node: _renamed(node, names))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as whole:
        for old, new in names.items():
            if old in source.namelist():
                whole.writestr(zipfile.ZipInfo(new), source.read(old))
        whole.writestr(zipfile.ZipInfo("schema.json"), json.dumps(schema))
    return target.getvalue()


def _renamed(node: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """One node of a skops schema with `__id__` and `file` counted in the order in which they are
    met.
    """
    for key in ("__id__", "file"):
        if node.get(key) is not None:
            old = str(node[key])
            new = names.setdefault(old, f"{len(names)}{Path(old).suffix}")
            node[key] = int(new) if key == "__id__" else new
    return node


def load(folder: Path) -> tuple[Any, dict[str, Any]]:
    """The model and its card; refuses types outside the list, damaged files, changed sources and
    untrue canaries.
    """
    card = read_json(present(folder / "card.json"))
    if changed := [
        f"{name}.py" for name, value in sources().items() if card["sources"].get(name) != value
    ]:
        raise Mendable(
            f"{folder}: expected the code it was made with, found {', '.join(changed)} changed "
            f"since. {NEXT}"
        )
    fitted = model.load(folder) if hasattr(model, "load") else _load_skops(folder / "model.skops")
    canaries = read_table(folder / "canaries.parquet")
    again = scores(fitted, canaries)
    told = canaries.select(again.columns)
    if not np.allclose(again.to_numpy(), told.to_numpy(), rtol=0, atol=CLOSE):
        raise Mendable(
            f"{folder}: expected its canary rows to score as on the day it was made, found other "
            f"scores. {NEXT}"
        )
    return fitted, card


def _load_skops(file: Path) -> Any:
    try:
        unknown = set(skops.io.get_untrusted_types(file=present(file))) - {*TYPES, *own_types()}
        if unknown:
            raise Mendable(
                f"{file}: expected only listed types, found {', '.join(sorted(unknown))}. {NEXT}"
            )
        return skops.io.load(file, trusted=[*TYPES, *own_types()])
    except Mendable:
        raise
    except Exception as error:  # a foreign file can fail in any way that its libraries know
        raise Mendable(
            f"{file}: expected a model file, found a damaged or foreign one ({error}). {NEXT}"
        ) from None
