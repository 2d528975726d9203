"""Stop the build of an image that would not hold the model of its commit.

`models/champion` has to be the folder that `models/champion.dvc` names, and while the rule is in
charge, `models/rule` the folder that `dvc.lock` names. The service has no DVC, so the hashes are
computed here.
"""

import hashlib
import json
import sys
from pathlib import Path

from ..edge.errors import Fixable, run
from ..edge.explain import yaml
from ..edge.files import require_file
from ..models import in_charge

CHAMPION, POINTER = Path("models/champion"), Path("models/champion.dvc")
LOCK = Path("dvc.lock")


def hash_folder(folder: Path) -> str:
    """The hash that DVC gives a folder: the MD5 of a list of the MD5 of each file in it."""
    entries = [
        {"md5": _md5(path.read_bytes()), "relpath": path.relative_to(folder).as_posix()}
        for path in folder.rglob("*")
        if path.is_file()
    ]
    in_order = sorted(entries, key=lambda entry: entry["relpath"])
    return f"{_md5(json.dumps(in_order, sort_keys=True).encode())}.dir"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def read_committed_hashes(*, with_rule: bool) -> dict[Path, str]:
    """The committed hash of each folder that the image needs."""
    (champion,) = yaml(require_file(POINTER).read_text(encoding="utf-8"))["outs"]
    hashes = {CHAMPION: str(champion["md5"])}
    if with_rule:
        outs = yaml(require_file(LOCK).read_text(encoding="utf-8"))["stages"]["train"]["outs"]
        hashes |= {Path(out["path"]): out["md5"] for out in outs if out["path"] == "models/rule"}
    return hashes


def main(argv: list[str] | None = None) -> int:
    """Print the name of the model in charge, as `/ready` gives it: `champion-3`, or `the rule`.

    Raises:
        Fixable: it is not the model of this commit, or not the one that the first argument names.
    """
    arguments = sys.argv[1:] if argv is None else argv
    with_rule = in_charge.read_champion_card(CHAMPION).is_rule
    for folder, expected in read_committed_hashes(with_rule=with_rule).items():
        if (actual := hash_folder(folder)) != expected:
            raise Fixable(
                f"{folder}: expected the folder of this commit ({expected}), found another "
                f"({actual}). "
                f"Next: uv run dvc checkout {POINTER if folder == CHAMPION else folder}"
            )
    name = in_charge.read_name(CHAMPION)
    if arguments and arguments[0] != name:
        raise Fixable(f"VERSION: expected {name}, which is in charge, found {arguments[0]}")
    print(name)
    return 0


if __name__ == "__main__":
    run(main)
