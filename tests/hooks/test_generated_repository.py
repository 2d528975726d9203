"""The checks before a commit of a generated repository: green as rendered, red for each fault."""

import gzip
import io
import json
import pickle
import re
import resource
from collections.abc import Callable
from pathlib import Path

import numpy
import polars
import pytest

from ..made import UV, Completed, call, git
from .conftest import Checked

BRIEF = "project-brief.md"
KEY = "-----BEGIN OPENSSH " + "PRIVATE KEY-----\n"  # in two parts, so that scanners pass this file
NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": 7,
            "metadata": {},
            "outputs": [{"name": "stdout", "output_type": "stream", "text": ["Ann, 42\n"]}],
            "source": ["print(customers)"],
        }
    ],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 4,
}


def red(completed: Completed, *words: str) -> None:
    """pre-commit ends with 1, and a person reads these words."""
    assert completed.returncode == 1, completed.stdout + completed.stderr
    assert "Traceback" not in completed.stdout + completed.stderr, completed
    for word in words:
        assert word in completed.stdout, f"{word!r} is not in:\n{completed.stdout}"


def green(completed: Completed, *words: str) -> None:
    assert completed.returncode == 0, completed.stdout + completed.stderr
    for word in words:
        assert word in completed.stdout, f"{word!r} is not in:\n{completed.stdout}"


def ids(completed: Completed) -> set[str]:
    """The hooks that `--verbose` says were run."""
    start = "- hook id: "
    return {
        line.removeprefix(start) for line in completed.stdout.splitlines() if line.startswith(start)
    }


def test_a_fresh_render_is_green_and_each_check_looked_at_something(generated: Checked) -> None:
    generated.write("notebooks/plot.ipynb", json.dumps({**NOTEBOOK, "cells": []}, indent=1) + "\n")
    completed = generated.check("--all-files", "--verbose")
    green(completed)
    assert "Skipped" not in completed.stdout
    assert len(ids(completed)) == 12


@pytest.mark.cold
def test_a_small_commit_costs_less_than_five_seconds(generated: Checked) -> None:
    green(generated.check("--all-files"))  # what types remember from one commit to the next
    generated.append("src/churn/features.py", "\n\n# A remark.\n")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    green(generated.check())
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 5


def test_an_invalid_brief(generated: Checked) -> None:
    generated.edit(BRIEF, "phase: develop ", "phase: dream ")
    red(generated.check("project-brief"), f"{BRIEF}: `phase`: expected 'discover'", "Next:")


def test_a_deleted_brief(generated: Checked) -> None:
    (generated.folder / BRIEF).unlink()
    red(generated.check("project-brief"), f"{BRIEF}: expected a project brief, found no file")


def test_a_hook_of_the_team_at_the_end_of_the_file(generated: Checked) -> None:
    hook = """      - id: own-check
        name: no page says soon
        entry: "soon"
        language: pygrep
        files: ^docs/
"""
    generated.append(".pre-commit-config.yaml", hook)
    green(generated.check("own-check", "--all-files"), "no page says soon")
    generated.write("docs/plan.md", "It comes soon.\n")
    red(generated.check("own-check"), "docs/plan.md:1:It comes soon.")


def test_a_metric_that_nobody_knows(generated: Checked) -> None:
    generated.edit(BRIEF, "{metric: recall, at_least: 0.20}", "{metric: odd, at_least: 0.20}")
    red(generated.check("project-brief"), "`success.1.metric`: expected", "found 'odd'")


def test_a_dependency_that_a_stage_does_not_name(generated: Checked) -> None:
    path = "src/churn/delivery/edge/brief.py"
    text = (generated.folder / "dvc.yaml").read_text(encoding="utf-8")
    generated.write("dvc.yaml", text.replace(f"      - {path}\n", "", 1))
    red(
        generated.check("stage-deps"),
        f"stage `brief`: expected `{path}` among its deps",
    )


def test_a_private_key(generated: Checked) -> None:
    generated.write("docs/access.md", KEY)
    red(generated.check("secrets"), "docs/access.md:1: found a secret, Private Key", "revoke it")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("docs/customers.csv", b"name,age\nAnn,42\n", "found a table"),
        ("notebooks/model.PKL", b"\x80\x04N.", "found a pickle"),
        ("data/raw.parquet", b"PAR1", "found a table"),
        ("docs/film.bin", bytes(2 << 20), "expected at most 1 MiB in git, found 2.0 MiB"),
    ],
)
def test_data_models_and_large_files(
    generated: Checked, name: str, content: bytes, reason: str
) -> None:
    generated.write(name, content)
    git(generated.folder, "add", "--force", name)
    completed = generated.check("data-in-git")
    red(completed, f"{name}: ", reason, f"git rm --cached {name}, then uv run dvc add {name}")


ROWS = [{"id": number, "name": f"n{number}", "age": number % 90} for number in range(600)]


