"""Stage `predict`: rule, challenger and champion score the same test rows."""

import polars as pl

from ... import contract
from . import champion, model_folder
from .errors import Mendable, run
from .files import paths, read_json, read_table, write_json, write_table

NEXT = "Next: uv run dvc repro"


def described(rows: pl.DataFrame) -> pl.DataFrame:
    """What later stages know of a unit: `row`, `cluster` (its entity, or itself), segments and
    `target`, as text.
    """
    return rows.select(
        "row",
        pl.col(contract.ENTITY or "row").cast(pl.String).alias("cluster"),
        *(pl.col(name).cast(pl.String).fill_null("missing") for name in contract.SEGMENTS),
        pl.col(contract.TARGET).cast(pl.String).alias("target"),
    )


def main(argv: list[str] | None = None) -> int:
    """Read test rows and models, write one table of predictions per model and how the champion was
    compared.
    """
    test, rule, challenger, in_charge, *targets, report = paths(
        argv,
        __doc__,
        "test",
        "rule",
        "challenger",
        "champion",
        "by_rule",
        "by_challenger",
        "by_champion",
        "report",
    )
    rows = read_table(test)
    units = described(rows)
    tables = {}
    for name, folder in (("rule", rule), ("challenger", challenger)):
        fitted, card = model_folder.load(folder)
        tables[name] = units.hstack(model_folder.scores(fitted, rows))
    tables["champion"], step = champion.scored(in_charge, test, tables["rule"])
    if not tables["champion"]["row"].equals(rows["row"]):
        raise Mendable(
            f"{in_charge}: expected predictions of today's test rows, found others. {NEXT}"
        )
    for path, table in zip(targets, tables.values(), strict=True):
        write_table(table, path)
    names = {"challenger": card["name"], "champion": read_json(in_charge / "card.json")["name"]}
    write_json({**names, "compared_by": step}, report)
    return 0


if __name__ == "__main__":
    run(main)
