"""`exemplar new`: `copier copy`, then the `start` of the new repository."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

from copier.errors import CopierError
from rich.console import Console

from .errors import Fixable
from .releases import FINAL
from .rendering import describe_error
from .repository import try_git
from .trust import UnsafePath, copy_template

CLONE = Path(__file__).resolve().parents[2]
OF_A_NEW_REPOSITORY = re.compile(
    r"\.git|\.gitignore|\.gitattributes|\.DS_Store|(readme|licen[cs]e|copying|notice)(\.\w+)?",
    re.IGNORECASE,
)
"""What a code host, or `git init`, puts into a repository that is made empty."""
ADOPTED = ("classification", "regression")  # kinds of problem for which a table is drafted from
CREDENTIALS = re.compile(r"^(https?://)[^/@]*@")  # they do not belong into an answers file
OUTPUT_LINES = 15  # how much of a failed command's output is shown

console = Console(highlight=False, markup=False, soft_wrap=True)


class Adoption(NamedTuple):
    """A table that a new repository begins with, and what is said of it."""

    table: Path
    target: str
    options: list[str]
    """Of the verb `adopt`: `--entity customer`, `--yes`, and the like."""

    @property
    def words(self) -> list[str]:
        """The verb with its arguments."""
        return ["adopt", str(self.table), "--target", self.target, *self.options]


def create_repository(
    destination: Path,
    options: list[str],
    *,
    defaults: bool = False,
    template: str | None = None,
    adoption: Adoption | None = None,
) -> int:
    """Render into a new folder, or one without code, and start it; return the exit code of `start`.

    `options` are answers as `KEY=VALUE`; `defaults` asks nothing. With an `adoption` the repository
    begins with that table, and not with a simulated business. Raises Fixable before anything is
    written where something speaks against it.
    """
    uv = find_programs()
    source = find_template(template)
    is_installed = template is None and source != str(CLONE)
    version = find_installed_source().version if is_installed else None
    folder = require_no_code(destination, source)
    answers = parse_options(options)
    if answers:
        require_known_questions(source, folder, answers)
    verb = ["start"]
    if adoption:
        with console.status("table"):
            problem = find_problem(source, folder, answers, adoption, version)
        answers = {"problem": problem} | answers
        verb = [*adoption.words, "--problem", answers["problem"], "--fresh"]
    worker = run_copier(source, folder, answers, defaults=defaults, version=version)
    console.print(f"  files          in {folder}")
    return start_repository(uv, folder, str(worker.answers.combined["package_name"]), verb)


def find_problem(
    source: str, folder: Path, answers: dict[str, str], adoption: Adoption, version: str | None
) -> str:
    """Return the kind of problem that a table poses, as the template's own code says.

    Raises Fixable where it cannot be adopted.
    """
    with TemporaryDirectory() as scratch:
        place = Path(scratch) / folder.name
        worker = run_copier(source, place, answers, defaults=True, version=version)
        delivery = f"{worker.answers.combined['package_name']}.delivery"
        if not (place / "src" / delivery.replace(".", "/") / "adopt/kind.py").exists():
            raise Fixable(
                f"{source}: expected a template that adopts a table, found an older one. Nothing "
                "was made. Next: without --table, then docs/your-data.md of that template"
            )
        table, target = str(adoption.table), adoption.target
        entity = find_option(adoption.options, "--entity")
        problem = ask_template(place, f"{delivery}.adopt.kind", table, target, *entity)
        if adoption.options:  # an option that there is not would be told too late
            ask_template(place, f"{delivery}.cli", *adoption.words, "--help")
    if problem not in ADOPTED:
        raise Fixable(
            f"{table}: expected a table for {' or '.join(ADOPTED)}, found one for {problem}. "
            f"Nothing was made. Next: exemplar new {folder} --answer problem={problem}, then "
            f"docs/{problem}.md"
        )
    return problem


def find_option(options: list[str], name: str) -> list[str]:
    """Return an option with its value, where it is among others; else nothing."""
    places = [place for place, option in enumerate(options) if option == name]
    return options[places[-1] : places[-1] + 2] if places else []


def ask_template(place: Path, module: str, *arguments: str) -> str:
    """Return what a module of a rendered template prints, run with this tool's own libraries.

    Raises Fixable with its message.
    """
    variables = {"PYTHONPATH": str(place / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    completed = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=place,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if completed.returncode:
        raise Fixable(f"{completed.stderr.strip()}\nNothing was made.")
    return completed.stdout.strip()


def find_programs() -> str:
    """Return the path of uv; raises Fixable where uv or git is not installed."""
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


def find_template(template: str | None) -> str:
    """Return where the template is: what Copier takes, or the absolute path of a folder.

    By default that is the clone that this runs from, or where it was installed from. Raises Fixable
    where there is no template.
    """
    if template is None:
        return str(CLONE) if (CLONE / "copier.yml").exists() else find_installed_source().address
    path = Path(template).expanduser()
    if not path.exists() and (":" in template or template.endswith(".git")):
        return template
    is_template = (path / "copier.yml").exists() or is_bare(path) or path.is_file()
    if not is_template:
        raise Fixable(
            f"--template {template}: expected what Copier takes (a URL, gh:OWNER/NAME, a bare "
            "repository or a folder with a copier.yml), found none."
        )
    return str(path.resolve())


def is_bare(path: Path) -> bool:
    """Whether a folder is a repository without files."""
    return (path / "HEAD").is_file() and (path / "objects").is_dir()


class Source(NamedTuple):
    """Where the template is that belongs to an installed tool."""

    address: str
    version: str | None
    """A commit or a tag; None for the newest release."""


def find_installed_source() -> Source:
    """Return where this tool was installed from; raises Fixable where nothing says so.

    That is the URL of a repository (PEP 610, what `uvx --from git+URL` leaves), and for a wheel the
    project URL `Template` and the tag of its version.
    """
    tool = distribution("exemplar")
    origin = json.loads(tool.read_text("direct_url.json") or "{}")
    url = CREDENTIALS.sub(r"\1", origin.get("url", ""))
    if git := origin.get("vcs_info"):
        pinned = git["commit_id"] if git.get("requested_revision") else None
        return Source(url if url.endswith(".git") else f"git+{url}", pinned)
    if "dir_info" in origin and (folder := Path(url2pathname(urlsplit(url).path))).is_dir():
        return Source(find_template(str(folder)), None)
    for entry in tool.metadata.get_all("Project-URL") or ():
        label, _, url = entry.partition(", ")
        if label == "Template":
            version = f"v{tool.version}" if FINAL.fullmatch(tool.version) else None
            return Source(url, version)
    raise Fixable(
        "The template: expected in the clone that this runs from, or where this was installed "
        "from; found a wheel that does not say (its project URL Template).\n"
        "Next: name it: exemplar new DEST --template URL"
    )


def require_no_code(destination: Path, source: str) -> Path:
    """Return the absolute path of the destination.

    Raises Fixable where it has other files than a new repository has, or is inside the template.
    """
    folder = destination.expanduser().resolve()
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    if others := sorted(name for name in names if not OF_A_NEW_REPOSITORY.fullmatch(name)):
        raise Fixable(
            f"{destination}: expected a new folder, or a repository with no more than a README, a "
            f"LICENSE and .gitignore, found {', '.join(others[:5])}. "
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
    nearest = next(path for path in (folder, *folder.parents) if path.is_dir())
    try_git(nearest, "rev-parse", "--git-dir")  # raises where that repository is somebody else's
    return folder


def parse_options(options: list[str]) -> dict[str, str]:
    """Return each value of `KEY=VALUE` by its key; of equal keys the last one counts."""
    for option in options:
        if "=" not in option:
            raise Fixable(f"--answer {option}: expected KEY=VALUE, found no '='.")
    return dict(option.split("=", 1) for option in options)


def require_known_questions(source: str, folder: Path, answers: dict[str, str]) -> None:
    """Raise Fixable where an answer is to a question that the template does not ask."""
    with TemporaryDirectory() as scratch:
        worker = run_copier(source, Path(scratch) / folder.name, {}, defaults=True, pretend=True)
    questions = [
        name
        for name, question in worker.template.questions_data.items()
        if question.get("when") is not False
    ]
    for name in answers:
        if name not in questions:
            raise Fixable(
                f"--answer {name}: expected one of {', '.join(questions)}. "
                "Found no question of that name."
            )


def run_copier(
    source: str,
    folder: Path,
    answers: dict[str, str],
    *,
    defaults: bool,
    pretend: bool = False,
    version: str | None = None,
) -> Any:
    """Run `copier copy` without trust and return Copier's worker.

    Raises Fixable with the message of Copier or git.
    """
    try:
        return copy_template(
            source, folder, answers, version=version, defaults=defaults, pretend=pretend
        )
    except KeyboardInterrupt:
        raise Fixable("Stopped. Nothing was made.") from None
    except UnsafePath as error:
        raise Fixable(
            f"{error}. Nothing was made. Next: ask whoever keeps the template {source}"
        ) from None
    except (CopierError, ValueError) as error:
        raise Fixable(f"{error}\nNothing was made.") from None
    except Fixable:
        raise
    except Exception as error:  # Jinja's and git's, too: no traceback from a template
        raise Fixable(f"Copying {source} to {folder} failed:\n{describe_error(error)}") from None


def start_repository(uv: str, folder: Path, package: str, verb: list[str]) -> int:
    """Install the environment, then run the generated `start`, or a verb that begins with it, and
    return its exit code.

    It prints its own progress. Raises Fixable where packages cannot be installed.
    """
    # uv would warn about this environment's own; bytecode makes every later command faster.
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE"}
    }
    begin = time.monotonic()
    with console.status("environment"):
        completed = subprocess.run(
            [uv, "sync", "--directory", str(folder)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if completed.returncode:
        lines = [line for line in completed.stderr.splitlines() if line.strip()][-OUTPUT_LINES:]
        raise Fixable(
            "The packages could not be installed from the index that this machine is set up with:\n"
            + "\n".join(f"    {line}" for line in lines)
            + "\nThe files are kept. When this is fixed, continue with:\n"
            + f"    cd {shlex.quote(str(folder))} && uv run {package} {shlex.join(verb)}"
        )
    console.print(f"  {'packages':<15}{time.monotonic() - begin:6.1f} s")
    return subprocess.run(
        [uv, "run", "--directory", str(folder), package, *verb], env=environment, check=False
    ).returncode
