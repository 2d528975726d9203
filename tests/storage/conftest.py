"""The repository of `tests/champion`, and an S3 store on loopback to keep its data in."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..champion.conftest import champions, promoted
from ..made import UV, surroundings

__all__ = ["champions", "promoted"]


@pytest.fixture(scope="session")
def store() -> Iterator[dict[str, str]]:
    """`url`, and the credentials that the store asks for, by the names of their variables."""
    command = [UV, "run", "--quiet", "--script", str(Path(__file__).with_name("s3_server.py"))]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=surroundings(),
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield json.loads(server.stdout.readline())
        server.stdin.close()
