"""What a person wrote, read and explained: YAML, words that are nearly right, faults of a model."""

import difflib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML


def yaml(text: str) -> Any:
    """Read YAML 1.2, where `on`, `yes` and `no` are words and not true or false; a key given twice
    is an error.
    """
    return YAML(typ="safe", pure=True).load(text)


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
            expected = (
                fault["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
            )
            expected = expected if expected.startswith("expected") else f"expected {expected}"
            finding = (
                f", found {fault['input']!r}"
                if not isinstance(fault["input"], dict | BaseModel)
                else ""
            )
            lines.append(f"{where}: {f'`{key}`: ' if key else ''}{expected}{finding}")
    return "\n".join(lines)


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
