"""The notebook looks at a table through the package, and turns a plot into a test that runs."""

import json

from ..made import Repository, passes
from .conftest import every_problem

NOTEBOOK = "notebooks/look.ipynb"
EXECUTE = f"--with nbclient --with ipykernel jupyter execute --output=seen.ipynb {NOTEBOOK}"
CELLS = f"""
import json, sys
for cell in json.load(open("{NOTEBOOK}", encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        exec("".join(cell["source"]), globals())
import matplotlib.pyplot as plt
print("points:", plt.gcf().axes[0].lines[0].get_ydata().size)
"""


def read_test(printed: str) -> str:
    """The test that the last cell writes."""
    return '"""What looking' + printed.partition('"""What looking')[2]


@every_problem
def test_the_plot_becomes_a_test_that_holds_and_can_fail(repository: Repository) -> None:
    completed = repository.run("python", "-c", CELLS, MPLBACKEND="agg")
    passes(completed, "rows keep the contract")
    text, _, points = read_test(completed.stdout).partition("points: ")
    assert int(points) > 1
    tests = repository.folder / "tests/unit"
    shipped = (tests / "test_expectations.py").read_text(encoding="utf-8")
    assert text.splitlines()[:4] == shipped.splitlines()[:4]
    (tests / "test_written.py").write_text(text)
    low = text.partition("is_between(")[2].partition(",")[0]
    assert text.count(f"({low}, ") == 1
    (tests / "test_too_narrow.py").write_text(text.replace(f"({low}, ", f"({low}, -"))
    files = [f"tests/unit/test_{name}.py" for name in ("expectations", "written", "too_narrow")]
    completed = repository.run("pytest", "-q", "--tb=line", *files)
    assert completed.returncode == 1, completed
    assert "1 failed, 2 passed" in completed.stdout, completed.stdout
    assert "FAILED tests/unit/test_too_narrow.py" in completed.stdout


def test_the_notebook_runs_as_one(repository: Repository) -> None:
    passes(repository.run(*EXECUTE.split()))
    book = json.loads((repository.folder / "notebooks/seen.ipynb").read_text(encoding="utf-8"))
    outputs = [cell["outputs"] for cell in book["cells"] if cell["cell_type"] == "code"]
    assert all(outputs)
    assert any("image/png" in output.get("data", {}) for output in outputs[3])
