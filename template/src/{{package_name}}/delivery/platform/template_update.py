"""`template-update`: the template's newest release as a pull request, by `copier update`.

It is made in a worktree of its own, so nothing here changes. All that Copier made is in the pull
request: where an edit of the team's and the release meet, both, between conflict markers.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..edge.errors import Fixable
from ..edge.explain import yaml
from ..edge.files import find_project
from . import proposal
from .host import say

ANSWERS = ".copier-answers.yml"
COPIER = ("uvx", "copier>=9.19,<10")
LABEL = "conflict"
BODY = """The template's release {version}, instead of {before}, as `copier update` merges it. \
What it means for a team is in the template's CHANGELOG.md, under *action needed*.

{conflicts}

- `model` is red with a stale lock where code of the pipeline changed: on this branch, `uv run \
dvc repro`, then commit `dvc.lock` and `reports/`.
- The next run writes the branch anew, unless somebody has pushed to it.
"""
CLEAN = "Nothing conflicts."
CONFLICTS = """**Conflicts**, each with both versions between markers. The check `code` is red \
until somebody resolves them, and does not start at all while a workflow has some:

{files}"""


def main() -> int:
    """Open the pull request, or say that there is nothing newer."""
    root = find_project(Path.cwd())
    os.chdir(root)
    answers = yaml((root / ANSWERS).read_text(encoding="utf-8"))
    source = str(answers.get("_src_path"))
    if not re.match(r"[\w+.-]+(://|@)|gh:|gl:", source) and not Path(source).exists():
        say(
            f"Nothing was looked for: the template is {source}, which is not here. "
            f"Next: write its URL at _src_path in {ANSWERS}"
        )
        return 0
    with tempfile.TemporaryDirectory(prefix="template-update-") as scratch:
        copy = Path(scratch) / root.name
        _git(root, "worktree", "add", "--quiet", "--detach", str(copy), "HEAD")
        try:
            told = update(copy, str(answers.get("_commit")))
        finally:
            _git(root, "worktree", "remove", "--force", str(copy))
    say(told)
    return 0


def update(copy: Path, before: str) -> str:
    """Update a worktree, commit everything, propose it; one sentence about that."""
    words = [shutil.which("uvx") or COPIER[0], *COPIER[1:], "update", "--defaults", "--quiet"]
    ran = subprocess.run(words, cwd=copy, capture_output=True, text=True, check=False)
    if ran.returncode:
        said = "\n".join((ran.stderr or ran.stdout).strip().splitlines()[-8:])
        raise Fixable(
            f"copier update failed:\n{said}\nNothing was proposed. Next: uvx copier update on a "
            "laptop; where the template is private, give the workflow a token that may read it"
        )
    version = str(yaml((copy / ANSWERS).read_text(encoding="utf-8")).get("_commit"))
    if not _git(copy, "status", "--porcelain").strip():
        return f"The template is up to date: {version}."
    conflicts = _git(copy, "diff", "--name-only", "--diff-filter=U").split("\n")[:-1]
    conflicts = sorted(set(conflicts))
    title = f"Update the template from {before} to {version}"
    _git(copy, "add", "--all")
    trouble = lock(copy, conflicts)
    _git(copy, "commit", "--quiet", "--no-verify", "--message", title)
    listed = "\n".join(f"- `{path}`" for path in conflicts)
    shown = CONFLICTS.format(files=listed) if conflicts else CLEAN
    body = BODY.format(version=version, before=before, conflicts=shown) + trouble
    branch = f"template-update/{version}"
    commit = _git(copy, "rev-parse", "HEAD").strip()
    told = proposal.propose(branch, commit, title, body, label=LABEL if conflicts else None)
    return f"{told}\n\n{shown}"


def lock(copy: Path, conflicts: list[str]) -> str:
    """Bring a committed `uv.lock` to what `pyproject.toml` asks for now; what is left to do."""
    files = ("pyproject.toml", "uv.lock")
    if files[0] not in _git(copy, "diff", "--cached", "--name-only").split("\n"):
        return ""
    if not _git(copy, "ls-files", files[1]):
        return ""
    if not set(files) & set(conflicts):
        uv = os.environ.get("UV") or shutil.which("uv") or "uv"
        words = [uv, "lock", "--quiet"]
        if subprocess.run(words, cwd=copy, capture_output=True, check=False).returncode == 0:
            _git(copy, "add", files[1])
            return ""
    return "- `uv.lock` is not up to date: `uv lock` once the rest is resolved, and commit it.\n"


def _git(folder: Path, *words: str) -> str:
    """What git says; Fixable where it says no."""
    asked = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    if asked.returncode:
        raise Fixable(f"Failed: git {' '.join(words)}\n{asked.stderr.strip()}")
    return asked.stdout
