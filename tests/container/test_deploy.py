"""`deploy/deploy`, with a stand-in for the container engine that starts real processes."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ..champion.conftest import Shared, blocks
from ..made import Completed, call, passes, says_no
from ..ports import free_port
from . import engine
from .running import Serving, answers, command

STAGING, PRODUCTION = blocks("container.md")["Deploy, and roll back"]
LABEL = "org.opencontainers.image.version"
HERE = Path(engine.__file__)


class Host:
    """A repository that deploys to this machine, and the engine's state."""

    def __init__(self, repository: Shared, state: Path) -> None:
        self.repository, self.state = repository, state
        self.urls = {}
        for environment, port in (("staging", 8001), ("production", 8002)):
            here = free_port()
            self.urls[environment] = f"http://127.0.0.1:{here}"
            repository.edit("deploy/deploy", f'"port": "{port}"', f'"port": "{here}"')
            repository.edit("deploy/deploy", f"127.0.0.1:{port}", f"127.0.0.1:{here}")
        docker = state / "docker"
        docker.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HERE}" "$@"\n')
        docker.chmod(0o755)

    def patience(self, seconds: int) -> None:
        self.repository.edit("deploy/deploy", "SECONDS = 90 ", f"SECONDS = {seconds} ")

    def images(self, **champions: tuple[str, list[str], Path]) -> None:
        """By tag: the label, the command and the folder that it runs in."""
        images = [
            {"name": f"churn:{tag}", "id": f"sha256:{tag}", "labels": {LABEL: label} if label else
             None, "command": words, "folder": str(folder)}
            for tag, (label, words, folder) in champions.items()
        ]  # fmt: skip
        (self.state / "images.json").write_text(json.dumps(images))

    def deploy(self, *words: str) -> Completed:
        path = f"{self.state}:/usr/local/bin:/usr/bin:/bin"
        own = {"PATH": path, "ENGINE_STATE": str(self.state)}
        return call(self.repository.folder, *words, **own)

    def ready(self, environment: str) -> Any:
        return Serving(self.urls[environment], 0, 0).get("/ready")["champion"]


@pytest.fixture
def host(started: Shared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    state = tmp_path / "engine"
    state.mkdir()
    monkeypatch.setattr(engine, "STATE", state)
    yield Host(started, state)
    for project in list(engine.containers()):
        engine.remove(project)


def stand_in(champion: str, folder: Path) -> tuple[list[str], Path]:
    return [sys.executable, str(HERE), "stand-in", champion], folder


def test_an_image_is_deployed_and_the_earlier_one_again(
    host: Host, untouched: dict[str, Shared], service: Path
) -> None:
    serve = command(service)
    folders = {name: repository.folder for name, repository in untouched.items()}
    host.images(
        **{
            "0": ("the rule", serve, folders["the rule"]),
            "1": ("champion-1", serve, folders["champion-1"]),
        }
    )
    passes(host.deploy(*STAGING.replace("churn:1", "churn:0").split()), "staging: the rule is in")
    assert host.ready("staging") == "the rule"
    passes(host.deploy(*STAGING.split()), "staging: champion-1 is in charge, from churn:1")
    assert host.ready("staging") == "champion-1"
    assert not answers(host.urls["production"])
    passes(host.deploy(*STAGING.replace("churn:1", "churn:0").split()), "the rule is in charge")
    assert host.ready("staging") == "the rule"


def test_environments_have_services_of_their_own(host: Host, tmp_path: Path) -> None:
    host.images(**{"1": ("champion-1", *stand_in("champion-1", tmp_path))})
    passes(host.deploy(*PRODUCTION.split()), "production: champion-1 is in charge")
    assert host.ready("production") == "champion-1"
    assert not answers(host.urls["staging"])


def test_an_environment_that_it_does_not_know_is_refused(host: Host) -> None:
    for words in (["moon", "churn:1"], ["staging"], []):
        completed = host.deploy("deploy/deploy", *words)
        assert completed.returncode == 2, completed
        assert "expected one of staging, production; found" in completed.stderr
    assert not (host.state / "asked").exists()


def test_an_image_that_is_not_there_or_does_not_say_its_champion_is_refused(
    host: Host, tmp_path: Path
) -> None:
    host.images(nameless=("", *stand_in("champion-1", tmp_path)))
    for image, words in (
        ("churn:9", "expected churn:9"),
        ("churn:nameless", "--build-arg VERSION"),
    ):
        completed = host.deploy("deploy/deploy", "staging", image)
        assert completed.returncode == 2, completed
        assert words in completed.stderr
    assert "up" not in (host.state / "asked").read_text().split()


@pytest.mark.parametrize("wrong", ["broken", "another"])
def test_where_the_image_does_not_come_up_the_former_one_is_put_back(
    host: Host, tmp_path: Path, wrong: str
) -> None:
    host.patience(3)
    host.images(
        former=("champion-1", *stand_in("champion-1", tmp_path)),
        broken=("champion-2", [sys.executable, "-c", "raise SystemExit(1)"], tmp_path),
        another=("champion-2", *stand_in("champion-1", tmp_path)),
    )
    passes(host.deploy("deploy/deploy", "staging", "churn:former"))
    completed = host.deploy("deploy/deploy", "staging", f"churn:{wrong}")
    words = {"broken": "no answer from", "another": "found champion-1 after 3 s"}[wrong]
    says_no(completed, "ready with champion-2", words, "champion-1 is back, from sha256:former")
    assert host.ready("staging") == "champion-1"
    assert engine.containers()["churn-staging"]["image"] == "sha256:former"


def test_where_nothing_ran_before_a_broken_image_leaves_nothing(host: Host, tmp_path: Path) -> None:
    host.patience(2)
    host.images(another=("champion-2", *stand_in("champion-1", tmp_path)))
    completed = host.deploy("deploy/deploy", "staging", "churn:another")
    says_no(completed, "Nothing ran here before, and nothing does now.")
    assert engine.containers() == {}
    assert not answers(host.urls["staging"])


def test_where_neither_comes_up_it_says_so(host: Host, tmp_path: Path) -> None:
    host.patience(2)
    host.images(
        former=("champion-1", *stand_in("champion-1", tmp_path)),
        broken=("champion-2", [sys.executable, "-c", "raise SystemExit(1)"], tmp_path),
    )
    passes(host.deploy("deploy/deploy", "staging", "churn:former"))
    images = json.loads((host.state / "images.json").read_text())
    images[0]["command"] = images[1]["command"]
    (host.state / "images.json").write_text(json.dumps(images))
    completed = host.deploy("deploy/deploy", "staging", "churn:broken")
    says_no(completed, "The former image did not start again either")
