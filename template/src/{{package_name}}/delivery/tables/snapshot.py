"""A snapshot of a query: its rows as a Parquet file, batch by batch.

No stage imports this: a query gives other rows tomorrow, so what a pipeline reads is its snapshot.
"""

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import polars as pl
import sqlalchemy as sa

from ..edge.errors import Fixable
from ..edge.explain import read_text
from ..edge.files import replace_file, require_file, sha256
from .read import QUERY, Query
from .values import Unfit, build_column, join_columns

AGAIN = "Next: fix it, then the same command again"
BATCH = 50_000  # rows that are in memory at once
SECONDS = 10  # until a database that does not answer is given up
TIMED = {"psycopg", "psycopg2", "pymysql", "mysqldb"}  # drivers that know `connect_timeout`
PACKAGES = {
    "psycopg": "psycopg[binary]",
    "psycopg2": "psycopg2-binary",
    "MySQLdb": "mysqlclient",
    "snowflake": "snowflake-sqlalchemy",
    "bigquery": "sqlalchemy-bigquery",
}
"""Packages that bring a driver, or a kind of database, where their name is another one."""


def take_snapshot(query: Query, target: Path) -> int:
    """Run a query and write its rows to `target`; how many they are. Where that fails, `target`
    stays as it is.

    Raises:
        Fixable: the database is not to be reached, the query does not run, or a value cannot be
            kept as it is. No message holds a password, or a value of a row.
    """
    sql = read_text(require_file(Path(query.sql), made_by="write the query there"), AGAIN)
    with TemporaryDirectory() as scratch, replace_file(target) as part:
        for number, batch in enumerate(fetch(query, sql.strip().rstrip(";"))):
            batch.write_parquet(Path(scratch) / f"{number:09}.parquet")
        files = sorted(Path(scratch).glob("*.parquet"))
        try:
            rows = join_columns([pl.scan_parquet(file) for file in files])
        except Unfit as problem:
            raise Fixable(describe_unfit(query.sql, problem)) from None
        rows.sink_parquet(
            part, compression="zstd", compression_level=1, metadata={QUERY: sha256(Path(query.sql))}
        )
        return int(pl.scan_parquet(part).select(pl.len()).collect().item())


def describe_unfit(sql: str, problem: Unfit) -> str:
    """What cannot be kept as it is, and what to do about it."""
    return (
        f"{sql}: expected values that a column holds as they are, found {problem}. "
        "Next: cast the column in the query (CAST(x AS text)), then the same command again"
    )


def fetch(query: Query, sql: str) -> Iterator[pl.DataFrame]:
    """The rows of a query in batches, one at least; nothing is written to the database."""
    with connect(query) as connection:
        with explain_errors(query, is_reading=False):
            result = connection.exec_driver_sql(sql)
        if not result.returns_rows:
            raise Fixable(f"{query.sql}: expected a query that returns rows, found none. {AGAIN}")
        names = list(result.keys())
        if twice := sorted({name for name in names if names.count(name) > 1}):
            listed = ", ".join(f"`{name}`" for name in twice)
            raise Fixable(
                f"{query.sql}: expected each column once, found {listed} more than once. "
                "Next: name each with AS, then the same command again"
            )
        is_first = True
        while True:
            with explain_errors(query, is_reading=True):
                rows = result.fetchmany(BATCH)
            if not rows and is_first:
                raise Fixable(f"{query.sql}: expected rows, found none. {AGAIN}")
            if not rows:
                return
            yield build_batch(query.sql, names, rows)
            is_first = False


def build_batch(sql: str, names: list[str], rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
    """Rows of a database as a table."""
    columns = []
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        try:
            columns.append(build_column(name, values))
        except Unfit as problem:
            raise Fixable(describe_unfit(sql, Unfit(f"`{name}`: {problem}"))) from None
    return pl.DataFrame(columns)


@contextmanager
def connect(query: Query) -> Iterator[sa.Connection]:
    """A connection that reads, and gives rows as they come where its driver can."""
    url = read_url(query)
    with explain_errors(query, is_reading=False):
        is_timed = url.get_driver_name() in TIMED and "connect_timeout" not in url.query
        settings = {"connect_timeout": SECONDS} if is_timed else {}
        engine = sa.create_engine(url, connect_args=settings, poolclass=sa.NullPool)
        connection = engine.connect()
    options = {"postgresql_readonly": True} if url.get_backend_name() == "postgresql" else {}
    with connection:
        yield connection.execution_options(
            stream_results=True, max_row_buffer=BATCH, no_parameters=True, **options
        )


def read_url(query: Query) -> sa.URL:
    """Where the database is; that of SQLite is opened to read only, and not made."""
    text = query.url
    if text.startswith("$"):
        text = os.environ.get(text[1:], "")
        if not text:
            raise Fixable(
                f"params.yaml: ingest: query: url: expected the environment variable {query.url} "
                "to hold the address of a database, found it empty. Next: set it, then the same "
                "command again"
            )
    try:
        url = sa.make_url(text)
        url.get_backend_name()
    except (sa.exc.ArgumentError, ValueError):
        raise Fixable(
            f"params.yaml: ingest: query: url: expected {query.url} to be an address like "
            "postgresql+psycopg://reader@host/shop, found another text. Next: fix it, then the "
            "same command again"
        ) from None
    if url.get_backend_name() != "sqlite" or not url.database or url.query:
        return url
    return url.set(database=f"file:{quote(url.database)}", query={"mode": "ro", "uri": "true"})


@contextmanager
def explain_errors(query: Query, *, is_reading: bool) -> Iterator[None]:
    """Raise Fixable for what goes wrong with a database."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = PACKAGES.get(error.name or "", error.name)
        finding, command = f"no driver {error.name}", f"uv add --dev {shlex.quote(str(package))}"
    except sa.exc.NoSuchModuleError as error:
        kind = str(error).rpartition(":")[2].partition(".")[0]
        package = PACKAGES.get(kind, kind)
        finding, command = f"nothing that knows {kind}", f"uv add --dev {shlex.quote(package)}"
    except sa.exc.DBAPIError as error:
        finding = describe_error(error, may_hold_values=is_reading)
        finding = finding.replace(str(read_url(query).password or "\n"), "…")
        command = f"fix {query.sql}, or what it reads"
        if isinstance(error, sa.exc.OperationalError) and not is_reading:
            command = f"make sure that {query.url} is right and can be reached from here"
    except sa.exc.SQLAlchemyError as error:
        finding, command = type(error).__name__, f"fix {query.sql}"
    else:
        return
    raise Fixable(
        f"{query.sql}: expected the database to give its rows, found {finding}. "
        f"Next: {command}, then the same command again"
    )


def describe_error(error: sa.exc.DBAPIError, *, may_hold_values: bool) -> str:
    """What a driver says, in one line and without a password; without the value of a row, where it
    may hold one.
    """
    words = str(error.orig).strip().partition("\n")[0]
    if may_hold_values or isinstance(error, sa.exc.DataError):
        words = re.split(r":|with text|'", words)[0].strip()
        words = re.sub(r'"[^"]*"', '"…"', words)
    return f"{type(error.orig).__name__}: {words}"
