"""A source as one table: nothing changed and nothing dropped."""

import importlib.util
import inspect
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from ..edge.errors import Fixable
from ..edge.explain import nearest
from ..edge.files import require_file, sha256
from ..edge.parameters import NEXT
from .files import KNOWN, Table, describe_failure, find_format, scan_file
from .read import PACKAGE, QUERY, Ingest, Query, Read, describe_way

BESIDE = (".", "_", "~$")  # how names of files begin that tools keep beside a table


def read_source(ingest: Ingest) -> pl.DataFrame:
    """The source's rows; columns of text files stay text, because the contract decides what they
    mean.
    """
    with TemporaryDirectory() as scratch:
        return collect(scan_source(ingest, Path(scratch)), ingest.source)


def read_file(path: Path, read: Read | None = None) -> pl.DataFrame:
    """One table; the values of a text file as text.

    Raises:
        Fixable: it is none.
    """
    with TemporaryDirectory() as scratch:
        return collect(scan_file(path, read or Read(), Path(scratch) / "text"), str(path))


def collect(table: Table, source: str) -> pl.DataFrame:
    """The rows of a table."""
    try:
        return table.rows.collect(engine="streaming")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise Fixable(describe_failure(Path(source), error)) from None


def scan_source(ingest: Ingest, scratch: Path) -> Table:
    """The source as a table that is not read yet; `scratch` is a folder for what is written anew.

    Raises:
        Fixable: it is none, or not all of its files are read.
    """
    source = Path(ingest.source)
    require_file(source, made_by=describe_way(has_query=ingest.query is not None))
    if ingest.query:
        require_snapshot(ingest.query, source)
    if source.is_dir():
        return join_parts(source, list_parts(source), ingest.read, scratch)
    if source.suffix == ".py":
        return Table(_call(source, ingest.settings).lazy(), {})
    if not find_format(source):
        raise Fixable(f"{source}: expected .py or a table ({KNOWN}), found something else. {NEXT}")
    return scan_file(source, ingest.read, scratch / "text")


def require_snapshot(query: Query, source: Path) -> None:
    """Raise Fixable where the source is no snapshot of the query as it stands."""
    sql = require_file(Path(query.sql), made_by="write the query there")
    try:
        origin = pl.read_parquet_metadata(source).get(QUERY)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise Fixable(describe_failure(source, error)) from None
    if origin != sha256(sql):
        raise Fixable(
            f"{source}: expected a snapshot of {sql} as it stands, found that of another query. "
            f"Next: uv run {PACKAGE} refresh, then uv run dvc repro"
        )


def list_parts(folder: Path) -> list[Path]:
    """The files of a folder, and of those in it.

    Raises:
        Fixable: one of them is no table; all such are named.
    """
    files = sorted(f for f in folder.rglob("*") if f.is_symlink() or not f.is_dir())
    files = [f for f in files if not f.name.startswith(BESIDE) and f.suffix != ".dvc"]
    others = [f for f in files if not f.is_file() or not find_format(f)]
    if others or not files:
        names = ", ".join(str(f.relative_to(folder)) for f in others[:20])
        more = f" and {len(others) - 20:,} more" if len(others) > 20 else ""
        raise Fixable(
            f"{folder}: expected tables only ({KNOWN}), found "
            f"{names + more or 'none'}. Next: move other files elsewhere, or rename these, then "
            "uv run dvc repro"
        )
    return files


def join_parts(folder: Path, parts: list[Path], read: Read, scratch: Path) -> Table:
    """The tables of a folder, one below the other.

    Raises:
        Fixable: their columns differ.
    """
    tables = [scan_file(part, read, scratch / f"text-{n}") for n, part in enumerate(parts)]
    try:
        schemas = [table.rows.collect_schema() for table in tables]
    except (pl.exceptions.PolarsError, OSError) as error:
        raise Fixable(describe_failure(folder, error)) from None
    for part, schema in zip(parts, schemas, strict=True):
        if dict(schema) != dict(schemas[0]):
            unlike = sorted(set(schema.items()) ^ set(schemas[0].items()), key=str)
            names = ", ".join(dict.fromkeys(f"`{name}`" for name, _ in unlike[:10]))
            raise Fixable(
                f"{part}: expected tables with the same columns, found that {names} "
                f"{'differs' if names.count('`') == 2 else 'differ'} from {parts[0]}. {NEXT}"
            )
    rows = pl.concat([table.rows.select(*schemas[0]) for table in tables])
    seen: dict[str, Any] = {}
    for table in tables:
        seen |= table.seen
    files = [part.relative_to(folder).as_posix() for part in parts]
    return Table(rows, seen, parts=tuple(zip(files, tables, strict=True)))


def _call(source: Path, settings: dict[str, Any]) -> pl.DataFrame:
    """The rows that `rows` gives in the Python file at `source`, called with the settings of
    `params.yaml`.
    """
    spec = importlib.util.spec_from_file_location(source.stem, source)
    if spec is None or spec.loader is None:
        raise Fixable(f"{source}: expected a Python file, found something else. {NEXT}")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise Fixable(_describe_error(source, error)) from None
    rows: Callable[..., pl.DataFrame] | None = getattr(module, "rows", None)
    if not callable(rows):
        raise Fixable(f"{source}: expected a function `rows`, found none. {NEXT}")
    allowed = list(inspect.signature(rows).parameters)
    for key in settings:
        if key not in allowed:
            hint = nearest(key, allowed) or f"; allowed: {', '.join(allowed)}"
            raise Fixable(f"params.yaml: ingest: settings: `{key}` is not a key here{hint}\n{NEXT}")
    try:
        table = rows(**settings)
    except Exception as error:
        raise Fixable(_describe_error(source, error)) from None
    if not isinstance(table, pl.DataFrame):
        raise Fixable(
            f"{source}: expected a polars DataFrame from rows(), found "
            f"{type(table).__name__}. Next: fix the function, then uv run dvc repro"
        )
    return table


def _describe_error(source: Path, error: Exception) -> str:
    """What went wrong in the Python file of a source, and where."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if is_same(f.filename, source)]
    line = error.lineno if isinstance(error, SyntaxError) else None
    line = line or (frames[-1].lineno if frames else None)
    place = f", line {line}" if line else ""
    code = f"\n    {frames[-1].line}" if frames else ""
    return (
        f"{source}{place}: expected to run, found {type(error).__name__}: {error}{code}\n"
        f"Next: fix {source.name}, then uv run dvc repro"
    )


def is_same(name: str, source: Path) -> bool:
    """Whether a file of a traceback is the source."""
    return os.path.abspath(name) == os.path.abspath(source)  # noqa: PTH100 - links stay links
