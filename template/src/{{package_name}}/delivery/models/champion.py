"""The champion: how the model in charge scores today's rows as it did when it took charge.

There are four ways, and the cheapest that works is taken:

1. its stored predictions, for the very file of test rows that it was judged on;
2. today's code, where the team files are the champion's and its canary scores are reproduced;
3. the code at the champion's tag, in today's environment;
4. the same code, in the environment that was locked then.

Where none works, nothing is compared and nothing ships. Batch scoring takes the ways 2 to 4.
"""

import os
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polars as pl

from ... import contract
from ..edge.errors import Fixable
from ..edge.files import find_main_project, read_table, sha256, write_table
from ..edge.repository import qualify
from ..edge.shell import PACKAGE, run, start, succeeds
from . import model_folder
from .in_charge import (
    FETCH,
    PREDICTIONS,
    read_champion_card,
    read_tag,
    require_promoted_files,
)

OWN_CODE = f"{PACKAGE.upper()}_SCORES_BY_ITS_OWN_CODE"
"""Set where a champion's own code runs for today's: it scores by itself and starts no other."""
UNSCORED_AT_MOST = 0.02
"""Share of the test rows that a champion may be unable to score and still be compared."""
AS_COMMITTED = ("-c", "core.autocrlf=false")  # a tag of an older release has no .gitattributes
SHOWN = 6  # lines of the output of code that could not score
NEXT = (
    "Next: if a column has a new name, add it to FORMER in contract.py; if the champion can never "
    f"score such rows, uv run {PACKAGE} rollback puts the model before it in charge"
)


class Scores(NamedTuple):
    """`p_…` columns, one row for each row scored, and the way (1 to 4) that gave them."""

    table: pl.DataFrame
    way: int


def start_comparison(
    folder: Path, test: Path, rows: pl.DataFrame
) -> Callable[[pl.DataFrame, pl.DataFrame], Scores]:
    """Start to score `rows` (contract rows with `row`) by any of the four ways.

    What is returned waits for the end; it takes the scores of the rule, which are the champion's
    own while the rule is in charge (today's code always), and those of the challenger, whose
    columns are today's. `test` is the file that has the rows.
    """
    card = read_champion_card(folder)
    if card.is_rule:
        return lambda rule_scores, _: Scores(rule_scores, 2)
    model_folder.require_unaltered(folder)
    require_promoted_files(folder)
    stored = folder / PREDICTIONS
    if stored.exists() and card.rows.get("test") == sha256(test):
        predictions = rows.select("row").join(
            read_table(stored), on="row", how="inner", maintain_order="left"
        )
        if predictions.height == rows.height:
            return lambda _, challenger: Scores(_match_classes(predictions, challenger), 1)
    wait = start_scoring(folder, rows)

    def finish(_: pl.DataFrame, challenger: pl.DataFrame) -> Scores:
        scores = wait()
        return Scores(_match_classes(scores.table, challenger), scores.way)

    return finish


def start_scoring(folder: Path, rows: pl.DataFrame) -> Callable[[], Scores]:
    """Start to score `rows` (contract rows) with a promoted model, by the ways 2 to 4.

    What is returned waits for the end. A row that the model's own contract does not take has null
    scores and its `reasons`.
    """
    model_folder.require_unaltered(folder)
    if OWN_CODE in os.environ:
        return lambda: Scores(_score_by_this_code(folder, rows), 3)
    if read_champion_card(folder).sources == model_folder.hash_sources():
        try:
            table = _score_by_this_code(folder, rows)
        except Fixable:
            pass  # the libraries have moved on: the environment of its time may still read it
        else:
            return lambda: Scores(table, 2)
    return _start_its_own_code(folder, rows)


def _score_by_this_code(folder: Path, rows: pl.DataFrame) -> pl.DataFrame:
    return model_folder.score(model_folder.load(folder)[0], rows)


def _start_its_own_code(folder: Path, rows: pl.DataFrame) -> Callable[[], Scores]:
    """Ways 3 and 4: `score` of the code at the champion's tag, started now, awaited later."""
    scratch = tempfile.TemporaryDirectory()
    home = Path(scratch.name)
    unpack(read_tag(folder), home)
    canaries = read_table(folder / model_folder.CANARIES)
    write_table(restore_names(rows, canaries), home / "in.parquet")
    words = ["score", str(home / "in.parquet"), str(home / "out.parquet")]
    words += ["--model", str(folder.resolve())]
    first = _start(["python", "-m", f"{PACKAGE}.delivery.cli", *words], home)

    def finish() -> Scores:
        outputs = []
        with scratch:
            for way, command in ((3, first), (4, None)):
                frozen = ["uv", "run", "--quiet", "--frozen", PACKAGE, *words]
                try:
                    process = command or _start(frozen, home)
                except Fixable as problem:
                    outputs.append(str(problem))
                    break
                lines = process.communicate()[0].strip().splitlines()
                outputs.append("\n".join(lines[-SHOWN:]))
                if process.returncode == 0:
                    return Scores(read_table(home / "out.parquet"), way)
        raise blocked(
            f"its code at {read_tag(folder)} could not score.\n"
            f"In today's environment: {outputs[0]}\n"
            f"In the environment that was locked then: {outputs[1]}\n{NEXT}"
        )

    return finish


