"""`docs/by-hand.md` and `docs/awkward-columns.md` do what they say: files are written, commands
run, outputs seen.
"""

import re
import shutil
from pathlib import Path

import pytest

from ..conftest import ROOT, Render
from ..made import passes
from .pages import DOCS, blocks
from .reader import Reader, reader

CLEAN = (DOCS / "by-hand.md").read_text(encoding="utf-8")
REST = (DOCS / "awkward-columns.md").read_text(encoding="utf-8")
TELCO = ROOT.parent / "shared/data/telco-churn.csv"


@pytest.fixture(scope="module")
def clinic(render: Render, environment: Path) -> Reader:
    """The repository of the page's first part, after its last step."""
    at_work = reader(render, environment, "clinic")
    at_work.follow(CLEAN)
    return at_work


def test_the_verdict_is_unclear_with_few_positives_and_ship_with_more(clinic: Reader) -> None:
    assert clinic.decisions == ["unclear", "ship"]
    counts = clinic.repository.json("reports/metrics.json")
    assert (counts["n"], counts["positives"]) == (223, 83)
    assert "223 held-out patients" in CLEAN
    assert "83 malignant lumps" in CLEAN


def test_nothing_of_the_template_was_edited(clinic: Reader) -> None:
    changed = clinic.repository.git("diff", "--name-only", "HEAD~1", "HEAD").splitlines()
    assert "src/clinic/contract.py" in changed
    assert [name for name in changed if "/delivery/" in name] == []
    assert [name for name in changed if name.startswith(("tests/int", "tests/sys"))] == []


def test_git_keeps_the_hash_of_the_table_and_not_the_table(clinic: Reader) -> None:
    tracked = clinic.repository.git("ls-files", "data").splitlines()
    assert tracked == ["data/source/breast-cancer.csv.dvc"]
    assert clinic.repository.git("status", "--short") == ""


def test_what_the_page_shows_is_tidy_and_typed(clinic: Reader) -> None:
    written = [block.file for block in blocks(CLEAN) if block.language == "python" and block.file]
    passes(clinic.repository.run("ruff", "check", *written))
    passes(clinic.repository.run("ruff", "format", "--check", *written))
    passes(clinic.repository.run("mypy"))


def test_no_block_of_the_page_is_without_a_test() -> None:
    languages = {"bash", "markdown", "python", "text", "yaml"}
    assert {block.language for block in blocks(CLEAN + REST)} == languages
    fences = re.findall(r"^```", CLEAN + REST, re.MULTILINE)
    assert len(fences) == 2 * len(blocks(CLEAN + REST))


@pytest.fixture(scope="module")
def telco(render: Render, environment: Path) -> Reader:
    """The repository of the page's second part."""
    if not TELCO.exists():
        pytest.skip(f"needs {TELCO.name}, which is not part of this repository")
    at_work = reader(render, environment, "churn")
    source = at_work.repository.folder / "data/source/telco-churn.csv"
    source.parent.mkdir()
    shutil.copy(TELCO, source)
    at_work.follow(REST)
    return at_work


def test_a_table_with_awkward_columns_becomes_a_decision(telco: Reader) -> None:
    assert telco.decisions == ["ship"]
    data = telco.repository.json("reports/data.json")
    assert data["rows"] == {"raw": 7043, "valid": 7043, "quarantined": 0}
    kinds = {column["name"]: column["dtype"] for column in data["columns"]}
    assert {kinds["SeniorCitizen"], kinds["Partner"]} == {"Boolean"}
    (total,) = (column for column in data["columns"] if column["name"] == "TotalCharges")
    assert round(total["null_share"] * 7043) == 11
    unit = telco.repository.folder / "tests/unit"
    shutil.rmtree(unit)  # about the example's columns; the page's first part rewrites them
    passes(telco.repository.run("pytest", "tests/integration"))


def test_blanks_go_to_quarantine_where_the_contract_does_not_allow_them(telco: Reader) -> None:
    contract = "src/churn/contract.py"
    telco.repository.edit(contract, "        nullable=True, min=0,", "        min=0,")
    passes(telco.repository.run("dvc", "repro", "validate"))
    data = telco.repository.json("reports/data.json")
    assert data["reasons"] == {"TotalCharges is missing": 11}
    telco.repository.edit(contract, "        min=0, desc", "        nullable=True, min=0, desc")
