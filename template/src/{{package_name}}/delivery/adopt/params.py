"""Lines of `params.yaml`: where the table is, how it is read, and how many of its rows judge."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

SECTION = re.compile(r"^ingest:\s*(#.*)?$")
SOURCE = re.compile(r"^(\s+source:\s*)(\"[^\"]*\"|'[^']*'|[^\s#]+)(.*)$")
DROPPED = re.compile(r"^(\s+)(settings|read):")
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")
TEST = re.compile(r"^(split:\n(?:[ #].*\n)*?  test: )(\d*\.?\d+)", re.MULTILINE)
SHARES = (0.25, 0.3, 0.35, 0.4)  # of the rows, for the test; more would leave too few to learn from
ENOUGH = 50  # positive units of the test, or rows where the target is a number, to tell anything


def edit_params(text: str, source: str, read: Mapping[str, Any]) -> str:
    """Return the text of `params.yaml` with this source and these keys of `ingest: read:`.

    The settings of the simulated business go, and what was said of another table. All other lines
    and comments stay.
    """
    return "".join(f"{line}\n" for line in _edit_lines(text.splitlines(), source, read))


def _edit_lines(lines: list[str], source: str, read: Mapping[str, Any]) -> Iterator[str]:
    is_ingest, dropped = False, -1
    for line in lines:
        indent = len(line) - len(line.lstrip())
        is_empty = not line.strip()
        if not is_empty and indent == 0 and not line.startswith("#"):
            is_ingest = SECTION.match(line) is not None
        if dropped >= 0 and (is_empty or indent > dropped):
            continue
        dropped = -1
        if is_ingest and (section := DROPPED.match(line)):
            dropped = len(section[1])
        elif is_ingest and (match := SOURCE.match(line)):
            yield f"{match[1]}{write(source)}{match[3]}"
            yield from write_read(read)
        else:
            yield line


def write(text: str) -> str:
    """A text as YAML."""
    return text if PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def write_read(read: Mapping[str, Any]) -> Iterator[str]:
    """The lines of `read:`; none where the file says all by itself."""
    if read:
        yield "  read:  # how the table is written; a table in another form is refused"
        for key, value in read.items():
            yield f"    {key}: {json.dumps(value, ensure_ascii=False)}"


def raise_test_share(text: str, units: int) -> tuple[str, float | None]:
    """Return `params.yaml` with the smallest share of rows for the test that holds ENOUGH of
    `units`, and that share; with the share that it has where that holds enough, or none does. The
    share is None where the file does not say one.

    Rows are drawn: a share holds enough where that many are two standard deviations below what is
    expected.
    """
    if (match := TEST.search(text)) is None:
        return text, None
    now = float(match[2])
    share = next((s for s in (now, *SHARES) if s >= now and holds_enough(units, s)), now)
    return (text if share == now else TEST.sub(rf"\g<1>{share}", text)), share


def holds_enough(units: int, share: float) -> bool:
    """Whether a share of the rows holds ENOUGH of these units."""
    expected = units * share
    return expected - 2 * math.sqrt(expected * (1 - share)) >= ENOUGH
