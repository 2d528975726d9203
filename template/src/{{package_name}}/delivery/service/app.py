"""The service: the champion's answer to rows over HTTP.

The model is read once, at the start, and checked as `score` checks it. A new champion needs a new
start: nothing is swapped in memory.
"""

import errno
import html
import json
import socket
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import dataframely as dy
import polars as pl
from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, conlist, create_model
from pydantic_core import to_jsonable_python

from ... import contract
from ..edge.errors import Fixable
from ..edge.files import read_table
from ..models import in_charge, model_folder, score
from ..problem import outcomes
from ..tables.spot import compute_spot

ROWS_AT_MOST = 100  # in one request; `score` takes tables of any size
PAGE = """<!doctype html><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>
<p>POST /predict answers 1 to {rows} rows, for example:</p><pre>{example}</pre>
<p><a href="openapi.json">openapi.json</a> says what each column may hold and what comes back.</p>
"""
Act = Callable[[pl.DataFrame], pl.DataFrame]


class Champion(NamedTuple):
    """The model in charge, ready to answer."""

    name: str
    """`champion-3`, or `the rule`."""

    model: str
    """The name in its card."""

    fitted: Any
    act: Act
    """From rows with scores to actions, each row by itself."""

    canaries: pl.DataFrame

    def describe(self) -> dict[str, str]:
        """What answers, as responses say it."""
        return {"champion": self.name, "model": self.model}


def load_champion(folder: Path, brief: outcomes.PricedBrief) -> Champion:
    """The champion in `folder`.

    Raises:
        Fixable: it must not be used.
    """
    tag = in_charge.read_tag(folder)
    weights = folder.with_name("rule") if in_charge.read_champion_card(folder).is_rule else folder
    try:
        fitted, card = model_folder.load(weights)
    except Fixable as error:
        own = f"\nA service runs the champion's own code: git checkout {tag}, then uv sync"
        raise Fixable(f"{error}{own if tag else ''}") from None
    canaries = read_table(weights / model_folder.CANARIES).with_row_index("row")
    act = plan_single_actions(weights, brief)
    return Champion(in_charge.read_name(folder), card.name, fitted, act, canaries)


def plan_single_actions(folder: Path, brief: outcomes.PricedBrief) -> Act:
    """`outcomes.act` for rows that come one at a time.

    Where the brief limits how many units of a batch are acted on, a row is acted on if it would be
    among the champion's test rows; of equal rows, the share that there is room for.
    """
    if brief.decision.out_of is None:
        return lambda rows: outcomes.act(rows, brief)
    stored = folder / "predictions.parquet"
    others = read_table(stored if stored.exists() else folder / model_folder.CANARIES)
    others = others.select("^p_.*$").with_row_index("row").cast({"row": pl.Float64})

    def act(rows: pl.DataFrame) -> pl.DataFrame:
        actions = []
        for row in rows.iter_slices(1):
            place = compute_spot(str(row.drop("row").row(0))) * others.height
            scores = row.select("^p_.*$").with_columns(row=pl.lit(place))
            together = pl.concat([others, scores.select(others.columns)])
            actions.append(outcomes.act(together, brief).tail(1))
        return pl.concat(actions)

    return act


def answer_rows(champion: Champion, rows: pl.DataFrame) -> list[dict[str, Any]]:
    """An answer to each row (the contract's columns but for the target), in their order.

    Raises:
        HTTPException: status 422, with the number and the reasons of each row that breaks the
            contract.
    """
    scores = score.score_rows(rows, partial(model_folder.score, champion.fitted), None)
    broken = scores.filter(pl.col("reasons").is_not_null()).select("row", "reasons")
    if not broken.is_empty():
        raise HTTPException(422, broken.to_dicts())
    actions, predictions = _to_json(champion.act(scores)), _to_json(scores.select("^p_.*$"))
    return [act | {"model": p} for act, p in zip(actions, predictions, strict=True)]


