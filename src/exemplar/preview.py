"""Find out what an update would do: Copier works in a scratch copy, and a three-way merge of every
file shows whether an edit would be lost.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from .answers import ANSWERS, read_answers, write_answers
from .difference import Change, compare_files, format_table
from .errors import Fixable
from .merging import REFUSALS, Labels, Outcome, merge_entries
from .moving import CarriedEdits, carry_edits
from .packages import PYPROJECT, merge_packages
from .project import Project, explain_template_error
from .rendering import (
    Entry,
    Files,
    Owners,
    Rendering,
    describe_error,
    read_entry,
    render,
    write_entry,
)
from .repository import create_commit, git, list_entries
from .trust import update_copy

PROTECTED_OWNERS = ("team", "machine")
"""Whose files an update leaves as they are."""
PATHS_SHOWN = 20  # of one kind
LINES_SHOWN = 20  # of an edit
WORDS = {
    "new": "New",
    "changed": "Changed",
    "merged": "Merged with your edits",
    "moved": "Moved (by the template, and not edited by you)",
    "carried": "Moved, together with your edit (plain copier update would leave it behind)",
    "gone": "Deleted (dropped by the template, and not edited by you)",
    "kept": "Your edit is kept (plain copier update would lose it)",
    "yours now": "Yours from now on (dropped by the template, edited by you)",
    "stays deleted": "Stay deleted (changed by the template)",
}

console = Console(highlight=False, markup=False, soft_wrap=True)


class Plan(NamedTuple):
    """What an update would do."""

    scratch: Path
    """The top of the scratch repository, which holds the result."""
    outcomes: dict[str, Outcome]
    places: dict[str, list[str]]
    """Where the template moved a file to, by its old path."""
    before: Rendering
    after: Rendering
    ours: dict[str, Entry]
    answers: list[str]
    """What happens to answers, in sentences."""
    adoptable: list[Change]
    """What changed upstream in files that are the team's."""

    def changes_files(self) -> bool:
        """Whether the update would change any file."""
        return any(self.ours.get(path) != outcome.entry for path, outcome in self.outcomes.items())

    def find_paths(self, *fates: str) -> list[str]:
        """Return the paths to which one of these happens."""
        return [path for path, outcome in self.outcomes.items() if outcome.fate in fates]

    def format_move(self, path: str) -> str:
        """Return a path, and where the template moved it to, if it did."""
        joint = " or " if self.outcomes[path].fate in REFUSALS else " and "
        return " -> ".join([path, *filter(None, [joint.join(self.places.get(path, []))])])


def render_newest(project: Project, scratch: Path, original: Mapping[str, Any]) -> Rendering:
    """Return the newest release, rendered with the project's answers as Copier carries them over.

    `original` are the answers from which the project's files were rendered.
    """
    target = scratch / "after" / project.folder.name
    target.mkdir(parents=True)
    write_answers(target / ANSWERS, project.answers._replace(values=dict(original)))
    try:
        return render(project.source, target, answers=project.answers.find_changes(original))
    except Fixable as error:
        raise explain_template_error(project, error) from None


def render_original(project: Project, scratch: Path, original: Mapping[str, Any]) -> Rendering:
    """Return what the project was rendered from: its version, with its answers at that time."""
    target = scratch / "before" / project.folder.name
    try:
        return render(project.source, target, version=project.version, answers=original)
    except Fixable as error:
        raise explain_template_error(project, error) from None


@contextmanager
def start_worker(lock: int) -> Iterator[ProcessPoolExecutor]:
    """Start a second process, which ignores Ctrl-C and ends when this one ends; it lets go of the
    lock (a file descriptor).
    """
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(
        1, mp_context=fork, initializer=prepare_worker, initargs=(lock,)
    ) as worker:
        yield worker


def prepare_worker(lock: int) -> None:
    """In the second process: ignore Ctrl-C, let go of the lock, and end when the first one ends,
    which may be killed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.close(lock)
    threading.Thread(target=end_with_parent, daemon=True).start()


def end_with_parent() -> None:
    """Wait until the first process has ended, then end this one."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def run_copier_update(folder: Path, answers: dict[str, Any]) -> str:
    """Run `copier update` without trust in a scratch copy; return its error, empty if none."""
    try:
        update_copy(folder, answers)
    except Exception as error:  # Copier's, Jinja's, git's: no traceback from a template
        return describe_error(error) or type(error).__name__
    return ""


