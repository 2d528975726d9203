"""The service of each kind of problem: what its libraries take of the full environment, and how
long `serve` takes until it is ready, beside a process that imports the libraries and does nothing.

Run it with `uv run python benchmarks/service.py`, a second time for a warm package cache.
"""

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

from measure import Cost, best, render, run, table

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
