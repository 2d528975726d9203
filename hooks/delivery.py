"""The template's own checks, loaded by path: what a generated repository runs, any other can."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).resolve().parents[1] / "template/src/{{package_name}}/delivery"


def module(name: str) -> ModuleType:
    """A module of the template that stands alone, by its path below `delivery/`."""
    path = FOLDER / name
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = loaded  # pydantic looks its annotations up here
    spec.loader.exec_module(loaded)
    return loaded
