"""What an image holds is what git's pointers name: the build of the image stops where it is not.

`models/champion` has to be what `models/champion.dvc` says, and while the rule is in charge,
`models/rule` what `dvc.lock` says. DVC itself is not asked: the service has none.
"""

import hashlib
import json
import sys
from pathlib import Path

from ..edge.errors import Fixable, run
from ..edge.explain import yaml
from ..edge.files import present
from ..models import in_charge

CHAMPION, POINTER = Path("models/champion"), Path("models/champion.dvc")
LOCK = Path("dvc.lock")


def of(folder: Path) -> str:
    """The hash that DVC gives a folder: the MD5 of a list of the MD5 of each file in it."""
    listed = [
        {"md5": _md5(path.read_bytes()), "relpath": path.relative_to(folder).as_posix()}
        for path in folder.rglob("*")
        if path.is_file()
    ]
    in_order = sorted(listed, key=lambda entry: entry["relpath"])
    return f"{_md5(json.dumps(in_order, sort_keys=True).encode())}.dir"


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def expected(rule: bool) -> dict[Path, str]:
    """The hash of each folder that is needed, as it is committed."""
    (champion,) = yaml(present(POINTER).read_text(encoding="utf-8"))["outs"]
    found = {CHAMPION: str(champion["md5"])}
    if rule:
        outs = yaml(present(LOCK).read_text(encoding="utf-8"))["stages"]["train"]["outs"]
        found |= {Path(out["path"]): out["md5"] for out in outs if out["path"] == "models/rule"}
    return found


def name() -> str:
    """What is in charge, as `/ready` says it: `champion-3`, or `the rule`."""
    return in_charge.tag(CHAMPION) or "the rule"


def main(argv: list[str] | None = None) -> int:
    """Print what is in charge, once it is what is committed and what was announced."""
    announced = (sys.argv[1:] if argv is None else argv)[:1]
    for folder, md5 in expected(in_charge.card(CHAMPION)["kind"] == "rule").items():
        if (found := of(folder)) != md5:
            raise Fixable(
                f"{folder}: expected the folder of this commit ({md5}), found another ({found}). "
                f"Next: uv run dvc checkout {POINTER if folder == CHAMPION else folder}"
            )
    if announced and announced != [name()]:
        raise Fixable(f"VERSION: expected {name()}, which is in charge, found {announced[0]}")
    print(name())
    return 0


if __name__ == "__main__":
    run(main)
