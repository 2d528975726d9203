"""The tests of a repository, read from their syntax: what each names, and if it can fail."""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from .ci import Step
from .reading import parse_python

TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$")
RUNS_TESTS = re.compile(r"\b(pytest|py\.test|unittest)\b")
CHECKS = {"raises", "warns", "approx", "fail"}
"""Names in calls that hold a test to something, beside `assert` and `assert...(`."""


class Test(NamedTuple):
    """A test function, and the file in which it is."""

    path: str
    line: int
    name: str
    source: str
    """Its own text, decorators and all."""
    module: str
    """The text of the file."""
    can_fail: bool
    """Whether it is run, and asserts what is not written as a constant."""


def read_tests(files: Mapping[str, str]) -> list[Test]:
    """Return the tests of every test file."""
    return [
        test
        for path, text in files.items()
        if TEST_FILE.search(path)
        for test in read_test_file(path, text)
    ]


def read_test_file(path: str, text: str) -> Iterator[Test]:
    """Yield the tests of a file; none where it is no Python."""
    tree = parse_python(text)
    if tree is None:
        return
    lines = text.splitlines()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith(
            "test"
        ):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            source = "\n".join(lines[first - 1 : node.end_lineno])
            yield Test(path, node.lineno, node.name, source, text, can_fail(node))


def can_fail(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a test is run, and asserts something that is not a constant."""
    if any(
        "skip" in ast.unparse(mark) or "xfail" in ast.unparse(mark) for mark in node.decorator_list
    ):
        return False
    for child in ast.walk(node):
        if isinstance(child, ast.Assert) and not is_constant(child.test):
            return True
        if isinstance(child, ast.Call):
            name = ast.unparse(child.func).rpartition(".")[2]
            if name.lower().startswith(("assert", "check", "verify", "expect")) or name in CHECKS:
                return True
    return False


def is_constant(test: ast.expr) -> bool:
    """Whether an expression names nothing: `True`, `1 == 1`."""
    return not any(
        isinstance(child, (ast.Name, ast.Attribute, ast.Call)) for child in ast.walk(test)
    )


def is_run_by(test: Test, step: Step) -> bool:
    """Whether a command runs a test: by its folder or file, unless a mark leaves its folder out."""
    for line in step.command.replace("\\\n", " ").splitlines():
        match = RUNS_TESTS.search(line)
        if match is None or re.search(r"--(collect-only|co)\b|pip install|uv add", line):
            continue
        words = re.findall(r"\"[^\"]*\"|'[^']*'|\S+", line[match.end() :])
        left_out = set(re.findall(r"\bnot\s+(\w+)", " ".join(words)))
        ignored = [word.partition("=")[2] for word in words if word.startswith("--ignore=")]
        paths = [
            word.partition("::")[0].removeprefix("./").rstrip("/")
            for word in words
            if re.fullmatch(r"[\w./-]+(::\S+)?", word)
            and not word.startswith("-")
            and ("/" in word or word.endswith(".py") or word in test.path.split("/"))
        ]
        is_below = not paths or any(
            test.path == path or test.path.startswith(f"{path}/") or path == "." for path in paths
        )
        marks = set(test.path.split("/")) | set(re.findall(r"mark\.(\w+)", test.source))
        if (
            is_below
            and not (left_out & marks)
            and not any(test.path.startswith(i) for i in ignored)
        ):
            return True
    return False
