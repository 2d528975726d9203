"""The room `adopt` of two rendered repositories, whose functions are called here."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import polars as pl
import pytest

from ..conftest import Render


class Room(NamedTuple):
    """The room of a repository for one kind of problem; its modules can be imported."""

    package: str

    def load(self, name: str) -> ModuleType:
        """A module of `delivery`."""
        return importlib.import_module(f"{self.package}.delivery.{name}")

    def propose(self, source: Path, target: str, ask: Any = None, **answers: Any) -> Any:
        """What is proposed for a table."""
        options = self.load("adopt.proposal").Answers(target, **answers)
        return self.load("adopt.propose").propose(source, options, ask)


@pytest.fixture(scope="session")
def rooms(render: Render) -> Iterator[dict[str, Room]]:
    """The room by the kind of problem."""
    packages = {"classification": "sorted_out", "regression": "reckoned"}
    folders = [render(name, problem=problem) / "src" for problem, name in packages.items()]
    sys.path[:0] = map(str, folders)
    yield {problem: Room(name) for problem, name in packages.items()}
    for folder in folders:
        sys.path.remove(str(folder))


@pytest.fixture
def room(rooms: dict[str, Room]) -> Room:
    """That for classes."""
    return rooms["classification"]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """`write(table)`: a table as a CSV file; `write(text, "t.csv")`: a text, or bytes."""

    def written(content: pl.DataFrame | str | bytes, name: str = "t.csv") -> Path:
        path = tmp_path / name
        if isinstance(content, pl.DataFrame):
            content.write_parquet(path) if path.suffix == ".parquet" else content.write_csv(path)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written
