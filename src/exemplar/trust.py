"""Run Copier without trust, and refuse a template that would have git run its commands.

Copier refuses tasks, migrations and extensions, and paths outside the folder. It would write below
`.git`, where a file is a command that git runs: in the copy that an update tries first, before
anybody has read what the update changes.
"""

import io
import unicodedata
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from functools import cache, cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import copier
from copier._jinja_ext import SandboxedEnvironment
from copier._main import Worker
from copier._tools import scantree
from copier.errors import CopierError

from .errors import Fixable
from .repository import try_git

REFUSED = "expected a template that needs no trust, found"
Place = tuple[Path, dict[str, Any] | None]
GIT_NAMES = {".git", "git~1"}  # the second is what Windows calls the first


class UnsafePath(CopierError):
    """A template has a path that would run a command, or that hides what is written where."""


class CarefulWorker(Worker):
    """Copier, which looks at every path of a template before it writes the first one."""

    def _render_template(self) -> None:
        require_harmless(self._list_paths())
        super()._render_template()

    def _render_path(self, relpath: Path) -> Iterable[Place]:
        # Once: a name may hold a random number, and what was looked at is what is written.
        if relpath not in self._places:
            self._places[relpath] = list(super()._render_path(relpath))
        return self._places[relpath]

    def _sync_git_index_executable_bit(self, dst_relpath: Path, src_mode: int) -> None:
        # Copier asks git for each file; a folder that is in no repository has no index.
        if self._has_index:
            super()._sync_git_index_executable_bit(dst_relpath, src_mode)

    @cached_property
    def _has_index(self) -> bool:
        """Whether the folder is in a git repository."""
        return try_git(self.subproject.local_abspath, "rev-parse", "--git-dir") is not None

    @cached_property
    def jinja_env(self) -> SandboxedEnvironment:
        """Copier's, which compiles a text once: it asks for the same few names for each file."""
        environment = super().jinja_env
        vars(environment)["from_string"] = cache(environment.from_string)
        return environment

    @cached_property
    def _places(self) -> dict[Path, list[Place]]:
        """The paths, with what Jinja knows there, of each path of the template."""
        return {}

    def _list_paths(self) -> list[PurePosixPath]:
        """Return every path that a rendering writes, folders too; raises UnsafePath at a link."""
        paths = []
        preserves_links = self.template.preserve_symlinks
        for entry in scantree(str(self.template_copy_root), not preserves_links):
            source = Path(entry.path).relative_to(self.template_copy_root)
            for path, _ in self._render_path(source):
                if self.match_exclude(path):
                    continue
                if preserves_links and entry.is_symlink():
                    raise UnsafePath(f"{str(path)!r}: {REFUSED} a link, which may lead anywhere")
                paths.append(PurePosixPath(path.as_posix()))
        return paths


def require_harmless(paths: Collection[PurePosixPath]) -> None:
    """Raise UnsafePath where git would run what is at one of the paths of a template."""
    folders = {parent for path in paths for parent in path.parents} | set(paths)
    for path in paths:
        if not all(name.isprintable() for name in path.parts):
            raise UnsafePath(
                f"{str(path)!r}: {REFUSED} a name that a terminal does not show as it is"
            )
        if path.is_absolute() or ".." in path.parts:
            raise UnsafePath(f"{path}: {REFUSED} a path that leads out of the folder")
        if any(simplify(name) in GIT_NAMES for name in path.parts):
            raise UnsafePath(f"{path}: {REFUSED} a file of git's own, which can run commands")
        if (
            simplify(path.name) == "head"
            and {path.with_name("objects"), path.with_name("refs")} <= folders
        ):
            raise UnsafePath(
                f"{path.parent}: {REFUSED} a folder that git takes for a repository (HEAD, "
                "objects, refs), whose settings can run commands"
            )


def simplify(name: str) -> str:
    """Return a name as the file systems of Windows and macOS see it."""
    return unicodedata.normalize("NFKC", name).casefold().partition(":")[0].rstrip(". ")


def copy_template(
    source: str,
    folder: Path,
    answers: Mapping[str, Any],
    *,
    version: str | None = None,
    **options: Any,
) -> Worker:
    """Run `copier copy` quietly and without trust; return Copier's worker.

    Raises UnsafePath before anything is written, and what Copier, Jinja and git raise.
    """
    with (
        prepare_copier(),
        CarefulWorker(
            src_path=source,
            dst_path=folder,
            data=dict(answers),
            vcs_ref=version,
            quiet=True,
            unsafe=False,
            **options,
        ) as worker,
    ):
        worker.run_copy()
    return worker


def update_copy(folder: Path, answers: Mapping[str, Any]) -> None:
    """Run `copier update` quietly, without trust and without questions.

    Raises UnsafePath before anything is written, and what Copier, Jinja and git raise.
    """
    with (
        prepare_copier(),
        redirect_stderr(io.StringIO()),
        CarefulWorker(
            dst_path=folder,
            data=dict(answers),
            defaults=True,
            overwrite=True,
            quiet=True,
            unsafe=False,
        ) as worker,
    ):
        worker.run_update()


@contextmanager
def prepare_copier() -> Iterator[None]:
    """Hide Copier's warnings (about clones with uncommitted changes, and shallow ones).

    Raises Fixable where this Copier would not ask CarefulWorker.
    """
    if "_render_template" not in vars(Worker):
        raise Fixable(
            f"Copier {copier.__version__}: expected 9.19, whose paths can be looked at before they "
            'are written; found another way of writing. Next: uv tool install "copier==9.19.1"'
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
