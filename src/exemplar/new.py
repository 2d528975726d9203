"""`exemplar new`: what `copier copy` gives, followed by the generated `start`."""

import os
import shlex
import shutil
import subprocess
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import copier
from copier.errors import CopierError
from rich.console import Console

from .errors import Fixable

CLONE = Path(__file__).resolve().parents[2]
SHOWN = 15  # lines of a failed command's output

console = Console(highlight=False, markup=False, soft_wrap=True)


def make(
    destination: Path, answers: list[str], *, defaults: bool = False, template: str | None = None
) -> int:
    """Render into an empty or new folder and start it there; the exit code of `start`."""
    uv = programs()
    source = origin(template)
    folder = empty(destination, source)
    given = split(answers)
    if given:
        refuse_unknown(source, folder, given)
    package = render(source, folder, given, defaults=defaults)
    console.print(f"  files          in {folder}")
    return start(uv, folder, package)


def programs() -> str:
    """The path of uv, once git and uv are known to be there."""
    if shutil.which("git") is None:
        raise Fixable(
            "git: expected to be installed, found no such command. Install it, then try again."
        )
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise Fixable(
            "uv: expected to be installed, found no such command. Install it, then try again:\n"
            "    python -m pip install uv"
        )
    return uv


def origin(template: str | None) -> str:
    """Where the template is; a folder by its absolute path, as updates need it."""
    if template is None:
        if not (CLONE / "copier.yml").exists():
            raise Fixable(
                "The template: expected in the clone that this runs from, found no clone.\n"
                "Name it: exemplar new DEST --template PATH_OR_URL"
            )
        return str(CLONE)
    path = Path(template).expanduser()
    if not path.is_dir() and (":" in template or template.endswith(".git")):
        return template
    if not (path / "copier.yml").exists():
        raise Fixable(
            f"--template {template}: expected a URL or a folder with a copier.yml, found none."
        )
    return str(path.resolve())


def empty(destination: Path, source: str) -> Path:
    """The absolute destination, once nothing can be overwritten there."""
    folder = destination.expanduser().resolve()
    if folder.is_dir() and any(folder.iterdir()):
        raise Fixable(
            f"{destination}: expected a new or an empty folder, found files in it. "
            "Nothing was touched; choose another name."
        )
    if folder.exists() and not folder.is_dir():
        raise Fixable(
            f"{destination}: expected a new folder, found a file. "
            "Nothing was touched; choose another name."
        )
    if folder.is_relative_to(source):
        raise Fixable(
            f"{destination}: expected outside the template, found inside {source}. "
            f"Choose for example ../{folder.name}"
        )
    return folder


def split(answers: list[str]) -> dict[str, str]:
    """`KEY=VALUE` by key; the last one counts."""
    for answer in answers:
        if "=" not in answer:
            raise Fixable(f"--answer {answer}: expected KEY=VALUE, found no '='.")
    return dict(answer.split("=", 1) for answer in answers)


def refuse_unknown(source: str, folder: Path, given: dict[str, str]) -> None:
    """Hold the answers against the template's questions before anything is written."""
    with TemporaryDirectory() as scratch:
        rendered = copy(source, Path(scratch) / folder.name, {}, defaults=True, pretend=True)
    asked = [
        name
        for name, question in rendered.template.questions_data.items()
        if question.get("when") is not False
    ]
    for name in given:
        if name not in asked:
            raise Fixable(
                f"--answer {name}: expected one of {', '.join(asked)}. Found none of that name."
            )


def render(source: str, folder: Path, given: dict[str, str], *, defaults: bool) -> str:
    """Write the files; the name of the package among them."""
    return str(copy(source, folder, given, defaults=defaults).answers.combined["package_name"])


def copy(
    source: str, folder: Path, given: dict[str, str], *, defaults: bool, pretend: bool = False
) -> Any:
    """What `copier copy` does without trust, with its errors as one message."""
    try:
        with warnings.catch_warnings():
            # A clone with uncommitted changes, or a shallow one, is rendered as it stands.
            warnings.simplefilter("ignore")
            return copier.run_copy(
                source, folder, given, defaults=defaults, pretend=pretend, quiet=True, unsafe=False
            )
    except KeyboardInterrupt:
        raise Fixable("Stopped. Nothing was made.") from None
    except (CopierError, ValueError) as error:
        raise Fixable(f"{error}\nNothing was made.") from None
    except OSError as error:  # git's, too
        said = str(getattr(error, "stderr", "") or error).strip()
        raise Fixable(f"Copying {source} to {folder} failed:\n{said}") from None


def start(uv: str, folder: Path, package: str) -> int:
    """Install the environment, then run the generated `start`, which prints its own progress."""
    # uv would warn about this environment's own; bytecode makes every later command faster.
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in {"VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE"}
    }
    since = time.monotonic()
    with console.status("environment"):
        synced = subprocess.run(
            [uv, "sync", "--directory", str(folder)],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
    if synced.returncode:
        last = [line for line in synced.stderr.splitlines() if line.strip()][-SHOWN:]
        raise Fixable(
            "The packages could not be had from the index that this machine is set up with:\n"
            + "\n".join(f"    {line}" for line in last)
            + "\nThe files are kept. When this is fixed, go on with:\n"
            + f"    cd {shlex.quote(str(folder))} && uv run {package} start"
        )
    console.print(f"  {'packages':<15}{time.monotonic() - since:6.1f} s")
    return subprocess.run(
        [uv, "run", "--directory", str(folder), package, "start"], env=env, check=False
    ).returncode
