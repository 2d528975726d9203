"""The expressions of GitHub's workflows: what stands between `${{` and `}}`.

The language is that of docs.github.com/actions/reference/workflows-and-actions/expressions. Values
are None, bool, int, float, str, list and dict. Stricter than the platform where it would let a slip
through: see `check` and `text`.
"""

import json
import math
import operator as op
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Names = Mapping[str, Any]
"""What may be asked of a context: its keys; below each either names again, or None for anything."""

Functions = Mapping[str, Callable[..., Any]]
STATUS = frozenset({"always", "cancelled", "failure", "success"})


class NotRunnable(Exception):
    """What the platform would refuse, what is always a slip, or what the runner cannot do."""


@dataclass(frozen=True)
class Place:
    """Which contexts, and which functions beyond those of every place, a key of a workflow has."""

    contexts: frozenset[str]
    functions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Literal:
    value: Any


@dataclass(frozen=True)
class Context:
    name: str


@dataclass(frozen=True)
class Index:
    """`of[key]` or `of.key`; without a key the filter `of.*`."""

    of: "Node"
    key: "Node | None"


@dataclass(frozen=True)
class Call:
    name: str
    arguments: "tuple[Node, ...]"


@dataclass(frozen=True)
class Not:
    of: "Node"


@dataclass(frozen=True)
class Binary:
    operator: str
    left: "Node"
    right: "Node"


Node = Literal | Context | Index | Call | Not | Binary


class Filtered(list[Any]):
    """What `.*` selects: an index of it goes to each of its items."""


TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^']|'')*')"
    r"|(?P<number>(?:[-+]?0x[0-9a-fA-F]+|[-+]?0o[0-7]+|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.]))"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_-]*)"
    r"|(?P<sign>&&|\|\||[!=<>]=|[!<>()\[\],.*]))"
)
BINDING = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4}
NEGATION = 5
COMPARISONS = {"==": op.eq, "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge}
WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
WORDS |= {"NaN": math.nan, "Infinity": math.inf}


def parse(source: str) -> Node:
    """The tree of an expression, by the precedence of the platform's own parser.

    Errors: NotRunnable with the expression and what stands where it should not.
    """
    tokens = list(_tokens(source))
    node = _operators(tokens, 0, source)
    if tokens[0][1]:
        raise NotRunnable(f"{source!r}: {tokens[0][1]!r} is not expected")
    return node


def _tokens(source: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(source.rstrip())
    while at < end:
        match = TOKEN.match(source, at, end)
        if not match or not match.lastgroup:
            raise NotRunnable(f"{source!r}: {source[at:end].strip()!r} cannot be read")
        at = match.end()
        yield match.lastgroup, match[match.lastgroup]
    yield "end", ""


def _operators(tokens: list[tuple[str, str]], floor: int, source: str) -> Node:
    """An operand and every operator that binds more tightly than `floor`."""
    if tokens[0] == ("sign", "!"):
        tokens.pop(0)
        left: Node = Not(_operators(tokens, NEGATION, source))
    else:
        left = _operand(tokens, source)
    while BINDING.get(tokens[0][1], 0) > floor and tokens[0][0] == "sign":
        operator = tokens.pop(0)[1]
        left = Binary(operator, left, _operators(tokens, BINDING[operator], source))
    return left


def _operand(tokens: list[tuple[str, str]], source: str) -> Node:
    kind, word = tokens.pop(0)
    if kind == "string":
        return Literal(word[1:-1].replace("''", "'"))
    if kind == "number" or word in WORDS:
        return Literal(WORDS[word] if word in WORDS else number(word))
    if kind == "word" and tokens[0][1] == "(":
        tokens.pop(0)
        arguments: list[Node] = []
        while tokens[0][1] != ")" or tokens[0][0] == "string":
            arguments.append(_operators(tokens, 0, source))
            if tokens[0][1] != ")":
                _expect(tokens, ",", source)
        tokens.pop(0)
        node: Node = Call(word.lower(), tuple(arguments))
    elif kind == "word":
        node = Context(word.lower())
    elif (kind, word) == ("sign", "("):
        node = _operators(tokens, 0, source)
        _expect(tokens, ")", source)
    else:
        raise NotRunnable(f"{source!r}: {word or 'the end'!r} is not expected")
    while tokens[0] in (("sign", "."), ("sign", "[")):
        node = Index(node, _key(tokens, source))
    return node


def _key(tokens: list[tuple[str, str]], source: str) -> Node | None:
    dot = tokens.pop(0)[1] == "."
    if tokens[0] == ("sign", "*"):
        tokens.pop(0)
        key: Node | None = None
    elif not dot:
        key = _operators(tokens, 0, source)
    elif tokens[0][0] == "word":
        key = Literal(tokens.pop(0)[1])
    else:
        raise NotRunnable(f"{source!r}: {tokens[0][1]!r} is not a name")
    if not dot:
        _expect(tokens, "]", source)
    return key


def _expect(tokens: list[tuple[str, str]], sign: str, source: str) -> None:
    if tokens.pop(0) != ("sign", sign):
        raise NotRunnable(f"{source!r}: {sign!r} is missing")


def walk(node: Node) -> Iterator[Node]:
    """A node and everything below it."""
    yield node
    match node:
        case Index(of, key):
            yield from walk(of)
            yield from walk(key) if key else ()
        case Call(_, arguments):
            for argument in arguments:
                yield from walk(argument)
        case Not(of):
            yield from walk(of)
        case Binary(_, left, right):
            yield from walk(left)
            yield from walk(right)


def check(node: Node, place: Place, names: Names) -> None:
    """Refuse contexts and functions that a place does not have, and names that do not exist.

    The platform takes a name that does not exist for ''. Where `names` lists what there is, such
    a name is a slip.
    """
    for part in walk(node):
        match part:
            case Context(name) if name not in place.contexts:
                known = ", ".join(sorted(place.contexts)) or "none"
                raise NotRunnable(f"no context {name!r} here (there are: {known})")
            case Call(name, arguments):
                _check_call(name, len(arguments), place)
    for part in walk(node):
        _known(part, names)


def _check_call(name: str, count: int, place: Place) -> None:
    special = dict.fromkeys(STATUS, (0, 0))
    counts = {name: (least, most) for name, (least, most, _) in FUNCTIONS.items()}
    counts |= {name: special[name] for name in place.functions}
    if name not in counts:
        raise NotRunnable(f"no function {name!r} here (there are: {', '.join(sorted(counts))})")
    least, most = counts[name]
    if not least <= count <= most or (name == "case" and count % 2 == 0):
        raise NotRunnable(f"{name} does not take {count} arguments")


def _known(node: Node, names: Names) -> Names | None:
    """What may be asked of a node, None if anything."""
    match node:
        case Context(name):
            return names.get(name)
        case Index(of, key) if (known := _known(of, names)) is not None and key is not None:
            if not isinstance(key, Literal):
                raise NotRunnable("these names can only be asked for as they stand, not computed")
            if (wanted := text(key.value).lower()) not in (lower := _lower(known)):
                choices = ", ".join(sorted(known)) or "none"
                raise NotRunnable(f"there is no {wanted!r} (there are: {choices})")
            below: Names | None = lower[wanted]
            return below
    return None


def _lower(names: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in names.items()}


def evaluate(node: Node, contexts: Mapping[str, Any], functions: Functions) -> Any:
    """The value of a checked expression."""

    def of_(part: Node) -> Any:
        return evaluate(part, contexts, functions)

    match node:
        case Literal(value):
            result = value
        case Context(name):
            result = contexts.get(name)
        case Not(of):
            result = not truth(of_(of))
        case Index(of, key):
            result = _all(of_(of)) if key is None else _item(of_(of), of_(key))
        case Call(name, arguments):
            function = functions.get(name) or FUNCTIONS[name][2]
            result = function(*map(of_, arguments))
        case Binary("&&" | "||" as operator, left, right):
            first = of_(left)
            result = first if truth(first) == (operator == "||") else of_(right)
        case Binary(operator, left, right):
            result = compare(operator, of_(left), of_(right))
    return result


def _all(whole: Any) -> Filtered:
    if isinstance(whole, Filtered):
        return Filtered(item for part in whole for item in _all(part))
    if isinstance(whole, dict):
        return Filtered(whole.values())
    return Filtered(whole if isinstance(whole, list) else ())


def _item(whole: Any, key: Any) -> Any:
    """An item of an object (by name, whatever its case) or of an array; None if it has none."""
    if isinstance(whole, Filtered):
        items = (_item(part, key) for part in whole)
        return Filtered(item for item in items if item is not None)
    if isinstance(whole, dict) and not isinstance(key, (dict, list)):
        return _lower(whole).get(text(key).lower())
    if isinstance(whole, list) and (place := number(key)) >= 0 and place < len(whole):
        return whole[int(place)]
    return None


def truth(value: Any) -> bool:
    """Whether a value counts as true: all but false, 0, NaN, '' and null."""
    if isinstance(value, (dict, list)):
        return True
    return bool(value) and not (isinstance(value, float) and math.isnan(value))


def number(value: Any) -> float:
    """A value as a number, NaN where it is none."""
    if value is None or isinstance(value, bool):
        return int(bool(value))
    if isinstance(value, (int, float)):
        return value
    return _read(value.strip()) if isinstance(value, str) else math.nan


def _read(word: str) -> float:
    if re.fullmatch(r"[-+]?(0x[0-9a-fA-F]+|0o[0-7]+)", word):
        return int(word, 16 if "x" in word else 8)
    if word in ("Infinity", "-Infinity"):
        return float(word)
    if not re.fullmatch(r"([-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?)?", word):
        return math.nan
    value = float(word or 0)
    return int(value) if value.is_integer() else value


def text(value: Any) -> str:
    """A value as the platform writes it into a string, numbers with up to 15 digits.

    Errors: NotRunnable for an array or an object, which the platform would write as `Array` or
    `Object`.
    """
    if isinstance(value, (dict, list)):
        raise NotRunnable(f"{json.dumps(value)[:60]} cannot be written as a string: use toJSON")
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return str(value).lower()
    if math.isfinite(value):
        return format(value or 0, ".15g").upper()
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def compare(operator: str, left: Any, right: Any) -> bool:
    """The platform's loose comparison: strings without regard to case, else as numbers."""
    if operator == "!=":
        return not compare("==", left, right)
    if isinstance(left, (dict, list)) or isinstance(right, (dict, list)):
        return operator in ("==", "<=", ">=") and left is right
    first: Any = left.upper() if isinstance(left, str) else left
    second: Any = right.upper() if isinstance(right, str) else right
    if not (isinstance(left, str) and isinstance(right, str)):
        first, second = number(left), number(right)
    return bool(COMPARISONS[operator](first, second))


def _contains(whole: Any, item: Any) -> bool:
    if isinstance(whole, list):
        return any(compare("==", item, part) for part in whole)
    return text(item).lower() in text(whole).lower()


def _format(template: Any, *values: Any) -> str:
    def filled(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if not match[1] or int(match[1]) >= len(values):
            raise NotRunnable(f"format: {text(template)!r} does not go with {len(values)} values")
        return text(values[int(match[1])])

    return re.sub(r"\{\{|\}\}|\{(\d+)\}|[{}]", filled, text(template))


def _join(whole: Any, separator: Any = ",") -> str:
    items = whole if isinstance(whole, list) else [whole]
    return text(separator).join(text(item) for item in items)


def _to_json(value: Any) -> str:
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise NotRunnable(f"toJSON: {value!r} cannot be written ({error})") from None


def _from_json(value: Any) -> Any:
    if (source := text(value).strip()) in ("NaN", "Infinity", "-Infinity"):
        raise NotRunnable(f"fromJSON: {source!r} is not JSON")
    try:
        return json.loads(source)
    except ValueError as error:
        raise NotRunnable(f"fromJSON: {source[:60]!r} is not JSON ({error})") from None


def _case(*values: Any) -> Any:
    for condition, value in zip(values[:-1:2], values[1::2], strict=True):
        if not isinstance(condition, bool):
            raise NotRunnable(f"case: {condition!r} is neither true nor false")
        if condition:
            return value
    return values[-1]


FUNCTIONS: dict[str, tuple[int, int, Callable[..., Any]]] = {
    "contains": (2, 2, _contains),
    "startswith": (2, 2, lambda whole, part: text(whole).upper().startswith(text(part).upper())),
    "endswith": (2, 2, lambda whole, part: text(whole).upper().endswith(text(part).upper())),
    "format": (2, 255, _format),
    "join": (1, 2, _join),
    "tojson": (1, 1, _to_json),
    "fromjson": (1, 1, _from_json),
    "case": (3, 255, _case),
}
"""By name: the least and the most arguments, and what the function does."""

EXPRESSION = re.compile(r"\$\{\{((?:'(?:[^']|'')*'|\}(?!\})|[^'}])*)\}\}")


def expressions(value: Any) -> list[str]:
    """Every expression in the strings of a value, its keys among them.

    Errors: NotRunnable for a `${{` that is not closed.
    """
    if isinstance(value, dict):
        return [
            expression
            for pair in value.items()
            for part in pair
            for expression in expressions(part)
        ]
    if isinstance(value, list):
        return [expression for part in value for expression in expressions(part)]
    if not isinstance(value, str):
        return []
    if "${{" in EXPRESSION.sub("", value):
        raise NotRunnable(f"{value!r}: an expression is not closed")
    return EXPRESSION.findall(value)


def fill(value: Any, result: Callable[[str], Any]) -> Any:
    """A value with its expressions replaced by what `result` makes of each.

    A string that is nothing but one expression becomes a value of any kind, else it stays one.
    """
    if isinstance(value, dict):
        return {fill(key, result): fill(part, result) for key, part in value.items()}
    if isinstance(value, list):
        return [fill(part, result) for part in value]
    if not isinstance(value, str) or not expressions(value):
        return value
    if whole := EXPRESSION.fullmatch(value.strip()):
        return result(whole[1])
    return EXPRESSION.sub(lambda match: text(result(match[1])), value)


def condition(value: Any) -> str:
    """The expression of an `if`, with success() where it asks for no status itself.

    Errors: NotRunnable for text beside `${{ }}`, which makes any condition true on the platform.
    """
    source = str(value).strip() if not isinstance(value, bool) else text(value)
    if expressions(source):
        whole = EXPRESSION.fullmatch(source)
        if not whole:
            raise NotRunnable(f"if: {source!r} is always true: put all of it into one expression")
        source = whole[1]
    asks = any(isinstance(part, Call) and part.name in STATUS for part in walk(parse(source)))
    return source if asks else f"success() && ({source})"
