"""`churn serve` under clients that send too much, too slowly, or very often: it stays ready and
answers others, and its memory comes back. On loopback, to a process of its own.
"""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ..conftest import ROOT
from ..made import UV, call, passes, surroundings
from ..ports import free_port

PATIENCE = 2  # seconds that this service waits for the rest of a request, in place of 10
SERVE = """
from churn.delivery.service import limits
limits.SECONDS_AT_MOST = {patience}
from churn.delivery.cli import app
app(["serve", "--port", "{port}"])
"""
MARK = b"Zaphod77317731"
LONGEST = 60  # seconds until it is ready, on a machine that does much else
MIB = 1024


class Service(NamedTuple):
    """A service that runs."""

    port: int
    pid: int

    def ask(self, path: str, body: bytes | None = None) -> tuple[int, Any]:
        """The status and the content of an answer on a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=LONGEST)
        head = {"content-type": "application/json"} if body is not None else {}
        connection.request("GET" if body is None else "POST", path, body, head)
        with connection.getresponse() as answer:
            content = json.load(answer)
        connection.close()
        return answer.status, content

    def read_memory(self) -> float:
        """MiB of memory that the process holds."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        return int(status.partition("VmRSS:")[2].split()[0]) / MIB

    def begin(self, stack: ExitStack, *parts: bytes) -> socket.socket:
        """A connection on which the beginning of a request was sent."""
        one = stack.enter_context(socket.create_connection(("127.0.0.1", self.port), LONGEST))
        for part in parts:
            one.sendall(part)
        return one


@contextmanager
def serve(folder: Path, environment: Path, log: Path) -> Iterator[Service]:
    """A service of the champion in a repository, until the block ends."""
    port = free_port()
    words = [str(environment / "bin/python"), "-c", SERVE.format(patience=PATIENCE, port=port)]
    own = surroundings(PYTHONPATH=str(folder / "src"))
    with log.open("w") as errors:
        process = subprocess.Popen(words, cwd=folder, env=own, stderr=errors)
    service, until = Service(port, process.pid), time.monotonic() + LONGEST
    try:
        while time.monotonic() < until:
            with suppress(OSError):
                service.ask("/ready")
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield service
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def service(
    champions: Path, environment: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The service of champion-1, whose log never has MARK in it."""
    log = tmp_path_factory.mktemp("service") / "log"
    with serve(champions / "promoted/churn", environment, log) as running:
        yield running
    text = log.read_text()
    assert MARK.decode() not in text
    assert "Traceback" not in text


@pytest.fixture(scope="module")
def body(service: Service) -> bytes:
    """The example that the service shows."""
    _, schema = service.ask("/openapi.json")
    (example,) = schema["components"]["schemas"]["Rows"]["examples"]
    return json.dumps(example).encode()


def write_head(length: int) -> bytes:
    """The head of a request to `/predict`."""
    head = "POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {length}\r\n\r\n".encode()


def read_status(one: socket.socket) -> int:
    """The status of the answer on a connection; 0 where it was closed without one."""
    one.settimeout(LONGEST)
    with suppress(ConnectionError):
        words = one.recv(1000).split()
        return int(words[1]) if words else 0
    return 0


def test_400_requests_that_are_sent_by_halves_keep_nobody_waiting_and_are_dropped(
    service: Service, body: bytes
) -> None:
    head = write_head(len(body))
    with ExitStack() as stack:
        since = time.monotonic()
        halves = [service.begin(stack, head[:30] + MARK) for _ in range(200)]
        halves += [service.begin(stack, head, body[:20]) for _ in range(200)]
        assert service.ask("/ready")[0] == 200
        assert service.ask("/predict", body)[0] == 200
        statuses = [read_status(one) for one in halves]
        assert set(statuses) == {0}
        assert time.monotonic() - since >= PATIENCE * 0.9
    assert service.ask("/predict", body)[0] == 200


def test_what_is_too_long_is_refused_before_it_is_read_and_memory_comes_back(
    service: Service, body: bytes
) -> None:
    for _ in range(20):
        service.ask("/predict", body)
    before = service.read_memory()
    row = body[len(b'{"rows": [') : -len(b"]}")]
    long = b'{"rows": [' + b", ".join([row] * 60_000) + b"]}"
    chunk = b"%x\r\n%s\r\n" % (1_000_000, MARK + b" " * (1_000_000 - len(MARK)))
    unsaid = write_head(0).replace(b"content-length: 0", b"transfer-encoding: chunked")
    just = [write_head(2_000_001), b" " * 2_000_001]
    too_long = (
        [write_head(300_000_000)],
        [write_head(len(long)), long],
        [unsaid, *[chunk] * 3],
        just,
    )
    statuses = []
    with ExitStack() as stack:
        for sent in too_long:
            one = service.begin(stack)
            with suppress(ConnectionError):
                for part in sent:
                    one.sendall(part)
            statuses.append(read_status(one))
        assert service.ask("/ready")[0] == 200
    assert statuses[0] == 413
    assert set(statuses) <= {0, 413}  # 0: the sender was cut off while it still sent
    rows = b'{"rows": [' + b", ".join([row] * 101) + b"]}"
    status, refusal = service.ask("/predict", rows)
    assert (status, refusal["detail"][0]["loc"]) == (422, ["body", "rows"])
    assert service.ask("/predict", body)[0] == 200
    assert service.read_memory() - before < 30


def test_it_does_what_its_own_schema_says(service: Service) -> None:
    """But for rows that have the right types and break a rule of the contract: they are refused."""
    words = ["st", "run", f"http://127.0.0.1:{service.port}/openapi.json", "--seed=7"]
    words += [
        "--phases=coverage,fuzzing",
        "--max-examples=10",
        "--exclude-checks=positive_data_acceptance",
        "--no-color",
    ]
    completed = call(ROOT, UV, "run", "--quiet", *words)
    passes(completed, "3 selected / 3 total")


def test_memory_is_flat_over_many_requests(service: Service, body: bytes) -> None:
    """`benchmarks/service.py` measures 100,000."""

    def ask_often(times: int) -> float:
        connection = HTTPConnection("127.0.0.1", service.port, timeout=LONGEST)
        bad = body.replace(b'": "', b'": "' + MARK, 1)
        for number in range(times):
            sent = bad if number % 3 == 0 else body
            connection.request("POST", "/predict", sent, {"content-type": "application/json"})
            with connection.getresponse() as answer:
                answer.read()
            assert answer.status == (422 if sent is bad else 200)
        connection.close()
        return service.read_memory()

    first = ask_often(200)
    assert ask_often(600) - first < 8
