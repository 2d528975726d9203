"""Model folders as somebody would leave them who can write to the storage, and some accidents.

Each function edits a folder that a stage made. A careful enemy also writes the new hash into the
card (`relabel`), so that nothing but the reading of the file itself can refuse it.
"""

import hashlib
import io
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

Edit = Callable[[Path], object]
Node = dict[str, Any]
Nodes = dict[str, Node]
GIB = 1024**3
STRING = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode"}


def relabel(folder: Path) -> None:
    """Make the card agree with the files."""
    card = json.loads((folder / "card.json").read_text())
    for name in card["files"]:
        card["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "card.json").write_text(json.dumps(card))


def write(folder: Path, file: bytes) -> None:
    (folder / "model.skops").write_bytes(file)
    relabel(folder)


def entries(folder: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(folder / "model.skops") as whole:
        return {name: whole.read(name) for name in whole.namelist()}


def archive(content: dict[str, bytes], sizes: dict[str, int] | None = None) -> bytes:
    """A zip file; `sizes` are those that its directory claims in place of the true ones."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as whole:
        for name, file in content.items():
            whole.writestr(name, file)
        for name, size in (sizes or {}).items():
            whole.getinfo(name).file_size = size
    return target.getvalue()


def schema(folder: Path, root: Node) -> None:
    """A file that is one made-up object."""
    write(folder, archive({"schema.json": json.dumps(root | {"protocol": 2}).encode()}))


def node(loader: str, name: str, **more: Any) -> Node:
    module, _, last = name.rpartition(".")
    return {"__loader__": loader, "__module__": module, "__class__": last, **more}


def text(value: str) -> Node:
    return STRING | {"content": json.dumps(value)}


def listed(*items: Node, **more: Any) -> Node:
    return node("ListNode", "builtins.list", content=list(items), **more)


def call(function: str, *arguments: str) -> Node:
    """An object that skops makes by a call."""
    values = node("TupleNode", "builtins.tuple", content=[text(value) for value in arguments])
    return node("ConstructorFromReduceNode", function, content=values)


class Touch:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def a_pickle(folder: Path, sentinel: Path) -> None:
    write(folder, pickle.dumps(Touch(sentinel)))


def a_pickle_as_array(folder: Path, sentinel: Path) -> None:
    """An array of objects is a pickle inside numpy's format."""
    array = io.BytesIO()
    np.save(array, np.array([Touch(sentinel)], dtype=object), allow_pickle=True)
    content = entries(folder)
    name = next(name for name in content if name.endswith(".npy"))
    write(folder, archive(content | {name: array.getvalue()}))


def a_system_call(folder: Path, sentinel: Path) -> None:
    schema(folder, call("posix.system", f"touch {sentinel}"))


def a_named_system_function(folder: Path, sentinel: Path) -> None:
    function = node("FunctionNode", "posix.system")
    partial = node("TupleNode", "builtins.tuple", content=[text(f"touch {sentinel}")])
    nothing = node("DictNode", "builtins.dict", content={}, key_types=listed())
    content = {"func": function, "args": partial, "kwds": nothing, "namespace": nothing}
    schema(folder, node("PartialNode", "functools.partial", content=content))


def truncated(folder: Path) -> None:
    path = folder / "model.skops"
    path.write_bytes(path.read_bytes()[:-1000])


def truncated_and_relabelled(folder: Path) -> None:
    truncated(folder)
    relabel(folder)


def a_forest(folder: Path) -> None:
    """A type of scikit-learn that is not on the list, because its trees are not checked."""
    schema(folder, node("ObjectNode", "sklearn.tree._tree.Tree"))


def a_call_of_our_own_function(folder: Path) -> None:
    schema(folder, call("churn.model.rule"))


def our_own_function_as_key_type(folder: Path) -> None:
    kinds = listed(node("FunctionNode", "churn.model.candidates"))
    content = {"7": text("nothing")}
    schema(folder, node("DictNode", "builtins.dict", content=content, key_types=kinds))


def our_own_function_under_another_number(folder: Path) -> None:
    """The list says a type; its number says the function that came before it."""
    function = node("FunctionNode", "churn.model.candidates", __id__=7)
    kinds = listed(node("TypeNode", "builtins.str", __id__=7))
    inner = node("DictNode", "builtins.dict", content={"7": text("")}, key_types=kinds)
    outer = {"a": function, "b": inner}
    types = listed(*(node("TypeNode", "builtins.str") for _ in outer))
    schema(folder, node("DictNode", "builtins.dict", content=outer, key_types=types))


def a_climbing_path(folder: Path) -> None:
    write(folder, archive(entries(folder) | {"../../up.npy": b""}))


def an_absolute_path(folder: Path) -> None:
    write(folder, archive(entries(folder) | {"/tmp/up.npy": b""}))


def a_bomb(folder: Path) -> None:
    write(folder, archive({"schema.json": b"{}"}, sizes={"schema.json": 3 * GIB}))


def a_bomb_of_repeats(folder: Path) -> None:
    """One entry of 1 MiB that the schema names 3,000 times."""
    bytes_ = [node("BytesNode", "builtins.bytes", file="a.bin") for _ in range(3000)]
    root = json.dumps(listed(*bytes_, protocol=2)).encode()
    write(folder, archive({"schema.json": root, "a.bin": bytes(1024**2)}))


def a_deep_schema(folder: Path) -> None:
    write(folder, archive({"schema.json": b'{"a":' * 200_000 + b"0" + b"}" * 200_000}))


def wild(
    field: str, value: int, *, categorical: bool = False, beside_categories: bool = False
) -> Edit:
    """The first split of a tree of the gradient boosting points to `value`."""

    def edit(folder: Path) -> None:
        content = entries(folder)
        for name, file in content.items():
            tree: Any = np.load(io.BytesIO(file)) if name.endswith(".npy") else np.empty(0)
            splits: Any = (
                np.flatnonzero((tree["is_leaf"] == 0) & (tree["is_categorical"] == categorical))
                if tree.dtype.names
                else []
            )
            if len(splits) and (not beside_categories or tree["is_categorical"].any()):
                tree[field][splits[0]] = value
                array = io.BytesIO()
                np.save(array, tree)
                return write(folder, archive(content | {name: array.getvalue()}))
        raise AssertionError("no such split in the model")

    return edit


def a_number_that_says_category(folder: Path) -> None:
    """A split on a number that takes its values for categories, which it has none of."""
    wild("is_categorical", 1, beside_categories=True)(folder)


def masked_nodes(folder: Path) -> None:
    """Every node of a tree is hidden from a check in Python, not from compiled code."""
    content = entries(folder)
    root = json.loads(content["schema.json"])
    trees: list[Node] = []
    _find(root, "TreePredictor", trees)
    attributes = trees[0]["content"]["content"]
    nodes = attributes["nodes"]
    tree: Any = np.load(io.BytesIO(content[nodes["file"]]))
    tree["left"] = 10**6
    saved = {"t.npy": tree, "m.npy": np.ones(tree.shape, [(n, bool) for n in tree.dtype.names])}
    arrays = {}
    for name, array in saved.items():
        buffer = io.BytesIO()
        np.save(buffer, array)
        arrays[name] = buffer.getvalue()
    data, mask = (node("NdArrayNode", "numpy.ndarray", type="numpy", file=name) for name in saved)
    attributes["nodes"] = node(
        "MaskedArrayNode", "numpy.ma.MaskedArray", content={"data": data, "mask": mask}
    )
    write(folder, archive(content | arrays | {"schema.json": json.dumps(root).encode()}))


def _find(part: Any, name: str, nodes: list[Node]) -> None:
    if isinstance(part, dict):
        if part.get("__class__") == name:
            nodes.append(part)
        for value in part.values():
            _find(value, name, nodes)
    elif isinstance(part, list):
        for value in part:
            _find(value, name, nodes)


def card(**changes: Any) -> Edit:
    """Other facts in the card; None takes one out."""

    def edit(folder: Path) -> None:
        facts = json.loads((folder / "card.json").read_text()) | changes
        kept = {key: value for key, value in facts.items() if value is not None}
        (folder / "card.json").write_text(json.dumps(kept))

    return edit


def a_card_that_lies(folder: Path) -> None:
    files = json.loads((folder / "card.json").read_text())["files"]
    card(files=files | {"model.skops": "0" * 64})(folder)


def a_card_that_is_silent(folder: Path) -> None:
    files = json.loads((folder / "card.json").read_text())["files"]
    card(files={name: value for name, value in files.items() if name != "model.skops"})(folder)


def a_broken_card(folder: Path) -> None:
    (folder / "card.json").write_text("{")


def broken_canaries(folder: Path) -> None:
    (folder / "canaries.parquet").write_bytes(b"PAR1")
    relabel(folder)


def untrue_canaries(folder: Path) -> None:
    path = folder / "canaries.parquet"
    pl.read_parquet(path).with_columns(p_leaves=0.5, p_stays=0.5).write_parquet(path)
    relabel(folder)


def copied(source: Path, target: Path) -> Path:
    return Path(shutil.copytree(source, target))
