"""`record`: send the language model of `model.py` the questions that have no recorded answer yet.

The answers become a column of the table that the pipeline reads. So no stage sends anything, the
same rows give the same result anywhere, and a question is paid for once.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import polars as pl
import typer
from rich.progress import track

from ..edge.errors import Fixable

WORDING, RECORDED = "wording", "recorded"
TABLE = Path("data/questions.parquet")
URL, KEY = "LANGUAGE_MODEL_URL", "LANGUAGE_MODEL_KEY"
EVERY = 50  # answers after which the table is written: at most so many are lost in a crash
WAITS = (1, 2, 4, 8)  # seconds before a question is sent again
LONGEST = 60  # seconds to wait for an answer, or because a server wants us to
RETRIED = (408, 409, 425, 429, 500, 502, 503, 504)  # status codes that may pass with time
NEEDED = ("LANGUAGE_MODEL", "SETTINGS", "TOKEN_PRICES", "instructions", "fingerprint", "recorded")
TALK = 50  # tokens that a server may add around what it is sent


class Totals(NamedTuple):
    """What one run has done: questions answered, and the money that the answers cost."""

    answered: int = 0
    cost: float = 0.0


def record(
    url: Annotated[
        str, typer.Option(envvar=URL, help="Where its API begins, for example https://host/v1.")
    ] = "",
    budget: Annotated[
        float, typer.Option(min=0, help="Money that this run may cost, in the brief's currency.")
    ] = 1.0,
) -> None:
    """Ask the language model each question that it has not answered yet, and keep the answers."""
    from ... import model

    require_settings(url, model)
    rows, source = read_questions()
    open_rows = [row for row, is_open in enumerate(find_open(rows, model)) if is_open]
    totals = record_answers(rows, open_rows, url, budget, model)
    add_to_dvc()
    print(
        f"{totals.answered:,} of {len(open_rows):,} questions without an answer were asked, ",
        end="",
    )
    print(f"for {totals.cost:.4f}.")
    if totals.answered < len(open_rows):
        print(f"The next one could exceed the budget of {budget:g}; --budget sets another.")
    if TABLE.exists() and source != str(TABLE):
        print(f"Next: in params.yaml, write `source: {TABLE}`, then uv run dvc repro")
    elif TABLE.exists():
        print("Next: uv run dvc repro")


def require_settings(url: str, model: Any) -> None:
    """Raise Fixable where the API has no address, or `model.py` names no language model."""
    if not url.startswith(("http://", "https://")):
        raise Fixable(
            f"{URL}: expected the address of a language model's API, found {url or 'nothing'}. "
            f"Next: export {URL}=https://host/v1, and {KEY} if it wants a key"
        )
    if missing := [name for name in NEEDED if not hasattr(model, name)]:
        raise Fixable(
            f"model.py: expected a language model to ask, found no {' and no '.join(missing)}. "
            "Next: name one as the template's example does"
        )


def record_answers(
    rows: pl.DataFrame, open_rows: list[int], url: str, budget: float, model: Any
) -> Totals:
    """Ask about one open row after the other while the budget lasts. The table is written as it
    goes, also where this is stopped.
    """
    answers: dict[int, str | None] = dict(enumerate(rows[RECORDED]))
    totals = Totals()
    try:
        for row in track(open_rows, description="asking", disable=not open_rows):
            wording = rows[WORDING][row]
            if totals.cost + estimate_highest_cost(wording, model) > budget:
                break
            answer = ask(url, wording, model)
            kept = {"said": answer.text, "ms": answer.ms, "cost": answer.cost}
            recorded = json.loads(answers[row] or "{}") | {model.fingerprint(): kept}
            answers[row] = json.dumps(recorded, ensure_ascii=False)
            totals = Totals(totals.answered + 1, totals.cost + answer.cost)
            if totals.answered % EVERY == 0:
                write_answers(rows, answers)
    finally:
        if totals.answered:
            write_answers(rows, answers)
    return totals


def read_questions() -> tuple[pl.DataFrame, str]:
    """The rows of the source that `params.yaml` names, with the answers recorded there or in TABLE;
    and the source's name.
    """
    from ..edge.parameters import read
    from .read import Ingest
    from .sources import read_source

    settings = read(Path("params.yaml"), "ingest", Ingest)
    rows = read_source(settings)
    if WORDING not in rows.columns:
        raise Fixable(
            f"{settings.source}: expected a column `{WORDING}` with the questions, found "
            f"{', '.join(rows.columns)}. Next: rename the column in the source"
        )
    if RECORDED not in rows.columns:
        rows = rows.with_columns(pl.lit(None, pl.String).alias(RECORDED))
    return (add_recorded(rows) if TABLE.exists() else rows), settings.source


def add_recorded(rows: pl.DataFrame) -> pl.DataFrame:
    """`rows` with the answers that TABLE has; they go before those of the source."""
    from ... import contract
    from .sources import read_file

    key = [name for name in contract.Row.primary_key() or [WORDING] if name in rows.columns]
    text = pl.concat_str(pl.col(key).cast(pl.String).fill_null(""), separator="\x1f")
    table = read_file(TABLE).select(key=text, in_table=RECORDED).unique("key", keep="first")
    joined = rows.with_columns(key=text).join(table, on="key", how="left", maintain_order="left")
    recorded = pl.coalesce("in_table", RECORDED).alias(RECORDED)
    return joined.with_columns(recorded).drop("key", "in_table")


def find_open(rows: pl.DataFrame, model: Any) -> Iterator[bool]:
    """For each row, whether there is a question and no answer under today's fingerprint."""
    blank = rows[WORDING].fill_null("").str.strip_chars() == ""
    yield from (model.recorded(rows)["said"].is_null() & ~blank)


