"""A team's project in an update test, and what has to be true of it after an update.

What an update should have done is worked out here without Copier, path by path, from three trees
(the old release as rendered, the project before, the new release as rendered with the same answers)
and the path's owner. Where both sides changed a file, `git merge-file` says what a merge is.
"""

import json
import runpy
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import copier
import yaml
from pathspec import PathSpec

from exemplar.releases import Release

from ..made import git
from .made_up import chain
from .stated import lines, list_retired

ANSWERS = ".copier-answers.yml"
LABELS = ("before updating", "last update", "after updating")  # Copier's, of the three sides
OURS, THEIRS = f"<<<<<<< {LABELS[0]}".encode(), f">>>>>>> {LABELS[2]}".encode()


class File(NamedTuple):
    """What git keeps of a file."""

    content: bytes
    executable: bool


Tree = dict[str, File]


def tree(folder: Path) -> Tree:
    """Every file of a folder by its path, without git's own."""
    return {
        path.relative_to(folder).as_posix(): File(
            path.read_bytes(), bool(path.stat().st_mode & 0o100)
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] != ".git"
    }


def begin(folder: Path) -> None:
    """Commit all of a folder as the first commit of a new repository."""
    git(folder, "init", "--quiet", "--template=", "-b", "main")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--message", "Start from the template")
    git(folder, "gc", "--quiet")


class Source:
    """A clone of the template with every release tagged; what it renders is rendered once."""

    def __init__(self, repository: Path, folder: Path) -> None:
        """Make the clone in `folder`, which also holds the renderings."""
        self.folder = folder
        self.clone = folder / "template"
        self.chain = chain(repository, self.clone)
        git(self.clone, "gc", "--quiet")  # Copier clones it three times for an update
        self.url = (folder / "template.git").as_uri()  # Copier tells a URL by its end
        (folder / "template.git").symlink_to(self.clone)
        self._rendered: dict[str, Path] = {}

    @property
    def newest(self) -> Release:
        """What updates lead to."""
        return self.chain[-1]

    def rendered(self, release: Release, name: str = "churn", **answers: Any) -> Path:
        """A release rendered and committed; nobody may change anything in it."""
        key = json.dumps([release.tag, name, sorted(answers.items())])
        if key not in self._rendered:
            folder = self.folder / f"rendered-{len(self._rendered)}" / name
            copier.run_copy(
                str(self.clone),
                folder,
                answers,
                vcs_ref=release.tag,
                defaults=True,
                quiet=True,
                unsafe=False,
            )
            begin(folder)
            self._rendered[key] = folder
        return self._rendered[key]

    def project(self, release: Release, folder: Path, **answers: Any) -> "Project":
        """A team's project, made from a release."""
        shutil.copytree(self.rendered(release, **answers), folder)
        return Project(self, release, folder)

    def owners(self, release: Release, packages: Iterable[str]) -> dict[str, PathSpec[Any]]:
        """The patterns of each owner, as a release states them, for all these packages."""
        config = yaml.safe_load(git(self.clone, "show", f"{release.tag}:copier.yml"))
        lines: dict[str, list[str]] = {}
        for package in packages:
            text = config["owners"]["default"].replace("{{ package_name }}", package)
            for owner, patterns in yaml.safe_load(text).items():
                lines.setdefault(owner, []).extend(patterns)
        return {
            owner: PathSpec.from_lines("gitignore", patterns) for owner, patterns in lines.items()
        }

    def retired(self, release: Release, packages: Iterable[str]) -> PathSpec[Any]:
        """The paths that the template gave up or moved; plain Copier leaves them."""
        text = git(self.clone, "show", f"{release.tag}:copier.yml")
        return PathSpec.from_lines(
            "gitignore", [line for package in packages for line in list_retired(text, package)]
        )