def test_data_is_known_by_content_whatever_its_name(generated: Checked) -> None:
    frame = polars.DataFrame(ROWS)
    files: dict[str, tuple[bytes, str]] = {
        "table": (_as_bytes(frame.write_parquet), "a table"),
        "arrow.bin": (_as_bytes(frame.write_ipc), "a table"),
        "model": (pickle.dumps(ROWS), "a pickle"),
        "model.txt": (pickle.dumps(ROWS, protocol=2), "a pickle"),
        "array": (_as_bytes(lambda file: numpy.save(file, numpy.ones(3))), "a table"),
        "arrays.dat": (_as_bytes(lambda file: numpy.savez(file, a=numpy.ones(3))), "an archive"),
        "zipped": (gzip.compress(b"name,age\nAnn,42\n"), "an archive"),
        "base": (b"SQLite format 3\0" + bytes(84), "a database"),
        "weights": (b"\x89HDF\r\n\x1a\n" + bytes(8), "a model"),
        "tensors.bin": ((64).to_bytes(8, "little") + b'{"a":{"dtype":"F32"}}', "a model"),
        "customers": (frame.write_csv().encode(), "a table of 601 rows"),
        "customers.txt": (frame.write_csv(separator="\t").encode(), "a table of 601 rows"),
        "customers.dat": (frame.write_ndjson().encode(), "a table of 600 rows"),
        "customers.json": (json.dumps(ROWS).encode(), "a table of 600 rows"),
    }
    harmless = {
        "list": b"one\ntwo\n" * 600,
        "settings.json": json.dumps(
            {"a": {str(row["id"]): row for row in ROWS}}, indent=1
        ).encode(),
        "small.conf": b"name,age\nAnn,42\n",
        "prose.text": b"ORC is a format, PAR1 is how Parquet begins.\n" * 50,
        "notes.docx": b"PK\x03\x04" + bytes(40),
        "words.txt": "\n".join("a, b" * (number % 7) for number in range(900)).encode(),
    }
    for name, (content, _) in files.items():
        generated.write(f"docs/{name}", content)
    for name, content in harmless.items():
        generated.write(f"docs/{name}", content)
    completed = generated.check("data-in-git")
    for name, (_, reason) in files.items():
        red(completed, f"docs/{name}: expected code and text in git, found {reason}. Next")
    for name in harmless:
        assert f"docs/{name}: " not in completed.stdout, completed.stdout


