"""Merge what changed upstream in files that are the team's, where the team wants it."""

from pathlib import Path

from rich.console import Console

from .errors import Fixable
from .merging import merge_entries
from .project import Project, explain_template_error, read_earlier_answers
from .rendering import Owners, Rendering, read_entry, render, write_entry

WORDS = {
    "new": "added",
    "changed": "changed",
    "merged": "merged with yours",
    "conflict": "CONFLICT, the file has both versions: keep what is right",
    "gone": "gone upstream; yours stays until you delete it",
    "lost": "gone upstream; yours stays until you delete it",
    "stays deleted": "changed upstream; you have deleted it",
    "same": "already as upstream",
}

console = Console(highlight=False, markup=False, soft_wrap=True)


def adopt_earlier_changes(project: Project, scratch: Path, after: Rendering) -> int:
    """Merge what the last update changed upstream in files that are the team's; return 0."""
    for _, answers in read_earlier_answers(project):
        if answers.version and answers.version != project.version:
            target = scratch / "before" / project.folder.name
            try:
                before = render(
                    project.source, target, version=answers.version, answers=answers.values
                )
            except Fixable as error:
                raise explain_template_error(project, error) from None
            adopt_changes(project, before, after)
            return 0
    console.print("Nothing to adopt: no earlier version in the history of this repository.")
    return 0


def adopt_changes(project: Project, before: Rendering, after: Rendering) -> None:
    """Merge what changed upstream in the team's files into the working tree; commit nothing."""
    owners = Owners(after.owners)
    labels = ("yours", f"template {before.version}", f"template {after.version}")
    lines = []
    for path in sorted({*before.files, *after.files}):
        if owners.find(path) != "team" or before.files.get(path) == after.files.get(path):
            continue
        place = project.folder / path
        outcome = merge_entries(
            read_entry(place), before.files.get(path), after.files.get(path), labels
        )
        if outcome.fate in {"new", "changed", "merged", "conflict"}:
            write_entry(place, outcome.entry)
        lines.append(f"  {path}: {WORDS[outcome.fate]}")
    console.print(
        "Adopted from the template into files that are yours, not committed; read git diff:\n"
        + "\n".join(lines)
        if lines
        else "Nothing to adopt."
    )
