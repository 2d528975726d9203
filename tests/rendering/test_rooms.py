"""The rooms of `delivery/`: who may import whom, as `blueprints/every/rooms.md` has it."""

import ast
import re
import runpy
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from ..conftest import EXAMPLES, ROOT, Render

TABLE = ROOT / "blueprints/every/rooms.md"
FRONT_DOOR = {"cli", "start"}


def rooms() -> dict[str, set[str]]:
    """Each room with those that it may import."""
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (.+) \|$", TABLE.read_text(), re.MULTILINE)
    return {room: set(re.findall(r"`(\w+)`", allowed)) for room, allowed in rows}


def arrows(delivery: Path) -> Iterator[tuple[str, str]]:
    """A module, and the room or module of the front door that it imports, outside its own."""
    for path in sorted(delivery.rglob("*.py")):
        own = path.relative_to(delivery).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or not node.level:
                continue
            start = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for place in [start] if node.module else [start / name.name for name in node.names]:
                if place.is_relative_to(delivery) and place != delivery:
                    room = place.relative_to(delivery).parts[0]
                    if room != own:
                        yield path.relative_to(delivery).as_posix(), room


@pytest.mark.parametrize("problem", EXAMPLES)
def test_a_room_imports_those_that_the_table_allows(render: Render, problem: str) -> None:
    delivery = next(render("churn", problem=problem).glob("src/*/delivery"))
    allowed = rooms()
    assert {path.parent.name for path in delivery.glob("*/__init__.py")} == allowed.keys()
    imports = list(arrows(delivery))
    assert len(imports) > 100
    wrong = [
        f"{path} imports {room}"
        for path, room in imports
        if path.partition("/")[0].removesuffix(".py") not in FRONT_DOOR
        and room not in allowed[path.partition("/")[0]]
    ]
    assert wrong == []


def test_no_arrow_of_the_table_goes_back_up() -> None:
    above: set[str] = set()
    for room, allowed in rooms().items():
        assert allowed <= above, f"{room} may import only what stands above it in the table"
        above.add(room)


def test_each_room_says_in_a_sentence_what_it_holds(render: Render) -> None:
    for path in next(render("churn").glob("src/*/delivery")).glob("*/__init__.py"):
        sentence = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert sentence, path
        assert sentence.endswith("."), path


def test_assistants_are_shown_the_table(render: Render) -> None:
    assert TABLE.read_text(encoding="utf-8") in (render("churn") / "AGENTS.md").read_text()


@pytest.mark.parametrize("problem", EXAMPLES)
def test_what_is_imported_is_declared(render: Render, problem: str) -> None:
    """In the template's group; what tests import also among the tools, and what the image runs in
    the image's.
    """
    folder = render("churn", problem=problem)
    groups = tomllib.loads((folder / "pyproject.toml").read_text())["dependency-groups"]
    declared = {name: set(filter(None, map(name_module, lines))) for name, lines in groups.items()}
    source = folder / "src"
    assert list_libraries(source.rglob("*.py"), source) - declared["delivery"] == set()
    tests = list_libraries((folder / "tests").rglob("*.py"), source)
    assert tests - declared["delivery"] - declared["dev"] == set()
    find_imported = runpy.run_path(str(source / "churn/delivery/checks/stage_deps.py"))[
        "find_imported"
    ]
    served = find_imported(source / "churn/delivery/service/app.py", source)
    assert len(served) > 10
    assert list_libraries(served, source) - declared["service"] == set()


def name_module(requirement: str | dict[str, str]) -> str:
    """The module that a package brings; empty for a group that is included."""
    if isinstance(requirement, dict):
        return ""
    name = re.split("[^A-Za-z0-9.-]", requirement)[0]
    others = {"scikit-learn": "sklearn", "mlflow-skinny": "mlflow", "ruamel.yaml": "ruamel"}
    return others.get(name, name.replace("-", "_").removesuffix("_py"))


def list_libraries(files: Iterable[Path], source: Path) -> set[str]:
    """The libraries that files import, wherever the import stands."""
    names = set[str]()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names.add(node.module.partition(".")[0])
    own = {path.name for path in source.iterdir()} | {"tests"}
    return names - sys.stdlib_module_names - own
