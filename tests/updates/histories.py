"""What teams do to their projects between two releases; `docs/updates.md` is written from it.

uv run python -m tests.updates.histories docs/updates.md
"""

import contextlib
import difflib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..made import UV, call, git, passes
from .made_up import ADDED, ADDED_FOR_THE_TEAM, RETIRED
from .projects import Project

PACKAGE = "src/churn"
PIPELINE = f"{PACKAGE}/delivery/pipeline"
STAGE = """
  {name}:
    cmd: python -c "pass"
    deps:
      - params.yaml
"""
PICTURE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01"

Ends = Literal["merged", "conflict", "either", "refused"]


@dataclass(frozen=True)
class History:
    """What a team did, in a sentence, what an update makes of it, and the same as code.

    `own_project`: what is done is done to the project as a whole, or not at all.
    `ends`: "merged" without a conflict, in a "conflict" that everybody sees, in "either" of them as
    the lines of a release fall, or "refused" with nothing touched.
    """

    name: str
    team: str
    update: str
    do: Callable[[Project], None]
    ends: Ends = "merged"
    answers: dict[str, Any] = field(default_factory=dict)
    own_project: bool = False

    @property
    def can_share(self) -> bool:
        """Whether a team that did this may have done something else as well."""
        return self.ends == "merged" and not self.answers and not self.own_project


# --- The team's own files -----------------------------------------------------------------------


def nothing(project: Project) -> None:
    """A team that changed nothing."""


def delete_the_example(project: Project) -> None:
    (project.folder / PACKAGE / "example.py").unlink()
    (project.folder / "tests/unit/test_example.py").unlink()
    text = project.read("params.yaml").replace("src/churn/example.py", "data/customers.csv")
    project.write("params.yaml", re.sub(r"  settings:.*\n(    .*\n)+", "", text))
    assert "customers:" not in project.read("params.yaml")
    project.write("data/customers.csv.dvc", "outs:\n  - path: customers.csv\n")


def rewrite_the_three_files(project: Project) -> None:
    for name in ("contract", "features", "model"):
        project.write(f"{PACKAGE}/{name}.py", f'"""Our own {name}."""\n\nOURS = "{name}"\n')


def rewrite_the_readme(project: Project) -> None:
    project.write("README.md", "# Churn\n\nAsk Ann.\n")


def move_the_brief_on(project: Project) -> None:
    text = project.read("project-brief.md")
    phase = re.sub(r"^phase: \w+", "phase: deliver", text, flags=re.MULTILINE)
    assert phase != text
    project.write("project-brief.md", phase + "\n- 2027-01-12: the squad calls from the list.\n")


def tune_the_numbers(project: Project) -> None:
    project.edit("params.yaml", "quarantine_at_most: 0.02", "quarantine_at_most: 0.1")
    project.append("params.yaml", "\nours:\n  depth: 3\n")


def delete_team_files(project: Project) -> None:
    (project.folder / "docs/runbook.md").unlink()
    for path in (project.folder / "tests/unit").iterdir():
        path.unlink()


def delete_the_docs(project: Project) -> None:
    project.git("rm", "-r", "--quiet", "docs")


def add_a_team_file_that_comes_later(project: Project) -> None:
    project.write(ADDED_FOR_THE_TEAM, "# Our words\n\nunit: a household\n")


def write_a_notebook(project: Project) -> None:
    output = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "iVBORw0KGgo="}}
    cell = {"cell_type": "code", "metadata": {}, "source": ["1"], "outputs": [output]}
    book = {"cells": [cell | {"execution_count": 1}], "metadata": {}, "nbformat": 4}
    project.write("notebooks/look.ipynb", json.dumps(book | {"nbformat_minor": 5}, indent=1) + "\n")


def change_pictures(project: Project) -> None:
    project.write("docs/images/flow.png", PICTURE)
    project.write("logo.png", PICTURE)
    project.commit()
    project.write("docs/images/flow.png", PICTURE + b"\x00\x01")
    project.write("logo.png", PICTURE + b"\x00\x02")


