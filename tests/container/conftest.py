"""The repository of `tests/champion`, and an environment with what the image holds."""

from pathlib import Path

import pytest

from ..champion.conftest import Shared, champions, promoted, started
from ..conftest import once
from ..made import UV, call, passes

__all__ = ["champions", "promoted", "started"]


@pytest.fixture(scope="session")
def service(between_workers: Path, champions: Path) -> Path:
    """A fresh environment with what the image holds, made as the image makes it."""
    folder = between_workers / "service"
    with once(folder) as first:
        if first:
            words = ["sync", "--frozen", "--no-install-project", "--no-default-groups"]
            own = {"UV_PROJECT_ENVIRONMENT": str(folder / "env"), "UV_COMPILE_BYTECODE": "1"}
            passes(call(champions / "started/churn", UV, *words, "--group=service", **own))
    return folder / "env"


@pytest.fixture(scope="session")
def untouched(champions: Path, environment: Path) -> dict[str, Shared]:
    """By what is in charge: repositories that no test may change, to serve from."""
    names = {"the rule": "started", "champion-1": "promoted"}
    return {
        name: Shared(champions / folder / "churn", call(champions, "true"), environment)
        for name, folder in names.items()
    }
