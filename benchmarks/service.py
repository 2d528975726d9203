"""The service of each kind of problem: what its libraries take of the full environment, and how
long `serve` takes until it is ready, beside a process that imports the libraries and does nothing.
Then how many requests it answers, beside MLflow and bare FastAPI with the same weights, and what
100,000 requests do to its memory.

Run it with `uv run python benchmarks/service.py`, a second time for a warm package cache.
"""

import json
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

from load import build_request, compare, measure, serve
from measure import Cost, best, render, run, table

REQUESTS = 100_000  # after which its memory has to be what it was
PROBLEMS = ("classification", "regression", "ranking", "answering")
TESTS = ["-type", "d", "-name", "tests", "-prune", "-exec", "rm", "-r", "{}", "+"]
LIBRARIES = "import dataframely, fastapi, polars, skops.io, sklearn.ensemble, typer, uvicorn"


def megabytes(folder: Path) -> float:
    """Return the size of an environment in megabytes, with bytecode; links are not followed."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 1e6


def start_service(python: str, churn: Path) -> Cost:
    """Start the service, wait until `/ready` answers, stop it, and return what it cost."""
    words = [python, "-m", "churn.delivery.cli", "serve", "--port", "0"]
    since = time.perf_counter()
    child = subprocess.Popen(
        words, cwd=churn, env=os.environ | {"PYTHONPATH": "src"}, stderr=subprocess.PIPE, text=True
    )
    assert child.stderr is not None
    lines = []
    for line in child.stderr:
        lines.append(line)
        if address := re.search(r"running on (http://[\d.:]+)", line):
            with urlopen(f"{address[1]}/ready") as answer:
                answer.read()
            break
    else:
        raise SystemExit(f"{' '.join(words)} failed in {churn}:\n{''.join(lines)}")
    seconds = time.perf_counter() - since
    child.terminate()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return Cost(seconds, usage.ru_maxrss / 1024)


def measure_memory(churn: Path, python: str) -> list[tuple[str, ...]]:
    """MiB that the service holds after so many requests."""
    words = [python, "-m", "churn.delivery.cli", "serve", "--port", "18300"]
    with serve(words, churn, "http://127.0.0.1:18300/ready") as pid:
        with urlopen("http://127.0.0.1:18300/openapi.json") as answer:
            (example,) = json.load(answer)["components"]["schemas"]["Rows"]["examples"]
        request = build_request("/predict", json.dumps(example).encode())
        held, done = [], 0.0
        while done < REQUESTS:
            load = measure(18300, [pid], [request] * 16, 16, 10)
            done += load.rate * 10.5
            status = Path(f"/proc/{pid}/status").read_text()
            resident = int(status.partition("VmRSS:")[2].split()[0]) / 1024
            held.append((f"after {done:,.0f} requests", f"{resident:.0f} MiB"))
    return held


rows = []
for problem in PROBLEMS:
    with tempfile.TemporaryDirectory() as scratch:
        churn = render(Path(scratch) / "churn", f"--data=problem={problem}")
        path = {"PATH": f"{churn / '.venv/bin'}:/usr/local/bin:/usr/bin:/bin"}
        run(["dvc", "repro", "--quiet", "train"], churn, **path)
        service = Path(scratch) / "service"
        only = ["uv", "sync", "--quiet", "--frozen", "--compile-bytecode", "--only-group=service"]
        run(only, churn, UV_PROJECT_ENVIRONMENT=str(service))
        python = str(service / "bin/python")
        installed, full = megabytes(service), megabytes(churn / ".venv")
        # As the Dockerfile does.
        run(["find", str(service), *TESTS], churn)
        small = megabytes(service)
        if problem == "classification":
            full_python = str(churn / ".venv/bin/python")
            run(["uv", "pip", "install", "--quiet", "--python", full_python, "mlflow"], churn)
            speed = compare(churn, full_python, Path(scratch))
            memory = measure_memory(churn, python)
        bare = best(run([python, "-c", LIBRARIES], churn) for _ in range(3))
        served = best(start_service(python, churn) for _ in range(3))
        rows.append(
            (
                problem,
                f"{installed:.0f} MB as installed; {small:.0f} in the image, of {full:.0f} MB: "
                f"{small / full:.0%} (aim: 40%)",
                f"ready after {served.seconds:.1f} s, {served.seconds / bare.seconds:.2f} x "
                "(aim: 4 s)",
                f"{served.peak:.0f} MiB",
            )
        )

table("The service: its environment, its start, its memory", rows)
table("Its requests, in classification", speed)
table("Its memory", memory)
