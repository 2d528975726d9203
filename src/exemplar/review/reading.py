"""Read YAML, JSON, TOML and Python of somebody else's: a text that cannot be read is nothing."""

import ast
import json
import re
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


LARGEST = 1_000_000  # values, with what is repeated by an alias counted each time
MERGED_LIST = re.compile(r"<<\s*:\s*(\[|\n\s*-)")
ALIASES = 20  # beside such a list: each of them copies what it names


@cache
def parse_yaml(text: str) -> Any:
    """Return what a YAML document holds, or None where it is none. Nobody may change it.

    A document that is small and grows beyond all measure by its aliases counts as none.
    """
    if MERGED_LIST.search(text) and text.count("*") > ALIASES:
        return None
    try:
        content = yaml.load(text, Loader=Loader)
        return content if "&" not in text or count_values(content, {}) < LARGEST else None
    except Exception:  # whatever Python raises for `!!int x`, for 2027-02-30 and for 1,000 brackets
        return None


def count_values(content: Any, counts: dict[int, int]) -> int:
    """Return how many values are in a document, those of an alias each time that it stands."""
    if not isinstance(content, (dict, list)):
        return 1
    if id(content) not in counts:
        counts[id(content)] = 1  # also where it holds itself
        values = content.values() if isinstance(content, dict) else content
        counts[id(content)] = 1 + sum(count_values(value, counts) for value in values)
    return counts[id(content)]


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
