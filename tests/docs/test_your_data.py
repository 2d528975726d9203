"""`docs/your-data.md` does what it says: a table becomes a decided baseline by one command."""

from pathlib import Path

import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer

from ..conftest import Render
from .pages import DOCS, blocks
from .reader import Reader, reader

PAGE = (DOCS / "your-data.md").read_text(encoding="utf-8")
TABLE, TARGET = "breast-cancer.csv", "diagnosis"
FIRST = f"uv run exemplar new ../clinic --table ../{TABLE} --target {TARGET}\n"
"""What this does but for the adoption is held by `tests/adopt/test_new.py`."""


@pytest.fixture(scope="module")
def clinic(render: Render, environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """The repository of the page after its last step."""
    table = tmp_path_factory.mktemp("beside") / TABLE
    lumps = load_breast_cancer(as_frame=False)
    rows = pl.DataFrame(lumps.data, schema=[str(name) for name in lumps.feature_names])
    names = pl.Series(TARGET, lumps.target_names[lumps.target])
    rows.with_columns(names).write_csv(table)
    verb = ("adopt", str(table), "--target", TARGET, "--yes", "--fresh")
    at_work = reader(render, environment, "clinic", verb=verb)
    assert blocks(PAGE)[0].text == FIRST
    at_work.follow(PAGE.partition(FIRST)[2])
    return at_work


def test_what_is_left_is_for_people(clinic: Reader) -> None:
    assert clinic.repository.json("reports/decision.json")["verdict"] == "unclear"
    assert clinic.repository.git("status", "--short") == ""
    model = (clinic.repository.folder / "src/clinic/model.py").read_text(encoding="utf-8")
    assert '"mean radius" > 15' in model


def test_the_tutorial_is_short() -> None:
    assert len(PAGE.splitlines()) <= 200
