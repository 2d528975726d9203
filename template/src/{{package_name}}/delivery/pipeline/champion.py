"""The champion: the folder of the model in charge, and how it scores today's test rows.

Four ways, the cheapest first; each gives the answers of the model as it was when it took charge, or
is not taken. Where none can, nothing is compared and nothing ships.
"""

import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from ... import contract
from . import model_folder
from .errors import Mendable, run
from .files import paths, present, read_json, read_table, sha256, write_json, write_table

RULE = {"name": "rule", "kind": "rule"}
FETCH = (
    "uv run dvc pull (or uv run dvc checkout, on the machine that made it), then uv run dvc repro"
)
PACKAGE = __name__.partition(".")[0]
NEEDED = ("src", "project-brief.md", "pyproject.toml", "uv.lock")
Scores = tuple[pl.DataFrame, int]


def card(folder: Path) -> dict[str, Any]:
    """The card of the model in charge; while that is the rule, it says no more than that."""
    told: dict[str, Any] = read_json(present(folder / "card.json", made_by=FETCH))
    return told


def tag(folder: Path) -> str | None:
    """The tag of the commit that put the model in charge: `champion-3`; None for the rule."""
    promotion = folder / "promotion.json"
    return str(read_json(promotion)["tag"]) if promotion.exists() else None


def ask(folder: Path, test: Path, rows: pl.DataFrame) -> Callable[[pl.DataFrame], Scores]:
    """Start scoring `rows` (contract rows with `row`), to be awaited with the rule's scores.

    What is returned gives `p_<class>` columns, one row each, and the step that gave them.
    1: `test` is the file the champion was judged on, so its stored predictions count. 2: its
    sources are today's and its canaries come out as then, so today's code scores (the rule is
    today's code always). 3: the code at its tag, in today's environment. 4: the same in the
    environment that was locked then. 5: blocked.
    """
    told = card(folder)
    if told["kind"] == "rule":
        return lambda by_rule: (by_rule, 2)
    stored = folder / "predictions.parquet"
    if stored.exists() and told["rows"]["test"] == sha256(test):
        known = read_table(stored).join(rows.select("row"), on="row", maintain_order="right")
        return lambda by_rule: (known.select("^p_.*$"), 1)
    if told["sources"] == model_folder.sources():
        try:
            fitted, _ = model_folder.load(folder)
        except Mendable:
            pass  # the libraries have moved on: the code of its time may still read it
        else:
            scores = model_folder.scores(fitted, rows)
            return lambda by_rule: (scores, 2)
    return _by_its_own_code(folder, rows)


def _by_its_own_code(folder: Path, rows: pl.DataFrame) -> Callable[[pl.DataFrame], Scores]:
    """Steps 3 and 4: `score` of the code at the champion's tag, started now, awaited later."""
    scratch = tempfile.TemporaryDirectory()
    home = Path(scratch.name)
    unpack(tag(folder), home)
    former = getattr(contract, "FORMER", {})
    named = [pl.col(today).alias(then) for today, then in former.items()]
    write_table(rows.drop("row").with_columns(named), home / "in.parquet")
    words = ["score", str(home / "in.parquet"), str(home / "out.parquet")]
    words += ["--model", str(folder.resolve())]
    first = _started([sys.executable, "-m", f"{PACKAGE}.delivery.cli", *words], home, here=True)

    def answer(by_rule: pl.DataFrame) -> Scores:
        said = []
        with scratch:
            for step, command in ((3, first), (4, None)):
                frozen = ["uv", "run", "--quiet", "--frozen", "--no-dev", PACKAGE, *words]
                process = command or _started(frozen, home, here=False)
                said.append(process.communicate()[0].strip())
                if process.returncode == 0:
                    return _same_classes(read_table(home / "out.parquet"), by_rule), step
        raise blocked(f"its code at {tag(folder)} could not score:\n{said[0]}\n{said[1]}")

    return answer


def _started(command: list[str], home: Path, *, here: bool) -> subprocess.Popen[str]:
    """A process with the code below `home`: in this environment, or in the one locked there."""
    own = {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
    environment = {name: value for name, value in os.environ.items() if name not in own}
    if here:
        environment["PYTHONPATH"] = str(home / "src")
    return subprocess.Popen(
        command, cwd=home, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def _same_classes(found: pl.DataFrame, by_rule: pl.DataFrame) -> pl.DataFrame:
    """The champion's probabilities under today's classes; rows it could not take have none."""
    names, today = found.select("^p_.*$").columns, by_rule.select("^p_.*$").columns
    if sorted(names) != sorted(today):
        raise blocked(f"it knows the classes {', '.join(names)}, today's are {', '.join(today)}")
    return found.select(today)


def unpack(tagged: str | None, home: Path) -> None:
    """Put code, brief and locked environment of a champion's tag into the folder `home`."""
    if tagged is None:
        raise blocked("its folder has no promotion.json that names its tag")
    archive = ["git", "archive", "--format=tar", tagged, "--", *NEEDED]
    packed = subprocess.run(archive, capture_output=True, check=False)
    if packed.returncode:
        # A shallow clone has no tags; one commit is enough.
        fetch = [
            "git",
            "fetch",
            "--quiet",
            "--depth=1",
            "origin",
            f"refs/tags/{tagged}:refs/tags/{tagged}",
        ]
        subprocess.run(fetch, capture_output=True, check=False)
        packed = subprocess.run(archive, capture_output=True, check=False)
    if packed.returncode:
        raise blocked(
            f"its code is at the tag {tagged}, which this clone does not have.\n"
            f"Next: git fetch origin tag {tagged}, then uv run dvc repro"
        )
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as whole:
        whole.extractall(home, filter="data")


def blocked(why: str) -> Mendable:
    """What stops the pipeline where the champion cannot be compared."""
    return Mendable(f"blocked: the champion cannot be compared, so nothing ships: {why}")


def main(argv: list[str] | None = None) -> int:
    """Put the rule in charge where nothing is: what is done today is the first champion."""
    (folder,) = paths(argv, __doc__, "folder")
    if not (folder / "card.json").exists():
        write_json(RULE, folder / "card.json")
    return 0


if __name__ == "__main__":
    run(main)
