"""Git keeps code and text; data, models and files above 1 MiB belong under DVC.

A file is known by its suffix and, whatever its name, by how its content begins.

What is in git is in every clone for ever, personal data too, and a pickle runs code when loaded.
A file that belongs in git all the same says so in `.gitattributes`: `PATH kept-in-git`.

The hook `data-in-git` runs it in repositories of any kind, so it imports nothing but `edge`.
"""

import os
import shlex
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

from ..edge.errors import Fixable
from ..edge.shell import git

LARGEST = 1 << 20  # bytes
KEPT = "kept-in-git"
KINDS = {
    "a table": ".arrow .avro .csv .dta .feather .jsonl .mat .ndjson .npy .npz .orc .parquet .rdata "
    ".rds .sas7bdat .sav .tsv .xls .xlsx",
    "a database": ".db .duckdb .sqlite .sqlite3",
    "a model": ".bst .cbm .ckpt .gguf .h5 .hdf5 .keras .onnx .pmml .pt .pth .safetensors .skops "
    ".tflite .ubj",
    "a pickle": ".dill .joblib .pickle .pkl",
    "an archive": ".7z .bz2 .gz .rar .tar .tgz .xz .zip .zst",
}
BEGINNINGS = {  # the first bytes, as file(1) knows them
    "a table": (
        *(b"PAR1", b"ARROW1", b"ORC", b"Obj\x01", b"\x93NUMPY", b"$FL2", b"$FL3", b"FEA1"),
        b"\xd0\xcf\x11\xe0",
    ),
    "a database": (b"SQLite format 3\0",),
    "a model": (b"\x89HDF\r\n", b"GGUF", b"binf", b"tree\nversion=v", b'{"learner":'),
    "a pickle": (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"ZF0x"),
    "an archive": (
        *(b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh91AY&SY", b"\xfd7zXZ\0"),
        *(b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"),
    ),
}
LETTERS = (b"PAR1", b"ORC", b"binf")  # may begin a text, which has no zeros
AT_A_PLACE = {"a database": (8, b"DUCK"), "an archive": (257, b"ustar"), "a model": (8, b'{"')}
DOCUMENTS = {".docx", ".jar", ".odp", ".ods", ".odt", ".pptx", ".whl"}  # archives by their content
KIND = {suffix: kind for kind, suffixes in KINDS.items() for suffix in suffixes.split()}
LOCK = ".lock"  # text that git merges, whatever its size
CODE = {LOCK, ".ipynb", ".md", ".po", ".py", ".rst", ".sql", ".svg", ".toml", ".yaml", ".yml"}
ALIKE = 0.95  # of the lines of a table have as many separators as the others
MANY = 500  # rows: a list that nobody reads line by line


class Tracked(NamedTuple):
    """A file of the index: its path from the folder that was asked, and its size in bytes."""

    path: str
    size: int


def find_reason(file: Tracked, content: bytes) -> str | None:
    """What makes a file one for DVC, or None; of a file above 1 MiB the content may be cut off."""
    suffix = Path(file.path).suffix.lower()
    if kind := KIND.get(suffix) or (None if suffix in DOCUMENTS else find_kind(content)):
        return f"expected code and text in git, found {kind}"
    if file.size > LARGEST and suffix != LOCK:
        return f"expected at most 1 MiB in git, found {file.size / LARGEST:.1f} MiB"
    if suffix not in CODE and (rows := count_rows(content)) >= MANY:
        return f"expected code and text in git, found a table of {rows} rows"
    return None


def find_kind(content: bytes) -> str | None:
    """The kind of a file by its first bytes, or None."""
    for kind, beginnings in BEGINNINGS.items():
        if content.startswith(beginnings) and (b"\0" in content or not content.startswith(LETTERS)):
            return kind
    for kind, (place, sign) in AT_A_PLACE.items():
        if content.startswith(sign, place) and b"\0" in content[:512]:
            return kind
    return None


def count_rows(content: bytes) -> int:
    """The rows of a table that is text: lines with the same number of separators, or a JSON object
    each, or a JSON list of objects; 0 where it is none.
    """
    lines = [line.strip() for line in content.splitlines() if line.strip()]
    if content.lstrip()[:1] == b"[":
        return max(sum(line.startswith(b"{") for line in lines), content.count(b"}, {") + 1)
    rows = sum(line.startswith(b"{") and line.endswith(b"}") for line in lines)
    for separator in (b",", b";", b"\t", b"|"):
        numbers = Counter(line.count(separator) for line in lines if not line.endswith(separator))
        alike = [count for number, count in numbers.items() if number]
        rows = max(rows, max(alike, default=0))
    return rows if rows >= ALIKE * len(lines) else 0


def list_tracked(folder: Path, names: list[str]) -> list[Tracked]:
    """The files that git tracks or has staged under these names of a folder."""
    listed = _ask_git(folder, ["ls-files", "--stage", "-z", "--", *names])
    entries = [entry.partition("\t") for entry in listed.split("\0") if entry]
    hashes = {
        path: words.split()[1] for words, _, path in entries if words.startswith("100")
    }  # not a link or a submodule
    words = ["cat-file", "--batch-check=%(objectsize)"]
    answers = _ask_git(folder, words, "\n".join(hashes.values())).splitlines()
    sizes = [int(size) if size.isdecimal() else 0 for size in answers]
    return [Tracked(path, size) for path, size in zip(hashes, sizes, strict=True)]


def find_faults(folder: Path = Path(), names: list[str] | None = None) -> list[str]:
    """A sentence, with the next command, for each file below `folder` that belongs under DVC."""
    reasons = {
        file.path: reason
        for file in list_tracked(folder, names or ["."])
        if (reason := find_reason(file, _read_beginning(folder / file.path)))
    }
    kept = _find_kept(folder, list(reasons)) if reasons else set()
    return [
        f"{folder / path}: {reason}. Next: git rm --cached {name}, then uv run dvc add {name}"
        for path, reason in reasons.items()
        if path not in kept and (name := shlex.quote(str(folder / path)))
    ]


def _read_beginning(path: Path) -> bytes:
    """The content of a file, at most 1 MiB of it; nothing where it is not in the working tree."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST)
    except OSError:
        return b""


def _find_kept(folder: Path, paths: list[str]) -> set[str]:
    """Those that `.gitattributes` keeps in git, or hands to Git LFS."""
    words = _ask_git(folder, ["check-attr", "--stdin", "-z", KEPT, "filter"], "\0".join(paths))
    fields = iter(words.split("\0"))
    return {
        path
        for path, name, value in zip(fields, fields, fields, strict=False)
        if (name, value) in {(KEPT, "set"), ("filter", "lfs")}
    }


def _ask_git(folder: Path, arguments: list[str], stdin: str = "") -> str:
    """What git prints, where a name with a star or a bracket is a name and no pattern."""
    return git("--literal-pathspecs", *arguments, folder=folder, stdin=stdin)


def _group_by_folder(arguments: list[str]) -> dict[Path, list[str]]:
    """The folders to look in, each with the names below it."""
    names: dict[Path, list[str]] = defaultdict(list)
    for path in map(Path, arguments):
        folder, name = (path, ".") if path.is_dir() else (path.parent, path.name)
        if not os.path.lexists(path) and not (folder.is_dir() and list_tracked(folder, [name])):
            raise Fixable(f"{path}: expected a file or a folder, found none")
        names[folder].append(name)
    return names


def main(argv: list[str] | None = None) -> int:
    """`data_in_git.py [FILE or FOLDER …]`: print what belongs under DVC and end with 1; 2 where git
    cannot be asked.
    """
    arguments = (sys.argv[1:] if argv is None else argv) or ["."]
    try:
        places = _group_by_folder(arguments)
        faults = [fault for folder in places for fault in find_faults(folder, places[folder])]
    except Fixable as error:
        print(error, file=sys.stderr)
        return 2
    if faults:
        print("\n".join(faults))
        print(f"If one belongs in git all the same, say so in .gitattributes: PATH {KEPT}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
