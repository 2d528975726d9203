"""The service: the champion's answer to rows over HTTP.

The model is read once, at the start, and checked as `score` checks it. A new champion is a new
start: nothing is swapped in memory.
"""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, conlist, create_model
from pydantic_core import to_jsonable_python

from ... import contract
from ..edge.errors import Fixable
from ..edge.files import read_table
from ..models import in_charge, model_folder, score
from ..problem import outcomes
from ..tables.spot import spot

ROWS_AT_MOST = 100  # in one request; `score` takes tables of any size
Act = Callable[[pl.DataFrame], pl.DataFrame]


def one_row() -> type[BaseModel]:
    """What a request says of one unit: the columns of `contract.py` but for the target."""
    known = contract.Row.columns()
    columns = {name: column for name, column in known.items() if name != contract.TARGET}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a date's resolution is looked at with the row's rules
        schema: type[dy.Schema] = type("Row", (dy.Schema,), columns)
        return schema.to_pydantic_model()


def one_answer(acted: pl.DataFrame, said: pl.DataFrame) -> type[BaseModel]:
    """What a response says of one unit: the columns of `outcomes.act`, and under `model` the `p_…`
    columns, as the two tables have them.
    """
    model: Any = create_model("Said", **_fields(said))
    return create_model("Answer", **_fields(acted), model=(model, ...))


def _fields(table: pl.DataFrame) -> dict[str, Any]:
    """Columns as fields; what is no number in a table is none in JSON."""
    found = {}
    for name, dtype in table.schema.items():
        inner = dtype.inner if isinstance(dtype, pl.List) else dtype
        kind: Any = inner.to_python()
        found[name] = (list[kind] if isinstance(dtype, pl.List) else kind | None, ...)
    return found


def alone(folder: Path, brief: outcomes.Brief) -> Act:
    """`outcomes.act` for rows that come one at a time.

    Where the brief limits how many units of a batch are acted on, a row is acted on if it would be
    among the champion's test rows; of equal rows, the share that there is room for.
    """
    if brief["decision"]["out_of"] is None:
        return lambda rows: outcomes.act(rows, brief)
    kept = folder / "predictions.parquet"
    others = read_table(kept if kept.exists() else folder / model_folder.CANARIES)
    others = others.select("^p_.*$").with_row_index("row").cast({"row": pl.Float64})

    def act(rows: pl.DataFrame) -> pl.DataFrame:
        found = []
        for row in rows.iter_slices(1):
            place = spot(str(row.drop("row").row(0))) * others.height
            said = row.select("^p_.*$").with_columns(row=pl.lit(place))
            together = pl.concat([others, said.select(others.columns)])
            found.append(outcomes.act(together, brief).tail(1))
        return pl.concat(found)

    return act


def app(folder: Path, brief: outcomes.Brief) -> FastAPI:
    """The service of the champion in `folder`; a champion that must not be used stops it here."""
    told, tag = in_charge.card(folder), in_charge.tag(folder)
    weights = folder if told["kind"] != "rule" else folder.with_name("rule")
    try:
        fitted, card = model_folder.load(weights)
    except Fixable as problem_found:
        own = f"\nA service runs the champion's own code: git checkout {tag}, then uv sync"
        raise Fixable(f"{problem_found}{own if tag else ''}") from None
    act = alone(weights, brief)
    champion = {"champion": tag or "the rule", "model": card["name"]}
    canaries = read_table(weights / model_folder.CANARIES).with_row_index("row")
    said = canaries.select("^p_.*$")
    answer = one_answer(act(canaries.head(1)), said)
    rows_asked = conlist(one_row(), min_length=1, max_length=ROWS_AT_MOST)
    Rows = create_model("Rows", rows=(rows_asked, ...))
    Answers = create_model(
        "Answers", champion=(str, ...), model=(str, ...), answers=(conlist(answer), ...)
    )
    service = FastAPI(title=f"{tag or 'The rule'}: {brief['title']}", version=card["name"])

    @service.get("/health")
    def health() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @service.get("/ready")
    def ready() -> dict[str, str]:
        """The model is loaded and scores its canary rows as on the day it was made."""
        return {"status": "ready", **champion}

    @service.post("/predict", response_model=Answers)
    def predict(asked: Rows) -> dict[str, Any]:  # type: ignore[valid-type]
        """An answer to each row, in their order; a row that breaks the contract is an error 422."""
        rows = pl.DataFrame([row.model_dump() for row in asked.rows], schema=_types(), orient="row")  # type: ignore[attr-defined]
        found = score.scored(rows, lambda valid: model_folder.scores(fitted, valid), None)
        if (
            wrong := found.filter(pl.col("reasons").is_not_null())
            .select("row", "reasons")
            .to_dicts()
        ):
            raise HTTPException(422, wrong)
        acted, said = act(found), found.select("^p_.*$")
        answers = [a | {"model": s} for a, s in zip(_plain(acted), _plain(said), strict=True)]
        return {**champion, "answers": answers}

    # Not with the model: FastAPI leaves out what is null, and a request has to say it.
    service.openapi()["components"]["schemas"]["Rows"]["examples"] = [{"rows": [_example()]}]
    return service


def _example() -> Any:
    """The contract's example as in a request, for whoever reads `/docs`."""
    row = {name: value for name, value in contract.EXAMPLE.items() if name != contract.TARGET}
    return to_jsonable_python(row)


def _types() -> dict[str, pl.DataType]:
    """The contract's types but for the target."""
    known = contract.Row.columns()
    return {name: column.dtype for name, column in known.items() if name != contract.TARGET}


def _plain(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table; what is no number becomes none, because JSON has no such number."""
    return table.with_columns(pl.selectors.float().fill_nan(None)).to_dicts()


def main(folder: Path, port: int, host: str) -> int:
    """Serve until stopped."""
    import uvicorn

    from ..edge.brief import BriefError, read

    try:
        brief = read(Path("project-brief.md"))[0].model_dump(mode="json")
    except BriefError as error:
        raise Fixable(str(error)) from None
    if brief["value"] is None or brief["decision"] is None:
        raise Fixable(
            "project-brief.md: expected `decision:` and `value:` (from phase define on), found "
            "none. Next: write down what each action is worth"
        )
    try:
        uvicorn.run(app(folder, brief), host=host, port=port, access_log=False)
    except SystemExit:
        raise Fixable(
            f"serve: expected port {port} of {host} to be free, found it taken. "
            "Next: stop what is there, or choose another --port"
        ) from None
    return 0
