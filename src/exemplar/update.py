"""`exemplar update`: `copier update` with a preview, a branch, and a way back from every step.

Copier works in a scratch copy of the repository. Its result is compared with a three-way merge of
every file, binaries among them. Only a result in which no edit is lost and nothing is left to
resolve reaches the repository: as one commit, on a branch of its own.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from . import journal
from .adoption import adopt_changes, adopt_earlier_changes
from .answers import ANSWERS
from .errors import Fixable
from .preview import (
    PROTECTED_OWNERS,
    Plan,
    copy_repository,
    plan_update,
    render_newest,
    render_original,
    require_no_refusal,
    run_copier_update,
    show_plan,
    start_worker,
    wait_for_copier,
)
from .project import (
    Project,
    build_environment,
    explain_template_error,
    find_original_answers,
    find_project,
    find_uv,
    require_ready,
)
from .releases import find_standing, find_tagged_source
from .rendering import Owners, Rendering
from .repository import GitError, create_commit, git, run, try_git

FAST_LANE = ("pytest", "-m", "not everything")
OUTPUT_LINES = 20  # how much of a command's output is shown

console = Console(highlight=False, markup=False, soft_wrap=True)


def check_for_update(folder: Path) -> int:
    """Print in one line whether there is an update; return 0 up to date, 1 an update.

    Raises Fixable where the template cannot be reached.
    """
    project = find_project(folder)
    try:
        standing = find_standing(project.source, project.version)
    except Fixable as error:
        raise explain_template_error(project, error) from None
    if standing is None:
        raise Fixable(
            f"{project.source}: expected a release, which is a tag such as v0.1.0 or a version in "
            "pyproject.toml; found none. Next: ask whoever keeps the template"
        )
    if standing.behind:
        console.print(
            f"There is an update: {standing.current} -> {standing.newest}, {standing.behind} "
            "behind. Next: exemplar update"
        )
        return 1
    console.print(f"Up to date: {standing.current}.")
    return 0


def update(
    folder: Path,
    *,
    adopt: bool = False,
    yes: bool = False,
    fast_lane: Sequence[str] = FAST_LANE,
) -> int:
    """Update a generated repository on a branch; return 0 done, 1 done and the fast lane is red.

    However else it ends, branch, HEAD and working tree are as they were before. `yes` asks
    nothing. `fast_lane` is what `uv run` runs afterwards.
    """
    git_dir = try_git(folder, "rev-parse", "--absolute-git-dir") or find_project(folder).git_dir
    with journal.lock_repository(Path(git_dir)) as lock:
        # First of all: a killed update may have changed what is read next.
        undo_killed_update(folder, Path(git_dir))
        project = find_project(folder)
        require_ready(project)
        try:
            with TemporaryDirectory(prefix="exemplar-update-") as scratch:
                plan = prepare(project, Path(scratch), lock, adopt=adopt)
                return carry_out(project, plan, adopt=adopt, yes=yes, fast_lane=fast_lane)
        except KeyboardInterrupt:
            raise Fixable("Stopped. Nothing was changed.") from None
        except GitError as error:
            raise Fixable(f"git failed: {error}\nNothing was changed.") from None


def prepare(project: Project, scratch: Path, lock: int, *, adopt: bool) -> Plan | None:
    """Return what an update would do; None, and a line that says so, where there is none.

    With `adopt`, what the last update brought upstream is merged in that case.
    """
    original = find_original_answers(project)
    source, project = project.source, find_tagged_project(project, scratch)
    changed_answers = project.answers.find_changes(original)
    top = copy_repository(project, scratch / "copy", original)
    with start_worker(lock) as worker:  # Copier's update takes as long as the two renderings
        copier_update = worker.submit(run_copier_update, top / project.prefix, changed_answers)
        if not Path(project.source).expanduser().is_dir():
            # Of a URL Copier keeps one mirror, which two processes cannot use at once.
            wait_for_copier(project, copier_update)
        after = record_source(render_newest(project, scratch, original), project.source, source)
        if after.version == project.version and not changed_answers:
            report_up_to_date(project, scratch, after, adopt=adopt)
            return None
        require_no_branch(project, name_branch(after))
        require_no_folders(project, after)
        before = render_original(project, scratch, original)
        wait_for_copier(project, copier_update)
    plan = plan_update(project, top, before, after, original)
    if after.version == project.version and not plan.changes_files():
        report_up_to_date(project, scratch, after, adopt=adopt)
        return None
    return plan


def find_tagged_project(project: Project, scratch: Path) -> Project:
    """Return the project with a source in which Copier finds its version.

    Where the template has no tags, that is a clone with its releases tagged.
    """
    try:
        source = find_tagged_source(project.source, project.version, scratch)
    except Fixable as error:
        raise explain_template_error(project, error) from None
    record = project.answers.record | {"_src_path": source}
    return project._replace(answers=project.answers._replace(record=record))


def record_source(after: Rendering, used: str, source: str) -> Rendering:
    """Return a rendering whose answers name the project's source, not the one that was used."""
    entry = after.files[ANSWERS]
    content = entry.content.replace(
        f"_src_path: {used}\n".encode(), f"_src_path: {source}\n".encode()
    )
    return after._replace(files={**after.files, ANSWERS: entry._replace(content=content)})


