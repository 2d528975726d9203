"""`audit`: what is known against the libraries of `uv.lock`.

Findings that a team lives with for now stand in `.github/exceptions.toml`, each with a reason and a
date from which on it counts again.
"""

import os
import re
import shutil
import subprocess
import tomllib
from datetime import date
from pathlib import Path
from typing import NamedTuple

from ..edge.errors import Fixable

EXCEPTIONS = Path(".github/exceptions.toml")
KEYS = {"id": str, "because": str, "until": date}
LOCK = Path("uv.lock")
WITHOUT = re.compile(r"unrecognized subcommand|unexpected argument")  # an older uv


class Excused(NamedTuple):
    """A finding that does not count up to and including a day."""

    id: str
    because: str
    until: date


def excused(path: Path = EXCEPTIONS) -> list[Excused]:
    """The exceptions of a file; without the file there are none."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except tomllib.TOMLDecodeError as error:
        raise Fixable(f"{path}: expected TOML, found {error}") from None
    entries = told.pop("exception", [])
    if told or not isinstance(entries, list):
        raise Fixable(f"{path}: expected [[exception]] and nothing else, found {sorted(told)}")
    return [_read(entry, path) for entry in entries]


def _read(entry: dict[str, object], path: Path) -> Excused:
    for key, kind in KEYS.items():
        value = entry.get(key)
        if type(value) is not kind or not str(value).strip():
            what = "a day such as 2027-01-31" if kind is date else "a text"
            raise Fixable(f"{path}: [[exception]] expects `{key}`, {what}; found {entry}")
    if unknown := sorted(entry.keys() - KEYS):
        raise Fixable(f"{path}: [[exception]] expects {', '.join(KEYS)}; found {unknown}")
    return Excused(**entry)  # type: ignore[arg-type]  # looked at above


def lapsed(exceptions: list[Excused], today: date) -> list[str]:
    """A sentence for each exception that counts no longer."""
    return [
        f"{EXCEPTIONS}: {entry.id} was excused until {entry.until}: {entry.because}"
        for entry in exceptions
        if entry.until < today
    ]


def main(today: date, service: str | None = None) -> int:
    """Ask the advisory service (OSV, or `service`, which speaks its protocol) about every library
    of `uv.lock`; 1 where something is known, and Fixable where it cannot be asked.
    """
    if not LOCK.is_file():
        raise Fixable(f"{LOCK}: expected the lock of the libraries, found none. Next: uv sync")
    exceptions = excused()
    current = [entry.id for entry in exceptions if entry.until >= today]
    words = [os.environ.get("UV") or shutil.which("uv") or "uv", "audit", "--frozen"]
    words += ["--preview-features", "audit-command", *(f"--ignore={name}" for name in current)]
    words += ["--service-url", service] if service else []
    asked = subprocess.run(words, capture_output=True, text=True, check=False)
    if asked.returncode not in {0, 1}:
        older = "uv self update, then " if WITHOUT.search(asked.stderr) else ""
        raise Fixable(
            f"{LOCK}: expected an answer of the advisory service, found: {asked.stderr.strip()}\n"
            f"Nothing was judged. Next: {older}the same command again"
        )
    told = asked.stdout.strip() or asked.stderr.strip()
    if asked.returncode == 0:
        print(told)
        return 0
    print("\n".join([told, *lapsed(exceptions, today)]))
    print(
        "Next: uv lock --upgrade-package NAME, then uv run dvc repro; where there is no fixed "
        f"release, an [[exception]] in {EXCEPTIONS} with the reason and a day to look again"
    )
    return 1
