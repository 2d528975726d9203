"""A new snapshot held against the contract: what differs, in words, and the smallest change of
`contract.py` under which the snapshot keeps it. Only wider, never narrower, and for no value that
fewer than three rows have: that is a typing error sooner than news.
"""

import argparse
import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import dataframely as dy
import polars as pl

from ..edge.errors import TEAM, Fixable, run
from ..edge.files import find_project, write_text
from ..edge.parameters import read
from ..edge.shell import PACKAGE
from ..edge.shell import run as run_command
from ..tables.conform import convert_columns, describe_type
from ..tables.convert import has_value
from ..tables.notation import agree
from ..tables.read import Ingest, Read
from .amend import Edit, amend
from .columns import Content, find_contents, round_out
from .kind import read_table

FEWEST = 3  # rows that a value needs to be news
SHOWN = 5  # new values that are named
FITTING = 0.95  # share of values that fit a column of the contract which may be renamed
ALIKE = 0.6  # share of two names that is the same, of a column that may be renamed
NEXT = f"uv run {PACKAGE} adopt --update"


class Change(NamedTuple):
    """What differs in one column: in words, and the edit of the contract that it asks for."""

    column: str
    words: str
    edit: Edit | None = None


class Held(NamedTuple):
    """A column of a snapshot beside that of the contract."""

    column: dy.Column
    raw: pl.Series
    """As it came, null where a word means that there is no value."""

    typed: pl.Series
    """In the contract's type, null where a value cannot be read."""

    is_personal: bool
    is_key: bool
    """Whether the column says what a row is: entity, time or target."""

    @property
    def has_value(self) -> pl.Series:
        """In which rows there is a value."""
        name = self.raw.name
        return self.raw.to_frame().select(has_value(self.raw.dtype, name)).to_series()


def find_changes(
    table: pl.DataFrame, contract: ModuleType, how: Read, left_out: list[str]
) -> list[Change]:
    """What a snapshot has that the contract does not allow, column by column; then the columns
    that are new, or gone. `left_out` are columns that are no news.

    Raises:
        Fixable: texts can be read in two ways.
    """
    columns = contract.Row.columns()
    known = {name: column for name, column in columns.items() if name in table.columns}
    raw = table.select(list(known)).with_row_index("row")
    agreed = agree(raw, convert_columns(raw, known), known, how, Read())
    keys = {contract.ENTITY, contract.TIME, contract.TARGET}
    changes: list[Change] = []
    for name, column in known.items():
        is_personal = name in contract.PERSONAL
        held = Held(
            column,
            agreed.raw[name],
            agreed.typed[name],
            is_personal=is_personal,
            is_key=name in keys,
        )
        changes += find_column_changes(held)
    return changes + find_names(table, columns, how, left_out)


def find_column_changes(held: Held) -> Iterator[Change]:
    """What one column has that the contract does not allow."""
    missing = int((~held.has_value).sum())
    if missing and not held.column.nullable:
        edit = None
        if missing >= FEWEST and not held.is_key and not held.column.primary_key:
            edit = Edit(held.raw.name, keywords=(("nullable", True),))
        yield Change(held.raw.name, f"missing in {count(missing)}, where it never may be", edit)
    unreadable = held.raw.filter(held.has_value & held.typed.is_null())
    if unreadable.len() and isinstance(held.column.dtype, pl.Enum):
        yield from find_categories(held, unreadable)
    elif unreadable.len():
        yield find_type(held, unreadable)
    if held.column.dtype.is_numeric():
        yield from find_range(held)


def count(rows: int) -> str:
    """`1 row`, `1,200 rows`."""
    return "1 row" if rows == 1 else f"{rows:,} rows"


def find_categories(held: Held, unreadable: pl.Series) -> Iterator[Change]:
    """New categories; a word in few rows is named, and what it may be a slip of."""
    name = held.raw.name
    known = held.column.dtype.categories.to_list()  # type: ignore[attr-defined]
    words = unreadable.cast(pl.String).str.strip_chars().alias("word")
    counts = words.value_counts(name="n").sort("n", "word", descending=[True, False])
    often = tuple(counts.filter(pl.col("n") >= FEWEST)["word"])
    if often:
        shown = ", ".join(
            f"{word!r} in {count(rows)}" for word, rows in counts.head(SHOWN).iter_rows()
            if rows >= FEWEST
        )  # fmt: skip
        more = f" and {len(often) - SHOWN} more" if len(often) > SHOWN else ""
        what = f"{len(often)} new categories" if held.is_personal else f"new: {shown}{more}"
        yield Change(name, what, Edit(name, categories=often))
    for word, rows in counts.filter(pl.col("n") < FEWEST).head(SHOWN).iter_rows():
        close = difflib.get_close_matches(word, known, n=1)
        hint = f"; is {close[0]!r} meant?" if close and not held.is_personal else ""
        shown = "another category" if held.is_personal else f"{word!r}"
        yield Change(name, f"{shown} in {count(rows)}, too few to be adopted{hint}")


