"""Stage `split`: rows to learn from, rows to choose with, rows to judge on; nothing leaks between
them, and not too many of those to judge on are in quarantine.
"""

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

from ... import contract
from ..edge.errors import Fixable, run
from ..edge.files import parse_paths, read_table, sha256, write_json, write_table
from ..edge.parameters import Settings, read, read_section
from ..problem import target
from ..statistics.interval import FEWEST
from ..tables.quarantine import UNKNOWN, describe_parts, read_typed, require_whole_test
from ..tables.spot import compute_spot

PARTS = ("train", "validation", "test")
NEXT = "Next: fix `split:` in params.yaml, or contract.py, then uv run dvc repro"


class Split(Settings):
    """`validation`, `test`: the shares of rows that are kept out of training."""

    validation: float = Field(gt=0, lt=1)
    test: float = Field(gt=0, lt=1)


def split_by_time(rows: pl.DataFrame, time: str, horizon: timedelta, shares: Split) -> pl.DataFrame:
    """The latest rows are test rows, those before them validation rows.

    A label is known `horizon` after its row. Rows whose label was not yet known when the next part
    begins belong to no part (the gap). Adds `part` (String: train, validation, test, gap).
    """
    test = _find_start(rows[time], shares.test, rows.height)
    label_time = pl.col(time) + horizon
    before = rows.filter(label_time <= test)
    if before.is_empty():
        return rows.with_columns(part=pl.lit("gap"))
    validation = _find_start(before[time], shares.validation, rows.height)
    return rows.with_columns(
        part=pl.when(pl.col(time) >= test)
        .then(pl.lit("test"))
        .when((pl.col(time) >= validation) & (label_time <= test))
        .then(pl.lit("validation"))
        .when(label_time <= validation)
        .then(pl.lit("train"))
        .otherwise(pl.lit("gap"))
    )


def _find_start(times: pl.Series, share: float, n: int) -> Any:
    """The time from which on the latest `share * n` rows lie."""
    return times.sort()[max(times.len() - max(round(share * n), 1), 0)]


def split_by_key(rows: pl.DataFrame, key: pl.Series, shares: Split) -> pl.DataFrame:
    """Rows with the same key stay together: a hash of it (BLAKE2b, the same everywhere) chooses the
    part.

    Adds `part` (String: train, validation, test).
    """
    names = key.unique()
    spots = pl.Series([compute_spot(name) for name in names], dtype=pl.Float64)
    place = key.replace_strict(names, spots, return_dtype=pl.Float64)
    return rows.with_columns(
        part=pl.when(place < shares.test)
        .then(pl.lit("test"))
        .when(place < shares.test + shares.validation)
        .then(pl.lit("validation"))
        .otherwise(pl.lit("train"))
    )


def split(rows: pl.DataFrame, shares: Split) -> tuple[str, pl.DataFrame]:
    """What the rows were split by (time, entity or row), and the rows with their `part`."""
    if contract.TIME:
        return "time", split_by_time(rows, contract.TIME, contract.HORIZON, shares)
    if contract.ENTITY:
        return "entity", split_by_key(rows, rows[contract.ENTITY].cast(pl.String), shares)
    values = pl.exclude("row", contract.TARGET).cast(pl.String).fill_null("")
    key = rows.select(pl.concat_str(values, separator="\x1f")).to_series()
    return "row", split_by_key(rows, key, shares)


def place(quarantined: pl.DataFrame, valid: pl.DataFrame, shares: Split) -> pl.DataFrame:
    """Quarantined rows with the `part` that they would belong to in a split that knows them too;
    `unknown` where their time (without one: their entity) cannot be read.
    """
    name = contract.TIME or contract.ENTITY
    is_known = pl.col(name).is_not_null() if name else pl.lit(True)
    known = quarantined.filter(is_known)
    if contract.TIME:
        times = pl.concat([table.select("row", contract.TIME) for table in (valid, known)])
        parted = split_by_time(times, contract.TIME, contract.HORIZON, shares)
    else:
        _, parted = split(known.drop("reasons"), shares)
    placed = known.join(parted.select("row", "part"), on="row", how="left")
    return pl.concat([placed, quarantined.filter(~is_known).with_columns(part=pl.lit(UNKNOWN))])


def find_leaks(rows: pl.DataFrame) -> list[str]:
    """What crosses from one part to the next and must not, one sentence each."""
    parts = rows.filter(pl.col("part") != "gap")
    if contract.TIME:
        return _find_early_parts(parts, contract.TIME)
    if contract.ENTITY:
        return _find_shared_entities(parts, contract.ENTITY)
    return []


def _find_early_parts(parts: pl.DataFrame, time: str) -> list[str]:
    """Parts that begin before all labels of an earlier part are known."""
    label_time = pl.col(time) + contract.HORIZON
    ends = dict(parts.group_by("part").agg(label_time.max()).iter_rows())
    starts = dict(parts.group_by("part").agg(pl.col(time).min()).iter_rows())
    return [
        f"labels of {early} rows are known only on {ends[early]}, after the {late} rows begin "
        f"({starts[late]})"
        for early, late in (("train", "validation"), ("train", "test"), ("validation", "test"))
        if ends[early] > starts[late]
    ]


