"""A template of a few files with the real `copier.yml`, projects made from it, and the command run
in them as a person would, so that each test of a way to fail costs a second.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import copier

from ..conftest import ROOT
from ..made import TOOLKIT, git

SOMEONE = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Test"), ("EMAIL", "test@example.com"))
}
NUMBERED = "".join(f"line {number}\n" for number in range(1, 31))
LOGO = b"\x89PNG\0\1\2\3"
DELIVERY = "template/src/{{package_name}}/delivery"
FILES = {
    "template/{{_copier_conf.answers_file}}.jinja": "{{ _copier_answers | to_nice_yaml }}",
    "template/README.md.jinja": "# {{ project_name }}\n\n" + NUMBERED,
    "template/docs/team.md": "# The team\n\n" + NUMBERED,
    "template/dvc.yaml.jinja": "stages: {}\n# kept at {{ storage }}\n" + NUMBERED,
    "template/ruff.toml": NUMBERED,
    "template/pytest.ini": NUMBERED,
    "template/.gitignore": "*.log\n.venv/\n",
    "template/pyproject.toml.jinja": '[project]\nname = "{{ package_name }}"\nversion = "0.1.0"\n',
    f"{DELIVERY}/__init__.py": '"""Delivery."""\n',
    f"{DELIVERY}/check.py": NUMBERED,
    "pyproject.toml": '[project]\nname = "exemplar"\nversion = "0.1.0"\n',
    "blueprints/names-taken.txt": "json\n",
    "blueprints/moved.json": "{}\n",
}
MOVES_PATH = f"{DELIVERY}/checks/moves.json.jinja"
LOGO_PATH = "template/tests/system/logo.png"


def edit(path: Path, old: str, new: str) -> None:
    """Replace the one place where `old` stands."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{path}: {text.count(old)} places like {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def save(folder: Path, message: str = "A change") -> str:
    """Commit everything; the id of the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD").strip()


def template_at(folder: Path) -> Path:
    """A small template with release 0.1.0."""
    folder.mkdir(parents=True)
    for name in ("copier.yml", MOVES_PATH):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    state_moves(folder, {})
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    (folder / LOGO_PATH).parent.mkdir(parents=True)
    (folder / LOGO_PATH).write_bytes(LOGO)
    git(folder, "init", "--quiet", "-b", "main")
    save(folder, "Release 0.1.0")
    git(folder, "tag", "v0.1.0")
    return folder


def state_moves(template: Path, moves: Mapping[str, Sequence[str]]) -> None:
    """State these moves in `copier.yml`, and no others; paths are those of the project `churn`."""
    config = template / "copier.yml"
    lines = "".join(f"    {old}: {json.dumps(new)}\n" for old, new in moves.items()) or "    {}\n"
    lines = lines.replace("src/churn/", "src/{{ package_name }}/")
    block = re.compile(r"(?<={%- set stated %}\n).*?(?=    {% endset %})", re.DOTALL)
    text, places = block.subn(lines, config.read_text(encoding="utf-8"))
    assert places == 1
    config.write_text(text, encoding="utf-8")


def release(template: Path, version: str) -> None:
    """Make what is in the template's folder a release."""
    was = git(template, "show", "HEAD:pyproject.toml").partition('version = "')[2].partition('"')[0]
    edit(template / "pyproject.toml", f'version = "{was}"', f'version = "{version}"')
    save(template, f"Release {version}")
    git(template, "tag", f"v{version}")


def second(template: Path) -> None:
    """Release 0.2.0: a line changed in a file of each kind, and a new file."""
    edit(template / "template/ruff.toml", "line 5\n", "line 5 of 0.2.0\n")
    edit(template / "template/dvc.yaml.jinja", "line 5\n", "line 5 of 0.2.0\n")
    edit(template / "template/docs/team.md", "line 5\n", "line 5 of 0.2.0\n")
    (template / DELIVERY / "monitor.py").write_text('"""New in 0.2.0."""\n')
    release(template, "0.2.0")


class Made(NamedTuple):
    """A project of a template."""

    folder: Path
    template: Path

    def edit(self, name: str, old: str, new: str) -> None:
        edit(self.folder / name, old, new)

    def save(self) -> str:
        return save(self.folder)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def git(self, *arguments: str) -> str:
        return git(self.folder, *arguments)


def project_at(
    folder: Path, template: Path, *, repository: Path | None = None, **answers: str
) -> Made:
    """A project of release 0.1.0, committed; in a larger repository, where one is given."""
    copier.run_copy(
        str(template), folder, answers, vcs_ref="v0.1.0", defaults=True, quiet=True, unsafe=False
    )
    top = repository or folder
    git(top, "init", "--quiet", "-b", "main")
    save(top, "Start")
    return Made(folder, template)


def state(top: Path) -> Mapping[str, object]:
    """Everything that an update which ends early has to leave as it was."""
    return {
        "HEAD": (top / ".git/HEAD").read_text(),
        "commit": git(top, "rev-parse", "HEAD"),
        "refs": git(top, "for-each-ref"),
        "status": git(top, "status", "--porcelain", "--ignored"),
        "files": {
            str(path.relative_to(top)): path.read_bytes()
            for path in sorted(top.rglob("*"))
            if path.is_file() and ".git" not in path.relative_to(top).parts
        },
        "journal": (top / ".git/exemplar-update.json").exists(),
        "lock": (top / ".git/index.lock").exists(),
    }


def script(path: Path, text: str) -> Path:
    """A program of a few lines of shell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


Completed = subprocess.CompletedProcess[str]


def surroundings(**changes: str) -> dict[str, str]:
    """The environment of a person whose uv does nothing, unless `changes` say otherwise."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {
        **inherited,
        **SOMEONE,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "UV": str(shutil.which("true")),
        **changes,
    }


def exemplar(folder: Path, *arguments: str | Path, **changes: str) -> Completed:
    """The installed command, in a folder; nobody is there to be asked."""
    return subprocess.run(
        [*TOOLKIT, *arguments],
        cwd=folder,
        env=surroundings(**changes),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def fixable(completed: Completed, *words: str) -> None:
    """Exit code 2 and one message with these words, which says what comes next."""
    assert completed.returncode == 2, completed
    assert "Traceback" not in completed.stderr, completed.stderr
    for word in (*words, "Next"):
        assert word in completed.stderr, f"{word!r} is not in:\n{completed.stderr}"
