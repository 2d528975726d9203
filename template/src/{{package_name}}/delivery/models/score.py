"""`score IN OUT`: the champion's answer and the brief's action for every row of a table."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl

from ... import contract
from ..edge.brief import read_project_brief
from ..edge.errors import Fixable
from ..edge.explain import nearest
from ..edge.files import read_json, read_table, write_table
from ..edge.parameters import read
from ..problem import outcomes
from ..problem.action import TIME
from ..tables.conform import PLAINLY, allow_unknown, to_contract
from ..tables.files import KNOWN, find_format
from ..tables.read import Ingest, Read
from ..tables.sources import read_file
from . import champion, in_charge, model_folder

DATA = Path("reports/data.json")
PARAMS = Path("params.yaml")
NEXT = "Next: name a table with the columns of contract.py"
UNSCORED = "the champion, made by earlier code, cannot score this row"


def score_rows(
    rows: pl.DataFrame,
    predict: Callable[[pl.DataFrame], pl.DataFrame],
    brief: outcomes.PricedBrief | None,
    read: Read = PLAINLY,
    earlier: Read = PLAINLY,
) -> pl.DataFrame:
    """One row for each row of `rows`, in its order; `predict` gives the `p_…` columns of rows that
    keep the contract.

    Columns: `row` (UInt32, its number), entity and time where the contract has them, `p_…`
    (Float64), with a brief what `outcomes.act` gives (`action`, `score` and more; capacity is kept
    within each period that `every` names), and `reasons` (List[String]): why a row broke the
    contract and has no score, else null. The target is not needed: it is not known yet. `read` and
    `earlier` say how texts are written (`conform`).
    """
    numbered = rows.drop(contract.TARGET, "row", strict=False).with_row_index("row")
    schema = allow_unknown(contract.TARGET, contract.Row)
    valid, quarantined = to_contract(add_unknown_target(numbered), schema, read, earlier)
    time = [pl.col(name).alias(TIME) for name in [contract.TIME] if name]
    scored, unscored = _divide(valid.select("row", *time).hstack(predict(valid)))
    if brief is not None:
        scored = scored.hstack(outcomes.act(scored, brief))
    scored = scored.drop(TIME, strict=False)
    reasons = pl.concat([quarantined.select("row", "reasons"), unscored])
    return (
        numbered.select("row", *(name for name in (contract.ENTITY, contract.TIME) if name))
        .join(scored, on="row", how="left", maintain_order="left")
        .join(reasons, on="row", how="left", maintain_order="left")
    )


def _divide(predictions: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows that have scores, and those that have none with their `reasons`."""
    names = predictions.select("^p_.*$").columns
    unscored = predictions.filter(pl.any_horizontal(pl.col(names).is_null()))
    return predictions.drop_nulls(names), unscored.select("row", reasons=pl.lit([UNSCORED]))


def add_unknown_target(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with a target that is not known, of the contract's type."""
    dtype = contract.Row.columns()[contract.TARGET].dtype
    return rows.with_columns(pl.lit(None, dtype).alias(contract.TARGET))


def predict(folder: Path, rows: pl.DataFrame) -> pl.DataFrame:
    """`p_…` columns by the model in `folder`, null where it cannot score a row.

    While the champion's card names the rule, the rule's own folder is used. A promoted model scores
    as on the day it took charge, if need be by the code of that day; another needs today's code.
    """
    if in_charge.read_champion_card(folder).is_rule:
        folder = folder.with_name("rule")
    if rows.is_empty():  # every row broke the contract; no model takes a table without rows
        return read_table(folder / model_folder.CANARIES).select("^p_.*$").clear()
    if in_charge.read_tag(folder) is None:
        return model_folder.score(model_folder.load(folder)[0], rows)
    return champion.start_scoring(folder, rows)().table.select("^p_.*$")


def read_settings() -> tuple[Read, Read]:
    """How text is read by `params.yaml`, and how the pipeline has read that of its source."""
    configured = read(PARAMS, "ingest", Ingest).read if PARAMS.exists() else PLAINLY
    seen = read_json(DATA).get("read", {}) if DATA.exists() else {}
    return configured, Read.model_validate(seen)


def read_rows(source: Path, how: Read = PLAINLY) -> pl.DataFrame:
    """The rows of a table in one file.

    Raises:
        Fixable: it is no such file, has no rows, or lacks a column of the contract.
    """
    if not find_format(source) or not source.is_file():
        finding = "something else" if source.exists() else "nothing there"
        raise Fixable(f"{source}: expected a table ({KNOWN}), found {finding}. {NEXT}")
    rows = read_file(source, how)
    if rows.is_empty():
        raise Fixable(f"{source}: expected rows, found an empty table. {NEXT}")
    needed = [name for name in contract.Row.columns() if name != contract.TARGET]
    if missing := [name for name in needed if name not in rows.columns]:
        names = ", ".join(f"`{name}`{nearest(name, rows.columns)}" for name in missing)
        raise Fixable(
            f"{source}: expected every column of contract.py but the target, found none named "
            f"{names}. Next: add it to the table"
        )
    return rows


def main(source: Path, target: Path, folder: Path) -> int:
    """Read the table `source`, write `target` (.parquet)."""
    if target.suffix != ".parquet" or target.is_dir() or target.resolve() == source.resolve():
        raise Fixable(
            f"{target}: expected the name of another file, a .parquet, to write to. "
            "Next: name one, for example scores.parquet"
        )
    brief, _ = read_project_brief(Path("project-brief.md"))
    priced = outcomes.require_prices(brief) if brief.value else None
    how, earlier = read_settings()
    rows = read_rows(source, how)
    scores = score_rows(rows, partial(predict, folder), priced, how, earlier)
    try:
        write_table(scores, target)
    except OSError as error:
        raise Fixable(f"{target}: could not be written: {error.strerror}") from None
    unscored = scores["reasons"].is_not_null().sum()
    print(f"{target}: {scores.height - unscored:,} rows scored", end="")
    print(f"; {unscored:,} without scores, see column `reasons`" if unscored else "")
    return 0
