"""`canaries URL`: a running service gives the champion's canary rows the scores kept with them.

The canary rows lie in the folder of the model that is in charge here; each is sent by itself.
"""

import json
import math
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import polars as pl

from ... import contract
from ..edge.errors import Fixable, Refused
from ..edge.files import read_table
from ..models import in_charge, model_folder

PATIENCE = 30  # seconds that one answer may take
SHOWN = 300  # characters of an error's body
Row = dict[str, Any]
"""A row, or the scores of one, as in JSON."""


def find_canaries(folder: Path) -> Path:
    """The file with the canary rows of the model in charge."""
    is_rule = in_charge.read_champion_card(folder).is_rule
    return (folder.with_name("rule") if is_rule else folder) / model_folder.CANARIES


def build_requests(canaries: pl.DataFrame) -> list[Row]:
    """Each row as a request has it: the contract's columns without the target."""
    columns = [name for name in canaries.columns if name in contract.Row.columns()]
    rows = canaries.select(columns).drop(contract.TARGET, strict=False)
    requests: list[Row] = json.loads(rows.write_json())
    return requests


def find_difference(scores: Row, kept: Row) -> str | None:
    """The first of the `kept` scores that `scores` does not have; None where all agree."""
    for name, score in kept.items():
        if name not in scores or not is_close(scores[name], score):
            return f"expected {name} {score}, found {scores.get(name, 'none')}"
    return None


def is_close(value: Any, score: Any) -> bool:
    """Whether a value of an answer is the score: texts exactly, numbers up to `CLOSE`. A score that
    is not a number is null in JSON.
    """
    if isinstance(score, float) and math.isnan(score):
        return value is None
    if isinstance(value, float | int) and isinstance(score, float | int):
        return math.isclose(value, score, rel_tol=0, abs_tol=model_folder.CLOSE)
    return bool(value == score)


def send(url: str, row: Row) -> dict[str, Any]:
    """The service's answer to one row.

    Raises:
        Refused: the answer is an error, or no JSON.
        OSError: there is no answer.
    """
    body = json.dumps({"rows": [row]}).encode()
    head = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/predict", data=body, headers=head)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            answer: dict[str, Any] = json.load(response)
    except urllib.error.HTTPError as error:
        message = error.read().decode(errors="replace")[:SHOWN]
        raise Refused(f"expected an answer, found {error.code}: {message}") from None
    except json.JSONDecodeError:
        raise Refused("expected JSON, found something else") from None
    return answer


def wait_for(url: str, seconds: float) -> None:
    """Wait until something answers at `/ready`, for so many seconds.

    Raises:
        Fixable: nothing has answered.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"{url}/ready", timeout=PATIENCE):
                return
        except urllib.error.HTTPError:
            return  # an answer, though not ours: the first canary says what is wrong
        except OSError as error:
            if time.monotonic() >= until:
                raise Fixable(
                    f"{url}: expected a service, found none ({error}). "
                    "Next: start it, or give it longer with --wait SECONDS"
                ) from None
        time.sleep(0.2)


def require_scores(address: str, row: Row, scores: Row, name: str) -> None:
    """Send a row; its answer has to come from the model `name` and to give these scores.

    Raises:
        Refused: it does not.
        Fixable: there is no answer.
    """
    try:
        answer = send(address, row)
        if answer.get("champion") != name:
            raise Refused(f"expected {name} to answer, found {answer.get('champion')}")
        if difference := find_difference(answer["answers"][0]["model"], scores):
            raise Refused(difference)
    except OSError as error:
        raise Fixable(f"{address}: expected answers, found none ({error})") from None
    except (KeyError, IndexError, TypeError, AttributeError):
        raise Refused("expected an answer of this service, found another") from None


def main(url: str, folder: Path, wait: float) -> int:
    """Send every canary row, and stop at the first whose answer is another than the one kept."""
    if not url.startswith(("http://", "https://")):
        raise Fixable(f"{url}: expected an address, for example http://127.0.0.1:8000")
    address, file = url.rstrip("/"), find_canaries(folder)
    name, canaries = in_charge.read_name(folder), read_table(file)
    wait_for(address, wait)
    scores = canaries.select("^p_.*$").to_dicts()
    for number, row in enumerate(build_requests(canaries)):
        try:
            require_scores(address, row, scores[number], name)
        except Refused as difference:
            raise Refused(f"{file}, row {number}: {difference}, at {address}") from None
    print(f"{address}: {name} answers {canaries.height} canary rows as on the day it was made")
    return 0
