"""What an update would do: Copier works in a scratch copy, and a three-way merge of every file says
whether an edit would be lost.
"""

import io
import multiprocessing
import os
import signal
import warnings
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any, NamedTuple

import copier
from rich.console import Console

from .difference import Change, changes, table
from .errors import Fixable
from .merging import REFUSED, Settled, settle
from .moving import carry
from .project import Project, answered_since, answers_file, cannot_reach
from .rendering import ANSWERS, Entry, Files, Owners, Rendered, entry, put, render, said
from .repository import commit, git, listed

UNTOUCHED = ("team", "machine")
SHOWN = 20  # paths of one kind, or lines of an edit
WORDS = {
    "new": "New",
    "changed": "Changed",
    "merged": "Merged with your edits",
    "moved": "Moved (by the template, and not edited by you)",
    "carried": "Moved, and your edit with it (plain copier update would leave it behind)",
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
    settled: dict[str, Settled]
    places: dict[str, list[str]]
    """Where the template moved a file to, by its old path."""
    before: Rendered
    after: Rendered
    ours: dict[str, Entry]
    answers: list[str]
    """What happens to answers, in sentences."""
    adoptable: list[Change]
    """What changed upstream in files that are the team's."""

    def changes_files(self) -> bool:
        """Whether any file would be another one."""
        return any(self.ours.get(path) != found.entry for path, found in self.settled.items())

    def fated(self, *fates: str) -> list[str]:
        """The paths to which this happens."""
        return [path for path, settled in self.settled.items() if settled.fate in fates]

    def arrow(self, path: str) -> str:
        """A path, and where the template moved it to, if it did."""
        joint = " or " if self.settled[path].fate in REFUSED else " and "
        return " -> ".join([path, *filter(None, [joint.join(self.places.get(path, []))])])


def newest(project: Project, scratch: Path, then: Mapping[str, Any]) -> Rendered:
    """What the newest release makes of the answers, as Copier carries them over."""
    target = scratch / "after" / project.folder.name
    target.mkdir(parents=True)
    answers_file(target / ANSWERS, project.with_answers(then))
    given = answered_since(project, then)
    try:
        return render(project.source, target, given=given)
    except Fixable as error:
        raise cannot_reach(project, error) from None


@contextmanager
def beside(lock: int) -> Iterator[ProcessPoolExecutor]:
    """A process beside this one. It leaves Ctrl-C to this one, and does not hold the lock where it
    outlives it.
    """
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, mp_context=fork, initializer=leave, initargs=(lock,)) as other:
        yield other


def leave(lock: int) -> None:
    """What a process beside does first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.close(lock)


def let_copier_update(folder: Path, given: dict[str, Any]) -> str:
    """Run `copier update` without trust in a scratch copy; what it complained of, if anything."""
    try:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            copier.run_update(
                folder, given, defaults=True, overwrite=True, quiet=True, unsafe=False
            )
    except Exception as error:  # Copier's, Jinja's, git's: no traceback from a template
        return said(error) or type(error).__name__
    return ""


def wait_for(project: Project, copier_done: Future[str]) -> None:
    """Let Copier finish, and say what it complained of."""
    try:
        complaint = copier_done.result()
    except BrokenProcessPool:
        raise Fixable(
            "Copier was stopped by somebody else. Nothing was changed. Next: exemplar update"
        ) from None
    if complaint:
        raise cannot_reach(project, Fixable(complaint))


def original(project: Project, scratch: Path, then: Mapping[str, Any]) -> Rendered:
    """What the project was rendered from: its version, with the answers of then."""
    target = scratch / "before" / project.folder.name
    try:
        return render(project.source, target, version=project.version, given=then)
    except Fixable as error:
        raise cannot_reach(project, error) from None


def own_files(project: Project, paths: Iterable[str]) -> dict[str, Entry]:
    """What the project has at these paths, as far as git keeps it."""
    kept = set(listed(project.folder, "ls-files", "-z"))
    found = ((path, entry(project.folder / path)) for path in paths if path in kept)
    return {path: there for path, there in found if there is not None}


def prepare(
    project: Project, top: Path, before: Rendered, after: Rendered, then: Mapping[str, Any]
) -> Plan:
    """Hold every path of Copier's result against a three-way merge, and put right what differs."""
    folder = top / project.inside
    paths = sorted({*before.files, *after.files} - {ANSWERS})
    ours = own_files(project, paths)
    owners = Owners(after.owners)
    labels = ("yours", f"template {before.version}", f"template {after.version}")
    updated = [path for path in paths if owners.of(path) not in UNTOUCHED]
    carried = carry(
        ours, only(updated, before.files), only(updated, after.files), after.moves, labels
    )
    settled = {}
    for path in paths:
        if path in carried.settled:
            settled[path] = carried.settled[path]
            if settled[path].fate not in REFUSED:
                put(folder / path, settled[path].entry)
        else:
            sides = (ours.get(path), before.files.get(path), after.files.get(path))
            settled[path] = hold(folder / path, owners, path, sides, labels)
    put_back_others(project, top, {project.path(path) for path in [*paths, ANSWERS]})
    put(folder / ANSWERS, after.files[ANSWERS])
    team = [path for path in paths if owners.of(path) == "team"]
    return Plan(
        top,
        settled,
        carried.places,
        before,
        after,
        ours,
        told_answers(project, after, then),
        changes(only(team, before.files), only(team, after.files)),
    )


