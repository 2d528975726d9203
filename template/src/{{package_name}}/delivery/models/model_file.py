"""A model as one file: skops with an explicit list of types, never a pickle.

Whoever can write to the storage can write such a file, so it is read as hostile: nothing in it
runs, and nothing in it is taken on trust that compiled code would index with.
"""

import gc
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from skops.io.exceptions import UnsupportedTypeException

from ... import contract, features, model
from ..edge.errors import Fixable
from ..problem import training

TYPES = [
    "functools.partial",
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
]
"""Types of other packages that a model file may hold, besides those that skops itself knows to be
harmless.
"""
OURS = (contract, features, model, training)
LARGEST = 2 * 1024**3  # bytes in memory; a file that unpacks to more was not written by `save`
SET = 8  # words of 32 bits that hold a set of categories
Node = dict[str, Any]
"""An entry of the schema in a skops file."""


def list_own(kind: type) -> list[str]:
    """Classes (`type`) or functions (`FunctionType`) that contract, features, model and problem
    define.
    """
    return [
        f"{module.__name__}.{name}"
        for module in OURS
        for name, thing in vars(module).items()
        if isinstance(thing, kind) and thing.__module__ == module.__name__
    ]


def dumps(fitted: Any) -> bytes:
    """The file of a model: its bytes depend on the model alone. Refuses what `loads` would."""
    try:
        file = replace_addresses(skops.io.dumps(fitted))
        _check_archive(file)
        faults = _find_unlisted(file)
    except (UnsupportedTypeException, ValueError) as error:
        faults = [str(error)]
    if faults:
        raise Fixable(
            f"model.py: expected a model of listed types, found {', '.join(faults)}. Next: choose "
            "another candidate, or define save and load in model.py, then uv run dvc repro"
        )
    return file


def loads(file: bytes) -> Any:
    """The model in a file; any error means that it is damaged, foreign or hostile.

    An error is a ValueError, which says what was found, or whatever the libraries raise.
    """
    _check_archive(file)
    if unlisted := _find_unlisted(file):
        raise ValueError(f"types that are not listed: {', '.join(unlisted)}")
    return skops.io.loads(file, trusted=_list_trusted())


def _list_trusted() -> list[str]:
    return [*TYPES, *list_own(type), *list_own(FunctionType)]


def _find_unlisted(file: bytes) -> list[str]:
    """The names in a file that are not on the list; nothing is imported to find them."""
    return sorted(set(skops.io.get_untrusted_types(data=file)) - set(_list_trusted()))


def _check_archive(file: bytes) -> None:
    """Look at names, sizes and kinds of entries before any of them is interpreted."""
    nodes: list[Node] = []

    def note(node: Node) -> Node:
        nodes.append(node)
        return node

    with zipfile.ZipFile(io.BytesIO(file)) as whole:
        sizes = {entry.filename: entry.file_size for entry in whole.infolist()}
        if outside := [name for name in sizes if Path(name).name != name or "\\" in name]:
            raise ValueError(f"an archive with the path {outside[0]!r}")
        if (size := sum(sizes.values())) <= LARGEST:
            json.loads(whole.read("schema.json"), object_hook=note)
    # An entry is read again wherever it is named.
    if (size := size + sum(sizes.get(str(node.get("file")), 0) for node in nodes)) > LARGEST:
        raise ValueError(f"an archive that unpacks to {size:,} bytes")
    _check_calls(nodes)


def _check_calls(nodes: list[Node]) -> None:
    """A file may name a function of the three team files, not have it called while it is read.

    skops calls the class of an entry and the items of a list of types, and it takes the first of
    several entries with one number.
    """
    functions = set(list_own(FunctionType))
    numbers = {node.get("__id__") for node in nodes if _find_name(node) in functions} - {None}
    for node in nodes:
        name, inside = _find_name(node), node.get("content")
        if name in functions:
            passes = node["__loader__"] == "FunctionNode"
        else:
            passes = node.get("__id__") not in numbers
        if isinstance(inside, list):
            passes &= all(_find_name(item) not in functions for item in inside)
        if not passes:
            raise ValueError(f"a call of a function by {name}")