def change_line_endings_of_team_files(project: Project) -> None:
    for name in ("README.md", "params.yaml", f"{PACKAGE}/model.py", "project-brief.md"):
        project.write(name, project.read(name).replace("\n", "\r\n"))


def add_a_folder(project: Project) -> None:
    project.write("research/paper.tex", "\\section{Churn}\n")
    project.write("research/weights.bin", bytes(range(256)))
    project.write("Makefile", "all:\n\tuv run dvc repro\n")


def replace_a_team_file_by_a_folder(project: Project) -> None:
    (project.folder / "docs/runbook.md").unlink()
    project.write("docs/runbook.md/night.md", "Call Ann.\n")


# --- What commands write ------------------------------------------------------------------------


def commit_reports_and_locks(project: Project) -> None:
    project.write("dvc.lock", "schema: '2.0'\nstages: {}\n")
    project.write("uv.lock", "version = 1\n")
    project.write("reports/decision.json", '{"verdict": "unclear"}\n')
    project.write("reports/report.md", "# Report\n")
    project.write("reports/plots/value.csv", "model\n")
    project.git("add", "--force", "reports", "dvc.lock", "uv.lock")


def promote_a_champion(project: Project) -> None:
    commit_reports_and_locks(project)
    project.write("models/champion.dvc", "outs:\n  - path: champion\n")
    project.write("docs/releases.md", "# Releases\n\n## champion-1\n\nWorth 312.\n")
    project.commit()
    project.git("tag", "champion-1")
    project.write("models/champion/card.json", '{"name": "challenger"}\n')  # ignored by git
    project.write("models/champion.dvc", "outs:\n  - path: champion\n    size: 2\n")


# --- Files that both edit -----------------------------------------------------------------------


def add_a_stage_below(project: Project) -> None:
    project.append("dvc.yaml", STAGE.format(name="ours"))


def add_a_stage_above(project: Project) -> None:
    project.edit("dvc.yaml", "\nstages:\n", "\nstages:" + STAGE.format(name="ours") + "\n")


def add_a_stage_between(project: Project) -> None:
    project.edit("dvc.yaml", "\n  train:\n", STAGE.format(name="ours") + "\n  train:\n")


def add_stages_everywhere(project: Project) -> None:
    project.append("dvc.yaml", STAGE.format(name="last"))
    project.edit("dvc.yaml", "\nstages:\n", "\nstages:" + STAGE.format(name="first") + "\n")
    project.edit("dvc.yaml", "\n  train:\n", STAGE.format(name="middle") + "\n  train:\n")


def change_a_stage(project: Project) -> None:
    project.edit("dvc.yaml", "\n  split:\n", "\n  split:\n    frozen: true\n")


def add_dependencies(project: Project) -> None:
    marker = next(
        line for line in project.read("pyproject.toml").splitlines() if "# Yours: " in line
    )
    project.edit("pyproject.toml", marker, f'{marker}\n    "lightgbm>=4",\n    "shap>=0.46",')
    project.edit("pyproject.toml", "dev = [\n", 'dev = [\n    "jupyterlab>=4",\n')


def add_packages_by_uv(project: Project) -> None:
    """A package of each part of the alphabet, and a tool; `uv add` sorts them in."""
    uv_add(project, "altair", "lightgbm", "shap", "torch", "xgboost")
    uv_add(project, "--dev", "pandas-stubs")


def uv_add(project: Project, *words: str) -> None:
    """`uv add`, which needs no index as it writes no lock file."""
    passes(call(project.folder, UV, "add", "--frozen", "--quiet", *words))


def bump_the_same_dependency(project: Project) -> None:
    text = project.read("pyproject.toml")
    project.write("pyproject.toml", re.sub(r'"polars>=[\d.]+"', '"polars==1.35.2"', text))
    assert project.read("pyproject.toml") != text


def reformat_pyproject_below(project: Project) -> None:
    text = project.read("pyproject.toml")
    start, middle, end = text.partition("[project.scripts]")
    block = re.search(r"^dev = \[\n(.*?)^\]$", end, re.MULTILINE | re.DOTALL)
    assert block
    packages = ", ".join(line.strip().rstrip(",") for line in block[1].splitlines())
    body = end.replace(block[0], f"dev = [{packages}]").rstrip("\n")
    project.write("pyproject.toml", start + middle + body + '\n\n[tool.uv]\nlink-mode = "copy"\n')


