"""Requests to the service of a repository, through ASGI and without a network. Run in a repository:
`python requests_to_service.py MODEL COUNT SEED`. It prints what came of them, as JSON.

A request begins as the contract's example and gets one or two faults by rules, each with MARK in
it where a value can be a text: MARK must come back in no refusal and stand in no log.
"""

import asyncio
import contextlib
import io
import json
import logging
import random
import sys
from collections import Counter
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
from pydantic_core import to_jsonable_python

PACKAGE = next(Path("src").glob("*/contract.py")).parent.name
contract = import_module(f"{PACKAGE}.contract")
outcomes = import_module(f"{PACKAGE}.delivery.problem.outcomes")
read_project_brief = import_module(f"{PACKAGE}.delivery.edge.brief").read_project_brief
build_service = import_module(f"{PACKAGE}.delivery.service.app").build_service

MARK = "Zaphod77317731"
DEEP = "[" * 150 + "]" * 150
VALUES = [
    "NaN", "-NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e308", "5e-324", "-0.0", "1.5",
    "1" + "0" * 400, "-" + "9" * 30, "9223372036854775808", "18446744073709551616", "77317731",
    "true", "false", "null", '""', '" "', '"\\ud800"', f'"{MARK}\\udfff"', '"\\u0000"', f'"{MARK}"',
    f'"{MARK}' + "x" * 5000 + '"', '"12"', '"1.5"', '"yes"', '"nan"', '"2025-06-02"',
    '"2025-06-31"', '"0000-00-00"', '"9999-12-31"', '"2025-06-02T10:30:00"', '"+02025-06-02"',
    '"2025-06-02T10:30:00+14:00"', '"10:30"', '"P1D"', "1735689600", f'["{MARK}"]', "[]", "{}",
    f'{{"{MARK}": 1}}', DEEP,
    "[" * 5000, '{"a":' * 5000, f'"{MARK}', "'x'", "0x1F", "01", "+1", "1.",
    "{" + ",".join(f'"k{n}": {n}' for n in range(2000)) + "}",
]  # fmt: skip
BODIES = [
    b"", b" ", b"null", b"7", b'"rows"', b"[]", b"{}", b'{"rows": null}', b'{"rows": []}',
    b'{"rows": {}}', b'{"rows": [[]]}', b'{"rows": [null]}', b'{"rows": [1, 2]}', b'{"rows"',
    b"NaN",
    b"[" * 100_000, b'{"rows": ' * 10_000, b"\xff\xfe{}", b"\xef\xbb\xbf{}", b"\x00",
    b'{"rows": [{"%s": 1}]}' % MARK.encode(), b'{"Rows": []}', b'{"rows": [{}]' + b", {}" * 60_000,
    b'{"rows": [{' + b",".join(b'"k%d": 1' % n for n in range(300_000)) + b"}]}",
]  # fmt: skip
JSON = "application/json"
TYPES = [*[JSON] * 200, "", "text/plain", "application/xml", f"{JSON}; charset=latin-1", "x" * 9000]


def spoil(row: dict[str, str], random: random.Random) -> str:
    """A row as JSON, from fields as JSON, with a fault."""
    name, value = random.choice(list(row)), random.choice(VALUES)
    way = random.randrange(8)
    if way == 0:
        row = {key: text for key, text in row.items() if key != name}
    elif way == 1:
        row = row | {random.choice([MARK, "", "__class__", "model_config", "row", "0"]): value}
    elif way == 2:
        return "{" + ", ".join([write(row)[1:-1], f'"{name}": {value}']) + "}"
    else:
        row = row | {name: value}
    return write(row)


def write(row: dict[str, str]) -> str:
    """Fields as JSON in an object."""
    return "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in row.items()) + "}"


def make(row: dict[str, str], random: random.Random) -> bytes:
    """The body of a request."""
    way = random.randrange(40)
    if way == 0:
        return random.choice(BODIES)
    count = random.choice([1, 1, 1, 2, 3, 100, 101]) if way < 4 else 1
    rows = [write(row)] * (count - 1) + [spoil(row, random)]
    body = ('{"rows": [' + ", ".join(random.sample(rows, count)) + "]}").encode()
    if way == 5:
        return body[: random.randrange(len(body))]
    if way == 6:
        at = random.randrange(len(body))
        return body[:at] + random.randbytes(2) + body[at:]
    return body


