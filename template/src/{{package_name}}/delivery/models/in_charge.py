"""Which model is in charge: its card and its tag; where nothing is, the rule is put there.

Apart from `champion.py`, so that whoever only asks does not wait for what models need.
"""

from pathlib import Path

from ..edge.errors import run
from ..edge.files import mending, paths, present, read_json
from .card import ModelCard, read_card, write_card

RULE = ModelCard(name="rule", kind="rule")
FETCH = (
    "uv run dvc pull (or uv run dvc checkout, on the machine that made it), then uv run dvc repro"
)


def read_champion_card(folder: Path) -> ModelCard:
    """The card of the model in charge.

    Raises:
        Fixable: the folder has no card, or a damaged one.
    """
    return read_card(present(folder / "card.json", made_by=FETCH), fix=mending(folder))


def read_tag(folder: Path) -> str | None:
    """The tag of the commit that put the model in charge: `champion-3`; None for the rule."""
    promotion = folder / "promotion.json"
    return str(read_json(promotion, made_by=mending(folder))["tag"]) if promotion.exists() else None


def read_name(folder: Path) -> str:
    """The name of the model in charge, as the service gives it: `champion-3`, or `the rule`."""
    return read_tag(folder) or "the rule"


def main(argv: list[str] | None = None) -> int:
    """Put the rule in charge where nothing is: what is done today is the first champion."""
    (folder,) = paths(argv, __doc__, "folder")
    if not (folder / "card.json").exists():
        write_card(RULE, folder / "card.json")
    return 0


if __name__ == "__main__":
    run(main)
