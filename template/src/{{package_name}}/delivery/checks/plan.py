"""What the stages of the template read and write, and whether `dvc.yaml` still runs them so."""

from pathlib import Path
from typing import Any

from ..edge.explain import yaml
from ..edge.shell import PACKAGE
from ..promotion.change import find_frozen_stages

STAGES = {
    "brief": "project-brief.md -> reports/brief.json",
    "ingest": "params.yaml -> data/raw.parquet",
    "validate": "params.yaml reports/brief.json data/raw.parquet"
    " -> data/valid.parquet data/quarantine.parquet reports/data.json",
    "split": "params.yaml data/valid.parquet data/quarantine.parquet"
    " -> data/train.parquet data/validation.parquet data/test.parquet reports/split.json",
    "train": "params.yaml data/train.parquet data/validation.parquet reports/split.json"
    " -> models/rule models/challenger reports/training.json reports/seconds.json",
    "predict": "data/test.parquet models/rule models/challenger models/champion"
    " -> data/predictions/rule.parquet data/predictions/challenger.parquet"
    " data/predictions/champion.parquet reports/comparison.json",
    "evaluate": "params.yaml reports/brief.json data/predictions/rule.parquet"
    " data/predictions/challenger.parquet data/predictions/champion.parquet"
    " -> data/outcomes reports/metrics.json reports/slices.json reports/plots",
    "decide": "params.yaml reports/brief.json data/outcomes/challenger.parquet"
    " data/outcomes/champion.parquet reports/data.json reports/training.json"
    " reports/comparison.json -> reports/decision.json",
    "report": "reports models/challenger/card.json -> reports/report.md reports/report.html",
}
"""What each stage reads and writes. Also in `dvc.yaml`, but a check that took it from there would
check nothing.
"""
OWN_CODE = "env PYTHONPATH=src "  # before the cmd; it was not in older releases
NEXT = "Next: put it back in dvc.yaml, then uv run dvc repro"


def split_paths(stage: str) -> tuple[list[str], list[str]]:
    """The paths that a stage reads and those that it writes."""
    reads, writes = STAGES[stage].split(" -> ")
    return reads.split(), writes.split()


def find_faults(pipeline: Path) -> list[str]:
    """Each stage of the template that DVC would not run, or would run on other files."""
    stages: dict[str, Any] = (yaml(pipeline.read_text(encoding="utf-8")) or {}).get("stages") or {}
    faults = [
        f"{pipeline}: stage `{name}`: expected to run whenever what it reads changes, found "
        f"`frozen: true`. Next: uv run dvc unfreeze {name}, then uv run dvc repro"
        for name in find_frozen_stages()
    ]
    for name, paths in STAGES.items():
        words = f"{PACKAGE}.delivery.pipeline.{name} {paths.replace(' -> ', ' ')}"
        expected = f"{OWN_CODE}python -m {words}"
        cmd = " ".join(str(stages.get(name, {}).get("cmd", "no such stage")).split())
        if OWN_CODE + cmd.removeprefix(OWN_CODE) != expected:
            faults.append(
                f"{pipeline}: stage `{name}`: expected the cmd `{expected}`, found `{cmd}`. {NEXT}"
            )
    return faults
