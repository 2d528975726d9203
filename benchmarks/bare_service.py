"""The least that answers a row over HTTP: FastAPI and `predict_proba`, without the contract, the
brief and limits. Run in a rendered repository: `python bare_service.py PORT`.
"""

import sys
from pathlib import Path
from typing import Any

import polars as pl
import uvicorn
from churn import contract, features
from churn.delivery.models import model_folder
from fastapi import FastAPI
from pydantic import BaseModel

DTYPES = {n: c.dtype for n, c in contract.Row.columns().items() if n != contract.TARGET}
fitted, _ = model_folder.load(Path("models/challenger"))
service = FastAPI()


class Rows(BaseModel):
    """What a request says."""

    rows: list[dict[str, Any]]


@service.get("/ready")
def ready() -> str:
    """It answers."""
    return "ready"


@service.post("/predict")
def predict(request: Rows) -> list[list[float]]:
    """The probabilities of each row."""
    day = pl.col(contract.TIME).str.to_date()
    rows = pl.DataFrame(request.rows, DTYPES | {contract.TIME: pl.String}).with_columns(day)
    scores: list[list[float]] = fitted.predict_proba(features.features(rows)).tolist()
    return scores


uvicorn.run(service, port=int(sys.argv[1]), log_level="warning")
