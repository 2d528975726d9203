"""The fenced blocks of a page: what a reader is told to write, to run and to expect."""

import re
from pathlib import Path
from typing import NamedTuple

from ..conftest import ROOT

DOCS = ROOT / "docs"
FENCED = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block: its language, the file that its info string names, its text."""

    language: str
    file: str | None
    text: str


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(language, file or None, text) for language, file, text in FENCED.findall(page)]


def briefs() -> dict[str, str]:
    """Every fenced block with front matter in a page of `docs/`, by page and number."""
    return {
        f"{path.relative_to(DOCS).as_posix()}-{number}": block.text
        for path in sorted(Path(DOCS).rglob("*.md"))
        for number, block in enumerate(blocks(path.read_text(encoding="utf-8")))
        if block.text.startswith("---\n")
    }
