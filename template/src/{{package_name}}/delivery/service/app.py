"""The service: the champion's answer to rows over HTTP.

The model is read once, at the start, and checked as `score` checks it. A new champion needs a new
start: nothing is swapped in memory.
"""

import asyncio
import errno
import html
import json
import logging
import socket
import traceback
from pathlib import Path
from typing import Any

import polars as pl
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, conlist, create_model
from pydantic_core import to_json, to_jsonable_python

from ... import contract
from ..edge.errors import Fixable
from ..models import in_charge
from ..problem import outcomes
from .champion import Champion, load_champion
from .limits import Bodies, Impatient
from .rows import ROWS_AT_MOST, Refusal, build_reader, build_rows_model
from .together import Together

LOG = logging.getLogger("uvicorn.error")
JSON = "application/json"
PAGE = """<!doctype html><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>
<p>POST /predict answers 1 to {rows} rows, for example:</p><pre>{example}</pre>
<p><a href="openapi.json">openapi.json</a> says what each column may hold and what comes back.</p>
"""
COMPONENTS = "#/components/schemas/{model}"
REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"description": "Only a part of the request came"},
    413: {"description": "The request is too long"},
    422: {"description": "The request or a row of it is at fault", "model": Refusal},
    500: {"description": "The model failed"},
    503: {"description": "Too much is being sent at the same time"},
}


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
    rows = build_rows_model()
    add_predict(service, champion, rows)
    add_page(service)
    add_schema(service, rows)
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


def add_predict(service: FastAPI, champion: Champion, rows: type[BaseModel]) -> None:
    """Add `/predict`, whose requests are such `rows`."""
    answer = build_answer_model(champion)
    answers = create_model(
        "Answers", champion=(str, ...), model=(str, ...), answers=(conlist(answer), ...)
    )
    bodies, together = Bodies(), Together(champion, build_reader(rows))
    # FastAPI itself would read a request of any length, and repeat its values where it refuses it.
    reference = {"schema": {"$ref": COMPONENTS.format(model="Rows")}}
    body = {"requestBody": {"required": True, "content": {JSON: reference}}}

    @service.post("/predict", response_model=answers, responses=REFUSALS, openapi_extra=body)
    async def predict(request: Request) -> Response:
        """An answer to each row, in their order; a row that breaks the contract is an error 422."""
        async with bodies.receive(request) as content:
            try:
                answers = await asyncio.wrap_future(together.ask(content))
            except HTTPException:
                raise
            except Exception as error:
                LOG.error("predict: %s", describe_place(error))
                raise HTTPException(500, "the model failed: see the log of the service") from None
        answer = {**champion.describe(), "answers": answers}
        return Response(to_json(answer, inf_nan_mode="null"), media_type=JSON)


def add_schema(service: FastAPI, rows: type[BaseModel]) -> None:
    """Say in `/openapi.json` what a request is; after the last address, as a new one undoes it."""
    schemas = service.openapi()["components"]["schemas"]
    schema = rows.model_json_schema(ref_template=COMPONENTS)
    # Not with the model: FastAPI leaves out what is null, and a request has to say it.
    example = {"examples": [{"rows": [_build_example()]}]}
    schemas |= schema.pop("$defs") | {"Rows": schema | example}


def describe_place(error: Exception) -> str:
    """The kind of an error and where it was raised, without its message: that may hold values."""
    places = traceback.extract_tb(error.__traceback__)
    where = "; ".join(f"{Path(place.filename).name}:{place.lineno}" for place in places)
    return f"{type(error).__name__} at {where}"


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
    service = build_service(folder, brief)
    uvicorn.run(service, host=host, port=port, access_log=False, http=Impatient, ws="none")
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
