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
SHOWN = 300  # characters of an answer that is none


def kept(folder: Path) -> Path:
    """The file with the canary rows of what is in charge."""
    rule = in_charge.card(folder)["kind"] == "rule"
    return (folder.with_name("rule") if rule else folder) / model_folder.CANARIES


def requests(canaries: pl.DataFrame) -> list[dict[str, Any]]:
    """Each row as a request has it: the contract's columns without the target."""
    columns = [name for name in canaries.columns if name in contract.Row.columns()]
    rows = canaries.select(columns).drop(contract.TARGET, strict=False)
    asked: list[dict[str, Any]] = json.loads(rows.write_json())
    return asked


def differing(said: dict[str, Any], told: dict[str, Any]) -> str | None:
    """The first score of `told` that `said` does not have; None where all agree."""
    for name, score in told.items():
        if name not in said or not same(said[name], score):
            return f"expected {name} {score}, found {said.get(name, 'none')}"
    return None


def same(said: Any, score: Any) -> bool:
    """Texts exactly, numbers up to `CLOSE`; what is no number is none in JSON."""
    if isinstance(score, float) and math.isnan(score):
        return said is None
    if isinstance(said, float | int) and isinstance(score, float | int):
        return math.isclose(said, score, rel_tol=0, abs_tol=model_folder.CLOSE)
    return bool(said == score)


def asked(url: str, row: dict[str, Any]) -> dict[str, Any]:
    """What the service answers to one row."""
    body = json.dumps({"rows": [row]}).encode()
    head = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/predict", data=body, headers=head)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            told: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        what = error.read().decode(errors="replace")[:SHOWN]
        raise Refused(f"expected an answer, found {error.code}: {what}") from None
    except json.JSONDecodeError:
        raise Refused("expected JSON, found something else") from None
    return told


def reachable(url: str, seconds: float) -> None:
    """Wait until something answers at `/ready`, for so many seconds."""
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


def main(url: str, folder: Path, wait: float) -> int:
    """Send every canary row; the first that is not answered as kept is the sentence."""
    if not url.startswith(("http://", "https://")):
        raise Fixable(f"{url}: expected an address, for example http://127.0.0.1:8000")
    address, file = url.rstrip("/"), kept(folder)
    name, canaries = in_charge.tag(folder) or "the rule", read_table(file)
    reachable(address, wait)
    told = canaries.select("^p_.*$").to_dicts()
    for number, (row, scores) in enumerate(zip(requests(canaries), told, strict=True)):
        try:
            answer = asked(address, row)
            if answer.get("champion") != name:
                raise Refused(f"expected {name} to answer, found {answer.get('champion')}")
            if wrong := differing(answer["answers"][0]["model"], scores):
                raise Refused(wrong)
        except Refused as sentence:
            raise Refused(f"{file}, row {number}: {sentence}, at {address}") from None
        except OSError as error:
            raise Fixable(f"{address}: expected answers, found none ({error})") from None
        except (KeyError, IndexError, TypeError, AttributeError):
            raise Refused(f"{file}, row {number}: expected an answer of this service") from None
    print(f"{address}: {name} answers {canaries.height} canary rows as on the day it was made")
    return 0
