"""A project that is a folder of a larger repository: its hooks and workflows, where they are read.

Git and the code host read them at the repository's root alone. What stands there is made from what
stands in the project, which keeps it: `install` writes it, `check` compares, and the hook at the
root (`python -m` this module) has pre-commit run the hooks of the project.
"""

import copy
import io
import json
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from ..edge import errors
from ..edge.errors import Fixable
from ..edge.files import find_project, write_text
from ..edge.repository import find_prefix, qualify
from ..edge.shell import PACKAGE, git, run, succeeds

UNCHECKED = "Commits go unchecked here: git has a `core.hooksPath` of its own."
INSTALL = f"uv run {PACKAGE} install"
GITHUB = Path(".github")
HOOKS, OWNERS, RULES = Path(".pre-commit-config.yaml"), GITHUB / "CODEOWNERS", GITHUB / "rules.json"
BEGIN, END = "# {}: made by `" + INSTALL + "`, which makes it anew", "# {}: until here"
CHECKOUT = "actions/checkout@"
EXPRESSION = "$" + "{" * 2 + " %s " + "}" * 2
IMAGE = f"ghcr.io/{EXPRESSION % 'github.repository'}"
TOUCHED = 'if git diff --quiet HEAD^1 HEAD -- {}; then echo "touched=no" >> "$GITHUB_OUTPUT"; fi'
HERE = "!cancelled() && needs.changes.outputs.touched != 'no'"
RENOVATE = ("renovate.json", "renovate.json5", ".renovaterc", ".renovaterc.json")


class Place(NamedTuple):
    """Where a project lies: its root, the repository's, and its path there: `uk/churn`."""

    root: Path
    top: Path
    path: str

    @property
    def name(self) -> str:
        """The path as part of a name: `uk-churn`."""
        return qualify("", self.root).rstrip("-")


def find_place(root: Path) -> Place | None:
    """Where a project lies in a larger repository; None where it is the root of its own."""
    prefix = find_prefix(root).rstrip("/")
    return Place(root, root.resolve().parents[prefix.count("/")], prefix) if prefix else None


def find_faults(root: Path) -> list[str]:
    """What git and the code host do not read, or read otherwise than it stands in the project."""
    if (place := find_place(root)) is None:
        return []
    files = plan_files(place)
    stale = [str(path) for path, text in files.items() if _read(place.top / path) != text]
    stale += [str(path) for path in list_made(place) if path not in files]
    if not stale:
        return []
    return [
        f"{place.top}: expected, at the root of the repository, the hooks and workflows of "
        f"{place.path}, as git and the code host read them nowhere else; found {len(stale)} files "
        f"missing or out of date ({', '.join(stale)}). Next: {INSTALL}, then git commit"
    ]


def install(place: Place) -> list[Path]:
    """Write what differs at the root of the repository; the paths, from there."""
    files = plan_files(place)
    changed = [path for path, text in files.items() if _read(place.top / path) != text]
    for path in changed:
        write_text(files[path], place.top / path)
    dropped = [path for path in list_made(place) if path not in files]
    for path in dropped:
        (place.top / path).unlink()
    return [*changed, *dropped]


def plan_files(place: Place) -> dict[Path, str]:
    """What has to stand at the root of the repository, by path; what others wrote there is kept."""
    files = dict(plan_workflows(place))
    if (place.root / RULES).exists():
        files[RULES.with_name(f"{place.name}-rules.json")] = make_rules(place)
    if (place.root / HOOKS).exists():
        files[HOOKS] = merge_hooks(place)
    if owners := list(make_owners(place)):
        files[OWNERS] = put_block(place, _read(place.top / OWNERS), owners)
    renovate = GITHUB / "renovate.json"
    theirs = [place.top / folder / name for folder in (".", ".github") for name in RENOVATE]
    if (place.root / renovate).exists() and not any(path.exists() for path in theirs):
        files[renovate] = _read(place.root / renovate)
    return files


def list_made(place: Place) -> Iterator[Path]:
    """The workflows at the root that were made from this project, today's and earlier ones."""
    for path in sorted((place.top / GITHUB / "workflows").glob("*.yml")):
        if _read(path).startswith(BEGIN.format(place.path) + "\n"):
            yield path.relative_to(place.top)


def plan_workflows(place: Place) -> Iterator[tuple[Path, str]]:
    """Each workflow of the project as the code host has to find it.

    Raises Fixable where the name is taken by another one.
    """
    head = BEGIN.format(place.path) + "\n"
    for source in sorted((place.root / GITHUB / "workflows").glob("*.y*ml")):
        path = GITHUB / "workflows" / f"{place.name}-{source.stem}.yml"
        if (theirs := _read(place.top / path)) and not theirs.startswith(head):
            raise Fixable(
                f"{place.top / path}: expected a file made from {place.path}, found another. "
                f"Next: rename it, then {INSTALL}"
            )
        yield path, head + make_workflow(source.read_text(encoding="utf-8"), place)


