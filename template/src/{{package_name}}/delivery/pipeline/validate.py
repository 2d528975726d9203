"""Stage `validate`: rows that keep the contract go on, the others go to quarantine with their
reasons.
"""

from datetime import date, datetime
from typing import Any

import dataframely as dy
import polars as pl
from pydantic import Field

from ... import contract
from ..edge.errors import Fixable, run
from ..edge.files import paths, read_table, write_json, write_table
from ..edge.parameters import Settings, read, section
from ..problem import target
from ..tables.conform import faults, to_contract

NEXT = "Next: fix the source or contract.py, then uv run dvc repro"


class Validate(Settings):
    """`quarantine_at_most`: largest share of rows that may break the contract before the pipeline
    stops.
    """

    quarantine_at_most: float = Field(ge=0, le=1)


def profile(
    valid: pl.DataFrame, columns: dict[str, dy.Column], personal: list[str]
) -> list[dict[str, Any]]:
    """What each column holds, for `reports/data.json`; of a personal column only the share of
    missing values.
    """
    return [
        {"name": name, "dtype": str(column.dtype).split("(")[0], "personal": name in personal}
        | {"null_share": valid[name].null_count() / max(valid.height, 1)}
        | ({} if name in personal else _values(valid[name]))
        for name, column in columns.items()
    ]


def _values(series: pl.Series) -> dict[str, Any]:
    if series.dtype.is_numeric():
        return {"minimum": series.min(), "mean": series.mean(), "maximum": series.max()}
    if series.dtype.is_temporal():
        return {"minimum": _day(series.min()), "maximum": _day(series.max())}
    if series.dtype in (pl.Enum, pl.Boolean):
        counts = series.cast(pl.String).value_counts(name="n").drop_nulls().sort(series.name)
        return {"values": dict(counts.iter_rows())}
    return {"distinct": series.n_unique()}


def _day(moment: Any) -> str | None:
    return moment.isoformat() if isinstance(moment, date | datetime) else None


def summary(source: pl.DataFrame, valid: pl.DataFrame, wrong: pl.DataFrame) -> dict[str, Any]:
    """The content of `reports/data.json`."""
    entity, time = contract.ENTITY, contract.TIME
    reasons = (
        wrong["reasons"]
        .explode()
        .value_counts(name="n")
        .sort(["n", "reasons"], descending=[True, False])
    )
    per_entity = valid[entity].value_counts(name="n")["n"] if entity else None
    return {
        "rows": {"raw": source.height, "valid": valid.height, "quarantined": wrong.height},
        "quarantine_share": wrong.height / source.height,
        "reasons": dict(reasons.iter_rows()),
        "entities": None
        if per_entity is None
        else {
            "column": entity,
            "distinct": per_entity.len(),
            "recurring": int((per_entity > 1).sum()),
        },
        "time": time
        and {"column": time, "first": _day(valid[time].min()), "last": _day(valid[time].max())},
        "target": target.balance(valid[contract.TARGET]),
        "unused": [
            name for name in source.columns if name not in ("row", *contract.Row.column_names())
        ],
        "columns": profile(valid, contract.Row.columns(), contract.PERSONAL),
    }


def main(argv: list[str] | None = None) -> int:
    """Read raw rows, write valid rows, quarantined rows and what the data looks like."""
    params, raw, valid, quarantine, report = paths(
        argv, __doc__, "params", "raw", "valid", "quarantine", "report"
    )
    limit = read(params, "validate", Validate).quarantine_at_most
    if wrong_names := faults(contract):
        raise Fixable("\n".join([*wrong_names, NEXT]))
    source = read_table(raw).drop("row", strict=False).with_row_index("row")
    kept, wrong = to_contract(source, contract.Row)
    write_table(wrong, quarantine)
    content = {"source": section(params, "ingest").get("source"), **summary(source, kept, wrong)}
    if content["quarantine_share"] > limit:
        most = "; ".join(
            f"{reason} ({n:,} rows)" for reason, n in list(content["reasons"].items())[:3]
        )
        raise Fixable(
            f"{quarantine}: expected at most {limit:.1%} of the rows to break the contract "
            f"(`validate: quarantine_at_most`), found {content['quarantine_share']:.1%} "
            f"({wrong.height:,} of {source.height:,}): {most}. {NEXT}"
        )
    if len(content["target"]) < 2:
        only = ", ".join(content["target"]) or "no value at all"
        raise Fixable(
            f"{raw}: expected {target.VARIED} in `{contract.TARGET}`, found {only}. {NEXT}"
        )
    write_table(kept, valid)
    write_json(content, report)
    return 0


if __name__ == "__main__":
    run(main)