def extend_gitignore(project: Project) -> None:
    project.append(".gitignore", "/scratch/\n*.rej\n")
    project.write("scratch/notes.txt", "not for git\n")


def name_a_bucket(project: Project) -> None:
    url = re.search(r"^    url = .*$", project.read(".dvc/config"), re.MULTILINE)
    assert url
    project.edit(".dvc/config", url[0], "    url = s3://acme/churn")


def add_attributes(project: Project) -> None:
    project.append(".gitattributes", "*.png binary\n* text=auto eol=lf\n")


# --- Files of the template ----------------------------------------------------------------------


def changed(project: Project) -> tuple[str, list[tuple[int, int]]]:
    """The first file of delivery/ in which a release replaces lines that the project has and leaves
    others alone, and the ranges of the lines it changes.
    """
    new = project.fresh()
    for path, file in project.made().items():
        if path.startswith(f"{PACKAGE}/delivery/") and path in new:
            old = file.content.decode().splitlines()
            match = difflib.SequenceMatcher(
                None, old, new[path].content.decode().splitlines(), autojunk=False
            )
            blocks = [block for block in match.get_opcodes() if block[0] != "equal"]
            blocks.sort(key=lambda block: block[0] != "replace")
            ranges = [(start, end) for _, start, end, _, _ in blocks]
            if blocks and blocks[0][0] == "replace" and find_free(old, ranges):
                return path, ranges
    raise AssertionError(f"no release after {project.release.version} changes a line of delivery/")


def find_free(lines: list[str], ranges: list[tuple[int, int]]) -> list[int]:
    """The empty lines that are four lines and more away from those in the ranges."""
    return [
        number
        for number in range(8, len(lines))
        if not lines[number].strip() and all(number < a - 3 or number > b + 3 for a, b in ranges)
    ]


def edit_other_lines(project: Project) -> None:
    """Four lines and more away from what the release changes."""
    path, ranges = changed(project)
    lines = project.read(path).splitlines(keepends=True)
    lines[find_free(lines, ranges)[-1]] = "\n# Ours, and a reason.\n\n"
    project.write(path, "".join(lines))


def edit_the_same_lines(project: Project) -> None:
    path, ranges = changed(project)
    lines = project.read(path).splitlines(keepends=True)
    lines[ranges[0][0]] = lines[ranges[0][0]].rstrip("\n") + "  # ours\n"
    project.write(path, "".join(lines))


def edit_same_and_other_lines(project: Project) -> None:
    edit_other_lines(project)
    edit_the_same_lines(project)


def reformat_a_template_file(project: Project) -> None:
    path, _ = changed(project)
    project.write(path, project.read(path).replace("    ", "\t"))
    project.write(path, re.sub("^", "  ", project.read(path), flags=re.MULTILINE))


def change_line_endings_of_a_template_file(project: Project) -> None:
    path, _ = changed(project)
    project.write(path, project.read(path).replace("\n", "\r\n"))
    project.write("mypy.ini", project.read("mypy.ini").replace("\n", "\r\n"))


def make_a_file_executable(project: Project) -> None:
    path, _ = changed(project)
    for name in (path, f"{PACKAGE}/model.py", "pytest.ini"):
        (project.folder / name).chmod(0o755)


def delete_template_files(project: Project) -> None:
    path, _ = changed(project)
    (project.folder / path).unlink()
    (project.folder / "mypy.ini").unlink()
    project.git("rm", "-r", "--quiet", "tests/system")


def edit_a_file_that_is_dropped_later(project: Project) -> None:
    project.append(RETIRED, "\n[*.sql]\nindent_size = 4\n")


def delete_a_file_that_is_dropped_later(project: Project) -> None:
    (project.folder / RETIRED).unlink()


