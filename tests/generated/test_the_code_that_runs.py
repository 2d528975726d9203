"""The code that runs is the code that is recorded, in an experiment and in a copied folder too; a
stage that fails leaves the committed reports as they were, and is out of date.
"""

import json
import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from ..made import UV, Repository, call, fixable, passes, stopped
from .test_what_runs import stale

yaml = YAML(typ="safe", pure=True)
LONGEST = "tenure_months = dy.Int64(min=0, max="
TOO_LONG = "tenure_months is above the maximum"


def allow_tenure(repository: Repository, old: int, new: int) -> None:
    """Another contract: the report of `validate` then says which one ran."""
    repository.edit(repository.code("contract"), f"{LONGEST}{old}", f"{LONGEST}{new}")


def quarantined(repository: Repository, experiment: str) -> int:
    """The rows that the contract of an experiment's code did not take."""
    refs = repository.git("for-each-ref", "--format=%(refname)", "refs/exps").split()
    (ref,) = (ref for ref in refs if ref.endswith(f"/{experiment}"))
    return int(json.loads(repository.git("show", f"{ref}:reports/data.json"))["reasons"][TOO_LONG])


def copy_environment(environment: Path, target: Path) -> None:
    """A copy as `cp -r` makes it, whose commands are those of the original, but for the libraries:
    there, they run with those of the original.
    """

    def libraries(folder: str, names: list[str]) -> list[str]:
        kept = (".dist-info", "_virtualenv.pth", "_virtualenv.py", "churn.pth")
        is_among = Path(folder).name == "site-packages"
        return [name for name in names if is_among and not name.endswith(kept)]

    shutil.copytree(environment, target, symlinks=True, ignore=libraries)


def test_an_experiment_runs_its_own_code_wherever_it_runs(repository: Repository) -> None:
    run = ("dvc", "exp", "run", "validate", "--name")
    allow_tenure(repository, 1200, 200)
    passes(repository.run(*run, "here"), "Running stage 'validate'")
    allow_tenure(repository, 200, 190)
    passes(repository.run(*run, "apart", "--temp"), "Running stage 'validate'")
    allow_tenure(repository, 190, 180)
    passes(repository.run(*run, "later", "--queue"), "Queued experiment 'later'")
    (repository.folder / repository.code("contract")).write_text("half an edit\n")
    passes(repository.run("dvc", "exp", "run", "--run-all"))
    tenure = repository.raw()["tenure_months"]
    limits = {"here": 200, "apart": 190, "later": 180}
    rows = {name: (tenure > limit).sum() for name, limit in limits.items()}
    assert len(set(rows.values())) == 3, rows
    assert {name: quarantined(repository, name) for name in limits} == rows


def test_a_copy_tests_its_own_code_or_nothing(repository: Repository, tmp_path: Path) -> None:
    passes(repository.run("python", "-c", ""))  # uv installs the code of this folder
    copy = Repository(tmp_path / "churn", repository.how)
    shutil.copytree(repository.folder, copy.folder, ignore=shutil.ignore_patterns(".venv"))
    copy_environment((repository.folder / ".venv").resolve(), copy.folder / ".venv")
    copy.edit(copy.code("contract"), f"{LONGEST}1200", f"{LONGEST}0")
    tests = ("pytest", "-q", "tests/unit/test_contract.py")
    refused = copy.run(*tests)
    assert refused.returncode == pytest.ExitCode.USAGE_ERROR, refused
    assert f"{copy.folder}/src/churn: expected this code to run" in refused.stderr
    assert "Next: uv sync --reinstall, then" in refused.stderr
    passes(call(copy.folder, UV, "sync", "--quiet", "--reinstall"))
    own = copy.run(*tests)
    assert own.returncode == pytest.ExitCode.TESTS_FAILED, own
    assert "tenure_months" in own.stdout


def test_a_copy_that_was_installed_does_not_stand_for_the_folder(repository: Repository) -> None:
    installed = {"UV_NO_EDITABLE": "1"}
    for command in (("churn", "check"), ("churn", "promote"), ("pytest", "-q", "tests/unit")):
        refused = repository.run(*command, **installed)
        assert refused.returncode in (2, pytest.ExitCode.USAGE_ERROR), refused
        assert "/src/churn: expected this code to run, found that the code in " in refused.stderr
        assert "Next: unset UV_NO_EDITABLE, then uv sync, then" in refused.stderr
    stage = ("python", "-m", "churn.delivery.pipeline.brief", "project-brief.md", "brief.json")
    fixable(repository.run(*stage, **installed), "expected this code to run")
    assert not (repository.folder / "brief.json").exists()
    allow_tenure(repository, 1200, 200)
    passes(repository.run("dvc", "repro", "validate", **installed))
    assert TOO_LONG in repository.json("reports/data.json")["reasons"]
    python = repository.folder / ".venv/bin/python"
    elsewhere = call(python.parent, python, "-m", "churn.delivery.cli", "champion")
    fixable(elsewhere, "expected to be inside the project")  # as in a container: no refusal


def test_a_stage_that_fails_leaves_the_reports_and_is_out_of_date(repository: Repository) -> None:
    stages = list(yaml.load(repository.folder / "dvc.yaml")["stages"])
    committed = repository.git("ls-files", "reports")
    assert stale(repository) == set()
    repository.edit(repository.code("delivery/edge/errors"), "sys.exit(main())", "sys.exit(9)")
    for stage in reversed(stages):
        failed = repository.run("dvc", "repro", "--single-item", stage)
        stopped(failed, f"failed to reproduce '{stage}'", "exited with 9")
    assert len(committed.split()) == 12, committed
    assert repository.git("status", "--porcelain", "reports") == ""
    assert stale(repository) == set(stages)
    repository.git("checkout", "--", "src")
    assert stale(repository) >= {"train", "predict", "evaluate"}, "their models and tables are gone"
    passes(repository.run("dvc", "checkout"))
    assert stale(repository) == set()
