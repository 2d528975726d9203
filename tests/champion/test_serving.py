"""`churn serve`: a real process on loopback answers as `score` does, or says why it does not."""

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ..made import UV, fixable, surroundings
from .conftest import MADE_BY, Shared

ADDRESS = re.compile(r"running on (http://127\.0\.0\.1:\d+)")
MODEL = "src/churn/model.py"


@contextmanager
def served(repository: Shared) -> Iterator[str]:
    """The address of a service of this repository; it is stopped at the end."""
    with subprocess.Popen(
        [UV, "run", "churn", "serve", "--port", "0"], cwd=repository.folder,
        env=surroundings(**repository.surroundings()),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        lines: list[str] = []
        try:
            for line in process.stderr:
                lines.append(line)
                if match := ADDRESS.search(line):
                    yield match[1]
                    return
            raise AssertionError("".join(lines))
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def online(champions: Path, environment: Path) -> Iterator[tuple[Shared, str]]:
    """champion-1's repository, which no test may change, and the address of its service."""
    repository = Shared(champions / "promoted/churn", MADE_BY, environment)
    with served(repository) as address:
        yield repository, address


def get(address: str) -> Any:
    with urlopen(address, timeout=30) as answer:
        return json.load(answer)


def post(address: str, body: object) -> Any:
    request = Request(address, json.dumps(body).encode(), {"content-type": "application/json"})
    with urlopen(request, timeout=60) as answer:
        return json.load(answer)


def in_json(rows: pl.DataFrame) -> dict[str, Any]:
    return {"rows": json.loads(rows.drop("outcome").write_json())}


def test_rows(repository: Shared) -> pl.DataFrame:
    return pl.read_parquet(repository.folder / "data/test.parquet").drop("row")


test_rows.__test__ = False  # type: ignore[attr-defined]


def test_before_any_promotion_the_rule_answers(started: Shared) -> None:
    with served(started) as address:
        assert get(f"{address}/health") == {"status": "ok"}
        ready = get(f"{address}/ready")
        response = post(f"{address}/predict", in_json(test_rows(started).head(3)))
        listed = test_rows(started).filter(plan="flexible", support_calls=2).head(20)
        on_list = post(f"{address}/predict", in_json(listed))["answers"]
    assert (ready["status"], ready["champion"], ready["model"]) == ("ready", "the rule", "rule")
    assert (response["champion"], len(response["answers"])) == ("the rule", 3)
    assert [answer["action"] for answer in on_list] == ["call"] * 20


def test_the_champion_says_of_test_rows_what_its_predictions_say_and_keeps_to_capacity(
    online: tuple[Shared, str],
) -> None:
    promoted, address = online
    rows, answers = test_rows(promoted).head(400), []
    assert get(f"{address}/ready")["champion"] == "champion-1"
    for part in rows.iter_slices(100):
        answers += post(f"{address}/predict", in_json(part))["answers"]
    alone = post(f"{address}/predict", in_json(rows[7]))["answers"]
    with pytest.raises(HTTPError) as refused:
        post(f"{address}/predict", in_json(rows.head(101)))
    assert refused.value.code == 422
    known = promoted.predictions()["champion"].head(400).select("^p_.*$")
    assert_frame_equal(pl.DataFrame([answer["model"] for answer in answers]), known, rel_tol=1e-12)
    assert alone == [answers[7]]
    called = [answer["score"] for answer in answers if answer["action"] == "call"]
    others = [answer["score"] for answer in answers if answer["action"] == "none"]
    assert min(called) >= max(others)
    assert 0.04 < len(called) / len(answers) < 0.13  # the brief has room for 8 of 100


def test_a_row_that_breaks_the_contract_is_refused_with_its_reasons(
    online: tuple[Shared, str],
) -> None:
    promoted, address = online
    rows = test_rows(promoted).head(2).cast({"plan": pl.String})
    bound = rows.with_columns(plan=pl.lit("flexible"), months_left=pl.lit(3, pl.Int64))
    with pytest.raises(HTTPError) as refused:
        post(f"{address}/predict", in_json(pl.concat([rows.head(1), bound.tail(1)])))
    assert refused.value.code == 422
    reason = "the row breaks flexible plan has no months left"
    assert json.load(refused.value)["detail"] == [{"row": 1, "reasons": [reason]}]


def test_a_champion_that_was_tampered_with_is_not_served(promoted: Shared) -> None:
    weights = promoted.folder / "models/champion/model.skops"
    weights.chmod(0o644)
    weights.write_bytes(weights.read_bytes()[:-1])
    fixable(promoted.run("churn", "serve", "--port", "0"), "models/champion/model.skops: expected")


def test_after_the_code_changed_the_champion_is_served_from_its_tag(promoted: Shared) -> None:
    promoted.append(MODEL, "\n# Another idea.\n")
    completed = promoted.run("churn", "serve", "--port", "0")
    fixable(completed, "model.py changed since", "git checkout champion-1, then uv sync")
    promoted.git("checkout", "--quiet", "--force", "champion-1")
    with served(promoted) as address:
        assert get(f"{address}/ready")["champion"] == "champion-1"


def test_a_port_that_is_taken_is_one_message(started: Shared) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        completed = started.run("churn", "serve", "--port", port)
    fixable(completed, f"expected port {port} of 127.0.0.1 to be free, found it taken")


def test_an_address_of_another_machine_is_one_message(started: Shared) -> None:
    completed = started.run("churn", "serve", "--port", "0", "--host", "192.0.2.1")
    fixable(completed, "expected an address of this machine", "found 192.0.2.1", "--host")
