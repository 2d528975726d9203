"""`secrets`: no password, token or key in any commit that leads here, or in its message; and a
hook, which looks at files before they become one.

A finding is named by a hash and never shown; `.github/exceptions.toml` excuses it until a day.
"""

import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from ..edge import errors
from ..edge.errors import Fixable
from ..edge.shell import CommandFailed, git
from .audit import EXCEPTIONS, list_lapsed, read_excuses
from .secret_kinds import find_kinds

MESSAGE = "the commit's message.txt"
HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
DIFF = (
    "-c core.quotePath=false log --format=%h --patch --text --unified=0 --diff-merges=first-parent "
    "--relative --no-renames --no-color --no-ext-diff --no-textconv --src-prefix=a/ --dst-prefix=b/"
)


class Line(NamedTuple):
    """A line that came into git: the commit, or nothing before there is one."""

    commit: str
    path: str
    number: int
    text: str


class Secret(NamedTuple):
    """A secret, by the name under which it can be excused."""

    line: Line
    kind: str
    id: str

    def __str__(self) -> str:
        """Where it is and what it is; not what it says."""
        where = f" (commit {self.line.commit})" if self.line.commit else ""
        return f"{self.line.path}:{self.line.number}{where}: found a secret, {self.kind}, {self.id}"


def read_history(reach: str, folder: Path = Path()) -> Iterator[Line]:
    """The lines that the commits of a reach (`HEAD`, `main..HEAD`) added."""
    if git("rev-parse", "--is-shallow-repository", folder=folder).strip() == "true":
        raise Fixable("expected the whole history, found a part. Next: git fetch --unshallow")
    commit, path, number, added, removed = "", "", 0, 0, 0
    try:
        diff = git(*DIFF.split(), reach, "--", ".", folder=folder)
    except CommandFailed as problem:
        raise Fixable(f"expected a git repository with commits, found: {problem}") from None
    for text in diff.split("\n"):
        if added and text.startswith("+"):
            yield Line(commit, path, number, text[1:])
            added, number = added - 1, number + 1
        elif removed and text.startswith("-"):
            removed -= 1
        elif hunk := HUNK.match(text):
            removed, added = int(hunk[1] or 1), int(hunk[3] or 1)
            number = int(hunk[2])
        elif text.startswith("+++ "):
            path = text.removeprefix("+++ ").removeprefix("b/").rstrip("\t")
        elif re.fullmatch(r"[0-9a-f]{4,64}", text):
            commit = text
        elif path:  # what follows a carriage return, which is no end of a line for git
            yield Line(commit, path, max(number - 1, 1), text)


def read_messages(reach: str, folder: Path = Path()) -> Iterator[Line]:
    """The lines of the messages of a reach's commits."""
    for entry in git("log", "--format=%x00%h%n%B", reach, folder=folder).split("\0")[1:]:
        commit, *message = entry.split("\n")
        for number, text in enumerate(message, start=1):
            yield Line(commit, MESSAGE, number, text)


def read_files(paths: Iterable[Path]) -> Iterator[Line]:
    """The lines of files as they are now, of those that are not text as well."""
    for path in paths:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Fixable(f"{path}: expected a file, found: {error.strerror}") from None
        for number, text in enumerate(content.decode(errors="replace").split("\n"), start=1):
            yield Line("", path.as_posix(), number, text)


def find_secrets(lines: Iterable[Line]) -> list[Secret]:
    """The lines with a secret, each once for a path, where it came first in the order given."""
    secrets: list[Secret] = []
    seen: set[tuple[str, str]] = set()
    for line in lines:
        key = (line.path, line.text.rstrip("\r"))
        if key not in seen:
            seen.add(key)
            name = f"secret-{hashlib.sha256(repr(key).encode()).hexdigest()[:12]}"
            secrets += [Secret(line, kind, name) for kind in find_kinds(*key)]
    return secrets


def report_secrets(lines: Iterable[Line], today: date) -> int:
    """Print the secrets that are not excused, without what they say; 1 where there is any."""
    excuses = read_excuses()
    current = {entry.id for entry in excuses if entry.until >= today}
    secrets = [secret for secret in find_secrets(lines) if secret.id not in current]
    if not secrets:
        return 0
    names = {secret.id for secret in secrets}
    lapsed = list_lapsed([entry for entry in excuses if entry.id in names], today)
    print("\n".join([*map(str, secrets), *lapsed]))
    print(
        "Next: revoke it where it was issued, because everybody who fetched it has it, and read "
        "the new one from the environment. Once it is revoked, or if it is no secret, add an "
        f"[[exception]] to {EXCEPTIONS} with that id, the reason and a day to look again"
    )
    return 1


def main(today: date, against: str | None = None) -> int:
    """Look at every commit that leads here, or at those that `against` does not have."""
    reach = f"{against}..HEAD" if against else "HEAD"
    lines = chain(read_history(reach), read_messages(reach))
    code = report_secrets(lines, today)
    if code == 0:
        commits = git("rev-list", "--count", reach).strip()
        print(f"No secret in {commits} commits.")
    return code


def hook() -> int:
    """Look at the files of the command line."""
    return report_secrets(read_files(map(Path, sys.argv[1:])), date.today())


if __name__ == "__main__":
    errors.run(hook)
