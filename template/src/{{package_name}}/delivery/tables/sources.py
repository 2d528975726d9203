"""A source as one table: nothing changed and nothing dropped."""

import importlib.util
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

from ..edge.errors import Fixable
from ..edge.explain import nearest
from ..edge.files import require_file
from ..edge.parameters import NEXT, Settings


class Ingest(Settings):
    """`source`: a .csv or .parquet file, a folder of them, or a .py file that defines
    `rows(**settings)`; `settings` are for such a file and unread otherwise.
    """

    source: str
    settings: dict[str, Any] = Field(default_factory=dict)


def read_source(ingest: Ingest) -> pl.DataFrame:
    """The source's rows; CSV columns stay text, because the contract decides what they mean."""
    source = Path(ingest.source)
    require_file(
        source, made_by="uv run dvc pull (shared data), or fix `ingest: source:` in params.yaml"
    )
    if source.suffix == ".py":
        return _call(source, ingest.settings)
    parts = (
        sorted(f for f in source.rglob("*") if f.suffix in {".csv", ".parquet"})
        if source.is_dir()
        else [source]
    )
    if not parts or any(part.suffix not in {".csv", ".parquet"} for part in parts):
        raise Fixable(f"{source}: expected .csv, .parquet or .py, found something else. {NEXT}")
    try:
        return pl.concat([read_file(part) for part in parts])
    except pl.exceptions.PolarsError as error:
        raise Fixable(
            f"{source}: expected tables with the same columns, found: {error}. {NEXT}"
        ) from None


def read_file(path: Path) -> pl.DataFrame:
    """One table; a .csv as text."""
    if path.suffix == ".csv":
        return pl.read_csv(path, infer_schema=False)
    return pl.read_parquet(path, memory_map=False)


def _call(source: Path, settings: dict[str, Any]) -> pl.DataFrame:
    """The rows that `rows` gives in the Python file at `source`, called with the settings of
    `params.yaml`.
    """
    spec = importlib.util.spec_from_file_location(source.stem, source)
    if spec is None or spec.loader is None:
        raise Fixable(f"{source}: expected a Python file, found something else. {NEXT}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rows: Callable[..., pl.DataFrame] = module.rows
    allowed = list(inspect.signature(rows).parameters)
    for key in settings:
        if key not in allowed:
            hint = nearest(key, allowed) or f"; allowed: {', '.join(allowed)}"
            raise Fixable(f"params.yaml: ingest: settings: `{key}` is not a key here{hint}\n{NEXT}")
    return rows(**settings)
