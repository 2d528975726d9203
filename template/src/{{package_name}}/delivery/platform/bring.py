"""`bring`: what a clone lacks before its model can be judged: data, models, the champion.

Everything comes from the storage of `.dvc/config`. While a `.py` file makes the rows, they can be
made again instead, so nothing is missed where that storage is a folder on somebody's machine.
"""

import json
from pathlib import Path

from ..edge.errors import Fixable, Refused
from ..edge.files import find_project
from ..edge.parameters import read_section
from ..edge.shell import dvc, run
from ..promotion.first import put_in_charge
from .host import output

SHARE = "docs of the template: Where data and models live; in short: uvx copier update --vcs-ref \
:current: --data storage=s3 --data storage_url=s3://bucket/folder, then uv run dvc push"
HERE = f"Here is how to share it: {SHARE}"
PUSH = "Next: uv run dvc push --all-tags, where it was promoted"
CHANGED = ("modified", "new", "added")
SHOWN = 6  # lines of what DVC printed


def find_changed_stages(folder: Path) -> list[str]:
    """The stages of `dvc.lock` whose code, parameters or command changed since: `train:
    params.yaml`. What is merely not here (data, models) makes no stage stale.
    """
    changed = []
    for stage, parts in json.loads(dvc("status", "--json", folder=folder)).items():
        names = ["its command" for part in parts if part == "changed command"]
        for part in parts:
            deps = part.get("changed deps", {}) if isinstance(part, dict) else {}
            names += [path for path, how in deps.items() if isinstance(how, dict) or how in CHANGED]
        changed += [f"{stage}: {', '.join(names)}"] if names else []
    return changed


def is_private(folder: Path) -> bool:
    """Whether the storage is a folder inside this clone, which nobody else has."""
    remotes = run(["dvc", "remote", "list"], folder).stdout.splitlines()
    default = [line.rstrip() for line in remotes if line.rstrip().endswith("(default)")]
    words = (default or remotes or [""])[0].split(maxsplit=1)
    address = words[1].removesuffix("(default)").strip() if words[1:] else folder
    return Path(address).is_relative_to(folder.resolve())


def is_simulated() -> bool:
    """Whether a file of code makes the rows, so that anybody can make them again."""
    return str(read_section(Path("params.yaml"), "ingest").get("source")).endswith(".py")


def require_data(root: Path) -> None:
    """Raise Refused where the lock is stale, Fixable where rows are neither here nor to be made."""
    require_fresh_lock(root)
    if (root / "data/valid.parquet").exists() or is_simulated():
        return
    if is_private(root):
        raise Fixable(f"not judged: the data is on one machine. {HERE}")
    raise Fixable(
        "not judged: data and models could not be brought from storage.\n"
        "Next: give this machine access, or push the branch from one that has it (a fork has no "
        "secrets)"
    )


def require_fresh_lock(root: Path) -> None:
    """Raise Refused where other code, parameters or commands than these made `dvc.lock`."""
    if changed := find_changed_stages(root):
        raise Refused(
            f"dvc.lock is stale, so nothing here was judged: {'; '.join(changed)}.\n"
            "Next: uv run dvc repro, then git commit dvc.lock and reports/ with it"
        )


def main() -> int:
    """Bring what is lacking and say what came; Refused where the lock is stale, Fixable where
    nothing can come.
    """
    root = find_project(Path.cwd())
    output(simulated="yes" if is_simulated() else "no")
    require_fresh_lock(root)
    private = is_private(root)
    errors = "" if private else run(["dvc", "pull"], root).stderr.strip()
    try:
        require_data(root)
        put_in_charge(root)
    except Fixable as problem:
        message = str(problem)
        if not message.startswith("not judged"):
            way = HERE if private else PUSH
            message = f"not judged: the champion is on one machine. {way}"
        raise Fixable("\n".join([message, *errors.splitlines()[-SHOWN:]])) from None
    is_here = (root / "data/valid.parquet").exists()
    print("Data and models are here." if is_here else "uv run dvc repro makes what is not here.")
    return 0
