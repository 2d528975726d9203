"""The first champion: the rule, as it is in charge in the business today."""

import shutil
import sys
from pathlib import Path

from ..edge.shell import PACKAGE, call, dvc


def put_in_charge(root: Path) -> None:
    """Put the rule in charge, unless a champion is there; bring it where only its pointer is."""
    pointer = "models/champion.dvc"
    rule = [sys.executable, "-m", f"{PACKAGE}.delivery.models.in_charge", "models/champion"]
    if not (root / pointer).exists():
        call(rule, root)
        dvc(root, "add", "--quiet", "models/champion")
    elif not (root / "models/champion").exists():
        then = (root / pointer).read_text(encoding="utf-8")
        call(rule, root)  # needs no storage where the rule is still in charge
        dvc(root, "add", "--quiet", "models/champion")
        if (root / pointer).read_text(encoding="utf-8") != then:
            (root / pointer).write_text(then, encoding="utf-8")
            shutil.rmtree(root / "models/champion")
            dvc(root, "pull", pointer)