@dataclass
class Project:
    """A generated repository in a team's hands; `release` is what it was made from."""

    source: Source
    release: Release
    folder: Path
    new_answers: dict[str, Any] = field(default_factory=dict)
    target: Release | None = None

    # What a team does ---------------------------------------------------------------------------

    def read(self, name: str) -> str:
        return (self.folder / name).read_bytes().decode()

    def write(self, name: str, content: str | bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def append(self, name: str, text: str) -> None:
        self.write(name, self.read(name) + text)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace the one place where `old` stands: a test must not rot into doing nothing."""
        text = self.read(name)
        assert text.count(old) == 1, f"{name}: {text.count(old)} places like {old!r}"
        self.write(name, text.replace(old, new))

    def git(self, *arguments: str) -> str:
        return git(self.folder, *arguments)

    def commit(self) -> None:
        """Commit what is there; a history may have done so itself, or done nothing."""
        self.git("add", "--all", ".")
        self.git("commit", "--quiet", "--no-verify", "--allow-empty", "--message", "Ours")

    # What the template does ---------------------------------------------------------------------

    @property
    def to(self) -> Release:
        """The release that the update leads to."""
        return self.target or self.source.newest

    def answers(self) -> dict[str, Any]:
        """What the answers file holds."""
        return dict(yaml.safe_load(self.read(ANSWERS)))

    def made(self) -> Tree:
        """The release that it was made from, as rendered with its answers."""
        answers = get_values(self.answers())
        if answers == get_values(
            yaml.safe_load((self.source.rendered(self.release) / ANSWERS).read_text())
        ):
            return tree(self.source.rendered(self.release))
        return tree(self.source.rendered(self.release, **answers))

    def fresh(self) -> Tree:
        """The release that the update leads to, as rendered with the answers after the update."""
        return tree(self.source.rendered(self.to, **get_values(self.answers()) | self.new_answers))

    def update(self) -> None:
        """Plain `copier update`, nothing asked and nobody trusted."""
        copier.run_update(
            self.folder,
            self.new_answers,
            vcs_ref=self.target.tag if self.target else None,
            defaults=True,
            overwrite=True,
            skip_answered=True,
            quiet=True,
            unsafe=False,
        )

    def updated(self, update: Callable[["Project"], None] | None = None) -> set[str]:
        """Update, with plain Copier or otherwise, and hold every path against what it should be;
        the paths in conflict.

        What is retired plain Copier lets be, and `exemplar update` deletes unless it was edited.
        """
        made, before, head = self.made(), tree(self.folder), self.git("rev-parse", "HEAD")
        old, around, left = self.answers(), self._around(), self.leftovers()
        if update is None:
            self.update()
            assert self.git("rev-parse", "HEAD") == head
        else:
            update(self)
        assert self._around() == around
        self._answers_follow(old)
        fresh, after = self.fresh(), tree(self.folder)
        packages = [Path(path).parts[1] for path in made | fresh if path.endswith("/contract.py")]
        owners = self.source.owners(self.to, packages)
        left_alone = self.source.retired(self.to, packages)
        wrong: dict[str, str] = {}
        conflicts = set()
        for path in sorted((made.keys() | before.keys() | fresh.keys() | after.keys()) - {ANSWERS}):
            sides = made.get(path), before.get(path), fresh.get(path)
            is_kept = left_alone.match_file(path) and update is None
            if self._is_template(path, owners) and not is_kept:
                expected, conflict = merged(*sides)
            else:
                expected, conflict = before.get(path), False
            if after.get(path) != expected:
                wrong[path] = (
                    f"expected {format_file(expected)}\nfound {format_file(after.get(path))}"
                )
            if conflict:
                conflicts.add(path)
        assert not wrong, "\n".join(f"{path}: {fault}" for path, fault in wrong.items())
        entries = self.git("ls-files", "--unmerged", "-z").split("\0")
        assert {entry.partition("\t")[2] for entry in entries if entry} == conflicts
        behind = set[str]() if update else self._named(made, after, packages)
        assert self.leftovers() == left | conflicts | behind
        return conflicts

    def left_behind(self, package: str) -> set[str]:
        """The old paths of moves at which plain Copier has left a file."""
        text = git(self.source.clone, "show", f"{self.to.tag}:copier.yml")
        moves = lines(text, package, _copier_operation="update")["moves"]
        old = {line.strip().removeprefix("/") for line in moves}
        return {path for path in old if path and (self.folder / path).is_file()}

    def _named(self, made: Tree, after: Tree, packages: list[str]) -> set[str]:
        """What `update-leftovers` names of the files left behind: each edited one, and the listing
        of moves for all others together.
        """
        named = set[str]()
        for package in packages:
            for old in self.left_behind(package):
                content = after[old].content.replace(b"\r\n", b"\n")
                edited = made.get(old) != after[old]._replace(content=content)
                named.add(old if edited else f"src/{package}/delivery/checks/moves.json")
        return named

    def leftovers(self) -> set[str]:
        """The paths that the hook `update-leftovers` of the newest release refuses."""
        where = "template/src/{{package_name}}/delivery/checks/update_leftovers.py"
        hook = runpy.run_path(str(self.source.clone / where))
        faults = hook["find_faults"](self.folder)
        return {
            Path(fault.split(": ")[0].rsplit(":")[0]).relative_to(self.folder).as_posix()
            for fault in faults
        }

    def _around(self) -> Tree:
        """The files of the repository that are not the project's."""
        root = Path(self.git("rev-parse", "--show-toplevel").strip())
        inside = self.folder.relative_to(root).as_posix() + "/"
        if inside == "./":
            return {}
        return {path: file for path, file in tree(root).items() if not path.startswith(inside)}

    def _is_template(self, path: str, owners: dict[str, PathSpec[Any]]) -> bool:
        claims = [owner for owner, spec in owners.items() if spec.match_file(path)]
        assert len(claims) <= 1, f"{path}: {claims}"
        return claims in (["template"], ["merged"])

    def _answers_follow(self, old: dict[str, Any]) -> None:
        """Every answer is kept, a new question has its default, and the version is the new one."""
        new = self.answers()
        assert new["_commit"] == self.to.tag
        assert new["_src_path"] == old["_src_path"]
        assert {name: new[name] for name in get_values(old)} == get_values(old) | {
            name: answer for name, answer in self.new_answers.items() if name in old
        }
        rendered = self.source.rendered(self.to, **get_values(new) | self.new_answers)
        assert get_values(new) == get_values(yaml.safe_load((rendered / ANSWERS).read_text()))


def get_values(answers: dict[str, Any]) -> dict[str, Any]:
    """Answers without Copier's own."""
    return {name: answer for name, answer in answers.items() if not name.startswith("_")}


def merged(base: File | None, ours: File | None, theirs: File | None) -> tuple[File | None, bool]:
    """What three sides make, and whether they conflict; an edit is never dropped for a deletion."""
    if ours in (base, theirs):
        return theirs, False
    if base == theirs:
        return ours, False
    if ours is None:  # the team deleted it: it stays so
        return None, False
    if theirs is None:  # the template deleted it: what the team wrote stays
        return ours, False
    before = File(b"", ours.executable) if base is None else base
    content, conflict = merge(ours.content, before.content, theirs.content)
    edited = ours.executable != before.executable
    return File(content, ours.executable if edited else theirs.executable), conflict


def merge(ours: bytes, base: bytes, theirs: bytes) -> tuple[bytes, bool]:
    """Git's own merge of three texts."""
    with TemporaryDirectory() as scratch:
        sides = [Path(scratch) / name for name in ("ours", "base", "theirs")]
        for path, content in zip(sides, (ours, base, theirs), strict=True):
            path.write_bytes(content)
        labels = [word for label in LABELS for word in ("-L", label)]
        completed = subprocess.run(
            ["git", "merge-file", "--stdout", *labels, *map(str, sides)],
            capture_output=True,
            check=False,
        )
    assert 0 <= completed.returncode < 128, completed.stderr
    if completed.returncode:
        assert OURS in completed.stdout
        assert THEIRS in completed.stdout
    return completed.stdout, completed.returncode > 0


def format_file(file: File | None) -> str:
    """A file in an assertion's message."""
    if file is None:
        return "no file"
    mode = ", executable" if file.executable else ""
    return f"{len(file.content)} bytes{mode}:\n{file.content.decode(errors='replace')}"
