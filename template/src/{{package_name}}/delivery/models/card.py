"""The card of a model: where it comes from, and which files and sources belong to it."""

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..edge.errors import Fixable
from ..edge.files import read_json, write_json

SHA256S = ("files", "sources")
TEXTS = ("features", "rows", "libraries", *SHA256S)
"""Fields that hold a text by name."""


@dataclass(frozen=True)
class ModelCard:
    """The content of a `card.json`, for people who ask and for code that compares.

    The rule that is in charge from the first day has no files yet; its card holds `name` and `kind`
    and no more.
    """

    name: str
    kind: str
    """`rule` or `model`."""

    features: dict[str, str] = field(default_factory=dict)
    """The type of each feature by its name."""

    trained_on: int = 0
    """Rows that it was fitted on."""

    trained_until: str | None = None
    """Time (ISO 8601) of the last row that it was trained, calibrated or chosen with."""

    rows: dict[str, str] = field(default_factory=dict)
    """SHA-256 of the files with train, validation and test rows."""

    score_quantiles: dict[str, list[float | None]] = field(default_factory=dict)
    """Quantiles of each score column on validation rows, from the lowest to the highest."""

    files: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each file of the folder, by its path there."""

    sources: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each team file that it was made with."""

    libraries: dict[str, str] = field(default_factory=dict)
    """Version of each library that it was made with."""

    @property
    def is_rule(self) -> bool:
        """Whether it is the card of the rule."""
        return self.kind == "rule"


def write_card(card: ModelCard, path: Path) -> None:
    """Write a `card.json`."""
    whole = asdict(card)
    write_json(whole if card.files else {"name": card.name, "kind": card.kind}, path)


def read_card(path: Path, *, fix: str) -> ModelCard:
    """The card at `path`. A key that this release does not know is left out, a missing one has its
    default.

    Raises:
        Fixable: there is no card, or it is damaged; `fix` is the command that the message names.
    """
    content = read_json(path, made_by=fix)
    known = [each.name for each in fields(ModelCard)] if isinstance(content, dict) else []
    facts = {name: content[name] for name in known if name in content}
    if fault := find_fault(facts):
        raise Fixable(f"{path}: {fault}. Next: {fix}")
    return ModelCard(**facts)


def find_fault(facts: dict[str, Any]) -> str | None:
    """What is wrong with the content of a card, if anything."""
    if not all(isinstance(facts.get(name), str) for name in ("name", "kind")):
        name, kind = facts.get("name"), facts.get("kind")
        return f"expected the texts `name` and `kind`, found {name!r} and {kind!r}"
    for name in TEXTS:
        if not _holds_texts(facts.get(name, {})):
            expected = (
                "files and sources with their SHA-256" if name in SHA256S else "texts by name"
            )
            return f"expected {expected}, found `{name}`: {facts[name]!r}"[:200]
    if not isinstance(facts.get("trained_until"), str | None):
        return f"expected `trained_until` to be a time, found {facts['trained_until']!r}"
    if not isinstance(facts.get("trained_on", 0), int):
        return f"expected `trained_on` to be a number of rows, found {facts['trained_on']!r}"
    if not _holds_numbers(facts.get("score_quantiles", {})):
        finding = str(facts["score_quantiles"])[:100]
        return f"expected lists of numbers by name, found `score_quantiles`: {finding}"
    return None


def _holds_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _holds_numbers(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(numbers, list) and all(isinstance(n, float | int | None) for n in numbers)
        for numbers in value.values()
    )
