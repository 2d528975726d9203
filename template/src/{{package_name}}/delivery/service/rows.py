"""What a request says: read once, in the contract's types, or refused with the place and the reason
of each fault. No message repeats a value: it may be personal.
"""

import json
import warnings
from collections.abc import Callable
from typing import Annotated, Any

import dataframely as dy
import polars as pl
from fastapi import HTTPException
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, conlist, create_model

from ... import contract
from ..models.score import add_unknown_target
from ..tables.conform import allow_unknown, build_quick_check, describe_type, to_contract

ROWS_AT_MOST = 100  # in one request; `score` takes tables of any size
FAULTS_AT_MOST = 100  # named in one answer
Read = Callable[[bytes], pl.DataFrame]


class Fault(BaseModel):
    """What is wrong at a place of a request."""

    loc: list[str | int]
    msg: str
    type: str


class BrokenRow(BaseModel):
    """A row that breaks rules of the contract: its number in the request, and the reasons."""

    row: int
    reasons: list[str]


class Refusal(BaseModel):
    """Why a request has no answer."""

    detail: list[Fault | BrokenRow]


def list_columns() -> dict[str, dy.Column]:
    """The contract's columns but for the target."""
    columns = contract.Row.columns()
    return {name: column for name, column in columns.items() if name != contract.TARGET}


def build_rows_model() -> type[BaseModel]:
    """What a request says: under `rows`, for each unit the columns of `contract.py` but for the
    target. A number is a number, not a text that looks like one; 5.0 is a whole number.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what JSON cannot say is looked at with the row's rules
        kinds = {name: _build_field(column) for name, column in list_columns().items()}
    fields: Any = {name: (kind, ...) for name, kind in kinds.items()}
    Row = create_model("RowModel", __config__=ConfigDict(strict=True), **fields)
    rows: Any = conlist(Row, min_length=1, max_length=ROWS_AT_MOST)
    return create_model("Rows", rows=(rows, ...))


def _build_field(column: dy.Column) -> Any:
    """The type of a column in a request, with its limits."""
    field = column.pydantic_field()
    return Annotated[field, BeforeValidator(_make_whole)] if column.dtype.is_integer() else field


def _make_whole(value: Any) -> Any:
    """5.0 as 5; everything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def build_reader(model: type[BaseModel]) -> Read:
    """A function from the body of a request to its rows: the contract's columns, with an unknown
    target. It raises HTTPException, status 422, where the body is no such rows.
    """
    columns, schema = list_columns(), allow_unknown(contract.TARGET, contract.Row)
    dtypes, check = {n: column.dtype for n, column in columns.items()}, build_quick_check(schema)

    def read(body: bytes) -> pl.DataFrame:
        try:
            request: Any = model.model_validate_json(body)
        except ValidationError as error:
            raise HTTPException(422, _describe_faults(error, model, body)) from None
        rows = [row.__dict__ for row in request.rows]
        try:
            table = add_unknown_target(pl.DataFrame(rows, dtypes, orient="row"))
        except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
            raise HTTPException(422, _find_unreadable(rows, columns)) from None
        checked = check(table)
        if checked is None:
            valid, broken = to_contract(table.with_row_index("row"), schema)
            if not broken.is_empty():
                raise HTTPException(422, broken.select("row", "reasons").to_dicts())
            checked = valid.drop("row")
        return checked

    return read


def _describe_faults(
    error: ValidationError, model: type[BaseModel], body: bytes
) -> list[dict[str, Any]]:
    """The faults that pydantic names, without the values."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    if faults[0]["type"] == "json_invalid":  # Python reads more than JSON, and can name the field
        try:
            model.model_validate(json.loads(body), strict=False)  # of Python, dates are texts here
        except ValidationError as named:
            return _describe_faults(named, model, b"")
        except (ValueError, RecursionError):
            pass
    return [
        {"loc": ["body", *fault["loc"]], "msg": fault["msg"], "type": fault["type"]}
        for fault in faults[:FAULTS_AT_MOST]
    ]


def _find_unreadable(
    rows: list[dict[str, Any]], columns: dict[str, dy.Column]
) -> list[dict[str, Any]]:
    """The values that polars does not take for the contract's type: faults with their places."""
    faults = []
    for number, row in enumerate(rows):
        for name, column in columns.items():
            try:
                pl.Series(name, [row[name]], column.dtype)
            except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
                message = f"Input should be {describe_type(column)}"
                place = ["body", "rows", number, name]
                faults.append({"loc": place, "msg": message, "type": "dtype"})
    return faults[:FAULTS_AT_MOST] or [
        {"loc": ["body", "rows"], "msg": "Rows should fit into one table", "type": "dtype"}
    ]