class Client:
    """Asks the service, and keeps what it printed or logged."""

    def __init__(self, service: Any) -> None:
        self.service, self.log = service, io.StringIO()
        logging.basicConfig(stream=self.log, level=logging.DEBUG)

    async def ask(self, body: bytes, kind: str = JSON) -> tuple[int, bytes]:
        """The status and the body of an answer."""
        parts, answer = [body[:70_000], body[70_000:]], []

        async def receive() -> dict[str, Any]:
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts)}

        async def send(message: dict[str, Any]) -> None:
            await asyncio.sleep(0)
            answer.append(message)

        headers = [(b"content-type", kind.encode())] if kind else []
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
        }
        where = {"method": "POST", "path": "/predict", "query_string": b"", "root_path": ""}
        client = {"client": ("127.0.0.1", 1), "server": ("127.0.0.1", 2), "scheme": "http"}
        await self.service({**scope, **where, **client, "headers": headers}, receive, send)
        return answer[0]["status"], b"".join(each.get("body", b"") for each in answer[1:])


def require_refusal(status: int, answer: bytes) -> None:
    """A refusal names places and reasons, and repeats nothing."""
    assert b"7731773" not in answer, answer
    detail = json.loads(answer)["detail"]
    if status == 413:
        assert "at most" in detail
        return
    assert status == 422, (status, answer[:300])
    assert 0 < len(detail) <= 100
    for fault in detail:
        named = fault["loc"] and fault["msg"] if "loc" in fault else fault["reasons"]
        assert named, fault


async def send_hostile(
    client: Client, example: dict[str, Any], count: int, seed: int
) -> Counter[int]:
    """So many requests with faults, some of them at the same time."""
    choose = random.Random(seed)
    statuses: Counter[int] = Counter()
    row = {name: json.dumps(value) for name, value in example.items()}
    bodies = [*BODIES, *(make(row, choose) for _ in range(count - len(BODIES)))]
    for start in range(0, count, 20):
        part = bodies[start : start + 20]
        answers = await asyncio.gather(*(client.ask(b, choose.choice(TYPES)) for b in part))
        for status, answer in answers:
            statuses[status] += 1
            if status != 200:
                require_refusal(status, answer)
    return statuses


async def find_field(client: Client, example: dict[str, Any]) -> dict[str, str]:
    """For each column and each value that is no value of any contract: the message, by the name."""
    messages = {}
    for name in example:
        for value in ('"\\ud800"', "1e999", "NaN", DEEP, "[1]"):
            row = {key: json.dumps(each) for key, each in example.items()} | {name: value}
            status, answer = await client.ask(f'{{"rows": [{write(row)}]}}'.encode())
            (fault,) = json.loads(answer)["detail"]
            assert (status, fault["loc"]) == (422, ["body", "rows", 0, name]), (name, value, fault)
            messages[f"{name} {value[:9]}"] = fault["msg"]
    return messages


async def answer_rows(client: Client, texts: list[str]) -> list[Any]:
    """The answers to rows, sent in one request."""
    _, answer = await client.ask(('{"rows": [' + ", ".join(texts) + "]}").encode())
    answers: list[Any] = json.loads(answer)["answers"]
    return answers


async def answer_alone(client: Client, rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    """For each row its answer where it was sent alone, alone at the same time as the others, and
    with the others in one request.
    """
    texts = [json.dumps(row) for row in json.loads(rows.write_json())]
    alone = [await answer_rows(client, [text]) for text in texts]
    waiting = await asyncio.gather(*(answer_rows(client, [text]) for text in texts))
    together = await answer_rows(client, texts)
    return list(zip(chain(*alone), chain(*waiting), together, strict=True))


async def main(folder: Path, count: int, seed: int) -> dict[str, Any]:
    """What came of hostile requests, and of harmless ones."""
    brief = outcomes.require_prices(read_project_brief(Path("project-brief.md"))[0])
    client = Client(build_service(folder, brief))
    example = to_jsonable_python(contract.EXAMPLE)
    del example[contract.TARGET]
    statuses = await send_hostile(client, example, count, seed)
    messages = await find_field(client, example)
    rows = pl.read_parquet("data/test.parquet").head(100).drop("row", contract.TARGET)
    answers = await answer_alone(client, rows)
    log = client.log.getvalue()
    assert MARK not in log, log
    return {
        "statuses": statuses,
        "messages": messages,
        "differ": [each for each in answers if not each[0] == each[1] == each[2]],
        "log": [line for line in log.splitlines() if "asyncio" not in line],
    }


printed = io.StringIO()
_, folder, count, seed = sys.argv
with contextlib.redirect_stderr(printed):
    came = asyncio.run(main(Path(folder), int(count), int(seed)))
print(json.dumps(came | {"printed": printed.getvalue()}))
