"""Git keeps code and text; data, models and files above 1 MiB belong under DVC.

What is in git is in every clone for ever, personal data too, and a pickle runs code when loaded.
A file that belongs in git all the same says so in `.gitattributes`: `PATH kept-in-git`.

The hook `data-in-git` runs it in repositories of any kind, so it imports nothing but `edge`.
"""

import os
import shlex
import sys
from collections import defaultdict
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
KIND = {suffix: kind for kind, suffixes in KINDS.items() for suffix in suffixes.split()}
LOCK = ".lock"  # text that git merges, whatever its size


class Tracked(NamedTuple):
    """A file of the index: its path from the folder that was asked, and its size in bytes."""

    path: str
    size: int


def find_reason(file: Tracked) -> str | None:
    """What makes a file one for DVC, or None."""
    suffix = Path(file.path).suffix.lower()
    if kind := KIND.get(suffix):
        return f"expected code and text in git, found {kind}"
    if file.size > LARGEST and suffix != LOCK:
        return f"expected at most 1 MiB in git, found {file.size / LARGEST:.1f} MiB"
    return None


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
        if (reason := find_reason(file))
    }
    kept = _find_kept(folder, list(reasons)) if reasons else set()
    return [
        f"{folder / path}: {reason}. Next: git rm --cached {name}, then uv run dvc add {name}"
        for path, reason in reasons.items()
        if path not in kept and (name := shlex.quote(str(folder / path)))
    ]


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
