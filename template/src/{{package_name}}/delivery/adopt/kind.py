"""The kind of problem that a table and its target pose: known before anything is rendered, so that
this module imports polars and what reads a file, and nothing else.

    python -m PACKAGE.delivery.adopt.kind TABLE TARGET [--entity COLUMN]
"""

import argparse
import re
import sys
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import polars as pl

from ..edge.errors import Fixable
from ..edge.explain import nearest
from ..tables.read import Ingest, Read
from ..tables.sources import scan_source
from .columns import LONG, Content, count_words, find_contents, write_snake
from .proposal import Problem

CLASSES = 30  # at most, of a target that is not text of many intents
FEW_NUMBERS = 20  # different whole numbers up to which they may be classes
CODES = 12  # classes that are written as 0, 1, 2, …, at most
SHARE = 0.02  # of the rows that the rarest of such classes has
FEWEST = 20  # rows without which nothing can be learned
NAMED_CLASS = re.compile(
    r"(^|_)(class\w*|label|type|category|cat|kind|species|group|cluster|segment|target|status|code"
    r"|klasse|art)(_|$)"
)
NAMED_NUMBER = re.compile(
    r"(^|_)(count|number|n|num|qty|quantity|amount|rating|score|grade|points|marks?|quality|level"
    r"|years?|months?|days|hours|minutes|age|rings|size|price|cost|anzahl|menge|note)(_|$)"
)
RATED = re.compile(
    r"(^|_)(rating|rated|stars|click\w*|like[sd]?|order\w*|purchase\w*|bought|view\w*|watched|played"
    r"|events?|interaction|score|implicit)(_|$)"
)
USER = re.compile(r"(^|_)(user|customer|client|visitor|member|session|reader|kunde)(_?id)?$")
ITEM = re.compile(
    r"(^|_)(item|product|article|movie|film|song|track|book|brand|video|ad|sku|artist|isbn|artikel)"
    r"(_?(id|nr|no|key|code))?$"
)
PAGES = {"ranking": "docs/ranking.md", "answering": "docs/answering.md"}


class Finding(NamedTuple):
    """A kind of problem, why, and how sure that is (0 to 1)."""

    problem: Problem
    reason: str
    confidence: float


def read_table(source: Path, read: Read) -> tuple[pl.DataFrame, dict[str, Any]]:
    """The rows of a table, texts as text, and how it is written, as keys of `ingest: read:`.

    Raises:
        Fixable: it is none, or has too few rows to learn from.
    """
    if not source.exists():
        raise Fixable(
            f"{source}: expected a table, found nothing there. Next: the same command with the "
            "path of a file, or of a folder of files"
        )
    with TemporaryDirectory() as scratch:
        table = scan_source(Ingest(source=str(source), read=read), Path(scratch))
        try:
            rows = table.rows.collect(engine="streaming")
        except (pl.exceptions.PolarsError, OSError) as error:
            words = str(error).partition("\n")[0]
            raise Fixable(
                f"{source}: expected a table, found {words[:200]}. Next: fix the file, then the "
                "same command again"
            ) from None
    if rows.height < FEWEST:
        raise Fixable(
            f"{source}: expected {FEWEST} rows at least, found {rows.height:,}: nothing can be "
            "learned from so few. Next: the same command with a longer table"
        )
    return rows, table.seen


def require_column(table: pl.DataFrame, name: str, purpose: str) -> None:
    """Raise Fixable where a table has no column of this name."""
    if name in table.columns and name.strip():
        return
    close = nearest(name[:60], table.columns) or nearest(name[:60].lower(), table.columns)
    shown = ", ".join(f"`{column[:40]}`" for column in table.columns[:20])
    more = f" and {table.width - 20:,} more" if table.width > 20 else ""
    hint = close or f" among {shown}{more}"
    raise Fixable(
        f"{purpose} `{name[:60]}`: expected a column of the table, found none{hint}. Next: the "
        "same command with a name as the table has it"
    )


def find_kind(contents: Mapping[str, Content], target: str, entity: str | None = None) -> Finding:
    """The kind of problem that a table poses.

    Raises:
        Fixable: its target cannot be predicted.
    """
    content = contents[target]
    values = content.present
    distinct = require_variety(target, content)
    if pair := find_log(contents, target) if entity is None else None:
        return Finding("ranking", f"each row is a pair of `{pair[0]}` and `{pair[1]}`", 0.8)
    if content.kind == "bool":
        return Finding("classification", "yes or no", 1.0)
    if content.kind in ("int", "float"):
        return judge_numbers(target, values, distinct)
    if distinct <= CLASSES:
        return Finding("classification", f"{distinct} classes", 0.95)
    if prose := find_prose(contents, target):
        return Finding(
            "answering", f"`{prose}` is what people say, and {distinct:,} answers to it", 0.8
        )
    if distinct <= min(200, values.len() / 20):
        return Finding("classification", f"{distinct} classes", 0.6)
    raise Fixable(
        f"target `{target}`: expected a number, or at most {CLASSES} classes, found {distinct:,} "
        f"different texts in {values.len():,} rows. Next: name another target, or put its values "
        "into groups in the source"
    )


