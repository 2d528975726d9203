"""Those definitions of a Python source that a draft needs, out of all that it might need."""

import ast
import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

DRAFTS = Path(__file__).with_name("drafts")


def read_draft(name: str) -> str:
    """The source of a draft: Python, kept as text so that no tool takes it for the project's."""
    return DRAFTS.joinpath(f"{name}.txt").read_text(encoding="utf-8")


def list_tests(source: str) -> list[str]:
    """The names of the tests in a source."""
    return [name for name in find_definitions(source) if name.startswith("test_")]


def keep(source: str, names: Iterable[str], renamed: Mapping[str, str] | None = None) -> str:
    """Return the source with the definitions of these names, what they use, and nothing else.

    `renamed` gives a name of the source another one in the result.
    """
    definitions = find_definitions(source)
    needed = find_needed(definitions, names)
    module = ast.parse(source)
    start = find_first_line(module)
    imports = [node for node in module.body if isinstance(node, ast.Import | ast.ImportFrom)]
    body = join([text for name, text in definitions.items() if name in needed])
    used = list_words(body)
    lines = [write_import(node, used) for node in imports]
    head = "\n".join(source.splitlines()[:start])
    text = "\n".join([head.rstrip(), "", *filter(None, lines), "", body, ""])
    for old, new in (renamed or {}).items():
        text = re.sub(rf"\b{old}\b", new, text)
    return text


def join(texts: list[str]) -> str:
    """Definitions one below the other: values closer to each other than functions and classes."""
    joined = texts[0]
    for before, text in pairwise(texts):
        is_close = not any(each.startswith(("def ", "class ", "@")) for each in (before, text))
        joined += ("\n\n" if is_close else "\n\n\n") + text
    return joined


def find_definitions(source: str) -> dict[str, str]:
    """Each function, class and value at the top of a source with its text, docstring and all."""
    lines, texts, last = source.splitlines(), dict[str, str](), ""
    for node in ast.parse(source).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        text = "\n".join(lines[first - 1 : node.end_lineno])
        if name := name_definition(node):
            texts[name], last = text, name
        elif isinstance(node, ast.Expr) and last:
            texts[last] += f"\n{text}"
    return texts


def name_definition(node: ast.stmt) -> str | None:
    """What a statement defines; None where it defines nothing."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.target)
    return ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else None


def find_needed(definitions: Mapping[str, str], names: Iterable[str]) -> set[str]:
    """These names and those of what they use, directly or through others."""
    needed, ahead = set[str](), list(names)
    while ahead:
        name = ahead.pop()
        if name not in needed:
            needed.add(name)
            ahead += list_words(definitions[name]) & definitions.keys()
    return needed


def list_words(text: str) -> set[str]:
    """The names that a text of Python uses."""
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def find_first_line(module: ast.Module) -> int:
    """The last line of a module's docstring."""
    return module.body[0].end_lineno or 0


def write_import(node: ast.Import | ast.ImportFrom, used: set[str]) -> str:
    """An import of those names that are used; nothing where none is."""
    names = [a for a in node.names if (a.asname or a.name).partition(".")[0] in used]
    if not names:
        return ""
    if isinstance(node, ast.ImportFrom):
        return ast.unparse(ast.ImportFrom(node.module, names, node.level))
    return ast.unparse(ast.Import(names))
