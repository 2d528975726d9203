"""A team's repository on its code host: what its workflows run on, open, push and deploy."""

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .. import warm
from ..champion.conftest import Shared
from ..made import MACHINE, UV, passes
from ..ports import free_port
from . import docker, gh
from .emulated import Use
from .runner import Completed, Job, run
from .triggers import Event

DELIVER = ".github/workflows/deliver.yml"
DEPLOY = """#!/bin/sh
echo "$1 $2" >> "$DEPLOYED"
"""
ATTEST = "actions/attest-build-provenance"


@dataclass(frozen=True)
class Platform:
    """A repository on its code host: runs, pull requests, a registry, and what was deployed."""

    repository: Shared
    folder: Path

    @property
    def pulls(self) -> list[dict[str, Any]]:
        path = self.folder / "pulls.json"
        return json.loads(path.read_text())["pulls"] if path.exists() else []

    @property
    def deployed(self) -> list[str]:
        path = self.folder / "deployed"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def engine(self) -> str:
        """The verbs that the container engine was asked for."""
        path = self.folder / "engine/log"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return " ".join(line.split()[0] for line in lines)

    def run(
        self,
        event: Event,
        secrets: Mapping[str, str] | None = None,
        file: str = DELIVER,
        **variables: str,
    ) -> Completed:
        path = os.pathsep.join([str(self.folder / "bin"), str(Path(UV).parent), os.defpath])
        kept = {k: v for k, v in os.environ.items() if k.startswith((*MACHINE, warm.SOCKET))}
        environment = {
            **kept,
            "PATH": path,
            "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache/uv")),
            "UV_PROJECT_ENVIRONMENT": str(self.repository.environment),
            "GIT_CONFIG_NOSYSTEM": "1",
            "OMP_NUM_THREADS": "1",
            "GH_KEPT": str(self.folder / "pulls.json"),
            "DOCKER_KEPT": str(self.folder / "engine"),
            "DOCKER_PACKAGE": self.repository.package,
            "DEPLOYED": str(self.folder / "deployed"),
        }
        return run(
            self.repository.folder,
            file,
            event,
            folder=self.folder / "runs",
            secrets=secrets,
            variables=variables,
            actions={"astral-sh/setup-uv": nothing, ATTEST: nothing},
            environment=environment,
        )

    def share(self) -> None:
        """Keep data and models where every machine finds them."""
        storage = str(self.folder / "storage")
        passes(self.repository.run("dvc", "remote", "modify", "storage", "url", storage))
        self.repository.commit("Share the storage")
        passes(self.repository.run("dvc", "push"))

    def merge(self, branch: str) -> None:
        """Squash, as the rules of main allow."""
        self.repository.git("merge", "--quiet", "--squash", branch)
        self.repository.git("commit", "--quiet", "--message", f"{branch} (#1)")
        self.repository.git("branch", "--quiet", "-D", branch)


def nothing(use: Use) -> None:
    """uv is here already; and nothing is signed here."""


def installed_programs(folder: Path) -> Path:
    """A folder with GitHub's command and a container engine in `bin`."""
    for name, module in (("gh", gh), ("docker", docker)):
        program = folder / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{module.__file__}" "$@"\n')
        program.chmod(0o755)
    (folder / "engine").mkdir()
    return folder


@pytest.fixture
def platform(started: Shared, tmp_path: Path) -> Platform:
    """The rule is in charge, and the verdict is ship."""
    installed_programs(tmp_path)
    (started.folder / "deploy/deploy").write_text(DEPLOY)
    # Beside this test others run, and whatever this machine is for: the port is another each time.
    deliver, port = started.folder / DELIVER, free_port()
    text, places = re.subn(r"127\.0\.0\.1:8000\b", f"127.0.0.1:{port}", deliver.read_text())
    assert places == 2
    deliver.write_text(text)
    started.commit("Our way to deploy")
    return Platform(started, tmp_path)


def read_output(*jobs: Job) -> str:
    return "\n".join(step.text for job in jobs for step in job.steps.all)
