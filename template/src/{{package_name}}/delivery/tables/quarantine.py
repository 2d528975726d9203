"""Rows that broke the contract: why, and which part (train, validation, test) lacks them."""

import math
from collections.abc import Callable
from typing import Any

import polars as pl

from ..edge.errors import Fixable
from ..edge.explain import shorten
from ..problem import target

TYPED = "typed values"
"""Beside the raw text of a quarantined row: its values in the contract's types, as far as they can
be read.
"""
UNKNOWN = "unknown"
"""The part of a row whose time or entity cannot be read."""


def count_reasons(quarantined: pl.DataFrame) -> dict[str, int]:
    """Rows by reason, the commonest first."""
    counts = quarantined["reasons"].explode().value_counts(name="n")
    return dict(counts.sort(["n", "reasons"], descending=[True, False]).iter_rows())


def describe_reasons(
    quarantined: pl.DataFrame, personal: list[str], locate: Callable[[int], str] = lambda row: ""
) -> str:
    """All reasons with their rows, the commonest first: `age is below the minimum (40 rows): '-1',
    31 times, first in line 17`. No value of a column that is `personal`; `locate` says where the
    row of a number stands in the source, or nothing.
    """
    words = []
    for reason, count in count_reasons(quarantined).items():
        rows = quarantined.filter(pl.col("reasons").list.contains(reason))
        place = locate(int(rows["row"].min()))  # type: ignore[arg-type]
        first = f"first in {place}" if place else ""
        words.append(
            f"{reason} ({count:,} rows)" + _describe_example(rows, reason, personal, first)
        )
    return "; ".join(words)


def _describe_example(rows: pl.DataFrame, reason: str, personal: list[str], first: str) -> str:
    """The commonest value at fault and how often it is there, and where it is `first`."""
    words = [first] if first else []
    column = max((c for c in rows.columns if reason.startswith(f"{c} ")), key=len, default=None)
    if column is not None and column not in personal and not rows.schema[column].is_nested():
        values = rows[column].cast(pl.String, strict=False).drop_nulls().value_counts(name="n")
        for value, n in values.sort(["n", column], descending=[True, False]).head(1).iter_rows():
            words.insert(0, f"{shorten(value)}, {n:,} times")
    return f": {', '.join(words)}" if words else ""


def add_typed(quarantined: pl.DataFrame, typed: pl.DataFrame) -> pl.DataFrame:
    """Quarantined rows with the struct TYPED of their values; `typed` holds `row` and the columns
    of the contract in its types.
    """
    columns = typed.columns[1:]
    values = typed.select("row", pl.struct(columns).alias(TYPED))
    return quarantined.join(values, on="row", how="left", maintain_order="left")


def read_typed(quarantined: pl.DataFrame) -> pl.DataFrame:
    """Quarantined rows as the contract has them: `row`, its columns, and `reasons`."""
    return quarantined.select("row", "reasons", pl.col(TYPED).struct.unnest())


def describe_parts(
    placed: pl.DataFrame, kept: pl.DataFrame, column: str
) -> dict[str, dict[str, Any]]:
    """By part: quarantined rows, what share of the part they are, and what the target in `column`
    looks like among these and, by the same names, among those that were kept; `placed` and `kept`
    have a column `part`.
    """
    # A target that is itself at fault is no value of the target.
    is_at_fault = pl.col("reasons").list.eval(pl.element().str.starts_with(f"{column} ")).list.any()
    sound = placed.filter(~is_at_fault)
    content: dict[str, dict[str, Any]] = {}
    for part in ("train", "validation", "test", "gap", UNKNOWN):
        rows, n = placed.filter(part=part).height, kept.filter(part=part).height
        if not rows and not n:
            continue
        content[part] = {"rows": rows, "share": rows / (rows + n)}
        values = _summarize(sound.filter(part=part)[column])
        others = _summarize(kept.filter(part=part)[column]) if values else {}
        content[part] |= {
            "target": values,
            "target_kept": {name: others[name] for name in values if name in others},
        }
    return content


def _summarize(values: pl.Series) -> dict[str, Any]:
    """What the target looks like; nothing where it cannot be read in any row."""
    try:
        return dict(target.summarize(values)) if values.len() > values.null_count() else {}
    except Fixable:
        return {}


def require_whole_test(
    placed: pl.DataFrame, test_rows: int, limit: float, name: str, personal: list[str]
) -> None:
    """Raise Fixable where more than the share `limit` of the test rows, rounded up to a row, are in
    the quarantine `name`. A row of an unknown part counts as a test row: nobody can tell that it is
    none. Values of `personal` columns are not shown.
    """
    taken = placed.filter(pl.col("part").is_in(["test", UNKNOWN]))
    whole = taken.height + test_rows
    if taken.height <= math.ceil(limit * whole):
        return
    unplaced = taken.filter(part=UNKNOWN).height
    words = (
        f", {unplaced:,} of them with a time or an entity that cannot be read" if unplaced else ""
    )
    raise Fixable(
        f"{name}: expected at most {limit:.1%} of the test rows to break the contract (`validate: "
        "quarantine_at_most` holds for the test part alone, too), found "
        f"{taken.height / whole:.1%} ({taken.height:,} of {whole:,}{words}): "
        f"{describe_reasons(taken, personal)}. "
        "Next: fix the source or contract.py, then uv run dvc repro"
    )
