"""The champion's folder and its pointer in git: how another model is put there."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

from ..edge.files import replace_file, sha256
from ..edge.shell import dvc, failure, run
from ..models import in_charge
from ..models.in_charge import PREDICTIONS, Promotion, write_promotion

CHAMPION, CHALLENGER = Path("models/champion"), Path("models/challenger")
PART = CHAMPION.with_name(".champion.part")
POINTER = Path("models/champion.dvc")


def read_pointer() -> str:
    """The text by which git and DVC know the champion."""
    return POINTER.read_text(encoding="utf-8")


def read_hash() -> str:
    """The hash by which DVC knows the champion's folder."""
    return parse_hash(read_pointer())


def parse_hash(pointer: str) -> str:
    """The hash in the text of a pointer; '' where there is none."""
    match = re.search(r"\bmd5: *(\S+)", pointer)
    return match[1] if match else ""


def is_challenger_in_charge() -> bool:
    """Whether the challenger is the champion."""
    challenger, champion = (folder / "card.json" for folder in (CHALLENGER, CHAMPION))
    return challenger.exists() and challenger.read_bytes() == champion.read_bytes()


def copy_challenger(promotion: Promotion) -> None:
    """The challenger's folder, with its predictions and the promotion, becomes the champion's."""
    shutil.rmtree(PART, ignore_errors=True)
    shutil.copytree(CHALLENGER, PART)
    shutil.copy(Path("data/predictions/challenger.parquet"), PART / PREDICTIONS)
    files = {name: sha256(PART / name) for name in ("card.json", PREDICTIONS)}
    write_promotion(replace(promotion, files=files), PART)
    shutil.rmtree(CHAMPION)
    PART.replace(CHAMPION)
    dvc("add", "--quiet", str(CHAMPION))


def restore_pointer(pointer: str) -> None:
    """Bring back the folder that the text of an earlier pointer names, from cache or storage.

    The rule's folder is written anew where neither has it. Raises CommandFailed where none can.
    """
    with replace_file(POINTER) as part:
        part.write_text(pointer, encoding="utf-8")
    if run(["dvc", "checkout", "--quiet", "--force", str(POINTER)]).returncode == 0:
        return
    pull = ["dvc", "pull", "--quiet", "--force", str(POINTER)]
    completed = run(pull)
    if completed.returncode == 0:
        return
    write_rule()
    if read_pointer() != pointer:
        raise failure(pull, completed)


def write_rule() -> None:
    """Put the rule into the champion's folder, whose card needs no storage, and point at it."""
    shutil.rmtree(CHAMPION, ignore_errors=True)
    in_charge.main([str(CHAMPION)])
    dvc("add", "--quiet", str(CHAMPION))
