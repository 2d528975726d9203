"""Broken inputs, made by rules: a brief, a file of parameters or of answers, with one thing wrong.

The list is the same each time, so that a failure names its case.
"""

import codecs
import json
from collections.abc import Callable, Container, Iterator
from datetime import date
from typing import Any

Place = tuple[str | int, ...]
Change = Callable[[str, str], list[str]]

LONG = "x" * 5_000
DEEP = "[" * 3_000 + "]" * 3_000
NASTY = {
    "nothing": "~",
    "true": "true",
    "no text": '""',
    "blanks": '"  "',
    "zero": "0",
    "minus one": "-1",
    "1e300": "1e300",
    "1e308": "1e308",
    "-1e308": "-1e308",
    "infinity": ".inf",
    "minus infinity": "-.inf",
    "no number": ".nan",
    "many digits": "9" * 30,
    "very many digits": "9" * 5_000,
    "hexadecimal digits": "0x" + "f" * 5_000,
    "an empty list": "[]",
    "empty keys": "{}",
    "a list": "[1, [2]]",
    "keys": "{a: {b: 1}}",
    "an impossible date": "2027-02-30",
    "an impossible month": "2027-13-01",
    "a date": "2027-03-31",
    "a moment": "2027-03-31T10:00:00+99:00",
    "a tag of integers": "!!int x",
    "a tag of truth": "!!bool x",
    "a tag of floats": '!!float ""',
    "a tag of bytes": "!!binary x",
    "a tag of sets": "!!set {a, b}",
    "a tag of Python": "!!python/object/apply:os.system [true]",
    "a tag of nobody": "!nobody 1",
    "5,000 characters": f'"{LONG}"',
    "NUL": '"a\\0b"',
    "a bell": '"a\\ab"',
    "two lines": '"a\\nb"',
    "half a character": '"\\uD800"',
    "an alias of nobody": "*nobody",
    "itself": "&itself [*itself]",
    "a depth of 3,000": DEEP,
    "a slice of Mars": "region = mars",
    "markup": '"<script>|`*_"',
}
CHANGES: dict[str, Change] = {
    "removed": lambda key, value: [],
    "doubled": lambda key, value: [f"{key}{value}"] * 2,
    "as 1": lambda key, value: [f"1: {value}"],
    "as nothing": lambda key, value: [f"~: {value}"],
    "as true": lambda key, value: [f"true: {value}"],
    "as a list": lambda key, value: [f"[a, b]: {value}"],
    "as keys": lambda key, value: [f"? {{a: 1}} : {value}"],
    "merged": lambda key, value: [f"<<: {value}"],
    "merged with keys": lambda key, value: [f"<<: {{a: 1}}, {key}{value}"],
    "misspelt": lambda key, value: [f"{key[:-3]}z{key[-3:]}{value}"] if key else [value],
}


def be(nasty: str) -> Change:
    """The change of a value to another one."""
    return lambda key, _: [f"{key}{nasty}"]


CHANGES |= {f"is {name}": be(nasty) for name, nasty in NASTY.items()}


def list_places(node: Any, place: Place = ()) -> Iterator[Place]:
    """Each key, and each entry of a list, wherever it is."""
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield (*place, key)
            yield from list_places(value, (*place, key))


def write(node: Any, at: Place | None = None, change: Change | None = None) -> str:
    """YAML in one line, with a change at one place."""
    if not isinstance(node, dict | list):
        return node.isoformat() if isinstance(node, date) else json.dumps(node)
    entries = []
    for name, value in node.items() if isinstance(node, dict) else enumerate(node):
        key = f"{json.dumps(name)}: " if isinstance(node, dict) else ""
        here = at[1:] if at and at[0] == name else None
        text = write(value, here or None, change)
        entries += change(key, text) if change and here == () else [f"{key}{text}"]
    inner = ", ".join(entries)
    return f"{{{inner}}}" if isinstance(node, dict) else f"[{inner}]"


def mutate(content: dict[str, Any], keys: Container[object]) -> Iterator[tuple[str, str]]:
    """The content with each change at each place in these keys: what was done, and the YAML."""
    for place in (place for place in list_places(content) if place[0] in keys):
        for name, change in CHANGES.items():
            yield f"{'.'.join(map(str, place))} {name}", write(content, place, change)


def bomb(form: str) -> str:
    """Nine times nine times nine … of `form`, in twelve lines."""
    lines = ["k0: &k0 " + form.format("1", "1")]
    for number in range(1, 12):
        inner = f"*k{number - 1}"
        lines.append(f"k{number}: &k{number} " + form.format(", ".join([inner] * 9), inner))
    return "\n".join(lines) + "\n"


BOMBS = {
    "lists": bomb("[{0}]"),
    "keys": "k0: &k0 {a: 1}\n"
    + "".join(
        f"k{n}: &k{n} {{" + ", ".join(f"{c}: *k{n - 1}" for c in "abcdefghi") + "}\n"
        for n in range(1, 12)
    ),
    "merged keys": "k0: &k0 {a: 1}\n"
    + "".join(
        f"k{n}: &k{n} {{<<: [" + ", ".join([f"*k{n - 1}"] * 9) + "]}\n" for n in range(1, 12)
    ),
}


def spoil(text: str) -> Iterator[tuple[str, bytes]]:
    """The same YAML, as another program might save it, or with lines that have no place there."""
    raw = text.encode()
    yield "empty", b""
    yield "one line break", b"\n"
    yield "half", raw[: len(raw) // 2]
    yield "NUL at the end", raw + b"\0"
    yield "NUL in the middle", raw[:40] + b"\0" + raw[40:]
    yield "a byte that is none", raw[:40] + b"\xff" + raw[40:]
    yield "Latin-1", text.replace("a", "é").encode("latin-1")
    yield "UTF-16", text.encode("utf-16")
    yield "UTF-16 without a mark", text.encode("utf-16-le")
    yield "UTF-32", text.encode("utf-32")
    yield "two marks", codecs.BOM_UTF8 * 2 + raw
    yield "compressed", codecs.encode(raw, "zlib")


TAILS = {
    "a tab": "\tx: 1",
    "a second document": "---\nx: 1",
    "an end": "...\nx: 1",
    "a directive": "%YAML 9.9",
    "a brace": "x: {",
    "a quote": 'x: "',
    "a colon": ": {",
    "a word": "x",
    "a dash": "- x",
    "a percent sign": "%",
    "an at sign": "@x: 1",
    "a depth of 3,000 in lines": "".join(" " * n + "x:\n" for n in range(0, 3_000, 10)),
    "a depth of 3,000": f"x: {DEEP}",
    "a key without end": f"{LONG}: 1",
    **{f"a bomb of {name}": text for name, text in BOMBS.items()},
    **{f"a key {key}": f"{key}: 1" for key in ("1", "~", "true", "[a]", "{a: 1}", "1.5", ".nan")},
    **{f"a value that is {name}": f"x: {nasty}" for name, nasty in NASTY.items()},
}
"""What stands in a line of its own."""
