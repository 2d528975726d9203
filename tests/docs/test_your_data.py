"""`docs/your-data.md` does what it says: files are written, commands run, outputs seen."""

import re
import shutil
from pathlib import Path

import pytest

from ..conftest import ROOT, Render, tracking
from ..made import UV, Repository, call, git, passes
from .pages import DOCS, Block, blocks

AWKWARD = "\n## A table with awkward columns\n"
CLEAN, _, REST = (DOCS / "your-data.md").read_text(encoding="utf-8").partition(AWKWARD)
TELCO = ROOT.parent / "shared/data/telco-churn.csv"
FIGURE = re.compile(r"-?\d[\d,.]*")


class Reader:
    """Somebody who does what a page says, in a repository of their own."""

    def __init__(self, folder: Path) -> None:
        self.repository = Repository(folder, call(folder, UV, "run", folder.name, "start"))
        passes(self.repository.how)
        self.seen = ""
        self.decisions: list[str] = []

    def follow(self, page: str) -> None:
        """Do every block of a page in order."""
        for block in blocks(page):
            if block.language == "bash":
                self.run(block.text)
            elif block.language == "text":
                self.expect(block.text)
            else:
                self.write(block)

    def run(self, commands: str) -> None:
        """Run a block of commands as it stands; it has to succeed."""
        ran = call(self.repository.folder, "bash", "-euo", "pipefail", "-c", commands)
        assert ran.returncode == 0, f"{commands}{ran.stdout}{ran.stderr}"
        assert "No test yet" not in ran.stdout, ran.stdout
        self.seen = ran.stdout + self.report()
        if "dvc repro" in commands:
            self.decisions.append(self.repository.json("reports/decision.json")["verdict"])

    def report(self) -> str:
        return (self.repository.folder / "reports/report.md").read_text(encoding="utf-8")

    def expect(self, told: str) -> None:
        """Each line was printed or is in the report. Figures may differ: libraries move on."""
        seen = {FIGURE.sub("#", line.strip()) for line in self.seen.splitlines()}
        for line in told.splitlines():
            assert FIGURE.sub("#", line.strip()) in seen, f"{line}\nis not in:\n{self.seen}"

    def write(self, block: Block) -> None:
        """Write a whole file, or in `params.yaml` the one line with the same key."""
        assert block.file is not None, block
        assert "/delivery/" not in block.file
        path = self.repository.folder / block.file
        if block.file == "params.yaml":
            (line,) = block.text.splitlines()
            key = line.partition(":")[0]
            (old,) = re.findall(rf"^{key}:.*$", path.read_text(encoding="utf-8"), re.MULTILINE)
            self.repository.edit(block.file, f"\n{old}\n", f"\n{line}\n")
        else:
            assert path.exists(), f"{block.file} is no file of a new repository"
            path.write_text(block.text, encoding="utf-8")


def reader(render: Render, environment: Path, name: str) -> Reader:
    """A new repository that has run once, on fewer customers than the example has."""
    folder = render(name)
    git(folder, "init", "--quiet", "-b", "main")
    (folder / ".venv").symlink_to(environment)
    pipeline, params = folder / "dvc.yaml", folder / "params.yaml"
    pipeline.write_text(pipeline.read_text().replace(tracking(pipeline.read_text()), ""))
    params.write_text(params.read_text().replace("customers: 20000", "customers: 2000"))
    return Reader(folder)


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
    kept = clinic.repository.git("ls-files", "data").splitlines()
    assert kept == ["data/source/breast-cancer.csv.dvc"]
    assert clinic.repository.git("status", "--short") == ""


def test_what_the_page_shows_is_tidy_and_typed(clinic: Reader) -> None:
    written = [block.file for block in blocks(CLEAN) if block.language == "python" and block.file]
    passes(clinic.repository.run("ruff", "check", *written))
    passes(clinic.repository.run("ruff", "format", "--check", *written))
    passes(clinic.repository.run("mypy"))


def test_no_block_of_the_page_is_without_a_test() -> None:
    known = {"bash", "markdown", "python", "text", "yaml"}
    assert {block.language for block in blocks(CLEAN + REST)} == known
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
