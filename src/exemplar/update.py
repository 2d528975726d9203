"""`exemplar update`: `copier update` with a preview, a branch, and a way back from every step.

Copier works in a scratch copy of the repository. What it made there is held against a three-way
merge of every file, binaries among them, and only a result in which no edit is lost and nothing
is left to resolve reaches the repository: as one commit, on a branch of its own.
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from . import journal
from .adoption import adopt_earlier, take_over
from .errors import Fixable
from .preview import (
    UNTOUCHED,
    Plan,
    beside,
    copy_of,
    let_copier_update,
    newest,
    original,
    prepare,
    refuse,
    show,
    wait_for,
)
from .project import Project, answered_since, cannot_reach, find, ready, rendered_with, uv
from .rendering import Owners, Rendered
from .repository import GitError, commit, git, run
from .repository import answers as asked

FAST_LANE = ("pytest", "-m", "not everything")
SHOWN = 20  # lines of what a command said

console = Console(highlight=False, markup=False, soft_wrap=True)


def check(folder: Path) -> int:
    """Say in one line whether an update is there; 0 up to date, 1 an update, 2 cannot tell."""
    project = find(folder)
    told = call(
        [sys.executable, "-m", "copier", "check-update", "--output-format", "json"], project.folder
    )
    try:
        found = json.loads(told.stdout)
    except ValueError:
        raise cannot_reach(project, Fixable(told.stderr)) from None
    if found["update_available"]:
        console.print(
            f"An update is there: {found['current_version']} -> {found['latest_version']}. "
            "Next: exemplar update"
        )
        return 1
    console.print(f"Up to date: {found['current_version']}.")
    return 0


def update(
    folder: Path,
    *,
    adopt: bool = False,
    yes: bool = False,
    fast_lane: Sequence[str] = FAST_LANE,
) -> int:
    """Update a generated repository on a branch; 0 done, 1 done and the fast lane is red.

    Whatever else ends it leaves branch, HEAD and working tree as they were; `yes` asks nothing.
    `fast_lane` is what `uv run` runs afterwards.
    """
    git_dir = Path(asked(folder, "rev-parse", "--absolute-git-dir") or find(folder).git_dir)
    with journal.alone(git_dir) as lock:
        resume(folder, git_dir)  # before anything is read that a killed update may have changed
        project = find(folder)
        ready(project)
        try:
            with TemporaryDirectory(prefix="exemplar-update-") as scratch:
                return carry_out(
                    project, Path(scratch), lock, adopt=adopt, yes=yes, fast_lane=fast_lane
                )
        except KeyboardInterrupt:
            raise Fixable("Stopped. Nothing was changed.") from None
        except GitError as error:
            raise Fixable(f"git said no: {error}\nNothing was changed.") from None


def carry_out(
    project: Project, scratch: Path, lock: int, *, adopt: bool, yes: bool, fast_lane: Sequence[str]
) -> int:
    """Render, preview, ask, and do it."""
    then = rendered_with(project)
    given = answered_since(project, then)
    copy = copy_of(project, scratch / "copy", then)
    with beside(lock) as other:  # Copier's update takes as long as the two renderings
        copier_done = other.submit(let_copier_update, copy / project.inside, given)
        if not Path(project.source).expanduser().is_dir():
            wait_for(project, copier_done)  # of a URL Copier keeps one mirror: not for two at once
        after = newest(project, scratch, then)
        if after.version == project.version and not given:
            console.print(f"Up to date: {after.version}.")
            return adopt_earlier(project, scratch, after) if adopt else 0
        branch = "template-update-" + re.sub(r"[^\w.-]", "-", after.version.removeprefix("v"))
        refuse_twice(project, branch)
        refuse_folders(project, after)
        before = original(project, scratch, then)
        wait_for(project, copier_done)
    plan = prepare(project, copy, before, after, then)
    if after.version == project.version and not plan.changes_files():
        console.print(f"Up to date: {after.version}.")
        return adopt_earlier(project, scratch, after) if adopt else 0
    show(project, plan)
    refuse(project, plan)
    if not (yes or agreed(branch)):
        console.print("Nothing was changed.")
        return 0
    red = move(project, plan, branch, fast_lane)
    try:
        finish(project, plan, branch, red=red, adopt=adopt)
    except KeyboardInterrupt:
        raise Fixable(
            f"Stopped. The update is whole, on the branch {branch}. Next: git status, for what was "
            "adopted so far"
        ) from None
    return 1 if red else 0


def resume(folder: Path, git_dir: Path) -> None:
    """Undo first what a killed update had begun."""
    begun = journal.unfinished(git_dir)
    if begun is None:
        journal.end(git_dir)
        return
    try:
        top = Path(git(folder, "rev-parse", "--show-toplevel").rstrip("\n"))
        if journal.restore(top, git_dir, begun):
            console.print(f"An update that was killed has been undone: back on {begun.where}.")
    except GitError as error:
        raise Fixable(
            f"An update was killed here and cannot be undone: {error}\n"
            f"Before it, this was {begun.where}. Next: git status"
        ) from None


def refuse_twice(project: Project, branch: str) -> None:
    """Stop where the branch of an update is there already."""
    if asked(project.top, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}") is not None:
        raise Fixable(
            f"{branch}: expected no such branch, found one, of an earlier update. Next: git switch "
            f"{branch} and go on there, or git branch -D {branch} and exemplar update again"
        )


def refuse_folders(project: Project, after: Rendered) -> None:
    """Stop where a file of the template would have to stand at the place of a folder."""
    owners = Owners(after.owners)
    for path in after.files:
        if (project.folder / path).is_dir() and owners.of(path) not in UNTOUCHED:
            raise Fixable(
                f"{path}: expected a file or nothing, as the template has a file there, found a "
                "folder. Nothing was changed. Next: give the folder another name, and commit it"
            )


def agreed(branch: str) -> bool:
    """Whether a person says yes."""
    if not sys.stdin.isatty():
        raise Fixable(
            "Expected a terminal to ask at, found none. Nothing was changed. "
            "Next: exemplar update --yes"
        )
    return input(f"\nUpdate on the branch {branch}? [y/N] ").strip().lower() in {"y", "yes"}


def move(project: Project, plan: Plan, branch: str, fast_lane: Sequence[str]) -> bool:
    """Commit the result on a branch, go there, run the fast lane; whether that was red.

    Everything until the end can be undone, and is undone where it fails.
    """
    head, start = journal.started_at(project.top)
    lock_file = project.path("uv.lock")
    begun = journal.Begun(branch, head, start, [], lock_file, (project.folder / "uv.lock").exists())
    new = commit_result(project, plan, start)
    begun = begun._replace(commits=[new])
    journal.write(project.git_dir, begun)
    try:
        git(project.top, "update-ref", f"refs/heads/{branch}", new, journal.NOTHING)
        git(project.top, "switch", "--quiet", branch)
        environment(project, begun)
        begun = keep_lock_file(project, begun)
        red = not passes(project, fast_lane)
    except BaseException as error:
        try:
            journal.restore(project.top, project.git_dir, begun)
        except GitError as why:
            raise Fixable(f"The way back failed: {why}\nNext: exemplar update again") from None
        if isinstance(error, KeyboardInterrupt):
            raise Fixable(f"Stopped. Back on {begun.where}, nothing was changed.") from None
        raise
    journal.end(project.git_dir)
    return red


def commit_result(project: Project, plan: Plan, start: str) -> str:
    """Write the result into the project's own object store, as a commit that no branch has yet."""
    objects = (plan.scratch / ".git/objects/info/alternates").read_text().strip()
    own = {"GIT_OBJECT_DIRECTORY": objects}
    git(plan.scratch, "add", "--all", **own)
    ignored = [
        project.path(path)
        for path, settled in plan.settled.items()
        if path not in plan.ours and settled.entry is not None
    ]
    if ignored:
        git(plan.scratch, "add", "--force", "--", *ignored, **own)
    tree = git(plan.scratch, "write-tree", **own).strip()
    message = f"Update the template from {plan.before.version} to {plan.after.version}"
    return commit(project.top, tree, [start], message=message)