def make_workflow(source: str, place: Place) -> str:
    """A workflow of the project for the root of the repository: it works in the project's folder,
    starts where something changes there, and shares no name with that of another project.
    """
    format_yaml = YAML()
    format_yaml.preserve_quotes = True
    format_yaml.width = 10_000
    format_yaml.indent(mapping=2, sequence=4, offset=2)
    tree = format_yaml.load(source)
    tree["name"] = f"{tree.get('name', 'workflow')} ({place.path})"
    _name_concurrency(tree, place)
    for identity, job in tree["jobs"].items():
        _move_job(identity, job, place)
    _restrict(tree, place)
    stream = io.StringIO()
    format_yaml.dump(tree, stream)
    text = stream.getvalue().replace(IMAGE, f"{IMAGE}/{place.name.lower()}")
    # pre-commit takes a configuration in the folder where it is called for that of all files.
    ours = f"pre-commit run --config {'../' * (place.path.count('/') + 1)}{HOOKS} {place.name}"
    text = text.replace("pre-commit run --all-files", f"{ours} --all-files")
    # A variable is the whole repository's: what switches one project on leaves the others off.
    return re.sub(r"\bDEPLOY\b", f"DEPLOY_{place.name.upper().replace('-', '_')}", text)


def _move_job(identity: str, job: Any, place: Place) -> None:
    """Let a job work in the project's folder, under a name of its own."""
    job["name"] = f"{job.get('name', identity)} ({place.path})"
    _name_concurrency(job, place)
    if isinstance(environment := job.get("environment"), str):
        job["environment"] = f"{place.name}-{environment}"
    elif environment:
        environment["name"] = f"{place.name}-{environment['name']}"
    if _find_checkout(job) is None:
        return
    job.insert(list(job).index("steps"), "defaults", {"run": {"working-directory": place.path}})
    for step in job["steps"]:
        uses, inputs = str(step.get("uses", "")), step.get("with", {})
        if uses.startswith("./"):
            step["uses"] = f"./{place.path}/{uses[2:]}"
            if "with" not in step:
                step.insert(0, "with", {})  # what follows the step is a comment about the next one
            step["with"]["folder"] = place.path
        elif uses.startswith("actions/upload-artifact@"):
            lines = str(inputs["path"]).splitlines()
            inputs["path"] = "\n".join(re.sub("^(!?)", rf"\1{place.path}/", one) for one in lines)


def _find_checkout(job: Any) -> Any:
    steps = job.get("steps", [])
    return next((step for step in steps if str(step.get("uses")).startswith(CHECKOUT)), None)


def _name_concurrency(part: Any, place: Place) -> None:
    """Let a workflow or a job wait for those of its own project alone."""
    if isinstance(group := part.get("concurrency"), str):
        part["concurrency"] = f"{place.name}-{group}"
    elif group:
        group["group"] = f"{place.name}-{group['group']}"


def _restrict(tree: Any, place: Place) -> None:
    """Start a workflow where something changes in the project.

    Its checks of a pull request may be required ones, and GitHub waits for ever for a required
    check that `paths` kept from starting; a job that is left out counts as passed. So `paths` only
    where the workflow has some already, and otherwise a job that looks.
    """
    events = tree["on"] if isinstance(tree["on"], dict) else {}
    for event in events.keys() & {"push", "pull_request", "pull_request_target"}:
        filters = events[event] or {}
        for key in ("paths", "paths-ignore"):
            if key in filters:
                paths = [re.sub("^(!?)", rf"\1{place.path}/", one) for one in filters[key]]
                filters[key] = paths
        if event == "push" and not {"paths", "paths-ignore", "tags"} & filters.keys():
            events[event] = {**filters, "paths": [f"{place.path}/**"]}
        elif event == "pull_request" and not {"paths", "paths-ignore"} & filters.keys():
            _look_first(tree, place)


def _look_first(tree: Any, place: Place) -> None:
    """Put a job before all others that says whether a pull request touches the project."""
    jobs = tree["jobs"]
    checkout = next(filter(None, map(_find_checkout, jobs.values())), None)
    if checkout is None:
        return
    for job in jobs.values():
        if "needs" not in job:
            own = re.sub(r"^\$\{\{(.*)\}\}$", r"\1", str(job["if"])).strip() if "if" in job else ""
            job.insert(1, "needs", "changes")
            job.pop("if", None)
            job.insert(2, "if", f"{HERE} && ({own})" if own else HERE)
    look = copy.deepcopy(checkout)
    look["with"] = {"fetch-depth": 2, "persist-credentials": False}
    paths = shlex.join([place.path, str(GITHUB / "workflows" / f"{place.name}-*.yml")])
    job = {
        "name": f"changes ({place.path})",
        "if": "github.event_name == 'pull_request'",
        "runs-on": "ubuntu-24.04",
        "timeout-minutes": 5,
        "permissions": {"contents": "read"},
        "outputs": {"touched": EXPRESSION % "steps.changes.outputs.touched"},
        "steps": [look, {"id": "changes", "run": TOUCHED.format(paths)}],
    }
    jobs.insert(0, "changes", job)


