"""Compare what each stage of `dvc.yaml` imports with the `deps` it names: DVC reruns a stage only
for what is named.

The hook `stage-deps` runs it in repositories of any kind, so it imports no other module.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

MODULE = re.compile(r"python3? -m ([\w.]+)")


def find_imported(module: Path, root: Path, seen: set[Path] | None = None) -> set[Path]:
    """`module` and every file below `root` that it imports, directly or not, wherever the import
    stands.
    """
    seen = set() if seen is None else seen
    if module not in seen:
        seen.add(module)
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"), str(module))):
            for file in _list_imports(node, module, root):
                find_imported(file, root, seen)
    return seen


def _list_imports(node: ast.AST, module: Path, root: Path) -> Iterator[Path]:
    """The files below `root` that an import statement names."""
    if isinstance(node, ast.Import):
        names = [alias.name.split(".") for alias in node.names]
        bases = [root.joinpath(*name) for name in names]
    elif isinstance(node, ast.ImportFrom):
        start = module.parents[node.level - 1] if node.level else root
        base = start.joinpath(*(node.module.split(".") if node.module else []))
        bases = [base, *(base / alias.name for alias in node.names)]
    else:
        return
    yield from (file for base in bases if (file := base.with_suffix(".py")).is_file())


def find_faults(pipeline: Path) -> list[str]:
    """What is wrong with the deps of each stage in the file `pipeline`, one sentence each."""
    try:
        content = YAML(typ="safe", pure=True).load(pipeline.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [f"{pipeline}: expected a DVC pipeline, found no file"]
    except YAMLError as error:
        return [f"{pipeline}: expected YAML, found\n{error}"]
    stages: dict[str, Any] = (content or {}).get("stages", {})
    return [
        fault
        for name, stage in stages.items()
        for fault in _find_stage_faults(pipeline, name, stage)
    ]


def _find_stage_faults(pipeline: Path, name: str, stage: dict[str, Any]) -> Iterator[str]:
    folder = pipeline.parent
    root = folder / "src" if (folder / "src").is_dir() else folder
    words = stage.get("cmd", "")
    names = MODULE.findall(words if isinstance(words, str) else "\n".join(words))
    modules = [
        file
        for module in names
        if (file := root.joinpath(*module.split(".")).with_suffix(".py")).is_file()
    ]
    needed = {
        file.relative_to(folder).as_posix()
        for module in modules
        for file in find_imported(module, root)
    }
    deps = [dep if isinstance(dep, str) else next(iter(dep)) for dep in stage.get("deps", [])]
    for path in sorted(needed):
        if not any(path == dep or path.startswith(f"{dep.rstrip('/')}/") for dep in deps):
            why = f"expected `{path}` among its deps, because it imports it; found none"
            yield f"{pipeline}: stage `{name}`: {why}"
    for dep in deps if modules else []:
        extra = [path for path in _list_code(folder / dep, folder) if path not in needed]
        if extra:
            yield (
                f"{pipeline}: stage `{name}`: expected no dep that it does not import, found "
                f"`{dep}`" + ("" if extra == [dep] else f", which holds `{extra[0]}`")
            )


def _list_code(dep: Path, folder: Path) -> list[str]:
    """The Python files of a dep, a file or a folder, but for `__init__.py`."""
    files = [dep] if dep.suffix == ".py" else dep.rglob("*.py") if dep.is_dir() else []
    paths = sorted(
        file.relative_to(folder).as_posix() for file in files if file.name != "__init__.py"
    )
    return paths


def main(argv: list[str] | None = None) -> int:
    """`stage_deps.py [dvc.yaml …]`: print what is wrong and end with 1, or say nothing and end with
    0.
    """
    names = (sys.argv[1:] if argv is None else argv) or ["dvc.yaml"]
    faults = [fault for name in names for fault in find_faults(Path(name))]
    if faults:
        print("\n".join([*faults, "Next: fix the deps, then uv run dvc repro"]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
