"""What an update or a merge leaves for a person is resolved before it is committed: conflict
markers, `.rej` and `.orig` files, paths that git still counts as unmerged, and files at paths from
which the template has moved them away.

A file that shows such lines on purpose says so in git's own way, in `.gitattributes`:
`PATH conflict-marker-size=32`.

It imports no other module: it has to run where one of them holds conflict markers. The hook
`update-leftovers` runs it in repositories of any kind.
"""

import hashlib
import json
import os
import shlex
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SIZE = 7  # characters of a marker, where `.gitattributes` says nothing
OPENED, MIDDLE, CLOSED = "<" * SIZE, "=" * SIZE, ">" * SIZE
MARKER = f"^(({OPENED}|{CLOSED}|{'[|]' * SIZE})( |\r?$)|{MIDDLE}\r?$)"
DISTRUSTED = "git config --global --add safe.directory"  # what git advises
LEFT = (".rej", ".orig")
MOVES = "delivery/checks/moves.json"
"""The moves of the template, below `src/PACKAGE`: by its old path, where a file is now (`moved_to`)
and the git ids of what releases `left` at the old path, the newest last.
"""


class GitError(Exception):
    """Git could not be asked; the message says what it answered."""


def find_faults(folder: Path = Path()) -> list[str]:
    """A sentence, with the next step, for everything below `folder` that is not resolved yet."""
    marked = _find_marked(folder)
    return [
        *(
            f"{folder / path}:{line}: found the conflict marker {marker}. "
            "Next: keep what is right, delete the markers, then git add"
            for path, markers in marked.items()
            for line, marker in markers
        ),
        *(
            f"{folder / path}: found what an update or a merge left beside the file. "
            "Next: bring over what is missing, then delete it"
            for path in _list_files(folder, "--cached", "--others", "--exclude-standard")
            if path.endswith(LEFT) and (folder / path).exists()
        ),
        *(
            f"{folder / path}: found a merge that is not finished. Next: git add, or git rm"
            for path in sorted(_list_unmerged(folder))
            if path not in marked
        ),
        *_find_moved(folder),
    ]


def _find_marked(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Tracked text files with conflict markers: line number and marker of each.

    A line of `=======` or `|||||||` alone is a heading or a row in Markdown and reStructuredText:
    it counts only in a file with another marker.
    """
    search = ["-c", "grep.fullName=false", "grep", "--no-color", "-n", "-z", "-I", "-E", MARKER]
    matches: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for match in _git(folder, search, nothing=1).split("\n")[:-1]:
        path, line, text = match.split("\0")
        matches[path].append((line, text[:SIZE]))
    certain = {
        path: markers
        for path, markers in matches.items()
        if {OPENED, CLOSED} & {marker for _, marker in markers}
    }
    exempt = _find_with_other_markers(folder, list(certain))
    return {path: markers for path, markers in certain.items() if path not in exempt}


def _find_with_other_markers(folder: Path, paths: list[str]) -> set[str]:
    """Those whose own markers have another length, so that these are text."""
    if not paths:
        return set()
    words = _git(folder, ["check-attr", "-z", "conflict-marker-size", "--", *paths])
    fields = iter(words.split("\0"))
    return {
        path
        for path, _, value in zip(fields, fields, fields, strict=False)
        if value.isdecimal() and int(value) != SIZE
    }


def _find_moved(folder: Path) -> Iterator[str]:
    """Sentences about files that plain `copier update` leaves where the template moved them away
    from: it cannot tell whether they hold an edit.
    """
    paths = _list_files(folder, "--cached", "--others", "--exclude-standard")
    present = {path for path in paths if (folder / path).is_file()}
    git = shlex.join(["git", *(["-C", str(folder)] if folder != Path() else [])])
    for listing in sorted(path for path in present if path.endswith(f"/{MOVES}")):
        root = Path(listing).parents[len(Path("src/package", MOVES).parts) - 1]
        stale = {str(root / old): move for old, move in _read_moves(folder / listing).items()}
        untouched = []
        for path in sorted(present & stale.keys()):
            moved_to, left = stale[path]["moved_to"], stale[path]["left"]
            if _is_untouched(folder / path, left):
                untouched.append(path)
                continue
            base = _find_newest(folder, left)
            edit = f"what {git} diff {base} {shlex.quote(path)} shows" if base else "what is yours"
            yield (
                f"{folder / path}: found an edit of yours in a file that the template has moved to "
                f"{' and '.join(str(root / new) for new in moved_to)}; nothing uses it here. "
                f"Next: bring over {edit}, then {git} rm {shlex.quote(path)}"
            )
        if untouched:
            yield (
                f"{folder / listing}: found {len(untouched)} of the files that it names "
                "still at their old paths, without an edit of yours; nothing uses them. "
                f"Next: {git} rm --quiet {shlex.join(untouched)}"
            )


def _read_moves(listing: Path) -> dict[str, Any]:
    """The moves by their old paths; none where the listing holds conflict markers."""
    try:
        return dict(json.loads(listing.read_text(encoding="utf-8")))
    except ValueError:
        return {}


def _is_untouched(path: Path, left: list[str]) -> bool:
    """Whether a file is one that a release left there, by git's id of its content."""
    content = path.read_bytes().replace(b"\r\n", b"\n")
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return blob.startswith(tuple(left)) and not os.access(path, os.X_OK)


def _find_newest(folder: Path, left: list[str]) -> str:
    """The newest of these contents that this clone holds, which is what an edit began from."""
    ids = (
        _git(folder, ["rev-parse", "--verify", "--quiet", blob + "^{blob}"], nothing=1)
        for blob in reversed(left)
    )
    return next((blob.strip()[:12] for blob in ids if blob), "")


def _list_unmerged(folder: Path) -> set[str]:
    return {entry.partition("\t")[2] for entry in _list_files(folder, "--unmerged")}


def _list_files(folder: Path, *which: str) -> list[str]:
    entries = _git(folder, ["ls-files", "-z", *which]).split("\0")[:-1]
    return list(dict.fromkeys(entries))


def _git(folder: Path, arguments: list[str], nothing: int = 0) -> str:
    """What git prints; with exit code `nothing` it has found nothing."""
    try:
        completed = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise GitError(f"{folder}: expected a folder and git, found: {error.strerror}") from None
    if DISTRUSTED in completed.stderr:
        raise GitError(f"{folder}: expected a repository that is yours. {completed.stderr.strip()}")
    if completed.returncode not in {0, nothing}:
        raise GitError(f"{folder}: expected a git repository, found: {completed.stderr.strip()}")
    return completed.stdout


def main(argv: list[str] | None = None) -> int:
    """`update_leftovers.py [FOLDER …]`: print what is not resolved and end with 1; 2 where git
    cannot be completed.
    """
    folders = (sys.argv[1:] if argv is None else argv) or ["."]
    try:
        faults = [fault for folder in folders for fault in find_faults(Path(folder))]
    except GitError as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
