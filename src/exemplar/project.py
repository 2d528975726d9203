"""A generated repository as an update finds it: where it is, its answers, whether it may begin."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from .errors import Fixable
from .rendering import ANSWERS, read, said
from .repository import answers as asked
from .repository import git

UNDER_WAY = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")
REFUSED_ANSWER = re.compile("Validation error for question|Invalid choice for|is required")
MARKERS = r"^(<<<<<<<|>>>>>>>) "


class Project(NamedTuple):
    """A generated repository, or the folder of one in a larger repository."""

    folder: Path
    top: Path
    git_dir: Path
    inside: str
    """Path of the folder in the repository, empty at its top."""
    remembered: dict[str, Any]
    """Its answers file."""

    @property
    def source(self) -> str:
        """Where the template is."""
        return str(self.remembered["_src_path"])

    @property
    def version(self) -> str:
        """The version of the template that the project has."""
        return str(self.remembered["_commit"])

    def with_answers(self, then: Mapping[str, Any]) -> dict[str, Any]:
        """The answers file with others in it."""
        return dict(then) | {
            key: value for key, value in self.remembered.items() if key.startswith("_")
        }

    @property
    def given(self) -> dict[str, Any]:
        """The answers, without Copier's own."""
        return {key: value for key, value in self.remembered.items() if not key.startswith("_")}

    def path(self, name: str) -> str:
        """A path of the project, seen from the top of the repository."""
        return f"{self.inside}/{name}" if self.inside else name


def find(folder: Path) -> Project:
    """The generated repository at a folder."""
    folder = folder.expanduser().resolve()
    if not (folder / ANSWERS).is_file():
        raise Fixable(
            f"{folder}: expected a generated repository, found no {ANSWERS} in it. "
            "Next: go to where it is, or name it: exemplar update PATH"
        )
    if shutil.which("git") is None:
        raise Fixable("git: expected to be installed, found no such command. Install it.")
    top = asked(folder, "rev-parse", "--show-toplevel")
    git_dir = asked(folder, "rev-parse", "--absolute-git-dir")
    if top is None or git_dir is None or asked(folder, "rev-parse", "--verify", "HEAD") is None:
        raise Fixable(
            f"{folder}: expected a git repository with a commit, found none. Next: git init, "
            "git add --all and git commit there"
        )
    inside = folder.relative_to(Path(top).resolve()).as_posix()
    remembered = read(folder / ANSWERS)
    project = Project(
        folder, Path(top).resolve(), Path(git_dir), "" if inside == "." else inside, remembered
    )
    if missing := [key for key in ("_src_path", "_commit") if not remembered.get(key)]:
        raise Fixable(
            f"{folder / ANSWERS}: expected YAML with _src_path and _commit, found "
            + ("no such YAML" if not remembered else f"no {' and no '.join(missing)}")
            + f". Nothing was changed. Next: {last_good(project)}"
        )
    address = project.source
    if "://" not in address and ":" not in address and not Path(address).expanduser().is_absolute():
        raise Fixable(
            f"{folder / ANSWERS}: expected at _src_path a URL or an absolute path, found "
            f"{address}, which is relative. Nothing was changed. Next: write the whole path there "
            "and commit it"
        )
    return project


def last_good(project: Project) -> str:
    """How to bring back the answers as they were when they could last be read."""
    for commit in (asked(project.folder, "log", "--format=%h", "--", ANSWERS) or "").split():
        text = asked(project.folder, "show", f"{commit}:./{ANSWERS}") or ""
        if {"_src_path", "_commit"} <= set(parsed(text)):
            return f"git checkout {commit} -- {ANSWERS}, then commit it"
    return "write it anew: copier copy the same template and answers elsewhere, take its file"