def estimate_highest_cost(wording: str, model: Any) -> float:
    """The most that a question can cost: no token is shorter than a byte."""
    sent = len((model.instructions() + wording).encode()) + TALK
    price = model.TOKEN_PRICES
    return float(
        sent * price["prompt_tokens"] + model.SETTINGS["max_tokens"] * price["completion_tokens"]
    )


class Answer(NamedTuple):
    """What the model answered, the milliseconds that it took, and its cost by the tokens that the
    server counted.
    """

    text: str
    ms: int
    cost: float


def ask(url: str, wording: str, model: Any) -> Answer:
    """The language model's answer to one question.

    Raises:
        Fixable: there is none.
    """
    messages = [
        {"role": "system", "content": model.instructions()},
        {"role": "user", "content": wording},
    ]
    body = {"model": model.LANGUAGE_MODEL, "messages": messages, **model.SETTINGS}
    start = time.monotonic()
    response = post(f"{url.rstrip('/')}/chat/completions", body)
    ms = max(1, round(1000 * (time.monotonic() - start)))
    try:
        text = str(response["choices"][0]["message"]["content"] or "")
        cost = sum(response["usage"][name] * price for name, price in model.TOKEN_PRICES.items())
    except (KeyError, IndexError, TypeError):
        raise Fixable(
            f"{url}: expected an answer with `choices` and `usage`, found {str(response)[:200]}. "
            f"Next: see whether {URL} is an API for chat completions"
        ) from None
    return Answer(text, ms, round(cost, 9))


class Failure(NamedTuple):
    """Why there is no response, and the seconds after which to try again; None: in vain."""

    message: str
    pause: int | None


def post(url: str, body: dict[str, Any]) -> Any:
    """The JSON that a server answers; the request is sent again a few times where that may help.

    Raises:
        Fixable: there is no answer.
    """
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get(KEY):
        headers["Authorization"] = f"Bearer {key}"
    request = Request(url, json.dumps(body).encode(), headers, method="POST")
    for wait in (*WAITS, None):
        try:
            with urlopen(request, timeout=LONGEST) as response:
                return json.loads(response.read())
        except (URLError, OSError, ValueError) as error:
            failure = explain(error, wait)
        if failure.pause is None:
            break
        time.sleep(min(failure.pause, LONGEST))
    raise Fixable(
        f"{url}: expected an answer, found {' '.join(failure.message.split())}. What was recorded "
        f"before is kept. Next: see that the server runs and {URL} and {KEY} are right, then "
        "record again"
    )


def explain(error: Exception, wait: int | None) -> Failure:
    """What went wrong with a request, and whether to wait and send it again."""
    if isinstance(error, HTTPError):
        message = f"{error.code} {error.reason}: {error.read(200).decode(errors='replace')}"
        if error.code not in RETRIED:
            return Failure(message, None)
        seconds = error.headers.get("Retry-After", "")
        return Failure(message, int(seconds) if wait and seconds.isdigit() else wait)
    reason = getattr(error, "reason", error)
    if isinstance(error, TimeoutError):
        return Failure(f"no answer within {LONGEST} seconds", wait)
    return Failure(str(reason), wait if isinstance(reason, TimeoutError) else None)


def write_answers(rows: pl.DataFrame, answers: dict[int, str | None]) -> None:
    """Write the table with the answers so far: whole or not at all."""
    from ..edge.files import write_table

    column = pl.Series(RECORDED, [answers[row] for row in range(rows.height)], dtype=pl.String)
    write_table(rows.with_columns(column), TABLE)


def add_to_dvc() -> None:
    """Put the table under DVC, where there is one."""
    from ..edge.shell import dvc

    if TABLE.exists():
        dvc("add", "--quiet", str(TABLE))
