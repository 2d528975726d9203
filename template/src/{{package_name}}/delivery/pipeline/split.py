"""Stage `split`: rows to learn from, rows to choose with, rows to judge on, and nothing leaks
between them.
"""

from datetime import timedelta
from typing import Any

import polars as pl
from pydantic import Field

from ... import contract
from ..edge.errors import Fixable, run
from ..edge.files import paths, read_table, sha256, write_json, write_table
from ..edge.parameters import Settings, read
from ..tables.spot import spot

PARTS = ("train", "validation", "test")
NEXT = "Next: fix `split:` in params.yaml, or contract.py, then uv run dvc repro"


class Split(Settings):
    """`validation`, `test`: the shares of rows that are kept out of training."""

    validation: float = Field(gt=0, lt=1)
    test: float = Field(gt=0, lt=1)


def by_time(rows: pl.DataFrame, time: str, horizon: timedelta, shares: Split) -> pl.DataFrame:
    """The latest rows are test rows, those before them validation rows.

    A label is known `horizon` after its row, so rows whose label was not yet known when the next
    part begins belong to no part (the gap). Adds `part` (String: train, validation, test, gap).
    """
    test = _latest(rows[time], shares.test, rows.height)
    before = rows.filter(pl.col(time) + horizon <= test)
    if before.is_empty():
        return rows.with_columns(part=pl.lit("gap"))
    validation = _latest(before[time], shares.validation, rows.height)
    known = pl.col(time) + horizon
    return rows.with_columns(
        part=pl.when(pl.col(time) >= test)
        .then(pl.lit("test"))
        .when((pl.col(time) >= validation) & (known <= test))
        .then(pl.lit("validation"))
        .when(known <= validation)
        .then(pl.lit("train"))
        .otherwise(pl.lit("gap"))
    )


def _latest(times: pl.Series, share: float, of: int) -> Any:
    """The moment from which on the latest `share * of` rows lie."""
    return times.sort()[max(times.len() - max(round(share * of), 1), 0)]


def by_key(rows: pl.DataFrame, key: pl.Series, shares: Split) -> pl.DataFrame:
    """Rows with the same key stay together: a hash of it (BLAKE2b, the same everywhere) chooses the
    part.

    Adds `part` (String: train, validation, test).
    """
    names = key.unique()
    spots = pl.Series([spot(name) for name in names], dtype=pl.Float64)
    place = key.replace_strict(names, spots, return_dtype=pl.Float64)
    return rows.with_columns(
        part=pl.when(place < shares.test)
        .then(pl.lit("test"))
        .when(place < shares.test + shares.validation)
        .then(pl.lit("validation"))
        .otherwise(pl.lit("train"))
    )


def divided(rows: pl.DataFrame, shares: Split) -> tuple[str, pl.DataFrame]:
    """How the rows were divided (by time, entity or row) and the rows with their `part`."""
    if contract.TIME:
        return "time", by_time(rows, contract.TIME, contract.HORIZON, shares)
    if contract.ENTITY:
        return "entity", by_key(rows, rows[contract.ENTITY].cast(pl.String), shares)
    known = pl.exclude("row", contract.TARGET).cast(pl.String).fill_null("")
    return "row", by_key(
        rows, rows.select(pl.concat_str(known, separator="\x1f")).to_series(), shares
    )


def leaks(rows: pl.DataFrame) -> list[str]:
    """What crosses from one part to the next and must not, one sentence each."""
    entity, time = contract.ENTITY, contract.TIME
    parts = rows.filter(pl.col("part") != "gap")
    found = []
    if time:
        ends = dict(parts.group_by("part").agg((pl.col(time) + contract.HORIZON).max()).iter_rows())
        starts = dict(parts.group_by("part").agg(pl.col(time).min()).iter_rows())
        found = [
            f"labels of {early} rows are known only on {ends[early]}, after the {late} rows begin "
            f"({starts[late]})"
            for early, late in (("train", "validation"), ("train", "test"), ("validation", "test"))
            if ends[early] > starts[late]
        ]
    elif entity and (
        shared := parts.group_by(entity)
        .agg(pl.col("part").n_unique())
        .filter(pl.col("part") > 1)
        .height
    ):
        found = [f"{shared:,} values of `{entity}` are in more than one part"]
    return found


def described(rows: pl.DataFrame) -> dict[str, Any]:
    """Rows, first and last time of one part."""
    time = contract.TIME
    span = {"first": str(rows[time].min()), "last": str(rows[time].max())} if time else {}
    return {"rows": rows.height} | span


def main(argv: list[str] | None = None) -> int:
    """Read valid rows, write train, validation and test rows."""
    params, valid, *targets, report = paths(argv, __doc__, "params", "valid", *PARTS, "report")
    shares = read(params, "split", Split)
    by, rows = divided(read_table(valid), shares)
    parts = {name: rows.filter(part=name).drop("part") for name in PARTS}
    for name, part in parts.items():
        classes = part[contract.TARGET].n_unique()
        if classes < 2:
            raise Fixable(
                f"{valid}: expected {name} rows of two classes or more, found {part.height:,} rows "
                f"of {classes} (split by {by}; {rows.filter(part='gap').height:,} rows lie in the "
                f"gap). {NEXT}"
            )
    if crossing := leaks(rows):
        raise Fixable(
            f"{valid}: expected parts that share nothing, found that {'; '.join(crossing)}. {NEXT}"
        )
    for path, part in zip(targets, parts.values(), strict=True):
        write_table(part, path)
    again = (
        contract.ENTITY
        and parts["test"][contract.ENTITY].is_in(parts["train"][contract.ENTITY].implode()).sum()
    )
    content = {
        name: described(part) | {"sha256": sha256(path)}
        for (name, part), path in zip(parts.items(), targets, strict=True)
    }
    gap = rows.filter(part="gap").height
    write_json({"by": by, **content, "gap_rows": gap, "test_rows_of_known_entities": again}, report)
    return 0


if __name__ == "__main__":
    run(main)