def find_type(held: Held, unreadable: pl.Series) -> Change:
    """Values of another type; whole numbers that now have fractions are the one that is adopted."""
    name, rows = held.raw.name, unreadable.len()
    text = unreadable.cast(pl.String, strict=False).str.replace(",", ".", literal=True)
    fractions = text.cast(pl.Float64, strict=False)
    expected = describe_type(held.column)
    if held.column.dtype.is_integer() and fractions.null_count() == 0:
        edit = Edit(name, type="Float64") if rows >= FEWEST and not held.is_key else None
        return Change(name, f"fractions in {count(rows)}, where {expected} was expected", edit)
    example = "" if held.is_personal else f", like {str(unreadable[0])[:40]!r}"
    return Change(name, f"no longer {expected} in {count(rows)}{example}: fix the export, or "
                  "change its type in contract.py and what features.py makes of it")  # fmt: skip


def find_range(held: Held) -> Iterator[Change]:
    """Numbers beyond a bound."""
    numbers = held.typed.cast(pl.Float64)
    for end, sign in (("min", -1), ("max", 1)):
        bound = getattr(held.column, end, None)
        if bound is None:
            continue
        beyond = numbers.filter((numbers - float(bound)) * sign > 0)
        if not beyond.len():
            continue
        worst = float(beyond.max() if sign > 0 else beyond.min())  # type: ignore[arg-type]
        word = "above the maximum" if sign > 0 else "below the minimum"
        shown = "" if held.is_personal else f", the furthest {worst:,.6g}"
        edit, name = None, held.raw.name
        if beyond.len() >= FEWEST and worst not in (float("inf"), float("-inf")):
            edit = Edit(
                name, keywords=((end, widen(worst, sign, is_whole=held.column.dtype.is_integer())),)
            )
        yield Change(name, f"{count(beyond.len())} {word} of {bound:,}{shown}", edit)


def widen(worst: float, sign: int, *, is_whole: bool) -> float:
    """The next round bound behind a value."""
    if worst * sign < 0:  # towards zero there is room enough up to it
        return 0 if is_whole else 0.0
    bound = round_out(worst, sign)
    return int(bound) if is_whole else bound


def find_names(
    table: pl.DataFrame, columns: dict[str, dy.Column], how: Read, left_out: list[str]
) -> list[Change]:
    """Columns that are gone, with the new one that each may be, and those that are new; without
    those that the contract names as left out.
    """
    fresh = [name for name in table.columns if name not in columns and name not in left_out]
    gone = [name for name in columns if name not in table.columns]
    renamed = {name: guess_name(name, columns[name], table, fresh, how) for name in gone}
    changes = [Change(name, describe_gone(name, renamed[name])) for name in gone]
    others = [name for name in fresh if name not in renamed.values()]
    contents = find_contents(table.select(others), how)
    return changes + [
        Change(name, f"a new column, {describe_content(content)}: no model sees it until "
               "contract.py has it")
        for name, content in contents.items()
    ]  # fmt: skip


def guess_name(
    name: str, column: dy.Column, table: pl.DataFrame, fresh: list[str], how: Read
) -> str | None:
    """The new column that holds what a column held that is gone: its values fit, and its name is
    like the old one, or its categories are the same.
    """
    fitting = [other for other in fresh if fits(column, table[other], how)]
    close = difflib.get_close_matches(name, fitting, n=1, cutoff=ALIKE)
    if close or len(fitting) != 1 or not isinstance(column.dtype, pl.Enum):
        return next(iter(close), None)
    return fitting[0]