def wait_for_copier(project: Project, update: Future[str]) -> None:
    """Wait until Copier's update has ended; raises Fixable where it failed."""
    try:
        message = update.result()
    except BrokenProcessPool:
        raise Fixable(
            "Copier was stopped by another program. Nothing was changed. Next: exemplar update"
        ) from None
    if message:
        raise explain_template_error(project, Fixable(message))


def read_own_files(project: Project, paths: Iterable[str]) -> dict[str, Entry]:
    """Return what the project has at these paths, of the files that git keeps."""
    tracked = set(list_entries(project.folder, "ls-files", "-z"))
    entries = ((path, read_entry(project.folder / path)) for path in paths if path in tracked)
    return {path: entry for path, entry in entries if entry is not None}


def plan_update(
    project: Project, top: Path, before: Rendering, after: Rendering, original: Mapping[str, Any]
) -> Plan:
    """Compare Copier's result with a three-way merge, correct it, and return what an update does.

    `top` is the scratch repository in which Copier worked.
    """
    paths = sorted({*before.files, *after.files} - {ANSWERS})
    ours = read_own_files(project, paths)
    merged = merge_paths(top / project.prefix, ours, before, after)
    restore_others(top, {project.path(path) for path in [*paths, ANSWERS]})
    write_entry(top / project.path(ANSWERS), after.files[ANSWERS])
    owners = Owners(after.owners)
    team = [path for path in paths if owners.find(path) == "team"]
    return Plan(
        top,
        merged.outcomes,
        merged.places,
        before,
        after,
        ours,
        describe_answers(project, after, original),
        compare_files(select(team, before.files), select(team, after.files)),
    )


def merge_paths(folder: Path, ours: Files, before: Rendering, after: Rendering) -> CarriedEdits:
    """Correct each path of Copier's result in a folder, and return what happens to all of them."""
    owners = Owners(after.owners)
    labels = ("yours", f"template {before.version}", f"template {after.version}")
    paths = sorted({*before.files, *after.files} - {ANSWERS})
    updated = [path for path in paths if owners.find(path) not in PROTECTED_OWNERS]
    moved = carry_edits(
        ours, select(updated, before.files), select(updated, after.files), after.moves, labels
    )
    outcomes = {}
    for path in paths:
        sides = (ours.get(path), before.files.get(path), after.files.get(path))
        if path in moved.outcomes or path == PYPROJECT:
            outcomes[path] = moved.outcomes.get(path) or merge_packages(*sides, labels)
            if outcomes[path].fate not in REFUSALS:
                write_entry(folder / path, outcomes[path].entry)
        elif owners.find(path) in PROTECTED_OWNERS:
            outcomes[path] = protect_entry(folder / path, ours.get(path))
        else:
            outcomes[path] = correct_entry(folder / path, sides, labels)
    return CarriedEdits(moved.places, outcomes)


def select(paths: Iterable[str], files: Files) -> dict[str, Entry]:
    """Return the files at these paths."""
    return {path: files[path] for path in paths if path in files}


def protect_entry(place: Path, ours: Entry | None) -> Outcome:
    """Bring a file that an update leaves alone back to what it was, and return what happened."""
    if read_entry(place) == ours:
        return Outcome("same", ours)
    write_entry(place, ours)
    return Outcome("kept", ours)


def correct_entry(
    place: Path, sides: tuple[Entry | None, Entry | None, Entry | None], labels: Labels
) -> Outcome:
    """Write the merge of the three sides where Copier's result is different; return what happens
    to the path. A refused path stays as Copier left it.
    """
    ours, base, _ = sides
    result = read_entry(place)
    outcome = merge_entries(*sides, labels)
    if outcome.fate == "lost" and result == ours:
        return Outcome("yours now", ours)  # a retired path
    if outcome.fate in REFUSALS or result == outcome.entry:
        return outcome
    write_entry(place, outcome.entry)
    return outcome if ours in {base, None} else Outcome("kept", outcome.entry)


