"""What a person wrote, read and explained: YAML, words that are nearly right, faults of a model."""

import difflib
import io
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from .errors import Fixable

MOST = 100_000  # values in one file, each alias (`*name`) replaced by what it stands for
DEEP = re.compile(r"(?:[\[{][^\[\]{}]*){50}")  # brackets within brackets: a parser takes seconds
TOO_DEEP = "values within values, too deep to follow"
LONGEST = 80  # characters of a finding that are shown


def read_text(path: Path, again: str) -> str:
    """The text of a file that a person wrote, without the mark that some editors put first.

    Raises:
        Fixable: it cannot be read, or is no UTF-8; `again` is what to do then.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        fault = f"a byte that is none at place {error.start:,}"
    except OSError as error:
        fault = (error.strerror or type(error).__name__).lower()
    raise Fixable(f"{path}: expected UTF-8 text, found {fault}. {again}")


def read_yaml(path: Path, again: str) -> dict[Any, Any]:
    """The keys and values of a YAML file that a person wrote.

    Raises:
        Fixable: it holds none; `again` is what to do then.
    """
    try:
        content = yaml(read_text(path, again))
    except YAMLError as error:
        raise Fixable(f"{path}: expected YAML, found\n{error}\n{again}") from None
    if not isinstance(content, dict):
        raise Fixable(f"{path}: expected keys and values, found {shorten(content)}. {again}")
    return content


def yaml(text: str) -> Any:
    """Read YAML 1.2, where `on`, `yes` and `no` are words and not true or false; a key given twice
    is an error.

    Raises:
        YAMLError: it is no YAML, a value is none of its kind (the 30th of February), or there are
            too many values, or one within another too deeply.
    """
    if DEEP.search(text):
        raise YAMLError(TOO_DEEP)
    try:
        constructor, _ = YAML(typ="safe", pure=True).get_constructor_parser(io.StringIO(text))
        node = constructor.composer.get_single_node()
        if node is None:
            return None
        if _count_values(node, {}) > MOST:
            raise YAMLError(f"more than {MOST:,} values, with aliases written out")
        return constructor.construct_document(node)
    except YAMLError:
        raise
    except RecursionError:
        raise YAMLError(TOO_DEEP) from None
    except Exception as error:  # whatever Python raises for `!!int x` or for 2027-02-30
        raise YAMLError(f"a value that is none of its kind: {error}") from None


def _count_values(node: Any, counts: dict[int, float]) -> float:
    """How many values a node of YAML holds, each alias written out: infinitely many where it holds
    itself.
    """
    if id(node) not in counts:
        counts[id(node)] = math.inf
        parts = node.value if isinstance(node.value, list) else []
        inner = [part for pair in parts for part in (pair if isinstance(pair, tuple) else [pair])]
        counts[id(node)] = 1 + sum(_count_values(part, counts) for part in inner)
    return counts[id(node)]


def nearest(word: str, known: Iterable[object]) -> str:
    """`; did you mean …?` where a known word is close, else nothing."""
    close = difflib.get_close_matches(word, [str(name) for name in known], n=1)
    return f"; did you mean `{close[0]}`?" if close else ""


def explain(
    where: str,
    error: ValidationError,
    model: type[BaseModel],
    kinds: Mapping[str, type[BaseModel]] = MappingProxyType({}),
) -> str:
    """One line for each fault: where, the key, what was expected, what was found.

    `kinds` are the tags of unions within `model`, which stand in the place of a key.
    """
    lines = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"] if part not in kinds)
        if fault["type"] == "extra_forbidden":
            word = str(fault["loc"][-1])
            known = _keys(model, fault["loc"][:-1], kinds)
            hint = nearest(word, known) or f"; allowed: {', '.join(known)}"
            lines.append(f"{where}: `{key}` is not a key here{hint}")
        elif fault["type"] == "missing":
            lines.append(f"{where}: `{key}` is missing")
        else:
            expected = describe_expectation(fault["msg"])
            finding = "" if ", found " in expected else f", found {shorten(fault['input'])}"
            lines.append(f"{where}: {f'`{key}`: ' if key else ''}{expected}{finding}")
    return "\n".join(lines)


def describe_expectation(message: str) -> str:
    """What pydantic, or a model of ours, says of a value, as `expected …`."""
    words = message.removeprefix("Value error, ")
    words = words.replace("Keys should be strings", "a key that is a word")
    words = re.sub(r"^\w+ should (?:be |have )?", "", words)
    words = words.replace("match pattern", "text like the pattern")
    return words if words.startswith("expected") else f"expected {words}"


def shorten(value: object) -> str:
    """A value as it is written in Python, cut where it is long; of several values what they are."""
    if isinstance(value, dict | BaseModel):
        return "keys and values"
    if isinstance(value, list | tuple | set):
        return "a list"
    if isinstance(value, int) and value.bit_length() > LONGEST:
        return "a number of very many digits"
    words = repr(value)
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}… ({len(words):,} characters)"


def _keys(
    model: type[BaseModel],
    location: tuple[int | str, ...],
    kinds: Mapping[str, type[BaseModel]],
) -> list[str]:
    """The keys that are allowed at a place inside a model."""
    for part in location:
        if part in kinds:
            model = kinds[str(part)]
            continue
        field = model.model_fields.get(str(part))
        inner = [field.annotation, *get_args(field.annotation)] if field else []
        inner += [deeper for kind in inner for deeper in get_args(kind)]
        models = [kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel)]
        model = models[0] if models else model
    return list(model.model_fields)