def parsed(text: str) -> dict[str, Any]:
    """An answers file's text; empty where it is none."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, dict) else {}


def ready(project: Project) -> None:
    """Stop where an update would mix with something else."""
    for name in UNDER_WAY:
        if (project.git_dir / name).exists():
            what = name.partition("_")[0].partition("-")[0].lower()
            raise Fixable(
                f"{project.top}: expected nothing under way in git, found a {what} that is not "
                f"finished. Nothing was changed. Next: finish it, or git {what} --abort"
            )
    if dirty := git(project.folder, "status", "--porcelain", "--", ".").rstrip():
        raise Fixable(
            f"{project.folder}: expected everything committed, found\n{dirty}\n"
            "Nothing was changed. Next: git commit, or git stash --include-untracked"
        )
    marked = asked(project.folder, "grep", "-lIE", MARKERS, "--", ".", ":!*.md", ":!*.rst")
    rejected = git(project.folder, "ls-files", "--", "*.rej").strip()
    if left := [*(marked or "").split("\n"), *rejected.split("\n")]:
        left = [path for path in left if path and not meant(project, path)]
        if left:
            raise Fixable(
                f"{project.folder}: expected nothing left of an earlier update or merge, found "
                f"conflict markers or a .rej file: {', '.join(left)}\n"
                "Nothing was changed. Next: keep what is right there, and commit it"
            )
    for who in ("AUTHOR", "COMMITTER"):
        if asked(project.top, "var", f"GIT_{who}_IDENT") is None:
            raise Fixable(
                "git: expected to know who commits, found nobody. Nothing was changed. Next:\n"
                '    git config --global user.name "Your Name"\n'
                '    git config --global user.email "you@example.com"'
            )
    uv()


def meant(project: Project, path: str) -> bool:
    """Whether a file says in `.gitattributes` that it shows conflict markers on purpose."""
    said_so = git(project.folder, "check-attr", "conflict-marker-size", "--", path)
    return said_so.rpartition(": ")[2].strip() not in {"unspecified", "7"}


def rendered_with(project: Project) -> dict[str, Any]:
    """The answers at the last copy or update: others may have been written into the file since."""
    first = project.given
    for commit in (asked(project.folder, "log", "--format=%H", "--", ANSWERS) or "").split():
        then = parsed(asked(project.folder, "show", f"{commit}:./{ANSWERS}") or "")
        if str(then.get("_commit")) != project.version:
            break
        first = {key: value for key, value in then.items() if not key.startswith("_")}
    return first


def answered_since(project: Project, then: Mapping[str, Any]) -> dict[str, Any]:
    """The answers that were changed or added since."""
    return {
        key: value for key, value in project.given.items() if key not in then or then[key] != value
    }


def answers_file(path: Path, remembered: Mapping[str, Any]) -> None:
    """Write answers as Copier reads them."""
    text = yaml.safe_dump(dict(remembered), allow_unicode=True, sort_keys=False)
    path.write_text(text, encoding="utf-8")


def cannot_reach(project: Project, error: Exception) -> Fixable:
    """Why the template or the answers are not usable, and what fixes it."""
    what = said(error)
    place = Path(project.source).expanduser()
    if "://" not in project.source and ":" not in project.source and not place.is_dir():
        what = "no such folder"
    elif "potentially unsafe" in what:
        return Fixable(
            f"The template: expected nothing that needs trust, found\n    {what.splitlines()[0]}\n"
            "Nothing was changed. Next: ask whoever keeps the template; --trust is never "
            "needed for a release of Exemplar"
        )
    elif REFUSED_ANSWER.search(what):
        return Fixable(
            f"{project.folder / ANSWERS}: expected answers that the template accepts, found\n"
            f"    {what}\nNothing was changed. Next: fix the answer there and commit it"
        )
    return Fixable(
        f"The template: expected at {project.source} (version {project.version}), found:\n"
        f"    {what.splitlines()[-1] if what else type(error).__name__}\n"
        f"Nothing was changed. Next: if it has moved, write its new place at _src_path in "
        f"{ANSWERS} and commit it"
    )


def uv() -> str:
    """The path of uv."""
    found = os.environ.get("UV") or shutil.which("uv")
    if found is None:
        raise Fixable(
            "uv: expected to be installed, for the tests after the update; found no such command. "
            "Nothing was changed. Next: python -m pip install uv"
        )
    return found
