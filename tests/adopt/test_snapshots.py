"""A new snapshot is held against the contract: what differs is said, the contract becomes wider
where that is asked for and never narrower, and what a person wrote in it stays.
"""

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from .conftest import Room

CONTRACT = '''"""What one row must look like."""

import dataframely as dy


class Row(dy.Schema):
    """One customer."""

    customer = dy.String(description="Who.")  # who it is about
    plan = dy.Enum(
        [
            "basic",  # since 2019
            "pro",
        ],
        description="How.",
    )
    payment = dy.Enum(["Wallet", "Card"])
    calls = dy.Int64(min=0, max=20, description='Ärger "so"')  # ä ö ü: two bytes
    charge = dy.Float64(min=0, max=500)
    tariff = dy.Enum(["S", "M"], alias="Tariff name")
    size = dy.Int64()
    note = dy.String(nullable=True)
    age = dy.Int64(max=LIMIT)
    left = dy.Enum(["yes", "no"])


# Left out: internal_code, which nobody knows.
ENTITY, TIME, TARGET = "customer", None, "left"
PERSONAL = ["customer"]
'''
ROWS = 40


def build_snapshot(**other: list[Any]) -> pl.DataFrame:
    """Rows that keep the contract, but for other columns."""
    return pl.DataFrame(
        {
            "customer": [f"C{n}" for n in range(ROWS)],
            "plan": ["basic", "pro"] * (ROWS // 2),
            "payment": ["Wallet", "Card"] * (ROWS // 2),
            "calls": [str(n % 20) for n in range(ROWS)],
            "charge": [f"{n}.5" for n in range(ROWS)],
            "Tariff name": ["S", "M"] * (ROWS // 2),
            "size": [str(n) for n in range(ROWS)],
            "note": ["x", ""] * (ROWS // 2),
            "age": [str(n) for n in range(ROWS)],
            "left": ["yes", "no"] * (ROWS // 2),
            "internal_code": ["q"] * ROWS,
        }
        | other
    )


@pytest.fixture(scope="module")
def contract(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The contract as a module."""
    path = tmp_path_factory.mktemp("contract") / "held_contract.py"
    path.write_text(CONTRACT.replace("LIMIT", "10 * 12"))
    spec = importlib.util.spec_from_file_location("held_contract", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["held_contract"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["held_contract"]


@pytest.fixture
def hold(room: Room, contract: ModuleType) -> Callable[..., tuple[dict[str, str], str]]:
    """`hold(plan=[…])`: what is said of each column, and the proposed contract."""
    snapshot, how = room.load("adopt.snapshot"), room.load("tables.read").Read()
    source = Path(str(contract.__file__)).read_text()

    def held(table: pl.DataFrame | None = None, **other: list[Any]) -> tuple[dict[str, str], str]:
        table = build_snapshot(**other) if table is None else table
        left_out = snapshot.list_left_out(source, table.columns)
        changes = snapshot.find_changes(table, contract, how, left_out)
        proposed, by_hand = snapshot.propose_contract(
            source, changes, Path(str(room.load("cli").__file__)).parents[3]
        )
        words: dict[str, str] = {}
        for change in changes:
            words[change.column] = f"{words.get(change.column, '')}{change.words}\n"
        assert set(by_hand) <= {"age"}
        if not any(change.edit for change in changes) or by_hand:
            assert proposed == source
        return words, "".join(
            line for line in proposed.splitlines(True) if line not in source.splitlines(True)
        )

    return held


def replace_some(values: list[str], new: list[str]) -> list[str]:
    """The values with others at the end."""
    return [*values[: ROWS - len(new)], *new]


def test_a_snapshot_that_keeps_the_contract_has_nothing_to_say(hold: Any) -> None:
    assert hold() == ({}, "")


def test_a_new_category_is_adopted_and_a_slip_of_one_row_is_named(hold: Any) -> None:
    words, added = hold(
        plan=replace_some(["basic"] * ROWS, ["team"] * 5),
        payment=replace_some(["Card"] * ROWS, ["Walet"]),
    )
    assert words == {
        "plan": "new: 'team' in 5 rows\n",
        "payment": "'Walet' in 1 row, too few to be adopted; is 'Wallet' meant?\n",
    }
    assert added == '            "team",\n'


def test_a_range_is_widened_for_three_rows_and_not_for_two(hold: Any) -> None:
    calls = [str(n % 20) for n in range(ROWS)]
    words, added = hold(calls=replace_some(calls, ["31", "33", "37"]))
    assert words == {"calls": "3 rows above the maximum of 20, the furthest 37\n"}
    comment = "# ä ö ü: two bytes"
    line = f"    calls = dy.Int64(min=0, max=100, description='Ärger \"so\"')  {comment}\n"
    assert added == line
    words, added = hold(calls=replace_some(calls, ["-1", "-2"]))
    assert words == {"calls": "2 rows below the minimum of 0, the furthest -2\n"}
    assert added == ""


def test_a_bound_that_is_not_written_out_is_left_to_a_person(hold: Any) -> None:
    words, added = hold(age=replace_some(["1"] * ROWS, ["200"] * 9))
    assert "9 rows above the maximum of 120" in words["age"]
    assert added == ""


def test_missing_values_and_fractions_are_allowed_where_they_are_news(hold: Any) -> None:
    words, added = hold(
        size=replace_some(["1"] * ROWS, ["1.5", "2.5", "", "", "", "3.5"]),
        customer=replace_some(["C1"] * ROWS, [""] * 5),
    )
    assert "missing in 3 rows" in words["size"]
    assert "fractions in 3 rows, where a whole number was expected" in words["size"]
    assert "missing in 5 rows" in words["customer"]
    assert added == "    size = dy.Float64(nullable=True)\n"


def test_another_type_is_said_and_never_adopted(hold: Any) -> None:
    words, added = hold(charge=[f"{n} apples" for n in range(ROWS)])
    assert words == {
        "charge": "no longer a number in 40 rows, like '0 apples': fix the export, or change "
        "its type in contract.py and what features.py makes of it\n"
    }
    assert added == ""


def test_a_column_that_is_gone_may_be_renamed_and_a_new_one_is_named(hold: Any) -> None:
    table = build_snapshot().rename({"Tariff name": "tariff"}).drop("note")
    words, added = hold(table.with_columns(region=pl.Series(["north", "south"] * (ROWS // 2))))
    assert set(words) == {"Tariff name", "note", "region"}
    assert 'FORMER = {"tariff": "Tariff name"}' in words["Tariff name"]
    assert words["note"].startswith("gone: bring it back")
    assert words["region"].startswith("a new column, 2 categories")
    assert added == ""


def test_personal_values_are_never_shown(
    hold: Any, contract: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract, "PERSONAL", ["customer", "plan", "charge", "calls"])
    words, _ = hold(
        plan=replace_some(["basic"] * ROWS, ["secret"] * 5 + ["Hidden"]),
        charge=["hush"] * ROWS,
        calls=["777"] * ROWS,
    )
    text = "".join(words.values())
    for value in ("secret", "Hidden", "hush", "777"):
        assert value not in text


@pytest.fixture
def repository(room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a rendered repository, here, and a snapshot `new.csv` with a new category in it."""
    folder = Path(str(room.load("cli").__file__)).parents[3]
    shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.setenv("PYTHONPATH", "src")
    contract = importlib.import_module("sorted_out.contract")
    rows = pl.DataFrame([contract.EXAMPLE] * ROWS)
    is_new = pl.int_range(pl.len()) < 5
    plan = pl.when(is_new).then(pl.lit("three years")).otherwise("plan")
    rows.write_csv("old.csv")
    rows.with_columns(plan=plan).write_csv("new.csv")
    return tmp_path / "copy"


def test_the_command_shows_the_change_and_makes_it_where_that_is_said(
    room: Room, repository: Path
) -> None:
    run = room.load("edge.shell").run
    command = ["python", "-m", "sorted_out.delivery.adopt.snapshot"]
    contract = repository / "src/sorted_out/contract.py"
    before = contract.read_text()
    assert run([*command, "old.csv"]).stdout == "old.csv: keeps the contract.\n"
    shown = run([*command, "new.csv"])
    assert shown.returncode == 1, shown.stderr
    assert "plan: new: 'three years' in 5 rows" in shown.stdout
    assert '+        ["flexible", "one year", "two years", "three years"],\n' in shown.stdout
    assert "adopt --update new.csv --yes" in shown.stdout
    assert contract.read_text() == before
    assert run([*command, "new.csv", "--yes"]).returncode == 0
    assert run([*command, "new.csv"]).stdout == "new.csv: keeps the contract.\n"
    assert run([*command, "old.csv"]).returncode == 0
    assert run(["python", "-m", "ruff", "format", "--check", str(contract)]).returncode == 0
    missing = run([*command, "none.csv"])
    assert missing.returncode == 2
    assert "Traceback" not in missing.stderr


def test_refresh_says_the_same_and_nothing_where_the_room_was_deleted(
    repository: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = "sorted_out.delivery.platform.summary"  # needs the libraries of a report
    monkeypatch.setitem(sys.modules, page, ModuleType(page))
    refresh = importlib.import_module("sorted_out.delivery.platform.refresh")
    monkeypatch.setattr(refresh, "__file__", str(repository / "src/sorted_out/delivery/platform/x"))
    refresh.describe_snapshot("new.csv")
    assert "plan: new: 'three years' in 5 rows" in capsys.readouterr().out
    refresh.describe_snapshot("old.csv")
    assert capsys.readouterr().out == ""
    shutil.rmtree(repository / "src/sorted_out/delivery/adopt")
    refresh.describe_snapshot("new.csv")
    assert capsys.readouterr().out == ""
