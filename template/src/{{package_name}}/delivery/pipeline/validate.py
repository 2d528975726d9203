"""Stage `validate`: rows that keep the contract go on, the others go to quarantine with their
reasons.
"""

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl
from pydantic import Field

from ... import contract
from ..edge.brief import EACH_SEGMENT, Brief, read_brief
from ..edge.brief import NEXT as BRIEF
from ..edge.errors import Fixable, run
from ..edge.explain import nearest
from ..edge.files import parse_paths, read_table, write_json, write_table
from ..edge.parameters import Settings, read
from ..problem import target
from ..tables.conform import conform, find_faults, find_rules_on_target
from ..tables.lines import find_line, read_parts
from ..tables.quarantine import add_typed, count_reasons, describe_reasons
from ..tables.read import SEEN, Ingest, describe_read

NEXT = "Next: fix the source or contract.py, then uv run dvc repro"


class Validate(Settings):
    """`quarantine_at_most`: largest share of rows that may break the contract before the pipeline
    stops; of all rows, and (by the stage `split`) of the test rows alone.
    """

    quarantine_at_most: float = Field(ge=0, le=1)


def describe_columns(
    valid: pl.DataFrame, columns: dict[str, dy.Column], personal: list[str]
) -> list[dict[str, Any]]:
    """What each column holds, for `reports/data.json`; of a personal column only the share of
    missing values.
    """
    return [
        {"name": name, "dtype": str(column.dtype).split("(")[0], "personal": name in personal}
        | {"null_share": valid[name].null_count() / max(valid.height, 1)}
        | ({} if name in personal else _describe_values(valid[name]))
        for name, column in columns.items()
    ]


def _describe_values(series: pl.Series) -> dict[str, Any]:
    if series.dtype.is_numeric():
        return {"minimum": series.min(), "mean": series.mean(), "maximum": series.max()}
    if series.dtype.is_temporal():
        return {"minimum": _format_time(series.min()), "maximum": _format_time(series.max())}
    if series.dtype in (pl.Enum, pl.Boolean):
        counts = series.cast(pl.String).value_counts(name="n").drop_nulls().sort(series.name)
        return {"values": dict(counts.iter_rows())}
    return {"distinct": series.n_unique()}


def _format_time(moment: Any) -> str | None:
    return moment.isoformat() if isinstance(moment, date | datetime) else None


def count_entities(valid: pl.DataFrame) -> dict[str, str | int] | None:
    """The entity's column, how many there are and how many have several rows; None without one."""
    entity = contract.ENTITY
    if entity is None:
        return None
    rows = valid[entity].value_counts(name="n")["n"]
    return {"column": entity, "distinct": rows.len(), "recurring": int((rows > 1).sum())}


def describe_time(valid: pl.DataFrame) -> dict[str, str | None] | None:
    """The column of time with its first and last value; None without one."""
    time = contract.TIME
    if time is None:
        return None
    first, last = _format_time(valid[time].min()), _format_time(valid[time].max())
    return {"column": time, "first": first, "last": last}


def describe(
    source: pl.DataFrame, valid: pl.DataFrame, quarantined: pl.DataFrame
) -> dict[str, Any]:
    """The content of `reports/data.json` but for the name of the source."""
    own = ("row", *contract.Row.column_names())
    return {
        "rows": {"raw": source.height, "valid": valid.height, "quarantined": quarantined.height},
        "quarantine_share": quarantined.height / source.height,
        "reasons": count_reasons(quarantined),
        "rules_on_target": find_rules_on_target(contract),
        "entities": count_entities(valid),
        "time": describe_time(valid),
        "target": target.summarize(valid[contract.TARGET]),
        "unused": [name for name in source.columns if name not in own],
        "columns": describe_columns(valid, contract.Row.columns(), contract.PERSONAL),
    }


