"""A snapshot of a query holds its values as they are, or a message says which cannot be kept."""

import os
import pwd
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ..ports import free_port
from .conftest import Rendered

SECRET = "Tr0ub4dor-and-3"
TYPES = """
SELECT n AS id, (n % 7)::numeric / 3 AS ratio, 12.50::numeric(6, 2) AS price, 1e25::numeric AS huge,
    '0b7ae4ec-11f3-4d2e-8a4c-6f9f6c1c2a10'::uuid AS code, jsonb_build_object('a', n) AS json,
    '2024-03-31 02:30:00+02'::timestamptz AS at, '2024-05-01 10:00:00'::timestamp AS local,
    '2024-05-01'::date AS day, '10:30'::time AS clock, interval '26 hours' AS span,
    ARRAY[n, n + 1] AS numbers, ARRAY['a', NULL]::text[] AS words, decode('00ff', 'hex') AS bytes,
    '100%s :x'::text AS text, NULL::text AS nothing, n > 1 AS truth,
    CASE WHEN n = 1 THEN n::float8 / 3 END AS number
FROM generate_series(1, 3) AS n WHERE 'abc' LIKE 'a%'
ORDER BY n; -- the key
"""
EXPECTED: dict[str, list[Any]] = {
    "id": [1, 2, 3],
    "ratio": ["0.33333333333333333333", "0.66666666666666666667", "1.00000000000000000000"],
    "price": ["12.50"] * 3,
    "huge": ["10000000000000000000000000"] * 3,
    "code": ["0b7ae4ec-11f3-4d2e-8a4c-6f9f6c1c2a10"] * 3,
    "json": ['{"a": 1}', '{"a": 2}', '{"a": 3}'],
    "at": [datetime(2024, 3, 31, 0, 30, tzinfo=UTC)] * 3,
    "local": [datetime(2024, 5, 1, 10)] * 3,
    "day": [date(2024, 5, 1)] * 3,
    "clock": [time(10, 30)] * 3,
    "span": [timedelta(hours=26)] * 3,
    "numbers": [[1, 2], [2, 3], [3, 4]],
    "words": [["a", None]] * 3,
    "bytes": [b"\x00\xff"] * 3,
    "text": ["100%s :x"] * 3,
    "nothing": [None] * 3,
    "truth": [False, True, True],
    "number": [1 / 3, None, None],
}
Take = Callable[..., pl.DataFrame]


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address, with its password, of a real PostgreSQL on loopback."""
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    tools = shutil.which("pg_ctl", path=os.pathsep.join([os.environ["PATH"], *map(str, places)]))
    assert tools, "apt-get install postgresql"
    tools = str(Path(tools).resolve())
    port, folder = free_port(), Path(tempfile.mkdtemp(dir="/tmp"))
    secret = folder / "secret"
    secret.write_text(SECRET)
    user: dict[str, Any] = {}
    if os.getuid() == 0:  # PostgreSQL does not run as root
        user = {"user": pwd.getpwnam("postgres").pw_uid}
        for path in (folder, secret):
            os.chown(path, user["user"], -1)

    def run(*words: str) -> None:
        command = [tools, "-D", str(folder / "data"), *words]
        subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL, **user)

    run("initdb", "-o", f"-A scram-sha-256 -N -U reader --pwfile={secret}")
    options = f"-k '' -h 127.0.0.1 -p {port} -F"
    try:
        run("start", "-w", "-l", str(folder / "log"), "-o", options)
        yield f"postgresql+psycopg://reader:{SECRET}@127.0.0.1:{port}/postgres"
    finally:
        run("stop", "-m", "immediate")
        shutil.rmtree(folder)


@pytest.fixture
def take(rendered: Rendered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Take:
    """`take("SELECT 1 AS a", url)`: the snapshot of a query; the address is in a variable."""
    monkeypatch.chdir(tmp_path)
    query, module = rendered.load("tables.read").Query, rendered.load("tables.snapshot")

    def taken(sql: str, url: str, batch: int = 50_000) -> pl.DataFrame:
        monkeypatch.setattr(module, "BATCH", batch)
        monkeypatch.setenv("SHOP_URL", url)
        Path("shop.sql").write_text(sql)
        count = module.take_snapshot(query(sql="shop.sql", url="$SHOP_URL"), Path("shop.parquet"))
        rows = pl.read_parquet("shop.parquet")
        assert rows.height == count
        return rows

    return taken


@pytest.mark.parametrize("batch", [1, 2, 50_000])
def test_what_postgresql_gives_comes_as_it_is(postgres: str, take: Take, batch: int) -> None:
    rows = take(TYPES, postgres, batch)
    for name, values in EXPECTED.items():
        assert rows[name].to_list() == values, name
    assert rows.columns == list(EXPECTED)


UNFIT = {
    "SELECT '10:30+02'::timetz AS a": "`a`: times of day with a time zone",
    "SELECT int4range(1, 3) AS a": "`a`: values of type Range",
    "SELECT ARRAY[ARRAY[1]] AS a": "`a`: values of type list",
    "SELECT 'infinity'::timestamptz AS a": "timestamp too large",
    "SELECT 1 AS a, 2 AS a": "expected each column once, found `a` more than once",
    "SELECT 1 AS a WHERE false": "expected rows, found none",
    "SELECT nope FROM shop": 'relation "shop" does not exist',
    "SELEC 1": 'syntax error at or near "SELEC"',
    "CREATE TABLE x (a int)": 'syntax error at or near "CREATE"',
    "SELECT ('ann@acme.com' || n)::int FROM generate_series(1, 3) n": "invalid input syntax",
    "SELECT 'ann@acme.com'::date": "invalid input syntax",
    "SELECT 1 / (3 - n) AS a FROM generate_series(1, 3) n": "division by zero",
}


def test_what_cannot_be_kept_is_a_message_and_the_old_snapshot_stays(
    rendered: Rendered, postgres: str, take: Take
) -> None:
    take("SELECT 1 AS a", postgres)
    before = Path("shop.parquet").read_bytes()
    fixable = rendered.load("edge.errors").Fixable
    for sql, words in UNFIT.items():
        with pytest.raises(fixable) as error:
            take(sql, postgres, batch=1)
        message = str(error.value)
        assert words in message, sql
        assert message.startswith("shop.sql: expected "), sql
        assert "Next: " in message, sql
        assert "ann@acme.com" not in message
        assert SECRET not in message
        assert Path("shop.parquet").read_bytes() == before
        assert sorted(path.name for path in Path().iterdir()) == ["shop.parquet", "shop.sql"]


ADDRESSES = {
    "postgresql+psycopg://ann:{SECRET}@{nobody}/shop": (
        "Connection refused. Next: make sure that $SHOP_URL is right and can be reached"
    ),
    "postgresql+psycopg2://ann:{SECRET}@{nobody}/shop": "uv add --dev psycopg2-binary",
    "snowflake://ann:{SECRET}@{nobody}/shop": "uv add --dev snowflake-sqlalchemy",
    "sqlite:///nowhere.db": "unable to open database file",
    "{SECRET}": "expected $SHOP_URL to be an address like",
    "": "expected the environment variable $SHOP_URL to hold the address",
}


@pytest.mark.parametrize("url", ADDRESSES)
def test_what_an_address_lacks_is_told_without_its_password(
    rendered: Rendered, take: Take, nobody: str, url: str
) -> None:
    with pytest.raises(rendered.load("edge.errors").Fixable) as error:
        take("SELECT 1 AS a", url.format(SECRET=SECRET, nobody=nobody))
    assert ADDRESSES[url] in str(error.value)
    assert SECRET not in str(error.value)
    assert not Path("nowhere.db").exists()


def test_a_wrong_password_is_refused_and_not_repeated(
    rendered: Rendered, postgres: str, take: Take
) -> None:
    with pytest.raises(rendered.load("edge.errors").Fixable, match="authentication failed") as e:
        take("SELECT 1 AS a", postgres.replace(SECRET, f"{SECRET}-of-last-year"))
    assert SECRET not in str(e.value)


def test_a_column_of_sqlite_with_several_types_loses_nothing(
    rendered: Rendered, tmp_path: Path, take: Take
) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.execute("CREATE TABLE t (i, x, s, b)")
        values = [(1, 1, 7, b"\x00"), (2, 2.5, "n/a", None), (None, None, 1.5, b"z")]
        shop.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", values)
    shop.close()
    url, fixable = "sqlite:///shop.db", rendered.load("edge.errors").Fixable
    for batch in (1, 2, 50_000):
        rows = take("SELECT * FROM t", url, batch)
        assert rows.rows() == [
            (1, 1.0, "7", b"\x00"),
            (2, 2.5, "n/a", None),
            (None, None, "1.5", b"z"),
        ]
        for sql in ("SELECT b AS a FROM t UNION ALL SELECT s FROM t",
                    "SELECT x AS a FROM t UNION ALL SELECT 9007199254740993"):  # fmt: skip
            with pytest.raises(fixable, match="expected values that a column holds as they are"):
                take(sql, url, batch)
    with pytest.raises(fixable, match="readonly database"):
        take("DELETE FROM t", url)
    assert take("SELECT count(*) AS n FROM t", url)["n"].to_list() == [3]


PASSWORDS = (
    f"postgresql://ann:{SECRET}@acme.com/shop",
    f"postgresql://acme.com/shop?user=ann&password={SECRET}",
    f"mssql+pyodbc://?odbc_connect=SERVER%3Dx%3BPWD%3D{SECRET}",
    f"postgresql://ann:{SECRET}@[acme.com/shop",
)


@pytest.mark.parametrize("url", PASSWORDS)
def test_an_address_in_params_has_no_password(rendered: Rendered, tmp_path: Path, url: str) -> None:
    params = tmp_path / "params.yaml"
    text = "ingest:\n  source: a.parquet\n  query: {{sql: a.sql, url: '{}'}}\n"
    read, ingest = rendered.load("edge.parameters").read, rendered.load("tables.read").Ingest
    params.write_text(text.format(url))
    with pytest.raises(rendered.load("edge.errors").Fixable, match="without a password") as error:
        read(params, "ingest", ingest)
    assert SECRET not in str(error.value)
    params.write_text(text.format(SECRET))
    with pytest.raises(rendered.load("edge.errors").Fixable, match="expected the address") as error:
        read(params, "ingest", ingest)
    assert SECRET not in str(error.value)
    params.write_text(text.format("postgresql+psycopg://ann@acme.com/shop?sslmode=require"))
    assert read(params, "ingest", ingest).query.sql == "a.sql"
    params.write_text(text.format("$SHOP_URL").replace("a.parquet", "a.csv"))
    with pytest.raises(rendered.load("edge.errors").Fixable, match=r"data/source/a.parquet"):
        read(params, "ingest", ingest)
