"""The lines of `params.yaml` that say where the table is and how it is read."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

SECTION = re.compile(r"^ingest:\s*(#.*)?$")
SOURCE = re.compile(r"^(\s+source:\s*)(\"[^\"]*\"|'[^']*'|[^\s#]+)(.*)$")
DROPPED = re.compile(r"^(\s+)(settings|read):")
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*")


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