def _to_json(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table; what is not a number becomes null, because JSON has no such number."""
    return table.with_columns(pl.selectors.float().fill_nan(None)).to_dicts()


def build_row_model() -> type[BaseModel]:
    """What a request says of one unit: the columns of `contract.py` but for the target."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a date's resolution is looked at with the row's rules
        schema: type[dy.Schema] = type("Row", (dy.Schema,), _list_columns())
        return schema.to_pydantic_model()


def build_answer_model(champion: Champion) -> type[BaseModel]:
    """What a response says of one unit: the columns of `outcomes.act`, and under `model` the `p_…`
    columns, as the champion gives both for its canary rows.
    """
    scores: Any = create_model("Scores", **_build_fields(champion.canaries.select("^p_.*$")))
    actions = _build_fields(champion.act(champion.canaries.head(1)))
    return create_model("Answer", **actions, model=(scores, ...))


def _build_fields(table: pl.DataFrame) -> dict[str, Any]:
    """Columns as fields; what is not a number in a table is null in JSON."""
    fields = {}
    for name, dtype in table.schema.items():
        inner = dtype.inner if isinstance(dtype, pl.List) else dtype
        kind: Any = inner.to_python()
        fields[name] = (list[kind] if isinstance(dtype, pl.List) else kind | None, ...)
    return fields


def _list_columns() -> dict[str, dy.Column]:
    """The contract's columns but for the target."""
    columns = contract.Row.columns()
    return {name: column for name, column in columns.items() if name != contract.TARGET}


def build_service(folder: Path, brief: outcomes.PricedBrief) -> FastAPI:
    """The service of the champion in `folder`.

    Raises:
        Fixable: the champion must not be used.
    """
    champion = load_champion(folder, brief)
    name = in_charge.read_tag(folder) or "The rule"
    # The pages that FastAPI brings load their scripts from another host.
    service = FastAPI(
        title=f"{name}: {brief.title}", version=champion.model, docs_url=None, redoc_url=None
    )
    add_probes(service, champion)
    add_predict(service, champion)
    add_page(service)
    # Not with the model: FastAPI leaves out what is null, and a request has to say it.
    service.openapi()["components"]["schemas"]["Rows"]["examples"] = [{"rows": [_build_example()]}]
    return service


def add_probes(service: FastAPI, champion: Champion) -> None:
    """Add `/health` and `/ready`."""

    @service.get("/health")
    def health() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @service.get("/ready")
    def ready() -> dict[str, str]:
        """The model is loaded and scores its canary rows as on the day it was made."""
        return {"status": "ready", **champion.describe()}


def add_predict(service: FastAPI, champion: Champion) -> None:
    """Add `/predict`."""
    row, answer = build_row_model(), build_answer_model(champion)
    rows_field = conlist(row, min_length=1, max_length=ROWS_AT_MOST)
    Rows = create_model("Rows", rows=(rows_field, ...))
    Answers = create_model(
        "Answers", champion=(str, ...), model=(str, ...), answers=(conlist(answer), ...)
    )
    dtypes = {name: column.dtype for name, column in _list_columns().items()}

    @service.post("/predict", response_model=Answers)
    def predict(request: Rows) -> dict[str, Any]:  # type: ignore[valid-type]
        """An answer to each row, in their order; a row that breaks the contract is an error 422."""
        rows = pl.DataFrame([row.model_dump() for row in request.rows], dtypes, orient="row")  # type: ignore[attr-defined]
        return {**champion.describe(), "answers": answer_rows(champion, rows)}


def add_page(service: FastAPI) -> None:
    """Add `/docs`: a request to copy, for people; it loads nothing."""
    request = json.dumps({"rows": [_build_example()]}, indent=1, ensure_ascii=False)
    words = {"title": html.escape(service.title), "example": html.escape(request)}

    @service.get("/docs", response_class=HTMLResponse, include_in_schema=False)
    def docs() -> str:
        return PAGE.format(rows=ROWS_AT_MOST, **words)


def _build_example() -> Any:
    """The contract's example as in a request, for whoever reads `/docs`."""
    row = {name: value for name, value in contract.EXAMPLE.items() if name != contract.TARGET}
    return to_jsonable_python(row)


def main(folder: Path, port: int, host: str) -> int:
    """Serve the champion in `folder` until stopped."""
    import uvicorn

    from ..edge.brief import read_project_brief

    brief = outcomes.require_prices(read_project_brief(Path("project-brief.md"))[0])
    require_address(host, port)
    uvicorn.run(build_service(folder, brief), host=host, port=port, access_log=False)
    return 0


def require_address(host: str, port: int) -> None:
    """Raise Fixable unless this machine has the address and its port is free."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.create_server(address[:2], family=family):
            pass
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Fixable(
                f"serve: expected port {port} of {host} to be free, found it taken. "
                "Next: stop what uses it, or choose another --port"
            ) from None
        raise Fixable(
            f"serve: expected an address of this machine that you may listen at, found {host}, "
            f"port {port}: {error.strerror}. Next: choose another --host (127.0.0.1 is for this "
            "machine alone, 0.0.0.0 for everybody) or another --port"
        ) from None
