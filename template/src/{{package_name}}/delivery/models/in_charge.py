"""Which model is in charge: its card and its tag; where nothing is, the rule is put there.

Apart from `champion.py`, so that whoever only asks does not wait for what models need.
"""

from pathlib import Path
from typing import Any

from ..edge.errors import run
from ..edge.files import mending, paths, present, read_json, write_json

RULE = {"name": "rule", "kind": "rule"}
FETCH = (
    "uv run dvc pull (or uv run dvc checkout, on the machine that made it), then uv run dvc repro"
)


def card(folder: Path) -> dict[str, Any]:
    """The card of the model in charge; while that is the rule, it says no more than that."""
    told: dict[str, Any] = read_json(
        present(folder / "card.json", made_by=FETCH), made_by=mending(folder)
    )
    return told


def tag(folder: Path) -> str | None:
    """The tag of the commit that put the model in charge: `champion-3`; None for the rule."""
    promotion = folder / "promotion.json"
    return str(read_json(promotion, made_by=mending(folder))["tag"]) if promotion.exists() else None


def main(argv: list[str] | None = None) -> int:
    """Put the rule in charge where nothing is: what is done today is the first champion."""
    (folder,) = paths(argv, __doc__, "folder")
    if not (folder / "card.json").exists():
        write_json(RULE, folder / "card.json")
    return 0


if __name__ == "__main__":
    run(main)
