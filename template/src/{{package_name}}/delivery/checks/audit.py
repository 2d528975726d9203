"""`audit`: what is known against the libraries of `uv.lock`.

Findings that a team lives with for now stand in `.github/exceptions.toml`, each with a reason and a
date from which on it counts again.
"""

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import NamedTuple

from ..edge.errors import Fixable
from ..edge.shell import run

EXCEPTIONS = Path(".github/exceptions.toml")
KEYS = {"id": str, "because": str, "until": date}
LOCK = Path("uv.lock")
TOO_OLD = re.compile(r"unrecognized subcommand|unexpected argument")  # a uv without `audit`


class Excuse(NamedTuple):
    """A finding that does not count up to and including a day."""

    id: str
    because: str
    until: date


def read_excuses(path: Path = EXCEPTIONS) -> list[Excuse]:
    """The excuses of a file; without the file there are none."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except tomllib.TOMLDecodeError as error:
        raise Fixable(f"{path}: expected TOML, found {error}") from None
    entries = content.pop("exception", [])
    if content or not isinstance(entries, list):
        raise Fixable(f"{path}: expected [[exception]] and nothing else, found {sorted(content)}")
    return [_parse(entry, path) for entry in entries]


def _parse(entry: dict[str, object], path: Path) -> Excuse:
    for key, kind in KEYS.items():
        value = entry.get(key)
        if type(value) is not kind or not str(value).strip():
            what = "a day such as 2027-01-31" if kind is date else "a text"
            raise Fixable(f"{path}: [[exception]] expects `{key}`, {what}; found {entry}")
    if unknown := sorted(entry.keys() - KEYS):
        raise Fixable(f"{path}: [[exception]] expects {', '.join(KEYS)}; found {unknown}")
    return Excuse(**entry)  # type: ignore[arg-type]  # looked at above


def list_lapsed(excuses: list[Excuse], today: date) -> list[str]:
    """A sentence for each exception that counts no longer."""
    return [
        f"{EXCEPTIONS}: {entry.id} was excused until {entry.until}: {entry.because}"
        for entry in excuses
        if entry.until < today
    ]


def main(today: date, service: str | None = None) -> int:
    """Ask the advisory service (OSV, or `service`, which speaks its protocol) about every library
    of `uv.lock`; 1 where something is known, and Fixable where it cannot be asked.
    """
    if not LOCK.is_file():
        raise Fixable(f"{LOCK}: expected the lock of the libraries, found none. Next: uv sync")
    excuses = read_excuses()
    current = [entry.id for entry in excuses if entry.until >= today]
    command = ["uv", "audit", "--frozen", "--preview-features", "audit-command"]
    command += [f"--ignore={name}" for name in current]
    command += ["--service-url", service] if service else []
    completed = run(command)
    if completed.returncode not in {0, 1}:
        older = "uv self update, then " if TOO_OLD.search(completed.stderr) else ""
        raise Fixable(
            f"{LOCK}: expected an answer of the advisory service, found: "
            f"{completed.stderr.strip()}\n"
            f"Nothing was judged. Next: {older}the same command again"
        )
    findings = completed.stdout.strip() or completed.stderr.strip()
    if completed.returncode == 0:
        print(findings)
        return 0
    print("\n".join([findings, *list_lapsed(excuses, today)]))
    print(
        "Next: uv lock --upgrade-package NAME, then uv run dvc repro; where there is no fixed "
        f"release, add an [[exception]] to {EXCEPTIONS} with the reason and a day to look again"
    )
    return 1
