"""`template-update`: the template's newest release as a pull request, by `copier update`.

It is made in a worktree of its own, so nothing here changes. All that Copier made is in the pull
request: where an edit of the team's and the release meet, both, between conflict markers.
"""

import os
import re
import tempfile
from pathlib import Path

from ..checks import subfolder
from ..edge.errors import Fixable
from ..edge.explain import read_yaml
from ..edge.files import find_project
from ..edge.repository import find_prefix, qualify
from ..edge.shell import git, run, succeeds
from . import proposal
from .host import say

ANSWERS = ".copier-answers.yml"
RESTORE = f"Next: find the commit in git log -- {ANSWERS}, then git checkout COMMIT -- {ANSWERS}"
COPIER = ("uvx", "copier>=9.19,<10")
WORDS = ("update", "--defaults", "--quiet", "--exclude", ".git")
CAREFUL = {  # A template that has git run its commands: below .git, or in a folder like one.
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "safe.bareRepository",
    "GIT_CONFIG_VALUE_0": "explicit",
}
LABEL = "conflict"
SHOWN = 8  # lines of what Copier printed
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
    answers = read_yaml(root / ANSWERS, RESTORE)
    source = str(answers.get("_src_path"))
    if not re.match(r"[\w+.-]+(://|@)|gh:|gl:", source) and not Path(source).exists():
        say(
            f"Nothing was looked for: the template is {source}, which is not here. "
            f"Next: write its URL at _src_path in {ANSWERS}"
        )
        return 0
    with tempfile.TemporaryDirectory(prefix="template-update-") as scratch:
        copy = Path(scratch) / root.name
        git("worktree", "add", "--quiet", "--detach", str(copy), "HEAD", folder=root)
        try:
            message = update(copy / find_prefix(root), str(answers.get("_commit")))
        finally:
            git("worktree", "remove", "--force", str(copy), folder=root)
    say(message)
    return 0


def update(copy: Path, before: str) -> str:
    """Update a worktree, commit everything, propose it; one sentence about that."""
    completed = run([*COPIER, *WORDS], copy, environment=CAREFUL)
    if completed.returncode:
        output = (completed.stderr or completed.stdout).strip().splitlines()
        last = "\n".join(output[-SHOWN:])
        raise Fixable(
            f"copier update failed:\n{last}\nNothing was proposed. Next: uvx copier update on a "
            "laptop; where the template is private, give the workflow a token that may read it"
        )
    version = str(read_yaml(copy / ANSWERS, RESTORE).get("_commit"))
    if not git("status", "--porcelain", folder=copy).strip():
        return f"The template is up to date: {version}."
    conflicts = list_changed(copy, "--diff-filter=U")
    title = f"Update the template from {before} to {version}"
    place = subfolder.find_place(copy)
    if place and not conflicts:
        subfolder.install(place)
    git("add", "--all", ":/", folder=copy)
    remaining = update_lock(copy, conflicts)
    git("commit", "--quiet", "--no-verify", "--message", title, folder=copy)
    listed = "\n".join(f"- `{path}`" for path in conflicts)
    shown = CONFLICTS.format(files=listed) if conflicts else CLEAN
    body = BODY.format(version=version, before=before, conflicts=shown) + remaining
    branch = f"template-update/{qualify(version)}"
    commit = git("rev-parse", "HEAD", folder=copy).strip()
    message = proposal.propose(branch, commit, title, body, label=LABEL if conflicts else None)
    return f"{message}\n\n{shown}"


def list_changed(copy: Path, which: str) -> list[str]:
    """The files of the project that differ, as `git diff` finds them with an option."""
    names = git("diff", "--name-only", "--relative", which, folder=copy)
    return sorted(set(names.split("\n")[:-1]))


def update_lock(copy: Path, conflicts: list[str]) -> str:
    """Bring a committed `uv.lock` to what `pyproject.toml` asks for now; what is left to do."""
    files = ("pyproject.toml", "uv.lock")
    if files[0] not in list_changed(copy, "--cached"):
        return ""
    if not git("ls-files", files[1], folder=copy):
        return ""
    is_clean = not set(files) & set(conflicts)
    if is_clean and succeeds(["uv", "lock", "--quiet"], copy):
        git("add", files[1], folder=copy)
        return ""
    return "- `uv.lock` is not up to date: `uv lock` once the rest is resolved, and commit it.\n"
