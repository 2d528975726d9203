"""The commands of `docs/lead/review.md` and `docs/lead/fleet.md`, run as they stand."""

from pathlib import Path

import pytest

from ..docs.pages import DOCS, blocks
from ..made import EXEMPLAR, call
from ..updates.small import project_at, template_at


@pytest.mark.parametrize("name", ["review", "fleet"])
def test_the_commands_of_the_page_run(name: str, tmp_path: Path) -> None:
    project_at(tmp_path / "churn", template_at(tmp_path / "template"))
    (tmp_path / "exemplar").mkdir()
    commands = [
        block.text
        for block in blocks((DOCS / f"lead/{name}.md").read_text(encoding="utf-8"))
        if block.language == "bash"
    ]
    assert len(commands) > 2
    script = "".join(commands).replace("uv run exemplar", str(EXEMPLAR))
    completed = call(tmp_path / "exemplar", "bash", "-euo", "pipefail", "-c", script)
    assert completed.returncode == 0, completed
    assert "churn" in completed.stdout
    assert "nothing moved" in completed.stdout


def test_the_page_names_the_score_as_it_is_printed() -> None:
    page = (DOCS / "lead/review.md").read_text(encoding="utf-8")
    assert "`2 ready (weakest: Model), 0 in force, 12 unknown`" in page
