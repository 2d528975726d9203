"""What `docs/find-your-way.md` sends people to is there."""

import re
from pathlib import Path

import pytest

from ..conftest import EXAMPLES, ROOT, Render


def rows() -> list[tuple[str, str]]:
    """The answer and the files of each row of the page's first table."""
    page = (ROOT / "docs/find-your-way.md").read_text(encoding="utf-8")
    table, _, _ = page.partition("\n## ")
    cells = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return [(answer, files) for _, answer, files in cells[2:]]


@pytest.mark.parametrize("problem", EXAMPLES)
def test_each_question_is_answered_by_two_files_at_most(render: Render, problem: str) -> None:
    folder: Path = render("churn", problem=problem)
    assert len(rows()) > 10
    for answer, files in rows():
        paths = re.findall(r"`([^`]+)`", files)
        assert len(paths) <= 2, answer
        assert paths or "](ways-of-working.md" in files
        texts = [
            path.read_text(encoding="utf-8")
            for path in (folder / name for name in paths)
            if path.is_file()
        ]
        for path in paths:
            assert (folder / path).exists(), path
        for name in re.findall(r"`(\w+):?`", answer):
            defined = re.compile(rf"\bdef {name}\b|^{name}\b|\b{name}:", re.MULTILINE)
            assert any(map(defined.search, texts)), (answer, name)
