"""The data that tests ask for, and the grid that shows what they cover.

A test's level is its folder: unit, integration, system. Its breadth comes from the data fixture it
asks for: `point` (one hand-written row), `sample` (a few hundred stable rows), `every_row` (all
valid rows); generated rows are `property`. A mark of one of these names says otherwise. An
integration or system test of no breadth is an error: nobody could say what it covers.
"""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console
from rich.table import Table

from project import contract
from project.delivery.edge import errors, parameters
from project.delivery.tables.conform import to_contract
from project.delivery.tables.read import Ingest
from project.delivery.tables.sources import read_source
from project.delivery.tables.spot import compute_spot

ROOT = Path(__file__).parent.parent
LEVELS = ("unit", "integration", "system")
BREADTHS = {"point": "point", "sample": "sample", "every_row": "everything"}  # fixture to mark
MARKS = ("property", *BREADTHS.values())
EXPECTED = {
    ("unit", "point"),
    ("integration", "point"),
    ("system", "sample"),
    ("system", "everything"),
}
EXPECTED |= {("integration", "sample"), ("integration", "everything")}
SAMPLE = 600

rows_seen = pytest.StashKey[int]()
cell_of = pytest.StashKey[tuple[str, str]]()


@pytest.fixture(scope="session")
def _valid() -> pl.DataFrame:
    """All valid rows; where the pipeline has not run yet, from the source."""
    made = ROOT / "data/valid.parquet"
    if made.exists():
        return pl.read_parquet(made).drop("row")
    settings = parameters.read(ROOT / "params.yaml", "ingest", Ingest)
    if not (ROOT / settings.source).exists():
        pytest.skip(
            f"not judged: {settings.source} is not here; uv run dvc pull brings shared data"
        )
    source = settings.model_copy(update={"source": str(ROOT / settings.source)})
    raw = read_source(source).with_row_index("row")
    return to_contract(raw, contract.Row, settings.read)[0].drop("row")


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """Count the rows that a test is given, so that its breadth is measured."""

    def counted(rows: pl.DataFrame) -> pl.DataFrame:
        request.node.stash[rows_seen] = request.node.stash.get(rows_seen, 0) + rows.height
        return rows

    return counted