def require_variety(target: str, content: Content) -> int:
    """How many different values a target has.

    Raises:
        Fixable: it is nothing that can be predicted.
    """
    values = content.present
    fault = None
    if values.is_empty():
        fault = "no value in any row"
    elif not content.is_usable:
        fault = content.remark
    elif content.kind in ("date", "datetime"):
        fault = "dates; predict how long it takes, or whether it happens by a day"
    elif (distinct := values.n_unique()) < 2:
        fault = "the same value in every row"
    elif values.len() < FEWEST:
        fault = f"a value in {values.len()} rows only"
    else:
        return distinct
    raise Fixable(
        f"target `{target}`: expected two classes or more, or numbers, found {fault}. Next: name "
        "another column as the target, or fix the table"
    )


def judge_numbers(target: str, values: pl.Series, distinct: int) -> Finding:
    """Whether numbers are classes or numbers to predict."""
    if values.dtype.is_float():
        whole = bool((values == values.round()).all())
        if not whole or distinct > FEW_NUMBERS:
            return Finding("regression", "numbers with fractions" if not whole else "numbers", 0.95)
    if distinct == 2:
        return Finding("classification", "two values", 0.9)
    if distinct > FEW_NUMBERS:
        return Finding("regression", f"{distinct:,} different whole numbers", 0.95)
    low, high = int(values.min()), int(values.max())  # type: ignore[arg-type]
    name, shown = write_snake(target), f"{distinct} whole numbers from {low} to {high}"
    rarest = min(values.value_counts(name="n")["n"]) / values.len()
    if NAMED_NUMBER.search(name):
        return Finding("regression", f"{shown}, by the name counts or marks", 0.7)
    is_code = low in (0, 1) and high - low == distinct - 1 and distinct <= CODES
    if is_code and (NAMED_CLASS.search(name) or distinct == 3 or (low == 0 and rarest >= SHARE)):
        return Finding("classification", f"{shown} without a gap, none rare: codes of classes", 0.6)
    return Finding("regression", f"{shown}, which have an order", 0.6)


def find_log(contents: Mapping[str, Content], target: str) -> tuple[str, str] | None:
    """The two columns of a log of whom what was shown, or who liked it: each value in several rows,
    met by several of the other's, each pair about once.
    """
    if not RATED.search(write_snake(target)):
        return None
    parties = [
        name
        for name in contents
        if name != target and (USER.search(write_snake(name)) or ITEM.search(write_snake(name)))
    ]
    for one, other in combinations(parties, 2):
        names = [write_snake(one), write_snake(other)]
        is_pair = any(USER.search(name) for name in names) and any(
            ITEM.search(name) for name in names
        )
        if is_pair and is_crossed(contents[one].values, contents[other].values):
            return one, other
    return None


def is_crossed(one: pl.Series, other: pl.Series) -> bool:
    """Whether each value of a column meets several of another, and the other way round."""
    pairs = pl.DataFrame({"one": one, "other": other}).drop_nulls()
    if pairs.is_empty():
        return False
    many = pairs.unique()
    sizes = pairs.select(pl.all().n_unique()).row(0)
    return all(20 < size <= pairs.height / 2 for size in sizes) and many.height > 2 * max(sizes)


def find_prose(contents: Mapping[str, Content], target: str) -> str | None:
    """A column of sentences, if there is one."""
    for name, content in contents.items():
        is_prose = content.kind == "text" and content.is_usable and not content.open
        if name != target and is_prose and count_words(content.values) >= LONG - 1:
            return name
    return None


def main(argv: list[str] | None = None) -> int:
    """Print the kind of problem; on stderr why."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("target")
    parser.add_argument("--entity")
    options = parser.parse_args(argv)
    try:
        table, _ = read_table(options.table, Read())
        require_column(table, options.target, "target")
        contents = find_contents(table, Read())
        finding = find_kind(contents, options.target, options.entity)
    except Fixable as error:
        print(error, file=sys.stderr)
        return 2
    print(finding.problem)
    print(f"`{options.target}`: {finding.reason}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