def require_usable(
    content: dict[str, Any], limit: float, raw: Path, quarantine: Path, reasons: Callable[[], str]
) -> None:
    """Raise Fixable where more than the share `limit` of the rows broke the contract, for `reasons`
    in words, or the target has too few values to learn from.
    """
    if content["quarantine_share"] > limit:
        rows = content["rows"]
        raise Fixable(
            f"{quarantine}: expected at most {limit:.1%} of the rows to break the contract "
            f"(`validate: quarantine_at_most`), found {content['quarantine_share']:.1%} "
            f"({rows['quarantined']:,} of {rows['raw']:,}): {reasons()}. {NEXT}"
        )
    if len(content["target"]) < 2:
        only = ", ".join(content["target"]) or "no value at all"
        raise Fixable(
            f"{raw}: expected {target.VARIETY} in `{contract.TARGET}`, found {only}. {NEXT}"
        )


def require_fitting(brief: Brief, valid: pl.DataFrame) -> None:
    """Raise Fixable where the brief prices other classes, or kinds of event, than the target has,
    or has a line on units that there are not.
    """
    faults = [f"`{place}.where`: {fault}" for place, fault in find_unknown_slices(brief, valid)]
    if brief.value and (
        fault := brief.value.find_unpriced(target.list_priced(valid[contract.TARGET]))
    ):
        faults.append(fault)
    if faults:
        raise Fixable("\n".join(f"project-brief.md: {fault}. {BRIEF}" for fault in faults))


def find_unknown_slices(brief: Brief, valid: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """Each line of the brief whose `where` no unit can be in, by its place, and why."""
    for place, line in brief.lines:
        column, _, value = (line.where or "").partition(" = ")
        if line.where == EACH_SEGMENT and not contract.SEGMENTS:
            yield place, "expected a segment in contract.py (SEGMENTS), found none"
        elif value and column not in contract.SEGMENTS:
            yield place, _describe(column, contract.SEGMENTS, "a segment of contract.py")
        elif value and value not in (values := list_values(valid[column])):
            yield place, _describe(value, values, f"a value of `{column}`")


def list_values(segment: pl.Series) -> list[str]:
    """What a segment can be, as outcomes hold it: what the contract allows, or else the data."""
    if isinstance(segment.dtype, pl.Enum):
        return [*segment.dtype.categories, "missing"]
    return segment.cast(pl.String).fill_null("missing").unique().sort().to_list()


def _describe(word: str, known: list[str], expected: str) -> str:
    names = ", ".join(known[:10]) + (", …" if len(known) > 10 else "")
    return f"expected {expected} ({names or 'there is none'}), found {word!r}{nearest(word, known)}"


def read_seen(raw: Path) -> dict[str, Any]:
    """How the file of the source is written, as `ingest` saw it; nothing where that is plain."""
    seen: dict[str, Any] = json.loads(pl.read_parquet_metadata(raw).get(SEEN, "{}"))
    return seen


def main(argv: list[str] | None = None) -> int:
    """Read raw rows, write valid rows, quarantined rows and what the data looks like."""
    params, brief, raw, valid_path, quarantine, report = parse_paths(
        argv, __doc__, "params", "brief", "raw", "valid", "quarantine", "report"
    )
    limit = read(params, "validate", Validate).quarantine_at_most
    if faults := find_faults(contract):
        raise Fixable("\n".join([*faults, NEXT]))
    source = read_table(raw).drop("row", strict=False).with_row_index("row")
    ingest = read(params, "ingest", Ingest)
    seen = read_seen(raw)
    known = ingest.read.model_copy(update=seen)
    valid, quarantined, typed, notation = conform(source, contract.Row, known)
    faulty = typed.join(quarantined.select("row"), on="row", how="semi")
    write_table(add_typed(quarantined, faulty), quarantine)
    content = {"source": ingest.source, **describe(source, valid, quarantined)}
    if how := seen | notation:
        content["read"] = how
        print(describe_read(ingest, how), end="")
    parts = read_parts(raw, ingest, seen.get("skip", 0))
    locate = partial(find_line, source=source, parts=parts)
    reasons = partial(describe_reasons, quarantined, contract.PERSONAL, locate)
    require_usable(content, limit, raw, quarantine, reasons)
    require_fitting(read_brief(brief), valid)
    write_table(valid, valid_path)
    write_json(content, report)
    return 0


if __name__ == "__main__":
    run(main)
