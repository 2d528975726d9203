"""The champion: the folder of the model in charge, and how it scores today's test rows, honestly or
not at all.
"""

from pathlib import Path

import polars as pl

from . import model_folder
from .errors import Mendable, run
from .files import paths, present, read_json, read_table, sha256, write_json

BLOCKED = "blocked: the champion cannot be compared, so nothing ships."
RULE = {"name": "rule", "kind": "rule"}
FETCH = (
    "uv run dvc pull (or uv run dvc checkout, on the machine that made it), then uv run dvc repro"
)


def scored(folder: Path, test: Path, by_rule: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """The champion's predictions on today's test rows, and which step of the ladder gave them.

    1: the rows are those it was judged on, so its stored predictions count. 2: its sources are
    today's and its canaries come out as then, so today's code scores the rows (the rule, which is
    today's code, always does). Else: blocked.
    """
    try:
        card = read_json(present(folder / "card.json", made_by=FETCH))
    except Mendable as problem:
        raise Mendable(f"{BLOCKED}\n{problem}") from None
    if card["kind"] == "rule":
        return by_rule, 2
    stored = folder / "predictions.parquet"
    if stored.exists() and card["rows"]["test"] == sha256(test):
        return read_table(stored), 1
    try:
        fitted, _ = model_folder.load(folder)
    except Mendable as problem:
        raise Mendable(f"{BLOCKED}\n{problem}") from None
    rows = read_table(test)
    return by_rule.select(pl.exclude("^p_.*$")).hstack(model_folder.scores(fitted, rows)), 2


def main(argv: list[str] | None = None) -> int:
    """Put the rule in charge where nothing is yet: what the business does today is the first
    champion.
    """
    (folder,) = paths(argv, __doc__, "folder")
    if not (folder / "card.json").exists():
        write_json(RULE, folder / "card.json")
    return 0


if __name__ == "__main__":
    run(main)
