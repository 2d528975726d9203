"""Names and values of a table as Python writes them."""

import keyword
import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime

import dataframely as dy

RESERVED = {name for name in dir(dy.Schema) if not name.startswith("__")}
UNWRITTEN = re.compile(r"[\x00-\x1f\x7f-\xa0\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def name_attributes(names: Iterable[str]) -> dict[str, str]:
    """Return for each column the name of its attribute in `Row`: its own, where that can be one."""
    attributes: dict[str, str] = {}
    for name in names:
        attribute = name if is_attribute(name) else to_snake_case(name)
        while is_reserved(attribute) or attribute in attributes.values():
            attribute += "_"
        attributes[name] = attribute
    return attributes


def is_attribute(name: str) -> bool:
    """Whether a column's name is also a Python name; not in mixed case, which ruff refuses."""
    is_mixed = name[:1].islower() and not name.islower()
    return name.isascii() and name.isidentifier() and not name.startswith("_") and not is_mixed


def is_reserved(attribute: str) -> bool:
    """Whether Python or dataframely uses a name for something else."""
    return keyword.iskeyword(attribute) or keyword.issoftkeyword(attribute) or attribute in RESERVED


def to_snake_case(name: str) -> str:
    """A name in small ASCII letters with `_` between words; `column` where nothing is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain)
    snake = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")[:40].strip("_") or "column"
    return f"column_{snake}" if snake[0].isdigit() else snake


def quote(text: str) -> str:
    """A text as a Python literal in double quotes; signs that nobody sees as their numbers."""
    written = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{UNWRITTEN.sub(_escape, written)}"'


def _escape(sign: re.Match[str]) -> str:
    return {"\n": r"\n", "\t": r"\t", "\r": r"\r"}.get(sign[0], f"\\u{ord(sign[0]):04x}")


def quote_all(texts: Iterable[str]) -> str:
    """A list of texts as a Python literal."""
    return f"[{', '.join(map(quote, texts))}]"


def in_comment(text: str) -> str:
    """A text on one line, for a comment, a cell or a docstring."""
    return re.sub(r"\s+", " ", UNWRITTEN.sub(" ", text)).replace("\\", "/").strip()


def write_number(value: float, *, whole: bool) -> str:
    """A number as a person writes it: `120_000`, `0.5`."""
    if whole or (value.is_integer() and abs(value) < 1e15):
        return f"{int(value):_}"
    return repr(value)


def write_value(value: object) -> str:
    """A value of a row as a Python literal."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, datetime):
        zone = ", tzinfo=UTC" if value.tzinfo else ""
        day = f"{value.year}, {value.month}, {value.day}"
        return f"datetime({day}, {value.hour}, {value.minute}{zone})"
    if isinstance(value, date):
        return f"date({value.year}, {value.month}, {value.day})"
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, float):
        return repr(value)
    return f"{value:_}"
