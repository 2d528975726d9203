"""The git repository that a project is kept in: where the project lies there, the names that it has
there, and its main branch.

A project may be one folder of a larger repository. What all of that repository shares (tags,
branches, workflows) then has the project's path in its name.
"""

import re
from pathlib import Path
from typing import NamedTuple

from .shell import git, run

ANSWERS = Path(".copier-answers.yml")
MAIN = "main"
RENAME = "uvx copier update --vcs-ref :current: --data main_branch="  # and the name


class Written(NamedTuple):
    """What a verb wrote before the pipeline runs."""

    paths: list[Path]
    """What was written, changed or taken away: with what the pipeline makes of it, a commit."""

    message: str
    """Of that commit."""

    closing: str
    """What to say last."""


def find_prefix(root: Path | None = None) -> str:
    """The path of a project in its repository: `uk/churn/`; '' where it is the repository's root,
    or in none.
    """
    return run(["git", "rev-parse", "--show-prefix"], root).stdout.rstrip("\n")


def qualify(name: str, root: Path | None = None) -> str:
    """A name as the whole repository knows it: `champion-1`, of the project `uk/churn`
    `uk-churn-champion-1`.
    """
    path = re.sub(r"[^A-Za-z0-9_]+", "-", find_prefix(root)).strip("-")
    return f"{path}-{name}" if path else name


def read_main_branch(root: Path = Path()) -> str:
    """The branch that work is merged into, as the answers of the project say: `main`, unless they
    name another.
    """
    path = root / ANSWERS
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    match = re.search(r"^main_branch: *[\"']?([^\s\"']+)", text, re.MULTILINE)
    return match[1] if match else MAIN


def find_main_branch(root: Path) -> str:
    """The main branch as git knows it: that of `origin`; else one by the name in the answers, or by
    that of new repositories; else the one that is checked out.
    """
    if origin := find_origin_branch(root):
        return origin
    branches = git("for-each-ref", "--format=%(refname:strip=2)", "refs/heads", folder=root).split()
    usual = [read_main_branch(root), find_usual_branch(root), "master"]
    here = git("branch", "--show-current", folder=root).strip()
    return next((name for name in usual if name in branches), here or MAIN)


def find_origin_branch(root: Path | None = None) -> str:
    """The main branch of `origin`, as `git clone` noted it; '' where nothing did."""
    origin = "refs/remotes/origin/"
    head = run(["git", "symbolic-ref", "--quiet", f"{origin}HEAD"], root).stdout.strip()
    return head.removeprefix(origin)


def find_usual_branch(root: Path) -> str:
    """The first branch that a new repository gets on this machine."""
    return run(["git", "config", "init.defaultBranch"], root).stdout.strip() or MAIN
