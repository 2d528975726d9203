"""The champion: the folder of the model in charge, and how it scores today's test rows.

Four ways, the cheapest first; each gives the answers of the model as it was when it took charge, or
is not taken. Where none can, nothing is compared and nothing ships. Batch scoring takes the same
ways but the first.
"""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl

from ... import contract
from ..edge.errors import Fixable
from ..edge.files import read_table, sha256, write_table
from . import model_folder
from .in_charge import FETCH, card, tag

PACKAGE = __name__.partition(".")[0]
OWN_CODE = f"{PACKAGE.upper()}_SCORES_BY_ITS_OWN_CODE"
"""Set where a champion's own code runs for today's: it answers itself and asks nobody further."""
UNSCORED_AT_MOST = 0.02
"""Share of the test rows that a champion may be unable to take and still be compared."""
SHOWN = 6  # lines of what it says where it cannot
OTHERWISE = (
    "Next: a column that has another name now goes into FORMER in contract.py; where the champion "
    f"can never score such rows, uv run {PACKAGE} rollback puts back what was before it"
)
Scores = tuple[pl.DataFrame, int]


def ask(folder: Path, test: Path, rows: pl.DataFrame) -> Callable[[pl.DataFrame], Scores]:
    """Start scoring `rows` (contract rows with `row`), to be awaited with the rule's scores.

    What is returned gives `p_…` columns, one row each, and the step that gave them.
    1: `test` is the file the champion was judged on, so its stored predictions count. 2 to 4: see
    `scores`; the rule is today's code always. 5: blocked.
    """
    told = card(folder)
    if told["kind"] == "rule":
        return lambda by_rule: (by_rule, 2)
    model_folder.unaltered(folder)
    stored = folder / "predictions.parquet"
    if stored.exists() and told["rows"]["test"] == sha256(test):
        known = rows.select("row").join(
            read_table(stored), on="row", how="inner", maintain_order="left"
        )
        if known.height == rows.height:
            return lambda by_rule: (_comparable(known, by_rule), 1)
    awaited = scores(folder, rows)

    def answer(by_rule: pl.DataFrame) -> Scores:
        found, step = awaited()
        return _comparable(found, by_rule), step

    return answer


def scores(folder: Path, rows: pl.DataFrame) -> Callable[[], Scores]:
    """Start scoring `rows` (contract rows) with a promoted model, to be awaited.

    What is returned gives `p_…` columns (null for a row that the model's own contract does
    not take, with its `reasons`), one row each, and the step that gave them. 2: the sources in
    the card are today's and the canaries come out as then, so today's code scores. 3: the code at
    its tag, in today's environment. 4: the same in the environment that was locked then.
    """
    model_folder.unaltered(folder)
    if OWN_CODE in os.environ:
        return lambda: (_by_this_code(folder, rows), 3)
    if card(folder)["sources"] == model_folder.sources():
        try:
            found = _by_this_code(folder, rows)
        except Fixable:
            pass  # the libraries have moved on: the environment of its time may still read it
        else:
            return lambda: (found, 2)
    return _by_its_own_code(folder, rows)


def _by_this_code(folder: Path, rows: pl.DataFrame) -> pl.DataFrame:
    return model_folder.scores(model_folder.load(folder)[0], rows)


def _by_its_own_code(folder: Path, rows: pl.DataFrame) -> Callable[[], Scores]:
    """Steps 3 and 4: `score` of the code at the champion's tag, started now, awaited later."""
    scratch = tempfile.TemporaryDirectory()
    home = Path(scratch.name)
    unpack(tag(folder), home)
    write_table(as_then(rows, read_table(folder / "canaries.parquet")), home / "in.parquet")
    words = ["score", str(home / "in.parquet"), str(home / "out.parquet")]
    words += ["--model", str(folder.resolve())]
    first = _started([sys.executable, "-m", f"{PACKAGE}.delivery.cli", *words], home, here=True)

    def answer() -> Scores:
        said = []
        with scratch:
            for step, command in ((3, first), (4, None)):
                uv = os.environ.get("UV") or shutil.which("uv") or "uv"
                frozen = [uv, "run", "--quiet", "--frozen", "--no-dev", PACKAGE, *words]
                try:
                    process = command or _started(frozen, home, here=False)
                except OSError as error:
                    said.append(f"uv: expected to be installed, found {error.strerror}")
                    break
                lines = process.communicate()[0].strip().splitlines()
                said.append("\n".join(lines[-SHOWN:]))
                if process.returncode == 0:
                    return read_table(home / "out.parquet"), step
        raise blocked(
            f"its code at {tag(folder)} could not score.\nIn today's environment: {said[0]}\n"
            f"In the environment that was locked then: {said[1]}\n{OTHERWISE}"
        )

    return answer


