"""Run in a generated repository: for each mutation its files, then its test, then back again.

One process for all, so that the libraries are imported once; what is the repository's own is
imported anew each time. Reads JSON (name: [test, {path: content}]) from standard input and prints
JSON (name: [exit code of pytest, what it printed]).
"""

import contextlib
import gc
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import Phase, settings


def forget(here: Path) -> None:
    """Take what is the repository's own out of the modules that are imported."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if name.partition(".")[0] == "churn" or file.startswith(f"{here}/tests/"):
            del sys.modules[name]


def main() -> None:
    """One mutation after the other."""
    sys.dont_write_bytecode = True
    # A failure is enough: nobody reads the smallest example of it.
    settings.register_profile("red", phases=[Phase.explicit, Phase.generate])
    settings.load_profile("red")
    here, results = Path.cwd(), {}
    for name, (test, files) in json.load(sys.stdin).items():
        before = {path: Path(path).read_text(encoding="utf-8") for path in files}
        for path, content in files.items():
            Path(path).write_text(content, encoding="utf-8")
        forget(here)
        gc.freeze()  # pytest collects garbage at each end: not among the libraries once more
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            code = pytest.main(["-q", "--tb=line", f"tests/{test}"])
        results[name] = (int(code), printed.getvalue())
        for path, content in before.items():
            Path(path).write_text(content, encoding="utf-8")
    print("results:" + json.dumps(results))


main()
