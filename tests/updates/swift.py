"""What Copier asks or makes again and again for the same, asked or made once per worker.

A project's update renders the template four times, and Copier then clones it five times, compiles
each path as a Jinja template for each file, and asks git after each file whether it minds modes.
All three answers depend on what they are asked alone, so they are kept. `EXEMPLAR_COLD=1` does
without, and so does a Copier that has other names for them.
"""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest import mock

import copier._main
import copier._template
import copier._vcs
import jinja2

from ..made import git


def kept_code(compiled: Callable[..., Any]) -> Callable[..., Any]:
    """`Environment.compile`, once for each source and kind of environment."""
    codes: dict[Any, Any] = {}

    def compile_once(self: jinja2.Environment, source: Any, *rest: Any, **named: Any) -> Any:
        if not isinstance(source, str):
            return compiled(self, source, *rest, **named)
        signs = (
            self.block_start_string, self.block_end_string, self.variable_start_string,
            self.variable_end_string, self.comment_start_string, self.comment_end_string,
            self.line_statement_prefix, self.line_comment_prefix, self.trim_blocks,
            self.lstrip_blocks, self.newline_sequence, self.keep_trailing_newline,
        )  # fmt: skip
        parts = tuple(self.extensions), tuple(self.filters), tuple(self.tests), tuple(self.globals)
        key = (type(self), signs, parts, source, rest, tuple(sorted(named.items())))
        if key not in codes:
            codes[key] = compiled(self, source, *rest, **named)
        return codes[key]

    return compile_once


def kept_clone(original: Any, clones: Path, template: Path, addresses: set[str]) -> Any:
    """`Template.local_abspath`: of this template one clone for each commit, which stays."""

    def local_abspath(self: Any) -> Path:
        if self.vcs != "git" or self.url_expanded not in addresses:
            return original.func(self)
        ref = self.ref or copier._vcs.get_latest_tag(self.url_expanded, self.use_prereleases)
        if ref == "HEAD":
            return original.func(self)
        kept = clones / git(template, "rev-parse", f"{ref}^{{commit}}").strip()
        if not kept.exists():
            kept.mkdir(parents=True)
            copier._vcs.clone(self.url_expanded, ref, location=str(kept))
        return kept

    return named(local_abspath)


def named(function: Callable[..., Any]) -> Any:
    """A cached property with the name of its function."""
    made = cached_property(function)
    made.__set_name__(copier._template.Template, function.__name__)
    return made


def kept_mode(synced: Callable[..., None]) -> Callable[..., None]:
    """Copier's own way with modes that git is told not to mind, where git is told that."""
    minded: dict[tuple[Path, int], bool] = {}

    def sync(self: Any, *arguments: Any) -> None:
        root = self.subproject.local_abspath
        settings = root / ".git/config"
        key = (root, settings.stat().st_mtime_ns if settings.exists() else 0)
        if key not in minded:
            words = ["git", "config", "--type=bool", "--get", "core.fileMode"]
            completed = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
            minded[key] = completed.stdout.strip() != "false"
        if not minded[key]:
            synced(self, *arguments)

    return sync


@contextmanager
def swift(clones: Path, template: Path, addresses: set[str]) -> Iterator[None]:
    """Keep all three while the block runs; the template at these addresses stays as it is."""
    worker, modes = copier._main.Worker, "_sync_git_index_executable_bit"
    source = copier._template.Template
    patches: list[tuple[Any, str, Callable[[Any], Any]]] = [
        (jinja2.Environment, "compile", kept_code),
        (source, "local_abspath", lambda it: kept_clone(it, clones, template, addresses)),
        (worker, modes, kept_mode),
    ]
    with ExitStack() as stack:
        for owner, name, kept in patches:
            if original := vars(owner).get(name):
                stack.enter_context(mock.patch.object(owner, name, kept(original)))
        yield