def restore_names(rows: pl.DataFrame, canaries: pl.DataFrame) -> pl.DataFrame:
    """`rows` under the column names of the champion's time, which its canary rows have.

    A column whose name is new since (`FORMER` in contract.py) comes under its former name. A column
    that is gone comes without values: the champion's contract says whether that is allowed.
    """
    former_names = getattr(contract, "FORMER", {})
    renamed = rows.drop("row", strict=False).with_columns(
        pl.col(today).alias(former) for today, former in former_names.items()
    )
    gone = [
        name
        for name in canaries.columns
        if name not in renamed.columns and not name.startswith("p_")
    ]
    return renamed.with_columns(pl.lit(None, canaries.schema[name]).alias(name) for name in gone)


def _start(command: list[str], home: Path) -> subprocess.Popen[str]:
    """Start a command with the code below `home`."""
    own = {"VIRTUAL_ENV": None, "UV_PROJECT_ENVIRONMENT": None, "PYTHONPATH": str(home / "src")}
    return start(command, home, environment={**own, OWN_CODE: "yes"})


def _match_classes(scores: pl.DataFrame, challenger: pl.DataFrame) -> pl.DataFrame:
    """The champion's scores in the columns of the challenger's, which are today's.

    Raises:
        Fixable: its classes are not today's, or too many rows have no scores.
    """
    names, today = (table.select("^p_.*$").columns for table in (scores, challenger))
    if sorted(names) != sorted(today):
        raise blocked(
            f"it knows the classes {', '.join(names)}, today's are {', '.join(today)}.\n{NEXT}"
        )
    unscored = scores.filter(pl.any_horizontal(pl.col(today).is_null()))
    if unscored.height > UNSCORED_AT_MOST * scores.height:
        reasons = unscored["reasons"].explode().value_counts(sort=True)["reasons"].head(3)
        raise blocked(
            f"it cannot score {unscored.height:,} of {scores.height:,} test rows, because of the "
            f"contract of its time: {'; '.join(reasons)}.\n{NEXT}"
        )
    return scores.select(today)


def unpack(tagged: str | None, home: Path) -> None:
    """Put what git has at a tag into the folder `home`: code, brief, locked libraries."""
    if tagged is None:
        raise blocked(f"its folder has no promotion.json that names its tag.\nNext: {FETCH}")
    reference = fetch(tagged)
    name, packed = qualify(tagged), home.resolve() / "code.tar"
    if not succeeds(["git", *AS_COMMITTED, "archive", f"--output={packed}", reference]):
        raise blocked(
            f"its code is at the tag {name}, which neither this clone nor its origin has.\n"
            f"Next: git fetch origin tag {name}, from a clone that has it, then uv run dvc repro"
        )
    with tarfile.open(packed) as archive:
        archive.extractall(home, filter="data")
    packed.unlink()


def fetch(tagged: str) -> str:
    """Bring a tag that an experiment or a shallow clone lacks, if its project or its origin has it;
    one commit is enough. Its full name.
    """
    name = f"refs/tags/{qualify(tagged)}"
    main = run(["git", "rev-parse", "--absolute-git-dir"], find_main_project(Path.cwd()))
    for source in (main.stdout.strip(), "origin"):
        if has_tag(name):
            break
        command = ["git", "fetch", "--quiet", "--depth=1", source, f"{name}:{name}"]
        run(command, environment={"GIT_TERMINAL_PROMPT": "0"})
    former = f"refs/tags/{tagged}"  # as release 0.4 called it in a subfolder as well
    return former if not has_tag(name) and has_tag(former) else name


def has_tag(name: str) -> bool:
    """Whether this clone has a tag, by its full name."""
    return succeeds(["git", "rev-parse", "--verify", "--quiet", name])


def blocked(why: str) -> Fixable:
    """What stops the pipeline where the champion cannot be compared."""
    return Fixable(
        f"blocked: the champion cannot score, so nothing is compared and nothing ships: {why}"
    )