def make_rules(place: Place) -> str:
    """The rules of the main branch that ask for this project's checks."""
    rules = json.loads(_read(place.root / RULES))
    rules["name"] = f"{rules['name']} ({place.path})"
    for rule in rules["rules"]:
        for check in rule.get("parameters", {}).get("required_status_checks", []):
            check["context"] = f"{check['context']} ({place.path})"
    return json.dumps(rules, indent=2) + "\n"


def make_owners(place: Place) -> Iterator[str]:
    """The lines of the project's CODEOWNERS, for the root of the repository."""
    for line in _read(place.root / OWNERS).splitlines():
        pattern, _, owners = line.strip().partition(" ")
        if pattern and not pattern.startswith("#"):
            if pattern == "*":
                yield f"/.github/**/{place.name}-* {owners}"
                pattern = "/"
            below = pattern if pattern.startswith("/") else f"/**/{pattern}"
            yield f"/{place.path}{below} {owners}"


def merge_hooks(place: Place) -> str:
    """The repository's configuration of pre-commit, with one hook for all hooks of the project."""
    text = _read(place.top / HOOKS) or "repos:\n"
    entry = ["uv", "run", "--frozen", "--directory", place.path, "python", "-m", __name__]
    hook = [
        "- repo: local",
        "  hooks:",
        f"    - id: {place.name}",
        f"      name: the hooks of {place.path}",
        f"      entry: {shlex.join(entry)}",
        "      language: system",
        f"      files: ^{re.escape(place.path)}/",
        "      require_serial: true",
    ]
    repositories = re.search(r"^repos:[ \t]*(?:#.*)?\n(?:(?: *#.*)?\n)*( *)", text, re.MULTILINE)
    if repositories is None:
        raise Fixable(
            f"{place.top / HOOKS}: expected a line `repos:` and a list below it, found none. "
            "Next: write it so, then " + INSTALL
        )
    indent = repositories[1] if text[repositories.end() :].startswith("-") else "  "
    return put_block(place, text, [indent + line for line in hook], after="repos:")


def put_block(place: Place, text: str, lines: list[str], after: str = "") -> str:
    """A text with these lines between two that name the project, instead of what stands there; else
    after the line that begins so, or at the end.
    """
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    begin, end = (f"{indent}{mark.format(place.path)}\n" for mark in (BEGIN, END))
    block = begin + "".join(f"{line}\n" for line in lines) + end
    known = re.compile(
        rf"^ *{re.escape(begin.strip())}\n.*?^ *{re.escape(end.strip())}\n", re.M | re.S
    )
    if known.search(text):
        return known.sub(lambda _: block, text, count=1)
    if after:
        return re.sub(rf"^{after}.*\n", lambda line: line[0] + block, text, count=1, flags=re.M)
    return f"{text.rstrip()}\n\n{block}".lstrip()


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def run_hooks(paths: list[str]) -> int:
    """Run the hooks of this project for files of it, paths from the root of the repository.

    pre-commit knows no project below a repository's root (its issue 466), so it is shown this
    folder's part of the index as if that were all.
    """
    prefix = find_prefix()
    with tempfile.TemporaryDirectory() as scratch:
        own = {
            "GIT_DIR": git("rev-parse", "--absolute-git-dir").strip(),
            "GIT_INDEX_FILE": str(Path(scratch) / "index"),
            "GIT_WORK_TREE": str(Path.cwd()),
        }
        git("read-tree", git("write-tree", f"--prefix={prefix}").strip(), environment=own)
        names = [path.removeprefix(prefix) for path in paths]
        completed = run(["pre-commit", "run", "--files", *names], environment=own)
    print(completed.stdout + completed.stderr, end="")
    return completed.returncode


def install_hooks(root: Path) -> bool:
    """Let git run the hooks before each commit, where the repository has any; False where git has a
    `core.hooksPath` of its own.
    """
    place = find_place(root)
    top = place.top if place else root
    return not (top / HOOKS).exists() or succeeds(["pre-commit", "install"], top)


def main() -> int:
    """Write, say what was written, and let git run the hooks from now on."""
    root = find_project(Path.cwd())
    place = find_place(root)
    if place is None:
        print("This folder is the root of its repository: its hooks and workflows are read here.")
    elif changed := install(place):
        print(f"Written in {place.top}, from what stands in {place.path}:")
        print("\n".join(f"    {path}" for path in changed))
        where = shlex.join(["git", "-C", str(place.top)])
        print(f"Next: {where} add --all {shlex.join(map(str, changed))}, then git commit")
    else:
        print(f"{place.top}: the hooks and workflows of {place.path} are there.")
    if not install_hooks(root):
        raise Fixable(f"{UNCHECKED} Next: let the hook there call pre-commit run")
    return 0


if __name__ == "__main__":
    errors.run(lambda: run_hooks(sys.argv[1:]))