def only(paths: Iterable[str], files: Files) -> dict[str, Entry]:
    """The files at these paths."""
    return {path: files[path] for path in paths if path in files}


def hold(
    there: Path,
    owners: Owners,
    path: str,
    sides: tuple[Entry | None, Entry | None, Entry | None],
    labels: tuple[str, str, str],
) -> Settled:
    """What happens to a path; where Copier's result is another one, it is put right in place."""
    ours, base, _ = sides
    result = entry(there)
    if owners.of(path) in UNTOUCHED:
        if result != ours:
            put(there, ours)
        return Settled("same" if result == ours else "kept", ours)
    found = settle(*sides, labels)
    if found.fate == "lost" and result == ours:
        return Settled("yours now", ours)  # a retired path
    if found.fate in REFUSED or result == found.entry:
        return found
    put(there, found.entry)
    return found if ours in {base, None} else Settled("kept", found.entry)


def copy_of(project: Project, top: Path, then: Mapping[str, Any]) -> Path:
    """A repository with the files of HEAD and one commit; it borrows the objects of the project's.

    Not a clone: a detached HEAD, a shallow history or a repository of gigabytes make no difference.
    """
    top.mkdir()
    git(top, "init", "--quiet")
    borrowed = Path(git(project.top, "rev-parse", "--git-path", "objects").strip())
    (top / ".git/objects/info").mkdir(parents=True, exist_ok=True)
    (top / ".git/objects/info/alternates").write_text(f"{(project.top / borrowed).resolve()}\n")
    tree = git(project.top, "rev-parse", "HEAD^{tree}").strip()
    git(top, "reset", "--quiet", "--hard", commit(top, tree, []), GIT_LFS_SKIP_SMUDGE="1")
    if then != project.given:  # Copier has to see the answers that the files were made from
        answers_file(top / project.inside / ANSWERS, project.with_answers(then))
        git(top, "add", "--force", project.path(ANSWERS))
        tree = git(top, "write-tree").strip()
        git(top, "reset", "--quiet", "--hard", commit(top, tree, []))
    return top


def put_back_others(project: Project, top: Path, known: set[str]) -> None:
    """Undo what Copier did outside the template's paths: `.rej` files, and other projects."""
    for line in listed(top, "status", "--porcelain", "-z", "--untracked-files=all", "--no-renames"):
        state, path = line[:2], line[3:]
        if path not in known:
            if state == "??":
                (top / path).unlink(missing_ok=True)
            else:
                git(top, "checkout", "--quiet", "HEAD", "--", path)


def told_answers(project: Project, after: Rendered, then: Mapping[str, Any]) -> list[str]:
    """What happens to the answers, in sentences."""
    told = [
        f"{key}: changed from {then.get(key)!r} to {value!r} since; what was rendered follows"
        for key, value in answered_since(project, then).items()
    ]
    for key, value in after.answers.items():
        if key not in project.given:
            told.append(f"{key}: a new question, answered with its default {value!r}")
        elif project.given[key] != value:
            told.append(
                f"{key}: {project.given[key]!r} is no longer possible, reset to its default "
                f"{value!r}"
            )
    told += [f"{key}: no longer asked" for key in project.given if key not in after.answers]
    return told


def show(project: Project, plan: Plan) -> None:
    """The preview."""
    if plan.adoptable:
        console.print("".join(change.patch for change in plan.adoptable))
    console.print(f"From {plan.before.version} to {plan.after.version} of {project.source}\n")
    if plan.answers:
        console.print("Answers\n" + "\n".join(f"  {line}" for line in plan.answers))
    for fate, words in WORDS.items():
        if paths := plan.fated(fate):
            shown = [plan.arrow(path) for path in paths[:SHOWN]]
            shown += [f"and {len(paths) - SHOWN} more"] * (len(paths) > SHOWN)
            console.print(f"{words}\n" + "\n".join(f"  {line}" for line in shown))
    if plan.adoptable:
        console.print(
            "Changed upstream in files that are yours; an update leaves them alone, --adopt brings "
            f"over what the patch above shows\n{table(plan.adoptable)}"
        )


def refuse(project: Project, plan: Plan) -> None:
    """Stop where an edit would be lost, or a conflict would be left."""
    refused = plan.fated(*REFUSED)
    if not refused:
        return
    lines = []
    for path in refused:
        lines.append(f"{plan.arrow(path)}: {REFUSED[plan.settled[path].fate]}. Your edit:")
        base = {path: plan.before.files[path]} if path in plan.before.files else {}
        for change in changes(base, {path: plan.ours[path]}):
            text = change.patch.splitlines()
            lines += [f"    {line}" for line in text[:SHOWN]]
            lines += [f"    and {len(text) - SHOWN} lines more"] * (len(text) > SHOWN)
    console.print()
    raise Fixable(
        f"Expected an update in which every edit survives, found {len(refused)} that cannot:\n"
        + "\n".join(lines)
        + "\nNothing was changed. Next, for each: move your edit to a file of your own or undo it, "
        "and commit; then exemplar update again, and put back what belongs into a moved file.\n"
        "Text in conflict can also be merged by hand: git switch --create my-update && uvx copier "
        f"update --defaults --vcs-ref {plan.after.version}, resolve what it marks and what the "
        "hook update-leftovers names, and commit"
    )