def move_a_template_file(project: Project) -> None:
    path, _ = changed(project)
    project.git("mv", path, f"{PACKAGE}/delivery/ours.py")
    project.append(f"{PACKAGE}/delivery/ours.py", "\n# Moved.\n")


def add_a_file_that_comes_later(project: Project) -> None:
    project.write(ADDED, "bug: black\nurgent: red\n")


def add_the_very_file_that_comes_later(project: Project) -> None:
    project.write(ADDED, project.fresh()[ADDED].content)


def extend_the_configuration(project: Project) -> None:
    project.append("mypy.ini", "\n[mypy-lightgbm.*]\nignore_missing_imports = true\n")
    project.append("pytest.ini", "    slow: ours\n")
    project.append("ruff.toml", '"notebooks/**" = ["ALL"]\n')
    project.append(".dvcignore", "*.tmp\n")


def edit_continuous_integration(project: Project) -> None:
    project.append(".github/CODEOWNERS", "/docs/ @acme/writers\n")
    project.append(".pre-commit-config.yaml", "  - repo: local\n    hooks: []\n")
    project.write(".github/workflows/nightly.yml", "on: push\njobs: {}\n")


def extend_delivery(project: Project) -> None:
    project.write(f"{PACKAGE}/delivery/ours.py", '"""Ours."""\n')
    project.write(f"{PIPELINE}/enrich.py", '"""A stage of ours, in the wrong folder."""\n')
    project.write("tests/integration/test_ours.py", "def test_ours() -> None:\n    assert True\n")


# --- The repository -----------------------------------------------------------------------------


def commit_conflict_markers(project: Project) -> None:
    project.append("README.md", "<<<<<<< HEAD\nours\n=======\ntheirs\n>>>>>>> other\n")
    project.append("mypy.ini", "<<<<<<< HEAD\n# ours\n=======\n# theirs\n>>>>>>> other\n")


def leave_a_merge_half_resolved(project: Project) -> None:
    project.git("checkout", "--quiet", "-b", "other")
    project.write("README.md", "Theirs\n")
    project.write("mypy.ini", "[mypy]\nstrict = false\n")
    project.commit()
    project.git("checkout", "--quiet", "main")
    project.write("README.md", "Ours\n")
    project.write("mypy.ini", "[mypy]\nstrict = true\n")
    project.commit()
    with contextlib.suppress(subprocess.CalledProcessError):
        project.git("merge", "--quiet", "other")
    project.write("README.md", "Both\n")
    project.git("add", "README.md")


def leave_the_tree_dirty(project: Project) -> None:
    project.commit()
    project.append(f"{PACKAGE}/model.py", "\n# half a thought\n")
    project.write("untracked.txt", "mine\n")


def move_into_a_larger_repository(project: Project) -> None:
    """The project becomes a folder of a repository that has files of the same names."""
    outer = project.folder.parent / "company"
    (outer / "services").mkdir(parents=True)
    for name in ("README.md", "pyproject.toml", ".gitignore", ".github/CODEOWNERS", RETIRED):
        (outer / name).parent.mkdir(parents=True, exist_ok=True)
        (outer / name).write_text(f"{name} of the company\n")
    target = outer / "services/churn"
    project.folder.rename(target)
    (target / ".git").rename(project.folder.parent / "history")
    project.folder = target
    git(outer, "init", "--quiet", "--template=", "-b", "main")
    git(outer, "add", "--all", "--force")
    git(outer, "commit", "--quiet", "--message", "One repository")
    edit_other_lines(project)
    add_a_stage_below(project)


def move_to_a_url(project: Project) -> None:
    """What `_src_path` says is all that changes."""
    where = f"_src_path: {project.source.clone}\n"
    project.edit(".copier-answers.yml", where, f"_src_path: {project.source.url}\n")


def rename_the_package(project: Project) -> None:
    """By hand, everywhere but in the answers."""
    project.git("mv", PACKAGE, "src/attrition")
    listing = project.git("ls-files", "-z").split("\0")
    for name in filter(None, listing):
        if name != ".copier-answers.yml":
            text = (project.folder / name).read_bytes()
            project.write(name, re.sub(rb"\bchurn\b", b"attrition", text))


