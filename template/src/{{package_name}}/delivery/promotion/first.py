"""The first champion: the rule, as it is in charge in the business today."""

import shutil
from pathlib import Path

from ..edge.shell import PACKAGE, dvc, follow
from .pointer import CHAMPION, POINTER


def put_in_charge(root: Path) -> None:
    """Put the rule in charge, unless a champion is there; bring it where only its pointer is."""
    champion, pointer = root / CHAMPION, root / POINTER
    if not pointer.exists():
        _write_rule(root)
    elif not champion.exists():
        recorded = pointer.read_text(encoding="utf-8")
        _write_rule(root)  # needs no storage where the rule is still in charge
        if pointer.read_text(encoding="utf-8") != recorded:
            pointer.write_text(recorded, encoding="utf-8")
            shutil.rmtree(champion)
            follow(["dvc", "pull", str(POINTER)], root)


def _write_rule(root: Path) -> None:
    follow(["python", "-m", f"{PACKAGE}.delivery.models.in_charge", str(CHAMPION)], root)
    dvc("add", "--quiet", str(CHAMPION), folder=root)
