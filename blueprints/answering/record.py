"""`record`: ask the language model of `model.py` what no answer is recorded to yet.

The answers become a column of the table that the pipeline reads. So no stage asks anybody, the same
rows give the same result anywhere, and a question is paid for once.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import polars as pl
import typer
from rich.progress import track

from ..edge.errors import Fixable

WORDING, RECORDED = "wording", "recorded"
TABLE = Path("data/questions.parquet")
URL, KEY = "LANGUAGE_MODEL_URL", "LANGUAGE_MODEL_KEY"
EVERY = 50  # answers after which the table is written: so many are lost at most when it is killed
WAITS = (1, 2, 4, 8)  # seconds before a question is asked again
LONGEST = 60  # seconds that an answer, or a server that wants us to wait, may take
AGAIN = (408, 409, 425, 429, 500, 502, 503, 504)  # what a server says that may go better next time
NEEDED = ("LANGUAGE_MODEL", "SETTINGS", "TOKEN_PRICES", "instructions", "fingerprint", "recorded")
TALK = 50  # tokens that a server may add around what it is sent


def record(
    url: Annotated[
        str, typer.Option(envvar=URL, help="Where its API begins, for example https://host/v1.")
    ] = "",
    budget: Annotated[
        float, typer.Option(min=0, help="Money that this run may cost, in the brief's currency.")
    ] = 1.0,
) -> None:
    """Ask the language model each question that it has not answered yet, and keep the answers."""
    from ... import model as written

    model: Any = written
    if not url.startswith(("http://", "https://")):
        found = url or "nothing"
        raise Fixable(
            f"{URL}: expected the address of a language model's API, found {found}. "
            f"Next: export {URL}=https://host/v1, and {KEY} if it wants a key"
        )
    if absent := [name for name in NEEDED if not hasattr(model, name)]:
        raise Fixable(
            f"model.py: expected a language model to ask, found no {' and no '.join(absent)}. "
            "Next: name one as the template's example does"
        )
    rows, source = asked()
    gaps = [row for row, lacks in enumerate(lacking(rows, model)) if lacks]
    answers = dict(enumerate(rows[RECORDED]))
    spent, done = 0.0, 0
    try:
        for row in track(gaps, description="asking", disable=not gaps):
            wording = rows[WORDING][row]
            if spent + dearest(wording, model) > budget:
                break
            said = answer(url, wording, model)
            known = json.loads(answers[row] or "{}")
            answers[row] = json.dumps(known | {model.fingerprint(): said}, ensure_ascii=False)
            spent, done = spent + said["cost"], done + 1
            if done % EVERY == 0:
                keep(rows, answers)
    finally:
        if done:
            keep(rows, answers)
    told(done, len(gaps), spent, budget, source)


def asked() -> tuple[pl.DataFrame, str]:
    """The rows of the source that `params.yaml` names, with what is recorded in it or in TABLE, and
    the source's name.
    """
    from ... import contract
    from ..edge.parameters import read
    from .sources import Ingest, read_file, read_source

    settings = read(Path("params.yaml"), "ingest", Ingest)
    rows = read_source(settings)
    if WORDING not in rows.columns:
        raise Fixable(
            f"{settings.source}: expected a column `{WORDING}` with the questions, found "
            f"{', '.join(rows.columns)}. Next: rename the column in the source"
        )
    if RECORDED not in rows.columns:
        rows = rows.with_columns(pl.lit(None, pl.String).alias(RECORDED))
    if not TABLE.exists():
        return rows, settings.source
    key = [name for name in contract.Row.primary_key() or [WORDING] if name in rows.columns]
    words = pl.concat_str(pl.col(key).cast(pl.String).fill_null(""), separator="\x1f")
    kept = read_file(TABLE).select(key=words, kept=RECORDED).unique("key", keep="first")
    both = rows.with_columns(key=words).join(kept, on="key", how="left", maintain_order="left")
    recorded = pl.coalesce("kept", RECORDED).alias(RECORDED)
    return both.with_columns(recorded).drop("key", "kept"), settings.source


def lacking(rows: pl.DataFrame, model: Any) -> Iterator[bool]:
    """For each row, whether there is a question and no answer under today's fingerprint."""
    blank = rows[WORDING].fill_null("").str.strip_chars() == ""
    yield from (model.recorded(rows)["said"].is_null() & ~blank)


