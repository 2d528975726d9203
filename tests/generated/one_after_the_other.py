"""Run in a generated repository: for each mutation its edits, then its test, then back again.

One process for all, so that the libraries are imported once; what is the repository's own is
imported anew each time. Reads JSON (name: [test, [[path, old, new], ...]]) from standard input and
prints JSON (name: [exit code of pytest, what it printed]).
"""

import contextlib
import io
import json
import sys
from pathlib import Path

import pytest


def forget(here: Path) -> None:
    """Take what is the repository's own out of the modules that are imported."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if name.partition(".")[0] == "churn" or Path(file).is_relative_to(here / "tests"):
            del sys.modules[name]


def main() -> None:
    """One mutation after the other."""
    sys.dont_write_bytecode = True
    here, told = Path.cwd(), {}
    for name, (test, edits) in json.load(sys.stdin).items():
        before = {path: Path(path).read_text(encoding="utf-8") for path, _, _ in edits}
        for path, old, new in edits:
            text = Path(path).read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{path}: {text.count(old)} places like {old!r}"
            Path(path).write_text(text.replace(old, new), encoding="utf-8")
        forget(here)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            code = pytest.main(["-q", "--tb=line", f"tests/{test}"])
        told[name] = (int(code), printed.getvalue())
        for path, content in before.items():
            Path(path).write_text(content, encoding="utf-8")
    print("told:" + json.dumps(told))


main()
