"""A generated repository that has run, what MLflow knows of it, and a real server on loopback."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ..conftest import ROOT, Render
from ..made import UV, Completed, Repository, call, passes, surroundings
from ..ports import free_port

CUSTOMERS = 5_000  # enough positive units for every interval
PYTHON = ".venv/bin/python"
MLFLOW = "uv run --isolated --group ui mlflow"  # with its server, as the page has it
LOG = ("params.yaml", "reports", "models/challenger")

LOOK = """
import json, sys
from mlflow import MlflowClient

def files(client, run, path=None):
    for item in client.list_artifacts(run, path):
        yield from files(client, run, item.path) if item.is_dir else [item.path]

def look(client):
    found = {"experiments": {}, "versions": [], "alias": ""}
    for experiment in client.search_experiments():
        found["experiments"][experiment.name] = [
            {
                "id": run.info.run_id, "name": run.info.run_name, "status": run.info.status,
                "metrics": run.data.metrics, "params": run.data.params, "tags": run.data.tags,
                "files": sorted(files(client, run.info.run_id)), "uri": run.info.artifact_uri,
                "inputs": {i.dataset.name: i.dataset.digest for i in run.inputs.dataset_inputs},
            }
            for run in client.search_runs([experiment.experiment_id])
        ]
    for model in client.search_registered_models():
        found["alias"] = str(model.aliases.get("champion") or "")
        found["versions"] = [
            {"number": version.version, "tags": version.tags, "run": version.run_id}
            for version in client.search_model_versions(f"name = '{model.name}'")
        ]
    return found

for uri in sys.stdin:
    print(json.dumps(look(MlflowClient(uri.strip()))), flush=True)
"""


class Seen:
    """What an MLflow holds."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.experiments: dict[str, list[dict[str, Any]]] = content["experiments"]
        self.versions = {version["tags"]["champion"]: version for version in content["versions"]}
        self.alias: str = content["alias"]
        runs = self.experiments.get("churn", [])
        self.runs = [run for run in runs if "mlflow.parentRunId" not in run["tags"]]
        self.candidates = [run for run in runs if "mlflow.parentRunId" in run["tags"]]

    @property
    def run(self) -> dict[str, Any]:
        assert len(self.runs) == 1, [run["name"] for run in self.runs]
        return self.runs[0]


class Tracked(Repository):
    """A generated repository with what is asked of its MLflow."""

    def python(self, *words: str, **changes: str) -> Completed:
        """The Python of its environment, without uv's own time."""
        return call(self.folder, self.folder / PYTHON, *words, **changes)

    def track(self, *words: str, uri: str) -> Completed:
        """The stage `track` by hand as in `dvc.yaml`, with another MLflow than in params.yaml."""
        module = "churn.delivery.pipeline.track"
        return self.python("-m", module, *words, MLFLOW_TRACKING_URI=uri, PYTHONPATH="src")

    def registry(self, *words: str, uri: str) -> Completed:
        """The registry by hand, with another MLflow than that of params.yaml."""
        module = "churn.delivery.tracking.registry"
        return self.python("-m", module, *words, MLFLOW_TRACKING_URI=uri)

    def seen(self, uri: str) -> Seen:
        """Read anew what an MLflow holds; a path is one of this folder."""
        looking = reader(str((self.folder / ".venv").resolve() / "bin/python"))
        assert looking.stdin is not None
        assert looking.stdout is not None
        print(uri.replace("sqlite:///mlflow", f"sqlite:///{self.folder}/mlflow"),
              file=looking.stdin, flush=True)  # fmt: skip
        return Seen(json.loads(looking.stdout.readline()))


@cache
def reader(python: str) -> subprocess.Popen[str]:
    """MLflow's own client, which takes seconds to import; it ends with its standard input."""
    return subprocess.Popen(
        [python, "-c", LOOK], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=surroundings(MLFLOW_SQLALCHEMYSTORE_POOLCLASS="NullPool"),
    )  # fmt: skip


@pytest.fixture(scope="session")
def original(render: Render, environment: Path) -> Tracked:
    """A repository whose pipeline has run once; no test may change anything in it."""
    folder = render()
    params = folder / "params.yaml"
    text = params.read_text(encoding="utf-8")
    assert text.count("customers: 20000 ") == 1
    params.write_text(text.replace("customers: 20000 ", f"customers: {CUSTOMERS} "))
    call(folder, "git", "init", "--quiet", "-b", "main")
    (folder / ".venv").symlink_to(environment)
    passes(call(folder, UV, "sync", "--quiet"))
    how = call(folder, UV, "run", "churn", "start")
    passes(how, "track ")
    return Tracked(folder, how)


@pytest.fixture(scope="session")
def at_first(original: Tracked, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all but the environment, to go back to."""
    folder = tmp_path_factory.mktemp("at_first") / "churn"
    shutil.copytree(original.folder, folder, ignore=shutil.ignore_patterns(".venv"))
    return folder


@pytest.fixture
def tracked(original: Tracked, at_first: Path) -> Tracked:
    """The repository as it was after its first run, for a test to change."""
    for path in original.folder.iterdir():
        if path.name != ".venv":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copytree(at_first, original.folder, dirs_exist_ok=True)
    return original


@pytest.fixture
def empty(tmp_path: Path) -> str:
    """The address of a database that is not there yet."""
    return f"sqlite:///{tmp_path}/new/mlflow.db"


@pytest.fixture(scope="session")
def server(original: Tracked, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of a real MLflow server that keeps artifacts itself."""
    home, port = tmp_path_factory.mktemp("server"), free_port()
    assert MLFLOW in (ROOT / "docs/tracking.md").read_text(encoding="utf-8")
    command = [
        UV, *MLFLOW.split()[1:], "server", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--backend-store-uri", f"sqlite:///{home}/runs.db",
        "--artifacts-destination", str(home / "artifacts"),
    ]  # fmt: skip
    # Its jobs, for which it starts more processes, are nothing that runs and models need.
    off = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    quiet = surroundings(**off)
    with (home / "log").open("w") as log, subprocess.Popen(
        command, cwd=original.folder, env=quiet, stdout=log, stderr=log, start_new_session=True
    ) as process:  # fmt: skip
        try:
            until = time.monotonic() + 120
            while not healthy(port):
                assert process.poll() is None, (home / "log").read_text()
                assert time.monotonic() < until, (home / "log").read_text()
                time.sleep(0.2)
            yield f"127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def healthy(port: int) -> bool:
    address = f"http://127.0.0.1:{port}/health"
    with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
        return bool(answer.status == 200)
    return False


@pytest.fixture
def mute() -> Iterator[str]:
    """`host:port` of something that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as listening:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
