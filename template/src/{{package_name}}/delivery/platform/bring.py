"""`bring`: what a clone lacks before its model can be judged: data, models, the champion.

Everything comes from the storage of `.dvc/config`. While a `.py` file makes the rows, they can be
made again instead, so nothing is missed where that storage is a folder on somebody's machine.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from ..edge.errors import Fixable, Refused
from ..edge.files import find_project
from ..edge.parameters import section
from ..promotion.first import put_in_charge
from .host import output

SHARE = "docs of the template: Where data and models live; in short: uvx copier update --vcs-ref \
:current: --data storage=s3 --data storage_url=s3://bucket/folder, then uv run dvc push"
HERE = f"Here is how to share it: {SHARE}"
PUSH = "Next: uv run dvc push --all-tags, where it was promoted"
CHANGED = ("modified", "new", "added")


def stale(folder: Path) -> list[str]:
    """The stages of `dvc.lock` whose code, parameters or command changed since: `train:
    params.yaml`. What is merely not here (data, models) makes no stage stale.
    """
    asked = _dvc("status", "--json", folder=folder)
    if asked.returncode:
        raise Fixable(f"dvc status failed: {asked.stderr.strip()}\nNext: uv run dvc status")
    found = []
    for stage, parts in json.loads(asked.stdout).items():
        names = ["its command" for part in parts if part == "changed command"]
        for part in parts:
            deps = part.get("changed deps", {}) if isinstance(part, dict) else {}
            names += [path for path, how in deps.items() if isinstance(how, dict) or how in CHANGED]
        found += [f"{stage}: {', '.join(names)}"] if names else []
    return found


def private(folder: Path) -> bool:
    """Whether the storage is a folder inside this clone, which nobody else has."""
    listed = _dvc("remote", "list", folder=folder).stdout.splitlines()
    marked = [line.rstrip() for line in listed if line.rstrip().endswith("(default)")]
    named = (marked or listed or [""])[0].split(maxsplit=1)
    where = named[1].removesuffix("(default)").strip() if named[1:] else folder
    return Path(where).is_relative_to(folder.resolve())


def simulated() -> bool:
    """Whether a file of code makes the rows, so that anybody can make them again."""
    return str(section(Path("params.yaml"), "ingest").get("source")).endswith(".py")


def lacking(root: Path) -> None:
    """Refuse where the lock is stale, or where rows are neither here nor to be made here."""
    fresh(root)
    if (root / "data/valid.parquet").exists() or simulated():
        return
    if private(root):
        raise Fixable(f"not judged: the data is on one machine. {HERE}")
    raise Fixable(
        "not judged: data and models could not be brought from storage.\n"
        "Next: give this machine access, or push the branch from one that has it (a fork has no "
        "secrets)"
    )


def fresh(root: Path) -> None:
    """Refuse a lock that other code, parameters or commands have made."""
    if found := stale(root):
        raise Refused(
            f"dvc.lock is stale, so nothing here was judged: {'; '.join(found)}.\n"
            "Next: uv run dvc repro, then git commit dvc.lock and reports/ with it"
        )


def main() -> int:
    """Bring what is lacking, say what came; refuse where the lock is stale or nothing can come."""
    root = find_project(Path.cwd())
    output(simulated="yes" if simulated() else "no")
    fresh(root)
    alone = private(root)
    said = "" if alone else _dvc("pull", folder=root).stderr.strip()
    try:
        lacking(root)
        put_in_charge(root)
    except Fixable as problem:
        told = str(problem)
        if not told.startswith("not judged"):
            told = f"not judged: the champion is on one machine. {HERE if alone else PUSH}"
        last = [] if alone else said.splitlines()[-6:]
        raise Fixable("\n".join([told, *last])) from None
    here = (root / "data/valid.parquet").exists()
    print("Data and models are here." if here else "uv run dvc repro makes what is not here.")
    return 0


def _dvc(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run DVC of this environment, which breaks the lines of a long path at a terminal's width."""
    command, wide = [sys.executable, "-m", "dvc", *words], os.environ | {"COLUMNS": "10000"}
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=wide
    )