def as_then(rows: pl.DataFrame, canaries: pl.DataFrame) -> pl.DataFrame:
    """`rows` under the column names of the champion's time, which its canary rows have.

    A column whose name is new since (`FORMER` in contract.py) comes under its former one, a
    column that is gone comes without values: the champion's contract says whether it may.
    """
    former = getattr(contract, "FORMER", {})
    named = rows.drop("row", strict=False).with_columns(
        pl.col(today).alias(then) for today, then in former.items()
    )
    gone = [
        name for name in canaries.columns if name not in named.columns and not name.startswith("p_")
    ]
    return named.with_columns(pl.lit(None, canaries.schema[name]).alias(name) for name in gone)


def _started(command: list[str], home: Path, *, here: bool) -> subprocess.Popen[str]:
    """A process with the code below `home`: in this environment, or in the one locked there."""
    own = {"VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE"}
    environment = {name: value for name, value in os.environ.items() if name not in own}
    environment[OWN_CODE] = "yes"
    if here:
        environment["PYTHONPATH"] = str(home / "src")
    return subprocess.Popen(
        command, cwd=home, env=environment, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def _comparable(found: pl.DataFrame, by_rule: pl.DataFrame) -> pl.DataFrame:
    """The champion's probabilities under today's classes, unless too many rows have none."""
    names, today = found.select("^p_.*$").columns, by_rule.select("^p_.*$").columns
    if sorted(names) != sorted(today):
        raise blocked(
            f"it knows the classes {', '.join(names)}, today's are {', '.join(today)}.\n{OTHERWISE}"
        )
    without = found.filter(pl.any_horizontal(pl.col(today).is_null()))
    if without.height > UNSCORED_AT_MOST * found.height:
        reasons = without["reasons"].explode().value_counts(sort=True)["reasons"].head(3)
        raise blocked(
            f"it cannot score {without.height:,} of {found.height:,} test rows, because of the "
            f"contract of its time: {'; '.join(reasons)}.\n{OTHERWISE}"
        )
    return found.select(today)


def unpack(tagged: str | None, home: Path) -> None:
    """Put what git has at a tag into the folder `home`: code, brief, locked libraries."""
    if tagged is None:
        raise blocked(f"its folder has no promotion.json that names its tag.\nNext: {FETCH}")
    fetch(tagged)
    archive = ["git", "archive", "--format=tar", f"refs/tags/{tagged}"]
    packed = subprocess.run(archive, capture_output=True, check=False)
    if packed.returncode:
        raise blocked(
            f"its code is at the tag {tagged}, which neither this clone nor its origin has.\n"
            f"Next: git fetch origin tag {tagged}, from a clone that has it, then uv run dvc repro"
        )
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as whole:
        whole.extractall(home, filter="data")


def fetch(tagged: str) -> None:
    """Bring a tag that a shallow clone lacks, if its origin has it; one commit is enough."""
    name = f"refs/tags/{tagged}"
    known = ["git", "rev-parse", "--verify", "--quiet", name]
    if subprocess.run(known, capture_output=True, check=False).returncode:
        asked = ["git", "fetch", "--quiet", "--depth=1", "origin", f"{name}:{name}"]
        quiet = os.environ | {"GIT_TERMINAL_PROMPT": "0"}
        subprocess.run(asked, capture_output=True, check=False, env=quiet)


def blocked(why: str) -> Fixable:
    """What stops the pipeline where the champion cannot be compared."""
    return Fixable(
        f"blocked: the champion cannot score, so nothing is compared and nothing ships: {why}"
    )
