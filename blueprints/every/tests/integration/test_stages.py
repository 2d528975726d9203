"""The pipeline's own plan: every stage depends on the code it runs."""

from pathlib import Path

import pytest

from project.delivery.checks import stage_deps


@pytest.mark.point
def test_every_stage_names_the_files_it_imports() -> None:
    assert stage_deps.find_faults(Path("dvc.yaml")) == []