def environment(project: Project, begun: journal.Begun) -> None:
    """Bring the environment to what `pyproject.toml` asks for now."""
    synced = call([uv(), "sync", "--quiet"], project.folder)
    if synced.returncode:
        raise Fixable(
            "The packages of the new version could not be had from the index that this machine is "
            f"set up with:\n{indented(synced.stderr)}\nBack on {begun.where}, nothing was changed. "
            "Next, when this is fixed: exemplar update"
        )


def keep_lock_file(project: Project, begun: journal.Begun) -> journal.Begun:
    """Put a lock file that uv has changed into the update's commit, where git keeps it."""
    changed = git(project.folder, "status", "--porcelain", "--", "uv.lock")
    if changed[:2] != " M":
        return begun
    git(project.folder, "add", "uv.lock")
    tree = git(project.top, "write-tree").strip()
    made = begun.commits[-1]
    message = git(project.top, "log", "-1", "--format=%B", made).strip()
    new = commit(project.top, tree, [begun.start], message=message)
    begun = begun._replace(commits=[*begun.commits, new])
    journal.write(project.git_dir, begun)
    git(project.top, "update-ref", f"refs/heads/{begun.branch}", new, made)
    return begun


def passes(project: Project, fast_lane: Sequence[str]) -> bool:
    """Run the fast lane of the project's tests and show what it says where it is red."""
    ran = call([uv(), "run", "--no-sync", *fast_lane], project.folder)
    if ran.returncode:
        console.print(indented(ran.stdout + ran.stderr))
    return ran.returncode == 0


def call(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the project as somebody at work in it would."""
    return run(command, folder, journal.environment())


def indented(text: str) -> str:
    """The last lines of what a command said."""
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines()[-SHOWN:])


def finish(project: Project, plan: Plan, branch: str, *, red: bool, adopt: bool) -> None:
    """Say what was done and what comes next."""
    if adopt:
        take_over(project, plan.before, plan.after)
    elif plan.adoptable:
        console.print("To bring over what changed in files that are yours: exemplar update --adopt")
    console.print(
        f"\nUpdated to {plan.after.version} on the branch {branch}, in one commit; the fast lane "
        "is " + ("red (above)." if red else "green.")
    )
    console.print(
        "Next: "
        + ("fix that here, or go back with git switch -; " if red else "")
        + "uv run dvc repro if the pipeline changed, then a pull request"
    )