def _as_bytes(write: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def test_the_way_that_it_names_leads_out(generated: Checked) -> None:
    generated.write("docs/customers.csv", "name,age\nAnn,42\n")
    red(generated.check("data-in-git"))
    git(generated.folder, "rm", "--quiet", "--cached", "docs/customers.csv")
    added = generated.run(UV, "run", "dvc", "add", "docs/customers.csv")
    assert added.returncode == 0, added
    git(generated.folder, "add", "--all")
    green(generated.run(*generated.runner, "run", "data-in-git"))
    assert "docs/customers.csv.dvc" in git(generated.folder, "ls-files")


def test_figures_of_the_report_belong_in_git(generated: Checked) -> None:
    generated.write("reports/plots/value.csv", "acted_share,value_per_1000\n0.1,300\n")
    green(generated.check("data-in-git"), "Passed")


def test_a_conflict_marker(generated: Checked) -> None:
    generated.append("docs/team.md", f"{'<' * 7} before updating\nWe.\n{'=' * 7}\nYou.\n")
    lines = (generated.folder / "docs/team.md").read_text().count("\n")
    red(
        generated.check("update-leftovers"),
        f"docs/team.md:{lines - 3}: found the conflict marker {'<' * 7}",
        f"docs/team.md:{lines - 1}: found the conflict marker {'=' * 7}",
    )


def test_a_rejected_part_of_an_update_that_nobody_staged(generated: Checked) -> None:
    generated.write("pytest.ini.rej", "@@ -1 +1 @@\n")
    completed = generated.run(*generated.runner, "run", "update-leftovers")
    red(completed, "pytest.ini.rej: found what an update or a merge left", "Next:")


def test_a_notebook_with_outputs_is_stripped(generated: Checked) -> None:
    name = "notebooks/plot.ipynb"
    generated.write(name, json.dumps(NOTEBOOK, indent=1) + "\n")
    red(generated.check("notebooks"), "files were modified", "strips them; then git add again")
    [cell] = json.loads((generated.folder / name).read_text())["cells"]
    assert (cell["outputs"], cell["execution_count"]) == ([], None)
    green(generated.check("notebooks"))


def test_broken_yaml(generated: Checked) -> None:
    generated.append("params.yaml", "open: [1, 2\n")
    red(generated.check("yaml"), '"params.yaml", line ')


def test_a_key_given_twice(generated: Checked) -> None:
    generated.append("params.yaml", "train: {}\n")
    red(generated.check("yaml"), 'found duplicate key "train"')


def test_broken_toml(generated: Checked) -> None:
    generated.write("settings.toml", "[open\n")
    red(generated.check("toml"), "settings.toml: ")


def test_a_lint_error_is_named_and_not_fixed_unseen(generated: Checked) -> None:
    generated.edit("src/churn/features.py", "import polars", "import os\nimport polars")
    red(generated.check("lint"), "`os` imported but unused", "src/churn/features.py:")
    assert "import os\n" in (generated.folder / "src/churn/features.py").read_text()


def test_code_is_formatted(generated: Checked) -> None:
    generated.append("src/churn/features.py", "\nWIDTH  =  1\n")
    red(generated.check("format"), "files were modified", "formats it; then git add again")
    assert "\nWIDTH = 1\n" in (generated.folder / "src/churn/features.py").read_text()
    green(generated.check("format"))


def test_a_type_error(generated: Checked) -> None:
    generated.append("src/churn/features.py", '\nWIDTH: int = "wide"\n')
    red(generated.check("types"), "src/churn/features.py:", "Incompatible types in assignment")


HOOKS = "churn.delivery.checks.subfolder"
SET_UP = f"import pathlib, {HOOKS} as s; print(s.install_hooks(pathlib.Path.cwd()))"


def test_start_makes_git_check_each_commit(generated: Checked) -> None:
    assert generated.run(UV, "run", "python", "-c", SET_UP).stdout == "True\n"
    generated.write("docs/customers.csv", "name,age\nAnn,42\n")
    git(generated.folder, "add", "--all")
    refused = generated.run("git", "commit", "--message", "Customers")
    assert refused.returncode == 1, refused
    assert "docs/customers.csv: expected code and text in git, found a table" in refused.stderr
    git(generated.folder, "rm", "--quiet", "--force", "docs/customers.csv")
    generated.append("docs/team.md", "\nWe.\n")
    committed = generated.run("git", "commit", "--all", "--message", "We")
    assert committed.returncode == 0, committed


def test_a_worktree_without_an_environment_is_checked_too(
    generated: Checked, tmp_path: Path
) -> None:
    git(generated.folder, "add", "--force", "uv.lock")
    git(generated.folder, "worktree", "add", "--quiet", "--detach", str(tmp_path / "other"))
    other = Checked(tmp_path / "other", generated.home, generated.runner)
    other.write("docs/customers.csv", "name,age\nAnn,42\n")
    git(other.folder, "add", "--all")
    python = generated.folder / ".venv/bin/python"  # as git's hook does, which worktrees share
    completed = other.run(python, "-m", "pre_commit", "run", "data-in-git")
    red(completed, "docs/customers.csv: expected code and text in git, found a table")


def test_start_leaves_hooks_alone_that_git_runs_from_elsewhere(generated: Checked) -> None:
    git(generated.folder, "config", "core.hooksPath", "elsewhere")
    try:
        assert generated.run(UV, "run", "python", "-c", SET_UP).stdout == "False\n"
    finally:
        git(generated.folder, "config", "--unset", "core.hooksPath")
    assert not (generated.folder / "elsewhere").exists()


def test_check_asks_the_same_of_what_is_committed(generated: Checked) -> None:
    code = (
        "import datetime, churn.delivery.checks.check as c; "
        "print(*c.kept_by_git(datetime.date.today()))"
    )
    words = (UV, "run", "python", "-c", code)
    assert generated.run(*words).stdout.startswith("True code, text and pointers")
    generated.write("docs/customers.csv", "name,age\nAnn,42\n")
    generated.write("ruff.toml.rej", "@@ -1 +1 @@\n")
    git(generated.folder, "add", "--all")
    output = generated.run(*words).stdout
    assert output.startswith("False docs/customers.csv: ")
    assert "\nruff.toml.rej: " in output


def test_check_does_not_pass_where_git_cannot_be_asked(generated: Checked) -> None:
    code = "import datetime, churn.delivery.checks.check as c; c.kept_by_git(datetime.date.today())"
    python = generated.folder / ".venv/bin/python"
    completed = call(generated.folder, python, "-c", code, GIT_DIR="/nowhere")
    assert completed.returncode == 1
    assert "Fixable: .: expected a git repository, found: " in completed.stderr


def test_the_grid_counts_alike_with_workers(generated: Checked) -> None:
    """pytest-xdist is no part of the repository; a team may add it."""
    git(generated.folder, "rm", "-r", "--quiet", "tests/integration", "tests/system")
    for path in (generated.folder / "tests/unit").glob("*.py"):
        if path.name != "test_features.py":
            path.unlink()
    grid = generated.folder / "reports/test-grid.json"
    grid.parent.mkdir(exist_ok=True)
    workers = (UV, "run", "--frozen", "--with", "pytest-xdist", "pytest", "-n2")
    completed = generated.run(*workers)
    assert completed.returncode == 0, completed
    counts = json.loads(grid.read_text())
    passed = re.search(r"(\d+) passed", completed.stdout)
    assert passed
    assert sum(counts["unit"].values()) == int(passed[1]) > 5
    assert counts["unit"]["sample"] > 0
    grid.unlink()
    one = "tests/unit/test_features.py::test_no_feature_is_infinite_on_any_row"
    completed = generated.run(*workers, "--deselect", one)
    assert f"{int(passed[1]) - 1} passed" in completed.stdout, completed
    assert not grid.exists(), "not all tests were run"
