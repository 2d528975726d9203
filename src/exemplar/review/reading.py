"""Read YAML, JSON, TOML and Python of somebody else's: a text that cannot be read is nothing."""

import ast
import json
import tomllib
import warnings
from functools import cache
from typing import Any

import yaml


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML with tags of somebody else's (`!reference` of GitLab), whose values are kept."""


def _keep(loader: Any, _suffix: str, node: Any) -> Any:
    """Return what a tag of somebody else's stands before."""
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_scalar(node)


Loader.add_multi_constructor("!", _keep)


@cache
def parse_yaml(text: str) -> Any:
    """Return what a YAML document holds, or None where it is none. Nobody may change it."""
    try:
        return yaml.load(text, Loader=Loader)
    except Exception:  # whatever Python raises for `!!int x`, for 2027-02-30 and for 1,000 brackets
        return None


@cache
def parse_json(text: str) -> Any:
    """Return what a JSON document holds, or None where it is none. Nobody may change it."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def parse_toml(text: str) -> dict[str, Any]:
    """Return what a TOML document holds, or nothing where it is none."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return {}


@cache
def parse_python(text: str) -> ast.Module | None:
    """Return the syntax tree of a Python file, or None where it is none. Nobody may change it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def get(content: Any, *keys: str) -> Any:
    """Return what is below these keys, or None where one of them is missing."""
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content


def as_list(value: Any) -> list[Any]:
    """Return a list: of what a list holds, of one value, or of nothing."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def find_line(text: str, needle: str) -> int:
    """Return the number of the first line that holds a text, or 0."""
    start = text.find(needle) if needle else -1
    return text.count("\n", 0, start) + 1 if start >= 0 else 0
