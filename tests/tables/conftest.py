"""The room `tables` of a rendered repository, whose functions are called here."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from ..conftest import Render


class Rendered(NamedTuple):
    """What Copier made of the template; its modules can be imported."""

    folder: Path

    def load(self, name: str) -> ModuleType:
        """A module of `delivery`, or beside it (`.contract`)."""
        return importlib.import_module(f"sheets{name if name[0] == '.' else f'.delivery.{name}'}")


@pytest.fixture(scope="session")
def rendered(render: Render) -> Iterator[Rendered]:
    folder = render("sheets")
    sys.path.insert(0, str(folder / "src"))
    yield Rendered(folder)
    sys.path.remove(str(folder / "src"))
