"""Whether the team's code reads or writes files, asks a server or runs programs. What a stage makes
would then depend on more than DVC knows: on the test rows, for example.

`save` and `load` of `model.py` are for files. Any other function that needs them says why, in the
file that has it: `FILES = {"resume": "a killed training goes on from its checkpoint"}`.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from .stage_deps import find_imported

ROOTS = ("features", "model", "metrics")
ALLOWED = ("save", "load")
REASONS = "FILES"
MODULE = "module"  # how FILES calls what stands in no function
BUILT_IN = ("open", "exec", "eval", "compile", "input", "__import__")
OUTSIDE = re.compile(
    r"(aiohttp|boto3|ctypes|duckdb|fileinput|fsspec|ftplib|gcsfs|glob|httpx?|importlib(?!\.metadata)"
    r"|io\.open|mmap|os(?!\.(environ|getenv|cpu_count|path\.(join|basename|splitext)))|psycopg\d?"
    r"|requests|runpy|s3fs|shelve|shutil|socket|sqlalchemy|sqlite3|subprocess|tempfile|urllib3?"
    r"|(json|joblib|numpy|pickle|torch|tomllib|yaml)\.(load|save|dump|loadtxt|savez?))\b.*"
)
"""Calls that read or write, by the module that they come from."""
METHODS = re.compile(
    r".+\.((read|scan|sink|write)_\w+|(load|save)_(file|model|weights)|fetch_\w+|from_pretrained"
    r"|to_(csv|excel|parquet|pickle|sql)|open|touch|unlink|mkdir|rmdir|iterdir|r?glob"
    r"|fromfile|tofile|genfromtxt|memmap|download)"
)
"""Calls that read or write, by their last word."""


def find_faults(root: Path = Path("src")) -> list[str]:
    """Each place where the team's code reads or writes and does not say why."""
    try:
        return [fault for path in list_files(root) for fault in find_in_file(path)]
    except SyntaxError as error:
        where = f"{error.filename}, line {error.lineno}"
        return [f"{where}: expected Python, found {error.msg}. Next: fix that line"]


def describe() -> str:
    """Which functions of the team's read or write, and why."""
    reasons = [
        f"{function} in {path.name} ({why})"
        for path in list_files(Path("src"))
        for function, why in read_reasons(ast.parse(path.read_text(encoding="utf-8"))).items()
    ]
    sentence = "what a model says depends on its rows alone"
    return f"{sentence}, but for files: {'; '.join(reasons)}" if reasons else sentence


def list_files(root: Path) -> list[Path]:
    """Features, model and metrics of each package below `root`, and what they import beside
    `delivery`.
    """
    paths = [path for name in ROOTS for path in root.glob(f"*/{name}.py")]
    imported = {file for path in paths for file in find_imported(path, root)}
    return sorted(file for file in imported if "delivery" not in file.relative_to(root).parts)


def find_in_file(path: Path) -> Iterator[str]:
    """Each call that reads or writes, outside the functions that may."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    names, allowed = dict(list_imported(tree)), {*ALLOWED, *read_reasons(tree)}
    for function, call in list_calls(tree, MODULE):
        words = name_call(call, names)
        if function not in allowed and is_outside(words, names):
            reason = {function: "…"}
            yield (
                f"{path}, line {call.lineno}: expected no input or output, found {words}() in "
                f"`{function}`. Next: have the source bring it as a column; or say why, in "
                f"{path.name}: {REASONS} = {reason}"
            )


def list_imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Each imported name with its full one, such as `pl` with `polars`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (first, first)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            yield from (
                (alias.asname or alias.name, f"{base}.{alias.name}") for alias in node.names
            )


def read_reasons(tree: ast.Module) -> dict[str, str]:
    """What FILES says: the functions that read or write, and why."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if ast.unparse(target) == REASONS and isinstance(node.value, ast.Dict):
                try:
                    reasons = ast.literal_eval(node.value)
                except ValueError:
                    return {}
                return {name: why for name, why in reasons.items() if str(why).strip(". …")}
    return {}


def list_calls(node: ast.AST, function: str) -> Iterator[tuple[str, ast.Call]]:
    """Each call below a node, with the function that it stands in; a class stands in none."""
    for inner in ast.iter_child_nodes(node):
        name = inner.name if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) else function
        if isinstance(inner, ast.Call):
            yield name, inner
        yield from list_calls(inner, name)


def name_call(call: ast.Call, names: dict[str, str]) -> str:
    """What is called, by its full name."""
    first, dot, rest = ast.unparse(call.func).partition(".")
    return f"{names.get(first, first)}{dot}{rest}"


def is_outside(words: str, names: dict[str, str]) -> bool:
    """Whether a call reads or writes, by how it is called. A method of its own class is judged by
    what stands in it.
    """
    if words.startswith(("self.", "cls.")):
        return False
    is_imported = any(words == name or words.startswith(f"{name}.") for name in names.values())
    return bool(
        words in BUILT_IN or (is_imported and OUTSIDE.fullmatch(words)) or METHODS.fullmatch(words)
    )


def main() -> int:
    """Print each place and end with 1, or say nothing and end with 0."""
    if faults := find_faults():
        print("\n".join(faults))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