def _find_name(node: Node) -> str:
    """The class or function that an entry is of."""
    return f"{node.get('__module__')}.{node.get('__class__')}"


def check_trees(fitted: Any) -> None:
    """Refuse gradient boosting whose trees point outside themselves or their features, or backwards
    (which would never end): compiled code follows them without looking.
    """
    for part in _walk(fitted):
        boosting = isinstance(part, HistGradientBoostingClassifier | HistGradientBoostingRegressor)
        if boosting and hasattr(part, "_predictors"):  # else it is not fitted, as inside a wrapper
            categorical = _require_array(part._bin_mapper.is_categorical_)[: part.n_features_in_]
            for trees in part._predictors:
                for tree in trees:
                    _check_tree(tree, categorical)


def _check_tree(tree: Any, categorical: Any) -> None:
    """Check the nodes of one tree and its sets of categories; `categorical` says of each feature
    whether it is one.
    """
    nodes, bitsets = _require_array(tree.nodes), _require_array(tree.raw_left_cat_bitsets)
    parents = np.flatnonzero(nodes["is_leaf"] == 0)
    splits = nodes[parents]
    features_exist = (splits["feature_idx"] >= 0) & (splits["feature_idx"] < len(categorical))
    children = [splits["left"], splits["right"]]
    if not (
        len(nodes)
        and all(((side > parents) & (side < len(nodes))).all() for side in children)
        and features_exist.all()
    ):
        raise ValueError("a tree that points outside itself")
    by_set = splits[splits["is_categorical"] != 0]
    if len(by_set) and not (
        bitsets.shape[1] == SET
        and (by_set["bitset_idx"] < len(bitsets)).all()
        and categorical[by_set["feature_idx"]].all()
    ):
        raise ValueError("a tree that points outside its categories")


def _require_array(array: Any) -> Any:
    """The array itself: what a subclass (a masked one) shows is not what compiled code reads."""
    if type(array) is not np.ndarray:
        raise ValueError(f"a {type(array).__name__} in place of an array")
    return array


def _walk(whole: Any) -> Iterator[Any]:
    """Every object within `whole`, itself first; code is left out, arrays of objects are not."""
    seen: dict[int, Any] = {}
    ahead = [whole]
    while ahead:
        part = ahead.pop()
        if id(part) in seen or isinstance(part, type | ModuleType | FunctionType):
            continue
        seen[id(part)] = part
        yield part
        objects = isinstance(part, np.ndarray) and part.dtype == object
        ahead += part.ravel().tolist() if objects else gc.get_referents(part)


def replace_addresses(file: bytes) -> bytes:
    """A skops file whose parts are named by numbers in place of addresses, and without times."""
    names: dict[str, str] = {}
    source = zipfile.ZipFile(io.BytesIO(file))
    schema = json.loads(source.read("schema.json"), object_hook=lambda node: _rename(node, names))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as whole:
        for old, new in names.items():
            if old in source.namelist():
                whole.writestr(zipfile.ZipInfo(new), source.read(old))
        whole.writestr(zipfile.ZipInfo("schema.json"), json.dumps(schema))
    return target.getvalue()


def _rename(node: Node, names: dict[str, str]) -> Node:
    """One node of a skops schema with `__id__` and `file` numbered in the order in which they are
    met. Where these are keys of a dictionary of the model's own, they stay.
    """
    for key, kind in (("__id__", int), ("file", str)):
        if isinstance(node.get(key), kind):
            old = str(node[key])
            new = names.setdefault(old, f"{len(names)}{Path(old).suffix}")
            node[key] = int(new) if key == "__id__" else new
    # A text vectorizer keeps the address of its stop words, so as not to look at them twice.
    if "fixed_vocabulary_" in node and "_stop_words_id" in node:
        node["_stop_words_id"]["content"] = "0"
    return node
