"""`score IN OUT`: the champion's probabilities and the brief's action for every row of a table."""

from pathlib import Path

import polars as pl

from .. import contract
from .pipeline import champion, model_folder, problem
from .pipeline.brief import BriefError, read
from .pipeline.conform import to_contract
from .pipeline.errors import Mendable
from .pipeline.files import write_table
from .pipeline.ingest import read_file


def scored(rows: pl.DataFrame, folder: Path, brief: problem.Brief | None) -> pl.DataFrame:
    """One row for each row of `rows`, in its order.

    Columns: `row` (UInt32, its number), entity and time where the contract has them, `p_<class>`
    (Float64), with a brief `action` and `score` (its expected value), and `reasons`
    (List[String]): why a row broke the contract and has no score, else null. The target need not
    be there: what it will be is not known yet.
    """
    fitted, _ = model_folder.load(in_charge(folder))
    numbered = rows.drop(contract.TARGET, "row", strict=False).with_row_index("row")
    target = problem.stand_in(contract.Row.columns()[contract.TARGET].dtype)
    valid, wrong = to_contract(numbered.with_columns(target.alias(contract.TARGET)), contract.Row)
    found = valid.select("row").hstack(model_folder.scores(fitted, valid))
    if brief is not None:
        found = found.hstack(problem.act(found, brief))
    names = [name for name in (contract.ENTITY, contract.TIME) if name]
    return (
        numbered.select("row", *names)
        .join(found, on="row", how="left", maintain_order="left")
        .join(wrong.select("row", "reasons"), on="row", how="left", maintain_order="left")
    )


def in_charge(folder: Path) -> Path:
    """The folder with the weights: that of the rule, while the champion's card names the rule."""
    if champion.card(folder)["kind"] == "rule":
        return folder.with_name("rule")
    return folder


def main(source: Path, target: Path, folder: Path) -> int:
    """Read the table `source` (.csv or .parquet), write `target` (.parquet)."""
    if not source.is_file() or source.suffix not in {".csv", ".parquet"}:
        raise Mendable(f"{source}: expected a .csv or .parquet file, found none. Next: name one")
    try:
        brief = read(Path("project-brief.md"))[0].model_dump(mode="json")
    except BriefError as error:
        raise Mendable(str(error)) from None
    rows = read_file(source)
    if rows.is_empty():
        raise Mendable(f"{source}: expected rows, found an empty table. Next: name another")
    found = scored(rows, folder, brief if brief["value"] else None)
    write_table(found, target)
    aside = found["reasons"].is_not_null().sum()
    print(f"{target}: {found.height - aside:,} rows scored", end="")
    print(f", {aside:,} set aside with their reasons in column `reasons`" if aside else "")
    return 0