def dearest(wording: str, model: Any) -> float:
    """The most that a question can cost: no token is shorter than a byte."""
    sent = len((model.instructions() + wording).encode()) + TALK
    price = model.TOKEN_PRICES
    return float(
        sent * price["prompt_tokens"] + model.SETTINGS["max_tokens"] * price["completion_tokens"]
    )


def answer(url: str, wording: str, model: Any) -> dict[str, Any]:
    """What the model said, the milliseconds it took, and what it cost by the tokens it counted."""
    messages = [
        {"role": "system", "content": model.instructions()},
        {"role": "user", "content": wording},
    ]
    body = {"model": model.LANGUAGE_MODEL, "messages": messages, **model.SETTINGS}
    since = time.monotonic()
    found = posted(f"{url.rstrip('/')}/chat/completions", body)
    ms = max(1, round(1000 * (time.monotonic() - since)))
    try:
        said = str(found["choices"][0]["message"]["content"] or "")
        cost = sum(found["usage"][name] * price for name, price in model.TOKEN_PRICES.items())
    except (KeyError, IndexError, TypeError):
        raise Fixable(
            f"{url}: expected an answer with `choices` and `usage`, found {str(found)[:200]}. "
            f"Next: see whether {URL} is an API for chat completions"
        ) from None
    return {"said": said, "ms": ms, "cost": round(cost, 9)}


def posted(url: str, body: dict[str, Any]) -> Any:
    """The JSON that a server answers; asked again a few times where that may help."""
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get(KEY):
        headers["Authorization"] = f"Bearer {key}"
    request = Request(url, json.dumps(body).encode(), headers, method="POST")
    said = ""
    for wait in (*WAITS, None):
        pause = wait
        try:
            with urlopen(request, timeout=LONGEST) as response:
                return json.loads(response.read())
        except HTTPError as error:
            said = f"{error.code} {error.reason}: {error.read(200).decode(errors='replace')}"
            if error.code not in AGAIN:
                break
            asked_for = error.headers.get("Retry-After", "")
            pause = int(asked_for) if wait and asked_for.isdigit() else wait
        except TimeoutError:
            said = f"no answer within {LONGEST} seconds"
        except (URLError, OSError, ValueError) as error:
            said = str(getattr(error, "reason", error))
            if not isinstance(getattr(error, "reason", None), TimeoutError):
                break
        if pause is None:
            break
        time.sleep(min(pause, LONGEST))
    raise Fixable(
        f"{url}: expected an answer, found {' '.join(said.split())}. What was recorded before is "
        f"kept. Next: see that the server is there and {URL} and {KEY} are right, then record again"
    )


def keep(rows: pl.DataFrame, answers: dict[int, str | None]) -> None:
    """Write the table with what is recorded so far: whole or not at all."""
    from ..edge.files import write_table

    column = pl.Series(RECORDED, [answers[row] for row in range(rows.height)], dtype=pl.String)
    write_table(rows.with_columns(column), TABLE)


def told(done: int, gaps: int, spent: float, budget: float, source: str) -> None:
    """Put the table under DVC, and say what was done and what comes next."""
    from ..edge.shell import dvc

    if TABLE.exists():
        dvc(Path.cwd(), "add", "--quiet", str(TABLE))
    print(f"{done:,} of {gaps:,} questions without an answer were asked, for {spent:.4f}.")
    if done < gaps:
        print(f"The next one could pass the budget of {budget:g}: --budget says how much more.")
    if TABLE.exists() and source != str(TABLE):
        print(f"Next: in params.yaml, write `source: {TABLE}`, then uv run dvc repro")
    elif TABLE.exists():
        print("Next: uv run dvc repro")
