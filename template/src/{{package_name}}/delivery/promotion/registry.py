"""MLflow's alias `champion` follows the champion, where the pipeline records its runs there."""

import re
from pathlib import Path

from ..edge.shell import PACKAGE, run
from ..models import in_charge
from .pointer import CHAMPION

TRACK = "track"  # the one stage that needs a server: a dead one holds up no change


def has_mlflow() -> bool:
    """Whether the pipeline has its stage `track`, which a team may take out of `dvc.yaml`."""
    pipeline = Path("dvc.yaml").read_text(encoding="utf-8")
    return re.search(rf"^  {TRACK}:", pipeline, re.MULTILINE) is not None


def register_champion() -> str | None:
    """Let MLflow's alias `champion` follow; what to do by hand where that fails."""
    tag = in_charge.read_tag(CHAMPION) or "rule"
    module = f"{PACKAGE}.delivery.tracking.registry"
    command = ["python", "-m", module, "params.yaml", str(CHAMPION), tag]
    completed = run(command)
    if completed.returncode == 0:
        return None
    return (
        f"The champion has changed here; MLflow could not be updated:\n{completed.stderr.strip()}\n"
        f"Next, when it can be reached: uv run {' '.join(command)}"
    )