def edit_a_little_of_everything(project: Project) -> None:
    """Once more on top of what is there: each call leaves its own lines."""
    number = int(project.git("rev-list", "--count", "HEAD"))
    project.append("dvc.yaml", STAGE.format(name=f"ours_{number}"))
    project.append("README.md", f"\nEdited {number}.\n")
    project.append(".gitignore", f"/scratch-{number}/\n")
    project.append("mypy.ini", f"\n[mypy-ours{number}.*]\nignore_missing_imports = true\n")
    project.write(f"docs/decisions/{number}.md", "# Decided\n")
    project.write(f"reports/{number}.json", "{}\n")
    if number > 2:
        (project.folder / f"docs/decisions/{number - 2}.md").unlink(missing_ok=True)


# --- What plain Copier loses, and who catches it --------------------------------------------------


def rename_the_project_by_an_answer(project: Project) -> None:
    """With an edit in a file whose path the answer changes."""
    project.append(f"{PACKAGE}/delivery/cli.py", "\n# Ours.\n")


def keep_a_template_file_out_of_git(project: Project) -> None:
    path, _ = changed(project)
    project.git("rm", "--quiet", "--cached", path)
    project.append(".gitignore", f"/{path}\n")
    project.append(path, "\n# Ours, and nowhere else.\n")


STAYS = "It stays as it is, byte for byte."
OLD_AND_NEW = "Your edit and the new release's are both there."
SEEN = "**Conflict**: both versions are in the file, between markers."
REFUSED = "Copier refuses before it touches anything."

