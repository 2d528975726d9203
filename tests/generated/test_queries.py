"""A source that is a query: `refresh` takes its snapshot, and the pipeline reads that alone."""

import sqlite3
from contextlib import closing

import polars as pl

from ..made import Repository, fixable, passes, says_no, stopped

SNAPSHOT = "data/source/customers.parquet"
SQL = "queries/customers.sql"
QUERY = f"source: {SNAPSHOT}\n  query: {{sql: {SQL}, url: $SHOP_URL}}"
SHOP = {"SHOP_URL": "sqlite:///shop.db"}
SECRET = "Tr0ub4dor-and-3"


def write_shop(repository: Repository, rows: pl.DataFrame) -> None:
    """A database with these rows, dates as text, as SQLite has them."""
    texts = rows.with_columns(pl.col(pl.Date).cast(pl.String))
    with closing(sqlite3.connect(repository.folder / "shop.db")) as shop, shop:
        shop.execute("DROP TABLE IF EXISTS customers")
        shop.execute(f"CREATE TABLE customers ({', '.join(rows.columns)})")
        shop.executemany(
            f"INSERT INTO customers VALUES ({', '.join('?' * rows.width)})", texts.iter_rows()
        )


def test_a_snapshot_is_taken_read_and_taken_again(repository: Repository) -> None:
    rows = repository.raw()
    write_shop(repository, rows.head(5_000))
    (repository.folder / "queries").mkdir()
    sql, snapshot = repository.folder / SQL, repository.folder / SNAPSHOT
    sql.write_text("SELECT * FROM customers ORDER BY customer;\n")
    repository.edit("params.yaml", f"source: {repository.code('example')}", QUERY)

    fixable(repository.run("churn", "check"), f"{SNAPSHOT}: expected to exist", "churn refresh")
    passes(repository.run("churn", "refresh", **SHOP), f"A new snapshot: {SNAPSHOT}, 5,000 rows")
    passes(repository.run("dvc", "repro", "validate"))  # no address, and no database
    assert repository.json("reports/data.json")["rows"]["raw"] == 5_000
    changed = repository.git("status", "--short", "--untracked-files=all")
    assert f"?? {SNAPSHOT}.dvc" in changed
    assert f"{SNAPSHOT}\n" not in changed
    passes(repository.run("churn", "refresh", **SHOP), f"No new snapshot: {SQL} gives what")

    before = (snapshot.read_bytes(), snapshot.with_name(f"{snapshot.name}.dvc").read_bytes())
    sql.write_text("SELECT * FROM customers_of_old;\n")
    failed = repository.run("churn", "refresh", **SHOP)
    fixable(failed, f"{SQL}: expected the database to give its rows", "no such table")
    assert before == (
        snapshot.read_bytes(), snapshot.with_name(f"{snapshot.name}.dvc").read_bytes()
    )  # fmt: skip

    repository.edit("params.yaml", f"sql: {SQL}", "sql: queries/again.sql")
    (repository.folder / "queries/again.sql").write_text("SELECT * FROM customers WHERE true")
    words = f"{SNAPSHOT}: expected a snapshot of queries/again.sql as it stands, found that of"
    stopped(repository.run("dvc", "repro", "ingest"), words, "Next: uv run churn refresh")
    write_shop(repository, rows)
    passes(repository.run("churn", "refresh", **SHOP), f"{SNAPSHOT}, {rows.height:,} rows")
    passes(repository.run("dvc", "repro", "validate"))
    assert repository.json("reports/data.json")["rows"]["raw"] == rows.height


def test_a_password_in_params_is_refused_and_not_repeated(repository: Repository) -> None:
    address = f"postgresql://ann:{SECRET}@acme.com/shop"
    source = f"source: {repository.code('example')}"
    repository.edit("params.yaml", source, QUERY.replace("$SHOP_URL", f'"{address}"'))
    expected = "params.yaml: ingest: `query.url`: expected an address without a password"
    for completed in (
        repository.run("churn", "refresh"),
        repository.run(
            "python", "-m", "churn.delivery.pipeline.ingest", "params.yaml", "data/raw.parquet"
        ),
    ):
        fixable(completed, expected, "$SHOP_URL")
        assert SECRET not in completed.stdout + completed.stderr
    repository.git("commit", "--quiet", "--all", "--no-verify", "--message", "An address")
    completed = repository.run("churn", "secrets")
    says_no(completed, "params.yaml")
    assert SECRET not in completed.stdout + completed.stderr
