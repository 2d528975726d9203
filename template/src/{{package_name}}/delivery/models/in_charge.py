"""Which model is in charge: its card, its tag and its promotion; where nothing is, the rule is put
there.

Apart from `champion.py`, so that whoever only asks does not wait for what models need.
"""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..edge.errors import Fixable, run
from ..edge.files import describe_fix, parse_paths, read_json, require_file, sha256, write_json
from .card import ModelCard, read_card, write_card

RULE = ModelCard(name="rule", kind="rule")
FETCH = (
    "uv run dvc pull (or uv run dvc checkout, on the machine that made it), then uv run dvc repro"
)
PROMOTION = "promotion.json"  # beside the card
PREDICTIONS = "predictions.parquet"  # what the model said of the test rows that it won on


@dataclass(frozen=True)
class Gain:
    """What a decision expected of a challenger; without bounds where too few rows could tell."""

    estimate: float | None = None
    lower: float | None = None
    upper: float | None = None
    unit: str = ""
    n: int = 0


@dataclass(frozen=True)
class Former:
    """What was in charge before: its tag, or `the rule`, and the text of its pointer."""

    name: str
    pointer: str


@dataclass(frozen=True)
class Promotion:
    """How a model took charge: `promotion.json` in the champion's folder, as any release wrote it.

    `data` has the SHA-256 of each table that it was made from, by name; `looks` says how many
    challengers were judged on the same test rows; `files` has the SHA-256 of the card and of the
    predictions beside it, by path there: none where an older release promoted.
    """

    tag: str
    title: str = ""
    verdict: str = ""
    sentence: str = ""
    gain: Gain | None = None
    because: str = ""
    by: str = ""
    date: str = ""
    data: dict[str, str] = field(default_factory=dict)
    before: Former | None = None
    looks: str = ""
    files: dict[str, str] = field(default_factory=dict)


def read_champion_card(folder: Path) -> ModelCard:
    """The card of the model in charge.

    Raises:
        Fixable: the folder has no card, or a damaged one.
    """
    return read_card(require_file(folder / "card.json", made_by=FETCH), fix=describe_fix(folder))


def read_tag(folder: Path) -> str | None:
    """The tag of the commit that put the model in charge: `champion-3`; None for the rule."""
    promotion = read_promotion(folder)
    return promotion.tag if promotion else None


def read_name(folder: Path) -> str:
    """The name of the model in charge, as the service gives it: `champion-3`, or `the rule`."""
    return read_tag(folder) or "the rule"


def read_promotion(folder: Path) -> Promotion | None:
    """How the model in charge took charge; None for the rule.

    Raises Fixable where its file does not say so.
    """
    path = folder / PROMOTION
    if not path.exists():
        return None
    content = read_json(path, made_by=describe_fix(folder))
    try:
        return parse_promotion(content)
    except (AttributeError, KeyError, TypeError):
        raise Fixable(
            f"{path}: expected how the model took charge, with its `tag`, found "
            f"{str(content)[:60]}. Next: {describe_fix(folder)}"
        ) from None


def require_promoted_files(folder: Path) -> None:
    """Raise Fixable where card or predictions are not those that the promotion names."""
    promotion = read_promotion(folder)
    for name, expected in (promotion.files if promotion else {}).items():
        path = require_file(folder / name, made_by=describe_fix(folder))
        if (actual := sha256(path)) != expected:
            raise Fixable(
                f"{path}: expected the file that {PROMOTION} names (SHA-256 {expected[:12]}…), "
                f"found another ({actual[:12]}…). Next: {describe_fix(folder)}"
            )


def write_promotion(promotion: Promotion, folder: Path) -> None:
    """Write `promotion.json` into the folder of a champion."""
    write_json(asdict(promotion), folder / PROMOTION)


def parse_promotion(content: dict[str, Any]) -> Promotion:
    """JSON as a promotion: keys of another release are left out, missing ones have defaults.

    Raises AttributeError, KeyError or TypeError where it is none.
    """
    known = _known(Promotion, content)
    gain, before = content.get("gain"), content.get("before")
    known["gain"] = Gain(**_known(Gain, gain)) if gain else None
    known["before"] = Former(before["name"], before["pointer"]) if before else None
    for name in ("data", "files"):
        known[name] = dict(content.get(name, {}).items())
    promotion = Promotion(**known)
    gained = promotion.gain or Gain()
    texts = [getattr(promotion, each.name) for each in fields(Promotion) if each.type is str]
    texts += [*promotion.data.values(), *promotion.files.values(), gained.unit]
    texts += [promotion.before.name, promotion.before.pointer] if promotion.before else []
    numbers = (gained.estimate, gained.lower, gained.upper, gained.n)
    if not all(isinstance(text, str) for text in texts) or not all(
        isinstance(number, float | int | None) for number in numbers
    ):
        raise TypeError
    return promotion


def _known(kind: type[Promotion] | type[Gain], content: dict[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in content.items() if name in names}


def main(argv: list[str] | None = None) -> int:
    """Put the rule in charge where nothing is: what is done today is the first champion."""
    (folder,) = parse_paths(argv, __doc__, "folder")
    if not (folder / "card.json").exists():
        write_card(RULE, folder / "card.json")
    return 0


if __name__ == "__main__":
    run(main)
