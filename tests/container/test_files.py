"""What the build may see, and what Compose is told."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..champion.conftest import Shared, blocks
from ..conftest import ROOT
from ..made import UV, call, git
from .context import visible

NOT_FOR_THE_IMAGE = (
    ".env", "src/churn/.env", ".env.example", ".dvc/config.local", ".dvc/cache/files/md5/00/a",
    ".dvc/storage/files/md5/00/a", "data/raw.parquet", "data/source/customers.csv", "mlflow.db",
    "mlruns/1/a", "models/challenger/model.skops", "models/.champion.part/card.json",
    "reports/report.md", "notebooks/look.ipynb", "src/churn/__pycache__/model.cpython-311.pyc",
    "src/churn/.ipynb_checkpoints/model.py", "customers.csv", "secrets.json", ".venv/bin/python",
    "src/churn/delivery/service/app.py.part", "tests/unit/test_rule.py", "deploy/deploy",
)  # fmt: skip
RUN_BY_TESTS = {
    "Try the service without a container": 2,  # test_service.py
    "Build and start the image": 2,  # test_image.py, opt-in
    "What a team shares": 2,  # nowhere, as the page says
    "Deploy, and roll back": 2,  # test_deploy.py
}


@pytest.fixture
def compose(started: Shared) -> dict[str, Any]:
    compose_file: dict[str, Any] = yaml.safe_load((started.folder / "compose.yaml").read_text())
    return compose_file


def copied(folder: Path) -> list[str]:
    """What the Dockerfile takes from the context."""
    lines = [line.split() for line in (folder / "Dockerfile").read_text().splitlines()]
    takes = [words for words in lines if words[:1] == ["COPY"] and "--from" not in words[1]]
    return [source for words in takes for source in words[1:-1]]


def test_the_build_sees_code_brief_locks_and_models_and_nothing_else(promoted: Shared) -> None:
    before = visible(promoted.folder)
    for name in NOT_FOR_THE_IMAGE:
        path = promoted.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text("secret")
    sources = visible(promoted.folder)
    assert sources == before
    assert sources & set(NOT_FOR_THE_IMAGE) == set()
    own = re.compile(r"src/churn/.*|models/(champion|rule)/.*|models/champion\.dvc")
    others = {name for name in sources if not own.fullmatch(name)}
    assert others == {"dvc.lock", "project-brief.md", "pyproject.toml", "uv.lock"}
    assert "models/champion/promotion.json" in sources
    assert "src/churn/contract.py" in sources


def test_whatever_the_dockerfile_takes_is_there(started: Shared) -> None:
    sources = visible(started.folder)
    copied_paths = copied(started.folder)
    assert len(copied_paths) == 6
    for source in copied_paths:
        assert any(name == source or name.startswith(f"{source}/") for name in sources), source
    assert {
        name for name in sources if not any((f"{name}/").startswith(f"{s}/") for s in copied_paths)
    } == (set())


def test_compose_yaml_keeps_the_schema_of_compose(started: Shared) -> None:
    completed = call(
        ROOT, UV, "run", "--quiet", "check-jsonschema",
        "--builtin-schema", "vendor.compose-spec", started.folder / "compose.yaml",
    )  # fmt: skip
    assert completed.returncode == 0, completed.stdout


def test_no_service_of_compose_has_more_rights_than_it_needs(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"service", "mlflow", "postgres", "prometheus"}
    for name, service in compose["services"].items():
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        assert not {"privileged", "cap_add", "network_mode", "pid"} & service.keys(), name
        pinned = re.search(r"@sha256:[0-9a-f]{64}$", service["image"])
        assert pinned or name in {"service", "mlflow"}, name
        mounts = [volume.partition(":") for volume in service.get("volumes", [])]
        assert all(
            source in compose["volumes"] or options.endswith(":ro") for source, _, options in mounts
        )
    service = compose["services"]["service"]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert "tmpfs" in service
    assert "healthcheck" in service
    assert "volumes" not in service


def test_a_secret_comes_from_the_environment_and_its_absence_is_said(
    started: Shared, compose: dict[str, Any]
) -> None:
    text = (started.folder / "compose.yaml").read_text()
    example = (started.folder / ".env.example").read_text()
    needed = set(re.findall(r"\$\{(\w+):\?[^}]+\}", text))
    offered = set(re.findall(r"^#?(\w+)=", example, re.MULTILINE))
    optional = set(re.findall(r"\$\{(\w+):-", text)) - {"IMAGE", "REVISION", "VERSION"}
    assert needed == {"POSTGRES_PASSWORD"}
    assert needed | optional == offered
    assert re.findall(r"^POSTGRES_PASSWORD=(.*)$", example, re.MULTILINE) == [""]
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|URI|TOKEN|SECRET|KEY", name):
                assert "${POSTGRES_PASSWORD:?" in value, name
    (started.folder / ".env").write_text("POSTGRES_PASSWORD=x\n")
    status = git(started.folder, "status", "--porcelain", "--untracked-files=all")
    assert ".env" not in status
    assert ".env.example" in git(started.folder, "ls-files")


def test_the_health_command_of_compose_is_that_of_the_dockerfile(
    started: Shared, compose: dict[str, Any]
) -> None:
    image = (started.folder / "Dockerfile").read_text()
    (command,) = re.findall(r"^HEALTHCHECK.*\n    CMD (\[.*\])$", image, re.MULTILINE)
    assert ["CMD", *yaml.safe_load(command)] == compose["services"]["service"]["healthcheck"][
        "test"
    ]


def test_every_command_of_the_page_is_accounted_for() -> None:
    commands = {heading: len(lines) for heading, lines in blocks("container.md").items()}
    assert commands == RUN_BY_TESTS