def fits(column: dy.Column, values: pl.Series, how: Read) -> bool:
    """Whether the values of a column could be those of another in the contract."""
    name, schema = column.name, {column.name: column}
    raw = values.alias(name).to_frame().with_row_index("row")
    try:
        agreed = agree(raw, convert_columns(raw, schema), schema, how, Read())
    except Fixable:
        return False
    held = Held(column, agreed.raw[name], agreed.typed[name], is_personal=True, is_key=True)
    typed = held.typed.drop_nulls()
    if typed.dtype.is_numeric():
        low, high = (getattr(column, end, None) for end in ("min", "max"))
        typed = typed.filter((typed >= (low or typed.min())) & (typed <= (high or typed.max())))
    return 0 < typed.len() >= FITTING * int(held.has_value.sum())


def describe_gone(name: str, renamed: str | None) -> str:
    """What to do about a column that is gone."""
    if renamed is None:
        return "gone: bring it back, or take it out of contract.py and features.py"
    former = json.dumps({renamed: name}, ensure_ascii=False)
    return (
        f"gone, and `{renamed}` is new and fits: renamed? Then rename it in contract.py and in "
        f"features.py, with FORMER = {former}"
    )


def describe_content(content: Content) -> str:
    """What a new column holds, in words."""
    if content.categories:
        return f"{len(content.categories)} categories"
    words = {"int": "whole numbers", "float": "numbers", "bool": "true or false", "date": "dates"}
    return words.get(content.kind, "times" if content.kind == "datetime" else "text")


def list_left_out(source: str, names: list[str]) -> list[str]:
    """The columns that comments of the contract name: they were left out on purpose."""
    comments = "\n".join(line for line in source.splitlines() if line.lstrip().startswith("#"))
    return [name for name in names if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", comments)]


def propose_contract(source: str, changes: list[Change], root: Path) -> tuple[str, list[str]]:
    """The text of `contract.py` with the changes that widen it, as ruff writes it; and the columns
    that have to be changed by hand.

    Raises:
        Fixable: ruff cannot write it.
    """
    amended, by_hand = amend(source, [change.edit for change in changes if change.edit])
    if amended == source:
        return source, by_hand
    command = ["python", "-m", "ruff", "format", "--no-cache", "--quiet", "-"]
    completed = run_command(command, root, stdin=amended)
    if completed.returncode:
        raise Fixable(
            f"ruff: expected to format the changed contract.py, found {completed.stderr.strip()}. "
            "Next: uv sync, then the same command again"
        )
    return completed.stdout, by_hand


def describe_changes(changes: list[Change]) -> str:
    """The changes, a line each."""
    return "".join(f"  {change.column}: {change.words}\n" for change in changes)


def write_diff(before: str, after: str, path: Path) -> str:
    """The change of a file as a diff."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, str(path), f"{path} (proposed)", n=2))


def hold_snapshot(source: Path, *, yes: bool) -> int:
    """Hold a snapshot against the contract, print what differs and the change that it asks for, and
    make the change where `yes` says so. 1 where the contract stays too narrow, else 0.

    Raises:
        Fixable: it is no table, or its texts can be read in two ways.
    """
    from ... import contract

    root, path = find_project(Path.cwd()), TEAM / "contract.py"
    how = read(root / "params.yaml", "ingest", Ingest).read
    table, _ = read_table(source, how)
    text = path.read_text(encoding="utf-8")
    changes = find_changes(table, contract, how, list_left_out(text, table.columns))
    if not changes:
        print(f"{source}: keeps the contract.")
        return 0
    print(f"{source}: {table.height:,} rows, in which this is not as contract.py says:")
    print(describe_changes(changes), end="")
    proposed, by_hand = propose_contract(text, changes, root)
    if by_hand:
        print(f"To be changed by hand, as they are not written out: {', '.join(by_hand)}")
    if proposed == text:
        print("Nothing of that is adopted: fix the source, or write it into contract.py.")
        return 1
    print(write_diff(text, proposed, path.relative_to(root)), end="")
    if not yes:
        print(f"Next: to change contract.py so, {NEXT} {source} --yes")
        return 1
    write_text(proposed, path)
    print("contract.py is changed. Next: uv run pytest, then uv run dvc repro")
    return 0


def main(argv: list[str] | None = None) -> int:
    """Hold a snapshot against the contract."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("--yes", action="store_true", help="make the change")
    options = parser.parse_args(argv)
    return hold_snapshot(options.source, yes=options.yes)


if __name__ == "__main__":
    run(main)
