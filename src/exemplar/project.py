"""A generated repository before an update: where it is, its answers, whether it is ready."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .answers import ANSWERS, Answers, parse_answers, read_answers
from .errors import Fixable
from .rendering import describe_error
from .repository import git, try_git
from .trust import REFUSED

UNFINISHED = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")
REJECTED_ANSWER = re.compile("Validation error for question|Invalid choice for|is required")
MARKERS = r"^(<<<<<<<|>>>>>>>) "


class Project(NamedTuple):
    """A generated repository, or the folder of one in a larger repository."""

    folder: Path
    top: Path
    git_dir: Path
    prefix: str
    """Path of the folder in the repository, empty at its top."""
    answers: Answers

    @property
    def source(self) -> str:
        """Where the template is."""
        return self.answers.source

    @property
    def version(self) -> str:
        """The version of the template that the project has."""
        return self.answers.version

    def path(self, name: str) -> str:
        """Return a path of the project, relative to the top of the repository."""
        return f"{self.prefix}/{name}" if self.prefix else name


def find_project(folder: Path) -> Project:
    """Return the generated repository at a folder.

    Raises Fixable where there is none, or where its answers do not say where the template is.
    """
    folder = folder.expanduser().resolve()
    if not (folder / ANSWERS).is_file():
        raise Fixable(
            f"{folder}: expected a generated repository, found no {ANSWERS} in it. "
            "Next: go to where it is, or name it: exemplar update PATH"
        )
    if shutil.which("git") is None:
        raise Fixable("git: expected to be installed, found no such command. Install it.")
    top = try_git(folder, "rev-parse", "--show-toplevel")
    git_dir = try_git(folder, "rev-parse", "--absolute-git-dir")
    if top is None or git_dir is None or try_git(folder, "rev-parse", "--verify", "HEAD") is None:
        raise Fixable(
            f"{folder}: expected a git repository with a commit, found none. Next: git init, "
            "git add --all and git commit there"
        )
    prefix = folder.relative_to(Path(top).resolve()).as_posix()
    project = Project(
        folder,
        Path(top).resolve(),
        Path(git_dir),
        "" if prefix == "." else prefix,
        read_answers(folder / ANSWERS),
    )
    require_template(project)
    return project


def require_template(project: Project) -> None:
    """Raise Fixable unless the answers name a template that can be found from anywhere."""
    path, answers = project.folder / ANSWERS, project.answers
    addresses = {"_src_path": answers.source, "_commit": answers.version}
    if missing_keys := [key for key, value in addresses.items() if not value]:
        raise Fixable(
            f"{path}: expected YAML with _src_path and _commit, found "
            + (f"no such YAML: {answers.fault}" if answers.fault else "")
            + ("" if answers.fault else f"no {' and no '.join(missing_keys)}")
            + f". Nothing was changed. Next: {describe_way_back(project)}"
        )
    is_path = "://" not in answers.source and ":" not in answers.source
    if is_path and not Path(answers.source).expanduser().is_absolute():
        raise Fixable(
            f"{path}: expected at _src_path a URL or an absolute path, found {answers.source}, "
            "which is relative. Nothing was changed. Next: write the absolute path there and "
            "commit it"
        )


def read_earlier_answers(project: Project) -> Iterator[tuple[str, Answers]]:
    """Yield each commit that changed the answers file and the answers in it, the newest first."""
    for commit in (try_git(project.folder, "log", "--format=%h", "--", ANSWERS) or "").split():
        text = try_git(project.folder, "show", f"{commit}:./{ANSWERS}") or ""
        yield commit, parse_answers(text)


def describe_way_back(project: Project) -> str:
    """Return the command that restores the last answers file that could be read."""
    for commit, answers in read_earlier_answers(project):
        if answers.source and answers.version:
            return f"git checkout {commit} -- {ANSWERS}, then commit it"
    return (
        "make the file again: copier copy the same template with the same answers to another "
        "folder, and take its file"
    )


def require_ready(project: Project) -> None:
    """Raise Fixable where an update would mix with other work, or where a program is missing."""
    require_nothing_unfinished(project)
    require_all_committed(project)
    require_no_leftovers(project)
    for role in ("AUTHOR", "COMMITTER"):
        if try_git(project.top, "var", f"GIT_{role}_IDENT") is None:
            raise Fixable(
                "git: expected to know who commits, found nobody. Nothing was changed. Next:\n"
                '    git config --global user.name "Your Name"\n'
                '    git config --global user.email "you@example.com"'
            )
    find_uv()


def require_nothing_unfinished(project: Project) -> None:
    """Raise Fixable during a merge, a cherry-pick, a revert or a rebase."""
    for name in UNFINISHED:
        if (project.git_dir / name).exists():
            operation = name.removesuffix("_HEAD").replace("_", "-").lower()
            operation = "rebase" if operation.startswith("rebase") else operation
            raise Fixable(
                f"{project.top}: expected nothing under way in git, found a {operation} that is "
                "not finished. Nothing was changed. Next: finish it, or git "
                f"{operation} --abort"
            )


def require_all_committed(project: Project) -> None:
    """Raise Fixable where a file of the project is not committed."""
    if changes := git(project.folder, "status", "--porcelain", "--", ".").rstrip():
        raise Fixable(
            f"{project.folder}: expected everything committed, found\n{changes}\n"
            "Nothing was changed. Next: git commit, or git stash --include-untracked"
        )


def require_no_leftovers(project: Project) -> None:
    """Raise Fixable where an earlier update or merge left conflict markers or `.rej` files."""
    marked = try_git(project.folder, "grep", "-lIE", MARKERS, "--", ".", ":!*.md", ":!*.rst")
    rejected = git(project.folder, "ls-files", "--", "*.rej")
    paths = [*(marked or "").splitlines(), *rejected.splitlines()]
    leftovers = [path for path in paths if path and not has_markers_on_purpose(project, path)]
    if leftovers:
        raise Fixable(
            f"{project.folder}: expected nothing left of an earlier update or merge, found "
            f"conflict markers or a .rej file: {', '.join(leftovers)}\n"
            "Nothing was changed. Next: keep what is right there, and commit it"
        )


def has_markers_on_purpose(project: Project, path: str) -> bool:
    """Whether `.gitattributes` says that a file shows conflict markers on purpose."""
    attribute = git(project.folder, "check-attr", "conflict-marker-size", "--", path)
    return attribute.rpartition(": ")[2].strip() not in {"unspecified", "7"}


def find_original_answers(project: Project) -> dict[str, Any]:
    """Return the answers at the last copy or update; the file may have been edited since."""
    original = project.answers.values
    for _, answers in read_earlier_answers(project):
        if answers.version != project.version:
            break
        original = answers.values
    return original


def explain_template_error(project: Project, error: Exception) -> Fixable:
    """Return the error that says why the template or the answers cannot be used, and what to do."""
    message = describe_error(error)
    is_path = "://" not in project.source and ":" not in project.source
    if is_path and not Path(project.source).expanduser().is_dir():
        message = "no such folder"
    elif "potentially unsafe" in message or REFUSED in message:
        return Fixable(
            "The template: expected nothing that needs trust, found\n"
            f"    {message.splitlines()[0]}\n"
            "Nothing was changed. Next: ask whoever keeps the template; --trust is never "
            "needed for a release of Exemplar"
        )
    elif REJECTED_ANSWER.search(message):
        return Fixable(
            f"{project.folder / ANSWERS}: expected answers that the template accepts, found\n"
            f"    {message}\nNothing was changed. Next: fix the answer there and commit it"
        )
    return Fixable(
        f"The template: expected at {project.source} (version {project.version}), found:\n"
        f"    {message.splitlines()[-1] if message else type(error).__name__}\n"
        f"Nothing was changed. Next: if it has moved, write its new place at _src_path in "
        f"{ANSWERS} and commit it"
    )


def find_uv() -> str:
    """Return the path of uv; raises Fixable where it is not installed."""
    path = os.environ.get("UV") or shutil.which("uv")
    if path is None:
        raise Fixable(
            "uv: expected to be installed, for the tests after the update; found no such command. "
            "Nothing was changed. Next: python -m pip install uv"
        )
    return path


def build_environment() -> dict[str, str]:
    """Return the environment for commands of the project: without this one's own, with bytecode."""
    ours = {"VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH"}
    return {name: value for name, value in os.environ.items() if name not in ours}