def carry_out(
    project: Project, plan: Plan | None, *, adopt: bool, yes: bool, fast_lane: Sequence[str]
) -> int:
    """Show the plan, ask, update; return 0 done or nothing to do, 1 done and the tests are red."""
    if plan is None:
        return 0
    branch = name_branch(plan.after)
    show_plan(project, plan)
    require_no_refusal(plan)
    require_nothing_ignored(project, plan)
    if not (yes or ask_permission(branch)):
        console.print("Nothing was changed.")
        return 0
    is_green = update_branch(project, plan, branch, fast_lane)
    try:
        report_update(project, plan, branch, is_green=is_green, adopt=adopt)
    except KeyboardInterrupt:
        raise Fixable(
            f"Stopped. The update is complete, on the branch {branch}. Next: git status, for what "
            "was adopted so far"
        ) from None
    return 0 if is_green else 1


def report_up_to_date(project: Project, scratch: Path, after: Rendering, *, adopt: bool) -> None:
    """Print that there is no update; with `adopt`, merge what the last one changed upstream."""
    console.print(f"Up to date: {after.version}.")
    if adopt:
        adopt_earlier_changes(project, scratch, after)


def name_branch(after: Rendering) -> str:
    """Return the name of the branch of an update to a version."""
    return "template-update-" + re.sub(r"[^\w.-]", "-", after.version.removeprefix("v"))


def undo_killed_update(folder: Path, git_dir: Path) -> None:
    """Undo an update that was killed; raises Fixable where that is not possible."""
    progress = journal.read_progress(git_dir)
    if progress is None:
        journal.delete_progress(git_dir)
        return
    try:
        top = Path(git(folder, "rev-parse", "--show-toplevel").rstrip("\n"))
        if journal.restore(top, git_dir, progress):
            console.print(f"An update that was killed has been undone: back on {progress.origin}.")
    except GitError as error:
        raise Fixable(
            f"An update was killed here and cannot be undone: {error}\n"
            f"Before it, this was {progress.origin}. Next: git status"
        ) from None


def require_no_branch(project: Project, branch: str) -> None:
    """Raise Fixable where the branch of an update exists already."""
    if try_git(project.top, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}") is not None:
        raise Fixable(
            f"{branch}: expected no such branch, found one, of an earlier update. Next: git switch "
            f"{branch} and go on there, or git branch -D {branch} and exemplar update again"
        )


def require_no_folders(project: Project, after: Rendering) -> None:
    """Raise Fixable where the template has a file and the project a folder of the same name."""
    owners = Owners(after.owners)
    for path in after.files:
        if (project.folder / path).is_dir() and owners.find(path) not in PROTECTED_OWNERS:
            raise Fixable(
                f"{path}: expected a file or nothing, as the template has a file there, found a "
                "folder. Nothing was changed. Next: give the folder another name, and commit it"
            )


def require_nothing_ignored(project: Project, plan: Plan) -> None:
    """Raise Fixable where a new file would overwrite one that git ignores."""
    for path, outcome in plan.outcomes.items():
        is_new = path not in plan.ours and outcome.entry is not None
        if is_new and (project.folder / path).is_file():
            raise Fixable(
                f"{path}: expected nothing, as the template has a new file there, found a file "
                "that git does not keep. Nothing was changed. Next: give it another name, or "
                "delete it"
            )


def ask_permission(branch: str) -> bool:
    """Ask a person and return whether the answer is yes; raises Fixable without a terminal."""
    if not sys.stdin.isatty():
        raise Fixable(
            "Expected a terminal to ask at, found none. Nothing was changed. "
            "Next: exemplar update --yes"
        )
    return input(f"\nUpdate on the branch {branch}? [y/N] ").strip().lower() in {"y", "yes"}