HISTORIES = [
    History(
        "untouched",
        "Nobody touched anything.",
        "The project is what a new one would be, except for the files that are yours.",
        nothing,
        own_project=True,
    ),
    History(
        "example-deleted",
        "The example, its tests and its place in `params.yaml` are gone; a real table is in.",
        "It stays gone.",
        delete_the_example,
    ),
    History(
        "three-files-rewritten",
        "Contract, features and model are rewritten.",
        STAYS,
        rewrite_the_three_files,
    ),
    History("readme-rewritten", "The README is rewritten.", STAYS, rewrite_the_readme),
    History("brief-moved-on", "The brief is in its next phase.", STAYS, move_the_brief_on),
    History(
        "numbers-tuned",
        "A number in `params.yaml` is tuned and a section of your own added.",
        STAYS,
        tune_the_numbers,
    ),
    History(
        "team-files-deleted",
        "The runbook and all unit tests are deleted.",
        "They stay deleted.",
        delete_team_files,
    ),
    History("docs-removed", "The folder `docs/` is removed.", "It stays removed.", delete_the_docs),
    History(
        "team-file-that-comes-later",
        "A page in `docs/` is written that a later release gives to new projects.",
        STAYS,
        add_a_team_file_that_comes_later,
    ),
    History(
        "team-file-becomes-folder",
        "The runbook becomes a folder of the same name.",
        STAYS,
        replace_a_team_file_by_a_folder,
    ),
    History(
        "notebook-with-outputs",
        "A notebook with its outputs is committed.",
        STAYS,
        write_a_notebook,
    ),
    History(
        "pictures-changed",
        "Binary files are added and changed, in `docs/` and at the top.",
        STAYS + " The template ships no binary that a team could edit.",
        change_pictures,
    ),
    History(
        "team-line-endings",
        "README, brief, parameters and model are saved with Windows line endings.",
        STAYS,
        change_line_endings_of_team_files,
    ),
    History(
        "folder-added",
        "A folder of research, with a binary, and a Makefile are added.",
        STAYS,
        add_a_folder,
    ),
    History(
        "reports-and-locks",
        "`dvc.lock`, `uv.lock` and reports are committed.",
        "They stay as they are until the next `dvc repro` and `uv sync`.",
        commit_reports_and_locks,
    ),
    History(
        "champion-promoted",
        "A champion is promoted: pointer, record, tag, and the folder that git ignores.",
        STAYS,
        promote_a_champion,
    ),
    History(
        "stage-below",
        "A stage is added at the end of `dvc.yaml`.",
        "It stays there, and the new stage of the release stands above it.",
        add_a_stage_below,
    ),
    History(
        "stage-above", "A stage is added before the first one.", OLD_AND_NEW, add_a_stage_above
    ),
    History(
        "stage-between", "A stage is added between two others.", OLD_AND_NEW, add_a_stage_between
    ),
    History(
        "stages-everywhere",
        "Stages are added above, between and below.",
        OLD_AND_NEW,
        add_stages_everywhere,
    ),
    History("stage-changed", "A stage of the template is frozen.", OLD_AND_NEW, change_a_stage),
    History(
        "dependencies-added",
        "Packages are added to the project and to its tools.",
        OLD_AND_NEW,
        add_dependencies,
    ),
    History(
        "dependencies-added-by-uv",
        "Packages are added by `uv add`, which sorts them in between the others.",
        OLD_AND_NEW,
        add_packages_by_uv,
    ),
    History(
        "same-dependency-bumped",
        "A package of the template's is pinned, which a later release bumps.",
        SEEN,
        bump_the_same_dependency,
        ends="conflict",
    ),
    History(
        "pyproject-reformatted",
        "`pyproject.toml` is reformatted below the packages, and a table is added.",
        OLD_AND_NEW + " Where a release changes a line that you reformatted, a conflict.",
        reformat_pyproject_below,
        ends="either",
    ),
    History("gitignore-extended", "`.gitignore` is extended.", OLD_AND_NEW, extend_gitignore),
    History(
        "attributes-added",
        "`.gitattributes` is extended with rules for line endings and pictures.",
        OLD_AND_NEW,
        add_attributes,
    ),
    History(
        "bucket-named",
        "The storage's address is changed in `.dvc/config`, not in the answers.",
        OLD_AND_NEW,
        name_a_bucket,
    ),
    History(
        "other-lines",
        "A file of the template is edited, away from what the release changes.",
        OLD_AND_NEW,
        edit_other_lines,
    ),
    History(
        "same-lines",
        "A file of the template is edited in a line that the release changes.",
        SEEN,
        edit_the_same_lines,
        ends="conflict",
    ),
    History(
        "same-and-other-lines",
        "A file of the template is edited in such a line and elsewhere.",
        SEEN + " The edit elsewhere is merged.",
        edit_same_and_other_lines,
        ends="conflict",
    ),
    History(
        "template-file-reformatted",
        "A file of the template is reformatted from top to bottom.",
        SEEN,
        reformat_a_template_file,
        ends="conflict",
    ),
    History(
        "template-line-endings",
        "Files of the template are saved with Windows line endings.",
        SEEN + " A file that the release does not change stays as you saved it.",
        change_line_endings_of_a_template_file,
        ends="conflict",
    ),
    History(
        "made-executable",
        "Files are made executable.",
        "They stay executable, and the release's lines arrive in them.",
        make_a_file_executable,
    ),
    History(
        "template-files-deleted",
        "Files of the template are deleted, one that the release changes among them.",
        "They stay deleted.",
        delete_template_files,
    ),
    History(
        "dropped-file-edited",
        "A file of the template is edited, which a later release drops.",
        "It stays, with the edit: a path that the template drops is retired, never deleted.",
        edit_a_file_that_is_dropped_later,
    ),
    History(
        "dropped-file-deleted",
        "A file of the template is deleted, which a later release drops as well.",
        "It stays deleted.",
        delete_a_file_that_is_dropped_later,
    ),
    History(
        "template-file-moved",
        "A file of the template is moved and edited.",
        "Your copy stays as it is. What the release changes in it does not arrive.",
        move_a_template_file,
    ),
    History(
        "file-that-comes-later",
        "A file is added at a path where a later release adds another one.",
        SEEN,
        add_a_file_that_comes_later,
        ends="conflict",
    ),
    History(
        "same-file-that-comes-later",
        "A file is added, and a later release adds the same file.",
        "Nothing happens to it.",
        add_the_very_file_that_comes_later,
    ),
    History(
        "configuration-extended",
        "Settings of mypy, pytest, ruff and DVC are added, at the end of their files.",
        OLD_AND_NEW,
        extend_the_configuration,
    ),
    History(
        "ci-edited",
        "CODEOWNERS and the hooks are edited, and a workflow is added.",
        OLD_AND_NEW,
        edit_continuous_integration,
    ),
    History(
        "delivery-extended",
        "Modules are added inside `delivery/`, and a test beside the template's.",
        STAYS,
        extend_delivery,
    ),
    History(
        "answer-changed",
        "The storage moves to S3: `copier update --data storage=s3 ...`",
        "`.dvc/config` and the packages follow the answer.",
        nothing,
        answers={"storage": "s3", "storage_url": "s3://acme/churn"},
    ),
    History(
        "markers-committed",
        "Conflict markers of another merge were committed.",
        "They stay as they are, and the hook `update-leftovers` still refuses them.",
        commit_conflict_markers,
    ),
    History(
        "half-resolved-merge",
        "A merge is half resolved.",
        REFUSED,
        leave_a_merge_half_resolved,
        ends="refused",
    ),
    History("dirty-tree", "The tree is not clean.", REFUSED, leave_the_tree_dirty, ends="refused"),
    History(
        "larger-repository",
        "The project is a folder of a larger repository, with edits of its own.",
        OLD_AND_NEW + " Nothing outside the folder is touched.",
        move_into_a_larger_repository,
        own_project=True,
    ),
    History(
        "moved-to-a-url",
        "The template was a folder of this machine and is now a URL: `_src_path` says so.",
        "The release arrives from there.",
        move_to_a_url,
        own_project=True,
    ),
    History(
        "package-renamed-by-hand",
        "The package is renamed by hand, everywhere but in the answers.",
        "Your files stay. Files that the release adds arrive under the old name; changes to the "
        "moved ones do not arrive. A conflict where it changes a line that you renamed.",
        rename_the_package,
        ends="either",
    ),
]

