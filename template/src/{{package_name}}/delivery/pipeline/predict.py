"""Stage `predict`: rule, challenger and champion score the same test rows."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from ... import contract
from ..edge.errors import Fixable, run
from ..edge.files import paths, read_table, write_json, write_table
from ..models import champion, in_charge, model_folder
from ..problem import target


def described(rows: pl.DataFrame) -> pl.DataFrame:
    """What later stages know of a unit.

    `row`; as text `cluster` (its entity, or itself) and the segments; `target`, as the problem has
    it.
    """
    return rows.select(
        "row",
        pl.col(contract.ENTITY or "row").cast(pl.String).alias("cluster"),
        *(pl.col(name).cast(pl.String).fill_null("missing") for name in contract.SEGMENTS),
        pl.col(contract.TARGET).cast(target.TRUTH).alias("target"),
    )


def unseen(rows: pl.DataFrame, until: str | None, test: Path) -> pl.DataFrame:
    """The test rows that the champion cannot have learned from: those after its training ended."""
    if until is None or contract.TIME is None:
        return rows
    end, time = datetime.fromisoformat(until), pl.col(contract.TIME)
    if end.tzinfo:
        end, time = end.astimezone(UTC), time.dt.convert_time_zone("UTC")
    later = rows.filter(time > end)
    if later.is_empty():
        raise Fixable(
            f"blocked: {test}: expected test rows after {until}, until when the champion was "
            "trained, found none. Next: ingest newer rows, then uv run dvc repro"
        )
    return later


def main(argv: list[str] | None = None) -> int:
    """Read test rows and models, write predictions and how the champion was compared."""
    test, rule, challenger, folder, *targets, report = paths(
        argv, __doc__, "test", "rule", "challenger", "champion",
        "by_rule", "by_challenger", "by_champion", "report",
    )  # fmt: skip
    told = in_charge.card(folder)
    until = told.get("trained_until")
    rows = unseen(read_table(test), until, test)
    answer = champion.ask(folder, test, rows)
    by = []
    for candidate in (rule, challenger):
        fitted, card = model_folder.load(candidate)
        by.append(model_folder.scores(fitted, rows))
    by_champion, step = answer(by[0])
    units = described(rows)
    for path, scores in zip(targets, [*by, by_champion], strict=True):
        write_table(units.hstack(scores), path)
    write_json(
        {
            "challenger": card["name"],
            "champion": told["name"],
            "champion_tag": in_charge.tag(folder),
            "champion_trained_until": until,
            "compared_by": step,
            "test_rows": rows.height,
            "not_scored_by_champion": by_champion.height - by_champion.drop_nulls().height,
        },
        report,
    )
    return 0


if __name__ == "__main__":
    run(main)