def _find_shared_entities(parts: pl.DataFrame, entity: str) -> list[str]:
    """Entities with rows in several parts."""
    parts_of_each = parts.group_by(entity).agg(pl.col("part").n_unique())
    shared = parts_of_each.filter(pl.col("part") > 1).height
    return [f"{shared:,} values of `{entity}` are in more than one part"] if shared else []


def require_sound(rows: pl.DataFrame, key: str, source: Path) -> None:
    """Raise Fixable where a part has fewer than two classes, or shares what it must not."""
    gap = rows.filter(part="gap").height
    for name in PARTS:
        part = rows.filter(part=name)
        classes = part[contract.TARGET].n_unique()
        if classes < 2:
            raise Fixable(
                f"{source}: expected {name} rows of two classes or more, found {part.height:,} "
                f"rows of {classes} (split by {key}; {gap:,} rows lie in the gap). {NEXT}"
            )
    if leaks := find_leaks(rows):
        raise Fixable(
            f"{source}: expected parts that share nothing, found that {'; '.join(leaks)}. {NEXT}"
        )


def describe_part(part: pl.DataFrame, path: Path) -> dict[str, Any]:
    """Rows, first and last time of one part, the level of its target, and the hash of its file."""
    time = contract.TIME
    span = {"first": str(part[time].min()), "last": str(part[time].max())} if time else {}
    level = target.measure_level(part[contract.TARGET])
    return {"rows": part.height} | span | {"target": level, "sha256": sha256(path)}


def count_telling(rows: pl.DataFrame, test: pl.DataFrame) -> list[dict[str, Any]]:
    """For each kind of unit that a gain may rest on (`group`, as `target.mark` names them), how
    many `rows` in all parts and in the `test` part are such, and the least share of test rows,
    rounded up, with which `FEWEST` would be; None where there are not as many, or too many rows
    would be gone for training.
    """
    marks, in_test = target.mark(rows[contract.TARGET]), target.mark(test[contract.TARGET])
    counts = []
    for group in sorted(marks.unique().drop_nulls()):
        own = rows.filter(marks == group)
        share = None
        if own.height > FEWEST:
            first = FEWEST / own.height
            if contract.TIME:
                time = own[contract.TIME].sort(descending=True)[FEWEST - 1]
                first = rows.filter(pl.col(contract.TIME) >= time).height / rows.height
            share = math.ceil(first * 1000) / 1000
        number = int((in_test == group).sum())
        counts.append({"group": group, "rows": own.height, "test": number, "share": share})
    return counts


def describe_shortage(counts: list[dict[str, Any]], shares: Split) -> list[str]:
    """A sentence for each kind of unit of which the test part holds too few."""
    sentences = []
    for count in counts:
        if count["test"] >= FEWEST:
            continue
        words = f"too few to tell: the test part holds {count['test']:,} `{count['group']}`, and "
        words += f"{FEWEST} are needed; "
        share = count["share"]
        if share is None or share + shares.validation >= 1:
            words += f"all rows hold {count['rows']:,}: collect more"
        else:
            about = "" if contract.TIME else "about "
            words += f"{about}`split: test: {share:g}` in params.yaml would give {FEWEST} "
            words += f"(now {shares.test:g})"
        sentences.append(words)
    return sentences


def count_returning(parts: dict[str, pl.DataFrame]) -> int | None:
    """Test rows whose entity has training rows too; None without entities."""
    if contract.ENTITY is None:
        return None
    train, test = (parts[name][contract.ENTITY] for name in ("train", "test"))
    return int(test.is_in(train.implode()).sum())


def main(argv: list[str] | None = None) -> int:
    """Read valid rows, write train, validation and test rows."""
    params, valid, quarantine, *targets, report = parse_paths(
        argv, __doc__, "params", "valid", "quarantine", *PARTS, "report"
    )
    shares, limit = read(params, "split", Split), read_section(params, "validate")
    key, rows = split(read_table(valid), shares)
    require_sound(rows, key, valid)
    placed = place(read_typed(read_table(quarantine)), rows, shares)
    taken = describe_parts(placed, rows, contract.TARGET)
    test_rows = rows.filter(part="test").height
    require_whole_test(
        placed, test_rows, limit["quarantine_at_most"], str(quarantine), contract.PERSONAL
    )
    parts = {name: rows.filter(part=name).drop("part") for name in PARTS}
    content: dict[str, Any] = {"by": key}
    for path, (name, part) in zip(targets, parts.items(), strict=True):
        write_table(part, path)
        content[name] = describe_part(part, path)
    content["gap_rows"] = rows.filter(part="gap").height
    content["test_rows_of_known_entities"] = count_returning(parts)
    content["quarantine"] = taken
    content["telling"] = count_telling(rows.drop("part"), parts["test"])
    content["too_few"] = describe_shortage(content["telling"], shares)
    for sentence in content["too_few"]:
        print(f"split: {sentence}")
    write_json(content, report)
    return 0


if __name__ == "__main__":
    run(main)
