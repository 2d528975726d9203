"""Files at the edge of a stage: read with a plain message, written whole or not at all."""

import argparse
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import Fixable

if TYPE_CHECKING:
    import polars as pl

EXPERIMENTS = ".dvc/tmp/exps"  # below a project: where `dvc exp run --temp` and `--queue` run


def parse_paths(argv: list[str] | None, description: str | None, *names: str) -> list[Path]:
    """A stage's command line: one path for each name, in the order in which `dvc.yaml` has them."""
    parser = argparse.ArgumentParser(description=description)
    for name in names:
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args(argv)
    return [getattr(arguments, name) for name in names]


def find_project(folder: Path) -> Path:
    """The generated repository that a folder belongs to.

    Raises:
        Fixable: it is in none.
    """
    for root in (folder, *folder.parents):
        if (root / "dvc.yaml").exists():
            return root
    raise Fixable(f"{folder}: expected to be inside the project, found no dvc.yaml here or above")


def find_main_project(folder: Path) -> Path:
    """The project that a project's folder is a copy of, where DVC runs an experiment
    (`.dvc/tmp/exps`); `folder` itself anywhere else.
    """
    experiments = (root for root in folder.parents if folder.is_relative_to(root / EXPERIMENTS))
    return next(experiments, folder)


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """A temporary name that becomes `path` on success: a killed stage leaves no half file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f".{path.name}.*.part"):
        leftover.unlink(missing_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def require_file(path: Path, *, made_by: str = "uv run dvc repro") -> Path:
    """`path` itself.

    Raises:
        Fixable: it does not exist; `made_by` is the command that makes it.
    """
    if not os.path.exists(path):  # noqa: PTH110 - for Path.exists a path can be too long
        raise Fixable(f"{path}: expected to exist, found nothing there. Next: {made_by}")
    return path


def describe_fix(folder: Path) -> str:
    """The commands that bring a model's folder back by its pointer in git, or make it anew where it
    has none.
    """
    pointer = folder.with_name(f"{folder.name}.dvc")
    if pointer.exists():
        restore = f"git checkout {pointer}, then uv run dvc checkout --force {pointer}"
        return f"{restore}, then uv run dvc repro"
    return "uv run dvc repro --force --single-item train, then uv run dvc repro"


def read_table(path: Path) -> "pl.DataFrame":
    """Read a parquet file that a stage wrote."""
    import polars as pl  # here, as most who read files read no table: it takes 0.2 s

    return pl.read_parquet(require_file(path), memory_map=False)


def write_table(frame: "pl.DataFrame", path: Path) -> None:
    """Write a parquet file: the same rows are the same bytes."""
    with replace_file(path) as part:
        frame.write_parquet(part, compression="zstd", compression_level=1)


def read_json(path: Path, *, made_by: str = "uv run dvc repro") -> Any:
    """The content of a small JSON report.

    Raises:
        Fixable: there is none, or it is no JSON (after a merge, for example).
    """
    return parse_json(require_file(path, made_by=made_by).read_bytes(), str(path), made_by=made_by)


def parse_json(text: str | bytes, name: str, *, made_by: str = "uv run dvc repro") -> Any:
    """The content of the text of the file `name`.

    Raises:
        Fixable: it is no JSON.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise Fixable(f"{name}: expected JSON, found {error}. Next: {made_by}") from None


def write_json(content: Any, path: Path) -> None:
    """Write a small JSON report; nine significant digits, so that the order of a sum changes
    nothing.
    """
    text = json.dumps(round_floats(content), indent=1, ensure_ascii=False, allow_nan=False)
    write_text(text + "\n", path)


def write_text(text: str, path: Path) -> None:
    """Write a text file."""
    with replace_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def round_floats(content: Any) -> Any:
    """The same JSON content with every float at nine significant digits."""
    if isinstance(content, float):
        return float(f"{content:.9g}")
    if isinstance(content, dict):
        return {key: round_floats(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [round_floats(value) for value in content]
    return content


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