@pytest.fixture
def point(count: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """One hand-written row: `contract.EXAMPLE`."""
    dtypes = {name: column.dtype for name, column in contract.Row.columns().items()}
    return count(pl.DataFrame([contract.EXAMPLE], schema=dtypes))


@pytest.fixture
def sample(_valid: pl.DataFrame, count: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """A few hundred rows that stay the same when others come or go: those whose hash is lowest."""
    key = pl.concat_str(pl.all().cast(pl.String).fill_null(""), separator="|")
    spots = [compute_spot(name) for name in _valid.select(key).to_series()]
    return count(_valid.with_columns(spot=pl.Series(spots)).sort("spot").head(SAMPLE).drop("spot"))


@pytest.fixture
def every_row(_valid: pl.DataFrame, count: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """All valid rows."""
    return count(_valid)


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are those of `dvc.yaml`, wherever pytest was started."""
    monkeypatch.chdir(ROOT)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test its level and breadth as marks."""
    vague = []
    for item in items:
        level = item.path.relative_to(ROOT / "tests").parts[0]
        breadth = _breadth(item)
        if level in LEVELS:
            item.add_marker(level)
        if breadth:
            item.add_marker(breadth)
        elif level != "unit":
            vague.append(item.nodeid)
        item.stash[cell_of] = (level, breadth or "no data")
    if vague:
        raise pytest.UsageError(
            "expected the fixture point, sample or every_row (or a mark of that breadth), "
            "found none in:\n" + "\n".join(vague)
        )


def _breadth(item: pytest.Item) -> str | None:
    """The explicit mark, else the widest data fixture that the test asks for."""
    marked = [name for name in MARKS if item.get_closest_marker(name)]
    names = [
        mark for fixture, mark in BREADTHS.items() if fixture in getattr(item, "fixturenames", ())
    ]
    test = getattr(item, "obj", None)
    generated = ["property"] if getattr(test, "is_hypothesis_test", False) else []
    return next(iter(marked or names[::-1] or generated), None)


class Grid:
    """Tests, failures, seconds and rows for each cell of level by breadth."""

    def __init__(self) -> None:
        self.tests: Counter[tuple[str, ...]] = Counter()
        self.failures: Counter[tuple[str, ...]] = Counter()
        self.skips: Counter[tuple[str, ...]] = Counter()
        self.seconds: dict[tuple[str, ...], float] = defaultdict(float)
        self.rows: Counter[tuple[str, ...]] = Counter()
        self.whole = True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Iterator[None]:
        """Note on the report, which a worker of pytest-xdist sends to whoever counts, where its
        test belongs.
        """
        report: Any = yield
        report.cell, report.rows = item.stash[cell_of], item.stash.get(rows_seen, 0)
        return report

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Count; a worker that crashed sends a report without a cell."""
        cell = tuple(getattr(report, "cell", ("", "")))
        self.seconds[cell] += report.duration
        self.failures[cell] += report.failed
        self.skips[cell] += report.skipped and not hasattr(report, "wasxfail")
        if report.when == "teardown":
            self.tests[cell] += 1
            self.rows[cell] += report.rows

    def pytest_deselected(self) -> None:
        self.whole = False

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """In a worker: tell whether all tests were run."""
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["whole"] = self.whole

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Where workers run the tests, hear it from each that ends."""
        self.whole &= getattr(node, "workeroutput", {}).get("whole", False)

    def pytest_terminal_summary(self) -> None:
        """Show the grid and keep it for `summary`; after a run of all tests, its counts, too."""
        present = {cell[1] for cell in self.tests}
        breadths = [name for name in ("no data", *MARKS) if name in present]
        table = Table(
            "level", *breadths, title="tests (failed) · rows · seconds", title_justify="left"
        )
        for level in LEVELS:
            table.add_row(level, *(self.cell(level, breadth) for breadth in breadths))
        Console(width=max(Console().width, 110)).print(table)
        empty = sorted(cell for cell in EXPECTED if not self.tests[cell])
        if self.whole and empty:
            print("No test yet:", "; ".join(f"{level} on {breadth}" for level, breadth in empty))
        if not (ROOT / "reports").is_dir():
            return
        (ROOT / "reports/test-grid.md").write_text(self.markdown(breadths), encoding="utf-8")
        if self.whole:
            counts = {level: {b: self.tests[level, b] for b in breadths} for level in LEVELS}
            (ROOT / "reports/test-grid.json").write_text(
                json.dumps(counts, indent=1) + "\n", encoding="utf-8"
            )

    def markdown(self, breadths: list[str]) -> str:
        """The grid for the page that CI shows."""
        rows = [["level", *breadths], ["---"] * (len(breadths) + 1)]
        rows += [[level, *(self.cell(level, breadth) for breadth in breadths)] for level in LEVELS]
        return "".join(f"| {' | '.join(row)} |\n" for row in rows)

    def cell(self, level: str, breadth: str) -> str:
        """One cell in words."""
        cell = (level, breadth)
        if not self.tests[cell]:
            return "no test" if self.whole and cell in EXPECTED else ""
        counts = {"failed": self.failures[cell], "not judged": self.skips[cell]}
        words = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        failed = f" ({words})" if words else ""
        return f"{self.tests[cell]}{failed} · {self.rows[cell]:,} · {self.seconds[cell]:.1f} s"


def pytest_configure(config: pytest.Config) -> None:
    """Count from the first test on, if this folder's code is what is tested; stages that tests
    start leave bytecode for each other.
    """
    try:
        errors.require_own_code(ROOT)
    except errors.Fixable as problem:
        raise pytest.UsageError(str(problem)) from None
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    grid = Grid()
    grid.whole = not (
        config.option.markexpr
        or config.option.keyword
        or config.args_source is config.ArgsSource.ARGS
    )
    config.pluginmanager.register(grid, "grid")
