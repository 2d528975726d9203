"""`score IN OUT`: the champion's answer and the brief's action for every row of a table."""

from collections.abc import Callable
from copy import copy
from functools import partial
from pathlib import Path

import dataframely as dy
import polars as pl

from ... import contract
from ..edge.brief import BriefError, read
from ..edge.errors import Fixable
from ..edge.explain import nearest
from ..edge.files import read_table, write_table
from ..problem import outcomes
from ..tables.conform import to_contract
from ..tables.sources import read_file
from . import champion, in_charge, model_folder

KINDS = {".csv", ".parquet"}
NEXT = "Next: name a table with the columns of contract.py"
FOREIGN = "the champion, made by earlier code, does not take this row"


def scored(
    rows: pl.DataFrame, ask: Callable[[pl.DataFrame], pl.DataFrame], brief: outcomes.Brief | None
) -> pl.DataFrame:
    """One row for each row of `rows`, in its order; `ask` gives the `p_…` columns of rows that keep
    the contract.

    Columns: `row` (UInt32, its number), entity and time where the contract has them, `p_…`
    (Float64), with a brief what `outcomes.act` gives (`action`, `score` and more), and `reasons`
    (List[String]): why a row broke the contract and has no score, else null. The target need not
    be there: what it will be is not known yet.
    """
    numbered = rows.drop(contract.TARGET, "row", strict=False).with_row_index("row")
    expected = awaiting(contract.Row)
    unknown = pl.lit(None, expected.columns()[contract.TARGET].dtype).alias(contract.TARGET)
    valid, wrong = to_contract(numbered.with_columns(unknown), expected)
    found = valid.select("row").hstack(ask(valid))
    names = found.select("^p_.*$").columns
    taken = found.drop_nulls(names)
    foreign = found.filter(pl.any_horizontal(pl.col(names).is_null())).select(
        "row", reasons=pl.lit([FOREIGN])
    )
    if brief is not None:
        taken = taken.hstack(outcomes.act(taken, brief))
    known = [name for name in (contract.ENTITY, contract.TIME) if name]
    reasons = pl.concat([wrong.select("row", "reasons"), foreign])
    return (
        numbered.select("row", *known)
        .join(taken, on="row", how="left", maintain_order="left")
        .join(reasons, on="row", how="left", maintain_order="left")
    )


def awaiting(row: type[dy.Schema]) -> type[dy.Schema]:
    """The contract of rows whose target is not known yet: it may be missing, and a rule that needs
    it has nothing to say.
    """
    target = copy(row.columns()[contract.TARGET])
    target.nullable = True
    return type("Awaiting", (row,), {contract.TARGET: target})


def probabilities(folder: Path, rows: pl.DataFrame) -> pl.DataFrame:
    """`p_…` columns by the model in `folder`, null where it cannot take a row.

    While the champion's card names the rule, the weights are the rule's. A promoted model answers
    as on the day it took charge, if need be by the code of that day; another needs today's code.
    """
    if in_charge.card(folder)["kind"] == "rule":
        folder = folder.with_name("rule")
    if rows.is_empty():  # every row broke the contract; no model takes a table without rows
        return read_table(folder / model_folder.CANARIES).select("^p_.*$").clear()
    if in_charge.tag(folder) is None:
        return model_folder.scores(model_folder.load(folder)[0], rows)
    found, _ = champion.scores(folder, rows)()
    return found.select("^p_.*$")


def table(source: Path) -> pl.DataFrame:
    """The rows of a .csv or .parquet file, once it can be scored."""
    if source.suffix not in KINDS or not source.is_file():
        found = "something else" if source.exists() else "nothing there"
        raise Fixable(f"{source}: expected a .csv or .parquet file, found {found}. {NEXT}")
    try:
        rows = read_file(source)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise Fixable(f"{source}: expected a table, found {error}. {NEXT}") from None
    if rows.is_empty():
        raise Fixable(f"{source}: expected rows, found an empty table. {NEXT}")
    wanted = [name for name in contract.Row.columns() if name != contract.TARGET]
    if missing := [name for name in wanted if name not in rows.columns]:
        said = ", ".join(f"`{name}`{nearest(name, rows.columns)}" for name in missing)
        raise Fixable(
            f"{source}: expected every column of contract.py but the target, found none named "
            f"{said}. Next: add it to the table"
        )
    return rows


def main(source: Path, target: Path, folder: Path) -> int:
    """Read the table `source` (.csv or .parquet), write `target` (.parquet)."""
    if target.suffix != ".parquet" or target.is_dir() or target.resolve() == source.resolve():
        raise Fixable(
            f"{target}: expected the name of another file, a .parquet, to write to. "
            "Next: name one, for example scores.parquet"
        )
    try:
        brief = read(Path("project-brief.md"))[0].model_dump(mode="json")
    except BriefError as error:
        raise Fixable(str(error)) from None
    ask = partial(probabilities, folder)
    found = scored(table(source), ask, brief if brief["value"] else None)
    try:
        write_table(found, target)
    except OSError as error:
        raise Fixable(f"{target}: could not be written: {error.strerror}") from None
    aside = found["reasons"].is_not_null().sum()
    print(f"{target}: {found.height - aside:,} rows scored", end="")
    print(f", {aside:,} set aside with their reasons in column `reasons`" if aside else "")
    return 0