LOST = [
    (
        History(
            "renamed-by-an-answer",
            "A file of `delivery/` is edited; then the project gets another name in the answers.",
            "Copier writes `delivery/` at its new path, without the edit, and deletes the old one.",
            rename_the_project_by_an_answer,
            answers={"project_name": "attrition"},
        ),
        "`exemplar update` refuses, and shows the edit.",
    ),
    (
        History(
            "kept-out-of-git",
            "A file of the template is edited, taken out of git and ignored.",
            "Copier writes the release's file over it.",
            keep_a_template_file_out_of_git,
        ),
        "`exemplar update` merges the edit.",
    ),
]
"""With who catches it."""

LONG = History(
    "long",
    "Stages, ignored paths, settings, pages and reports are added before each of all releases.",
    "All of them are there at the end.",
    edit_a_little_of_everything,
)

PAGE = """# Updates: what was tried

`uvx copier update` brings a new release into a project that a team has worked on. Below is what
teams do to a project between two releases, and what the update makes of it. Each line is a test: it
is run from each of the last three releases to the newest, without `--trust`; lines that concern
different files share a project. Afterwards every path of the project is compared: your files and
those that commands write have not changed; the template's are those of a new project where you
edited nothing, and a merge of both where you did.

| a team did this | an update does this |
| --- | --- |
{histories}

`copier update` does not report a conflict as an error. `git status` lists the file as unmerged, and
the hook `update-leftovers` refuses to commit it. `exemplar update` touches nothing where it would
leave a conflict, and shows you the edit.

## What plain Copier loses silently

| a team did this | Copier does this | who catches it |
| --- | --- | --- |
{lost}

Copier can lose edits in two more ways, which cannot happen here, because tests forbid their causes:
the template ships no binary file that a team could edit, and a path that a release drops or gives
to the team is retired in `copier.yml`, so that it stays (see [owners](owners.md)).
"""


def page() -> str:
    """`docs/updates.md`."""
    histories = [f"| {history.team} | {history.update} |" for history in [*HISTORIES, LONG]]
    losses = [f"| {history.team} | {history.update} | {catches} |" for history, catches in LOST]
    return PAGE.format(histories="\n".join(histories), lost="\n".join(losses))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