def copy_repository(project: Project, top: Path, original: Mapping[str, Any]) -> Path:
    """Make a repository with the files of HEAD and one commit, and return its top.

    It borrows the objects of the project's repository. It is not a clone: a detached HEAD, a
    shallow history or a repository of gigabytes make no difference.
    """
    top.mkdir()
    git(top, "init", "--quiet")
    objects = Path(git(project.top, "rev-parse", "--git-path", "objects").strip())
    (top / ".git/objects/info").mkdir(parents=True, exist_ok=True)
    (top / ".git/objects/info/alternates").write_text(f"{(project.top / objects).resolve()}\n")
    tree = git(project.top, "rev-parse", "HEAD^{tree}").strip()
    git(top, "reset", "--quiet", "--hard", create_commit(top, tree, []), GIT_LFS_SKIP_SMUDGE="1")
    is_moved = read_answers(top / project.path(ANSWERS)).source != project.source
    if is_moved or original != project.answers.values:
        # Copier has to see what the files were made from, and by which source it has to go.
        answers = project.answers._replace(values=dict(original))
        write_answers(top / project.path(ANSWERS), answers)
        git(top, "add", "--force", project.path(ANSWERS))
        tree = git(top, "write-tree").strip()
        git(top, "reset", "--quiet", "--hard", create_commit(top, tree, []))
    return top


def restore_others(top: Path, paths: set[str]) -> None:
    """Undo what Copier did at any path but these: `.rej` files, and other projects."""
    changes = list_entries(
        top, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames"
    )
    for line in changes:
        state, path = line[:2], line[3:]
        if path not in paths:
            if state == "??":
                (top / path).unlink(missing_ok=True)
            else:
                git(top, "checkout", "--quiet", "HEAD", "--", path)


def describe_answers(project: Project, after: Rendering, original: Mapping[str, Any]) -> list[str]:
    """Return, in sentences, what happens to the answers."""
    values = project.answers.values
    sentences = [
        f"{key}: changed from {original.get(key)!r} to {value!r} since; the files are rendered "
        "with the new answer"
        for key, value in project.answers.find_changes(original).items()
    ]
    for key, value in after.answers.items():
        if key not in values:
            sentences.append(f"{key}: a new question, answered with its default {value!r}")
        elif values[key] != value:
            sentences.append(
                f"{key}: {values[key]!r} is no longer possible, reset to its default {value!r}"
            )
    return sentences + [f"{key}: no longer asked" for key in values if key not in after.answers]


def show_plan(project: Project, plan: Plan) -> None:
    """Print the preview."""
    if plan.adoptable:
        console.print("".join(change.patch for change in plan.adoptable))
    console.print(f"From {plan.before.version} to {plan.after.version} of {project.source}\n")
    if plan.answers:
        console.print("Answers\n" + "\n".join(f"  {line}" for line in plan.answers))
    for fate, words in WORDS.items():
        if paths := plan.find_paths(fate):
            lines = [plan.format_move(path) for path in paths[:PATHS_SHOWN]]
            lines += [f"and {len(paths) - PATHS_SHOWN} more"] * (len(paths) > PATHS_SHOWN)
            console.print(f"{words}\n" + "\n".join(f"  {line}" for line in lines))
    if plan.adoptable:
        console.print(
            "Changed upstream in files that are yours; an update leaves them alone. To bring over "
            "what the patch above shows: --adopt\n" + format_table(plan.adoptable)
        )


def require_no_refusal(plan: Plan) -> None:
    """Raise Fixable where an edit would be lost or a conflict would be left, and show the edits."""
    refused = plan.find_paths(*REFUSALS)
    if not refused:
        return
    lines = []
    for path in refused:
        refusal = REFUSALS[plan.outcomes[path].fate]
        lines.append(f"{plan.format_move(path)}: {refusal}. Your edit:")
        base = {path: plan.before.files[path]} if path in plan.before.files else {}
        for change in compare_files(base, {path: plan.ours[path]}):
            text = change.patch.splitlines()
            lines += [f"    {line}" for line in text[:LINES_SHOWN]]
            lines += [f"    and {len(text) - LINES_SHOWN} more lines"] * (len(text) > LINES_SHOWN)
    console.print()
    raise Fixable(
        f"Expected an update that keeps every edit, found {len(refused)} that cannot be kept:\n"
        + "\n".join(lines)
        + "\nNothing was changed. Next, for each: move your edit to a file of your own or undo it, "
        "and commit; then exemplar update again; then write into a moved file what belongs there.\n"
        "Text in conflict can also be merged by hand: git switch --create my-update && uvx copier "
        f"update --defaults --vcs-ref {plan.after.version}, resolve what it marks and what the "
        "hook update-leftovers names, and commit"
    )
