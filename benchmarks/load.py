"""How many requests services of the same weights answer, and how soon: so many clients on loopback,
each sending its next request when it has its answer.
"""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

BARE = Path(__file__).with_name("bare_service.py")
SECONDS, ROUNDS = 3.0, 3
SAVE = """
from pathlib import Path
import sys
import mlflow.sklearn
import polars as pl
from churn import contract, features
from churn.delivery.models import model_folder
fitted, _ = model_folder.load(Path("models/challenger"))
how = {"serialization_format": "cloudpickle", "pyfunc_predict_fn": "predict_proba"}
mlflow.sklearn.save_model(fitted, sys.argv[1], pip_requirements=[], **how)
rows = pl.read_parquet("data/test.parquet").head(640).drop("row", contract.TARGET)
rows.write_ndjson(f"{sys.argv[1]}/rows.ndjson")
features.features(rows).write_ndjson(f"{sys.argv[1]}/features.ndjson")
"""


class Load(NamedTuple):
    """Requests answered per second, milliseconds that half and 99 of 100 took at most, and
    milliseconds of the service's processor time for each.
    """

    rate: float
    p50: float
    p99: float
    cpu: float


def build_request(path: str, body: bytes) -> bytes:
    """A request as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nhost: loopback\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def _ask(port: int, requests: Sequence[bytes], until: float) -> list[float]:
    """Send one request after the other on one connection; how long each took, in seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    took = []
    while (now := time.perf_counter()) < until:
        writer.write(requests[len(took) % len(requests)])
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise SystemExit(f"expected an answer, found {head.decode()}")
        await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        took.append(time.perf_counter() - now)
    writer.close()
    return took


async def _ask_all(
    port: int, requests: Sequence[bytes], clients: int, seconds: float
) -> list[float]:
    until = time.perf_counter() + seconds
    share = [requests[number::clients] for number in range(clients)]
    parts = await asyncio.gather(*(_ask(port, each, until) for each in share))
    return sorted(took for part in parts for took in part)


def read_cpu(pids: Sequence[int]) -> float:
    """Seconds of processor time that processes have taken."""
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(part[11]) + int(part[12]) for part in stats) / 100


def measure(
    port: int, pids: Sequence[int], requests: Sequence[bytes], clients: int, seconds: float
) -> Load:
    """Ask a service for so long; the answers of the first half second are not counted."""
    asyncio.run(_ask_all(port, requests, clients, 0.5))
    since, start = read_cpu(pids), time.perf_counter()
    took = asyncio.run(_ask_all(port, requests, clients, seconds))
    elapsed = time.perf_counter() - start
    cpu = read_cpu(pids) - since
    return Load(
        len(took) / elapsed,
        took[len(took) // 2] * 1000,
        took[len(took) * 99 // 100] * 1000,
        cpu / len(took) * 1000,
    )


def list_children(pid: int) -> list[int]:
    """A process and those that it has started."""
    file = Path(f"/proc/{pid}/task/{pid}/children")
    return [
        pid,
        *(each for child in file.read_text().split() for each in list_children(int(child))),
    ]


@contextmanager
def serve(words: Sequence[str], churn: Path, health: str, **environment: str) -> Iterator[int]:
    """Run a service until the block ends; gives its process once `health` answers."""
    path = f"{Path(words[0]).parent}:{os.environ['PATH']}"  # MLflow starts uvicorn by its name
    own = os.environ | {"PATH": path, "PYTHONPATH": str(churn / "src")} | environment
    child = subprocess.Popen(words, cwd=churn, env=own, stdout=-3, stderr=-3)
    try:
        for _ in range(600):
            try:
                urlopen(health, timeout=30).close()
                break
            except OSError:
                time.sleep(0.1)
        yield child.pid
    finally:
        for pid in reversed(list_children(child.pid)):
            os.kill(pid, 15)
        child.wait()


def compare(churn: Path, python: str, scratch: Path) -> list[tuple[str, ...]]:
    """The services of a repository's challenger beside each other, as rows of a table; `python` has
    MLflow. Each is measured in turn, and the best round of each counts.
    """
    saved = scratch / "saved"
    own = os.environ | {"PYTHONPATH": str(churn / "src")}
    subprocess.run([python, "-c", SAVE, str(saved)], cwd=churn, env=own, check=True)
    rows, x = (
        [json.loads(line) for line in (saved / f"{name}.ndjson").read_text().splitlines()]
        for name in ("rows", "features")
    )
    split = [{"dataframe_split": {"columns": list(row), "data": [list(row.values())]}} for row in x]
    ours = [build_request("/predict", json.dumps({"rows": [row]}).encode()) for row in rows]
    theirs = [build_request("/invocations", json.dumps(row).encode()) for row in split]
    mlflow = [python, "-m", "mlflow", "models", "serve", "--env-manager=local", "-m", str(saved)]
    one = {"OMP_NUM_THREADS": "1"}
    services = {
        "churn serve": ([python, "-m", "churn.delivery.cli", "serve", "--port"], "ready", ours, {}),
        "mlflow models serve": ([*mlflow, "--port"], "ping", theirs, {}),
        "the same, one thread": ([*mlflow, "--port"], "ping", theirs, one),
        "FastAPI and predict_proba": ([python, str(BARE)], "ready", ours, {}),
        "FastAPI, one thread": ([python, str(BARE)], "ready", ours, one),
    }
    best: dict[tuple[str, int], Load] = {}
    with ExitStack() as stack:
        running = {}
        for port, (name, (words, health, _, variables)) in enumerate(services.items(), 18200):
            command = [*words, str(port)]
            url = f"http://127.0.0.1:{port}/{health}"
            running[name] = port, stack.enter_context(serve(command, churn, url, **variables))
        for _ in range(ROUNDS):
            for clients in (1, 16):
                for name, (port, pid) in running.items():
                    requests, pids = services[name][2], list_children(pid)
                    load = measure(port, pids, requests, clients, SECONDS)
                    best[name, clients] = max(load, best.get((name, clients), load))
    first = {clients: best["churn serve", clients].rate for clients in (1, 16)}
    return [
        (
            name,
            f"{clients} client{'s' * (clients > 1)}",
            f"{load.rate:.0f} a second",
            f"`churn serve` {first[clients] / load.rate:.2f} x",
            f"p50 {load.p50:.1f} ms, p99 {load.p99:.1f} ms",
            f"{load.cpu:.1f} ms of processor time each",
        )
        for (name, clients), load in best.items()
    ]
