"""What changed upstream in files that are the team's, merged into them where the team wants it."""

from pathlib import Path

from rich.console import Console

from .errors import Fixable
from .merging import settle
from .project import Project, cannot_reach, parsed
from .rendering import ANSWERS, Owners, Rendered, entry, put, render
from .repository import answers as asked

console = Console(highlight=False, markup=False, soft_wrap=True)


def adopt_earlier(project: Project, scratch: Path, after: Rendered) -> int:
    """Offer again what the last update brought upstream in files that are the team's."""
    for revision in (asked(project.folder, "log", "--format=%H", "--", ANSWERS) or "").split():
        then = parsed(asked(project.folder, "show", f"{revision}:./{ANSWERS}") or "")
        if str(then.get("_commit")) != project.version and then.get("_commit"):
            given = {key: value for key, value in then.items() if not key.startswith("_")}
            target = scratch / "before" / project.folder.name
            version = str(then["_commit"])
            try:
                before = render(project.source, target, version=version, given=given)
            except Fixable as error:
                raise cannot_reach(project, error) from None
            take_over(project, before, after)
            return 0
    console.print("Nothing to adopt: no earlier version in the history of this repository.")
    return 0


def take_over(project: Project, before: Rendered, after: Rendered) -> None:
    """Merge what changed upstream in the team's files into the working tree, not committed."""
    owners = Owners(after.owners)
    labels = ("yours", f"template {before.version}", f"template {after.version}")
    told = []
    for path in sorted({*before.files, *after.files}):
        if owners.of(path) != "team" or before.files.get(path) == after.files.get(path):
            continue
        there = project.folder / path
        found = settle(entry(there), before.files.get(path), after.files.get(path), labels)
        if found.fate in {"new", "changed", "merged", "conflict"}:
            put(there, found.entry)
        words = {
            "new": "added",
            "changed": "changed",
            "merged": "merged with yours",
            "conflict": "CONFLICT, both are in it: keep what is right",
            "gone": "gone upstream; yours stays until you delete it",
            "lost": "gone upstream; yours stays until you delete it",
            "stays deleted": "changed upstream; you have deleted it",
            "same": "as upstream already",
        }
        told.append(f"  {path}: {words[found.fate]}")
    console.print(
        "Adopted from the template into files that are yours, not committed; read git diff:\n"
        + "\n".join(told)
        if told
        else "Nothing to adopt."
    )