def update_branch(project: Project, plan: Plan, branch: str, fast_lane: Sequence[str]) -> bool:
    """Commit the result on a branch, switch to it, run the fast lane; return whether it is green.

    Where any step fails, everything is undone.
    """
    head, start = journal.read_head(project.top)
    progress = journal.Progress(
        branch,
        head,
        start,
        [commit_result(project, plan, start)],
        project.path("uv.lock"),
        (project.folder / "uv.lock").exists(),
    )
    journal.write_progress(project.git_dir, progress)
    try:
        git(project.top, "update-ref", progress.ref, progress.commits[-1], journal.NO_COMMIT)
        git(project.top, "switch", "--quiet", branch)
        install_packages(project, progress)
        progress = commit_lock_file(project, progress)
        is_green = run_fast_lane(project, fast_lane)
    except BaseException as error:
        try:
            journal.restore(project.top, project.git_dir, progress)
        except GitError as failure:
            raise Fixable(f"The way back failed: {failure}\nNext: exemplar update again") from None
        if isinstance(error, KeyboardInterrupt):
            raise Fixable(f"Stopped. Back on {progress.origin}, nothing was changed.") from None
        raise
    journal.delete_progress(project.git_dir)
    return is_green


def commit_result(project: Project, plan: Plan, start: str) -> str:
    """Write the result into the project's own object store; return a commit that no branch has."""
    objects = (plan.scratch / ".git/objects/info/alternates").read_text().strip()
    own = {"GIT_OBJECT_DIRECTORY": objects}
    git(plan.scratch, "add", "--all", **own)
    new_files = [
        project.path(path)
        for path, outcome in plan.outcomes.items()
        if path not in plan.ours and outcome.entry is not None
    ]
    if new_files:  # also those that git ignores
        git(plan.scratch, "add", "--force", "--", *new_files, **own)
    tree = git(plan.scratch, "write-tree", **own).strip()
    message = f"Update the template from {plan.before.version} to {plan.after.version}"
    return create_commit(project.top, tree, [start], message=message, is_scratch=False)


def install_packages(project: Project, progress: journal.Progress) -> None:
    """Install what `pyproject.toml` asks for now; raises Fixable where that fails."""
    completed = run_in_project([find_uv(), "sync", "--quiet"], project.folder)
    if completed.returncode:
        raise Fixable(
            "The packages of the new version could not be installed from the index that this "
            f"machine is set up with:\n{indent_last_lines(completed.stderr)}\n"
            f"Back on {progress.origin}, nothing was changed. "
            "Next, when this is fixed: exemplar update"
        )


def commit_lock_file(project: Project, progress: journal.Progress) -> journal.Progress:
    """Put a lock file that uv has changed into the update's commit, where git keeps it."""
    changes = git(project.folder, "status", "--porcelain", "--", "uv.lock")
    if changes[:2] != " M":
        return progress
    git(project.folder, "add", "uv.lock")
    tree = git(project.top, "write-tree").strip()
    old = progress.commits[-1]
    message = git(project.top, "log", "-1", "--format=%B", old).strip()
    new = create_commit(project.top, tree, [progress.start], message=message, is_scratch=False)
    progress = progress._replace(commits=[*progress.commits, new])
    journal.write_progress(project.git_dir, progress)
    git(project.top, "update-ref", progress.ref, new, old)
    return progress


def run_fast_lane(project: Project, fast_lane: Sequence[str]) -> bool:
    """Run the fast lane of the project's tests; return whether it is green, and print it if not."""
    completed = run_in_project([find_uv(), "run", "--no-sync", *fast_lane], project.folder)
    if completed.returncode:
        console.print(indent_last_lines(completed.stdout + completed.stderr))
    return completed.returncode == 0


def run_in_project(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in the project's own environment and return how it ended."""
    return run(command, folder, build_environment())


def indent_last_lines(output: str) -> str:
    """Return the last lines of an output, indented."""
    return "\n".join(f"    {line}" for line in output.rstrip().splitlines()[-OUTPUT_LINES:])


def report_update(
    project: Project, plan: Plan, branch: str, *, is_green: bool, adopt: bool
) -> None:
    """Print what was done and what comes next; with `adopt`, merge the team's files as well."""
    if adopt:
        adopt_changes(project, plan.before, plan.after)
    elif plan.adoptable:
        console.print("To bring over what changed in files that are yours: exemplar update --adopt")
    console.print(
        f"\nUpdated to {plan.after.version} on the branch {branch}, in one commit; the fast lane "
        "is " + ("green." if is_green else "red (above).")
    )
    console.print(
        "Next: "
        + ("" if is_green else "fix that here, or go back with git switch -; ")
        + "uv run dvc repro if the pipeline changed, then a pull request"
    )
