"""A service as a process on loopback: `serve` of a repository, in an environment of its own."""

import json
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..made import surroundings

LONGEST = 90  # seconds until a service has to be ready, on a machine that does much else


@dataclass(frozen=True)
class Serving:
    """A service that is ready."""

    url: str
    seconds: float
    """From its start until `/ready` answered."""
    cpu: float
    """Seconds of processor time that this took."""

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=LONGEST) as answer:
            return json.load(answer)

    def post(self, path: str, body: Any) -> Any:
        head = {"Content-Type": "application/json"}
        request = urllib.request.Request(
            f"{self.url}{path}", data=json.dumps(body).encode(), headers=head
        )
        with urllib.request.urlopen(request, timeout=LONGEST) as answer:
            return json.load(answer)


def command(environment: Path) -> list[str]:
    """`serve` as the image runs it: the code is not installed, only its libraries are."""
    return [str(environment / "bin/python"), "-m", "churn.delivery.cli", "serve"]


@contextmanager
def serving(words: list[str], folder: Path, port: int) -> Iterator[Serving]:
    """Run a command that listens on `port`, until the block ends."""
    environment = surroundings(PYTHONPATH=str(folder / "src"))
    since, url = time.monotonic(), f"http://127.0.0.1:{port}"
    with subprocess.Popen(words, cwd=folder, env=environment, stderr=subprocess.PIPE) as process:
        try:
            while not answers(f"{url}/ready"):
                assert process.poll() is None, process.stderr and process.stderr.read().decode()
                assert time.monotonic() - since < LONGEST, f"nothing answers at {url}"
                time.sleep(0.05)
            yield Serving(url, time.monotonic() - since, cpu(process.pid))
        finally:
            process.terminate()


def answers(url: str) -> bool:
    """Whether somebody answers at an address."""
    try:
        with urllib.request.urlopen(url, timeout=LONGEST):
            return True
    except OSError:
        return False


def cpu(process: int) -> float:
    """Seconds of processor time that a process has had."""
    stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / float(os.sysconf("SC_CLK_TCK"))
