"""Stage `predict`: rule, challenger and champion score the same test rows."""

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from ... import contract
from ..edge.errors import Fixable, run
from ..edge.files import parse_paths, read_table, write_json, write_table
from ..models import champion, in_charge, model_folder
from ..problem import target
from ..problem.action import TIME


def describe_units(rows: pl.DataFrame) -> pl.DataFrame:
    """What later stages need of each unit.

    Columns: `row`; as text `cluster` (its entity, or itself) and the segments; `TIME`, where the
    contract has a time; `target`, in the problem's own type.
    """
    return rows.select(
        "row",
        pl.col(contract.ENTITY or "row").cast(pl.String).alias("cluster"),
        *(pl.col(name).cast(pl.String).fill_null("missing") for name in contract.SEGMENTS),
        *(pl.col(name).alias(TIME) for name in [contract.TIME] if name),
        pl.col(contract.TARGET).cast(target.TRUTH).alias("target"),
    )


def keep_later(rows: pl.DataFrame, until: str | None, test: Path) -> pl.DataFrame:
    """The test rows that the champion cannot have learned from: those after its training ended.

    Raises:
        Fixable: there are none.
    """
    if until is None or contract.TIME is None:
        return rows
    end, time = datetime.fromisoformat(until), pl.col(contract.TIME)
    if end.tzinfo:
        end, time = end.astimezone(UTC), time.dt.convert_time_zone("UTC")
    later = rows.filter(time > end)
    if later.is_empty():
        raise Fixable(
            f"blocked: {test}: expected test rows after {until}, when the champion's training rows "
            "end, found none. Next: ingest newer rows, then uv run dvc repro"
        )
    return later


def main(argv: list[str] | None = None) -> int:
    """Read test rows and models, write predictions and how the champion was compared."""
    test, rule_folder, challenger_folder, champion_folder, *targets, report = parse_paths(
        argv, __doc__, "test", "rule", "challenger", "champion",
        "by_rule", "by_challenger", "by_champion", "report",
    )  # fmt: skip
    champion_card = in_charge.read_champion_card(champion_folder)
    rows = keep_later(read_table(test), champion_card.trained_until, test)
    finish = champion.start_comparison(champion_folder, test, rows)
    rule, _ = model_folder.load(rule_folder)
    challenger, card = model_folder.load(challenger_folder)
    rule_scores, challenger_scores = (
        model_folder.score(fitted, rows) for fitted in (rule, challenger)
    )
    champion_scores, way = finish(rule_scores, challenger_scores)
    units = describe_units(rows)
    for path, scores in zip(
        targets, (rule_scores, challenger_scores, champion_scores), strict=True
    ):
        write_table(units.hstack(scores), path)
    content = {
        "challenger": card.name,
        "champion": champion_card.name,
        "champion_tag": in_charge.read_tag(champion_folder),
        "champion_trained_until": champion_card.trained_until,
        "compared_by": way,
        "test_rows": rows.height,
        "not_scored_by_champion": champion_scores.height - champion_scores.drop_nulls().height,
    }
    write_json(content, report)
    return 0


if __name__ == "__main__":
    run(main)
