"""What a template could do without trust: the attempts of `docs/lead/hostile-templates.md`."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from exemplar.errors import Fixable
from exemplar.rendering import render
from exemplar.trust import REFUSED

from ..conftest import ROOT
from .small import (
    Made,
    exemplar,
    fixable,
    project_at,
    release,
    script,
    state,
    surroundings,
    template_at,
)

GIT = "{{ '.g' }}it"  # as git cannot keep a path with `.git` in it
RUNS = "runs.sh"


def write(template: Path, name: str, text: str = "x\n") -> None:
    path = template / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def configure(template: Path, lines: str) -> None:
    with (template / "copier.yml").open("a") as file:
        file.write(f"\n{lines}\n")


def settings(command: Path) -> str:
    """Settings of a repository with which every `git add` or `git status` runs a command."""
    return f'[core]\n\tbare = false\n\tworktree = .\n\tfsmonitor = "{command}"\n'


def put_hook(template: Path, command: Path) -> None:
    write(template, f"template/{GIT}/hooks/post-checkout", command.read_text())


def put_settings(template: Path, command: Path) -> None:
    write(template, f"template/{GIT}/config", settings(command))


def put_bare_repository(template: Path, command: Path) -> None:
    for name, text in (
        ("HEAD", "ref: refs/heads/main\n"),
        ("config", settings(command)),
        ("objects/x", ""),
        ("refs/x", ""),
    ):
        write(template, f"template/{name}", text)


def put_link(template: Path, command: Path) -> None:
    configure(template, "_preserve_symlinks: true")
    (template / "template/docs/here").symlink_to("../.git")
    write(template, "template/docs/{{ 'here' }}/hooks/post-checkout", command.read_text())


def put_answers(template: Path, command: Path) -> None:
    configure(template, "_answers_file: .git/config")
    (template / "template/{{_copier_conf.answers_file}}.jinja").write_text(settings(command))


def put_sometimes(template: Path, command: Path) -> None:
    write(
        template,
        "template/{{ ['docs', 'docs', 'docs', '.git'] | random }}/config",
        settings(command),
    )


def put_path(name: str) -> Callable[[Path, Path], None]:
    return lambda template, command: write(template, f"template/{name}", command.read_text())


def say(lines: str) -> Callable[[Path, Path], None]:
    return lambda template, command: configure(template, lines.format(command=command))


def include(name: str) -> Callable[[Path, Path], None]:
    text = f"{{% include '{name}' %}}\n"
    return lambda template, command: write(template, "template/read.txt.jinja", text)


ATTEMPTS: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "a hook of git": (put_hook, "a file of git's own"),
    "settings of git": (put_settings, "a file of git's own"),
    "`.GIT`, which macOS takes for it": (put_path("{{ '.GI' }}T/config"), "a file of git's own"),
    "`git~1`, which Windows takes for it": (put_path("git~1/config"), "a file of git's own"),
    "a repository in a folder": (put_path(f"docs/{GIT}"), "a file of git's own"),
    "the answers file": (put_answers, "a file of git's own"),
    "a folder that is a repository": (put_bare_repository, "takes for a repository"),
    "a link": (put_link, "a link"),
    "a path outside": (put_path("{{ pathjoin('..', '..', 'x') }}"), "out of the folder"),
    "an absolute path": (
        put_path("{{ pathjoin(_copier_conf.sep, 'tmp', 'x') }}"),
        "out of the folder",
    ),
    "a name that hides": (put_path("{{ 'a\\x1b[2K' }}"), "a name that a terminal does not show"),
    "tasks": (say("_tasks: ['touch {command}.ran']"), "tasks"),
    "extensions": (say("_jinja_extensions: [os.system]"), "jinja_extensions"),
    "another folder": (say("_subdirectory: ../.."), ".."),
    "a file of this machine": (include("/etc/passwd"), "/etc/passwd"),
    "a file beside it": (include("../../../../etc/passwd"), "etc/passwd"),
    "an answer from a file": (
        say("_external_data: {{x: ../../../../../etc/passwd}}\nq: '{{{{ _external_data.x }}}}'"),
        "passwd",
    ),
    "settings of Jinja": (say("_envops: {{extensions: [os.system]}}"), "extensions"),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A template and a project of it."""
    at = tmp_path_factory.mktemp("at")
    template = template_at(at / "template")
    project_at(at / "churn", template)
    return template, at / "churn"


@pytest.fixture
def made(small: tuple[Path, Path], tmp_path: Path) -> Made:
    for folder in small:
        shutil.copytree(folder, tmp_path / folder.name)
    made = Made(tmp_path / "churn", tmp_path / "template")
    answers = made.folder / ".copier-answers.yml"
    answers.write_text(re.sub("_src_path: .*", f"_src_path: {made.template}", answers.read_text()))
    made.save()
    return made


@pytest.fixture
def command(tmp_path: Path) -> Path:
    """A command that leaves a mark wherever it is run."""
    return script(tmp_path / RUNS, f"touch {tmp_path}/ran")


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_an_attempt_is_refused(
    small: tuple[Path, Path], tmp_path: Path, command: Path, attempt: str
) -> None:
    attack, words = ATTEMPTS[attempt]
    template = tmp_path / "template"
    shutil.copytree(small[0], template, ignore=shutil.ignore_patterns(".git"))
    attack(template, command)
    with pytest.raises(Fixable, match=re.escape(words)):
        render(str(template), tmp_path / "in/a/folder/churn")
    assert not (tmp_path / "in/a/folder/churn").exists(), "written before it was refused"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "in") == [
        RUNS,
        "template",
    ]


def test_a_name_that_is_drawn_at_random_is_the_one_that_was_looked_at(
    small: tuple[Path, Path], tmp_path: Path, command: Path
) -> None:
    template = tmp_path / "template"
    shutil.copytree(small[0], template, ignore=shutil.ignore_patterns(".git"))
    put_sometimes(template, command)
    outcomes = set()
    for attempt in range(8):
        folder = tmp_path / str(attempt)
        try:
            outcomes.add(len(render(str(template), folder).files))
        except Fixable:
            continue
        assert not (folder / ".git").exists()
    assert outcomes, "none of the eight was rendered"


@pytest.mark.parametrize("attack", [put_settings, put_bare_repository])
def test_an_update_runs_no_command_of_a_template(
    made: Made, command: Path, tmp_path: Path, attack: Callable[[Path, Path], None]
) -> None:
    attack(made.template, command)
    release(made.template, "0.2.0")
    before = state(made.folder)
    fixable(exemplar(made.folder, "update", "--yes"), REFUSED)
    assert state(made.folder) == before
    assert not (tmp_path / "ran").exists()


def test_new_and_diff_run_no_command_of_a_template(
    made: Made, command: Path, tmp_path: Path
) -> None:
    put_settings(made.template, command)
    release(made.template, "0.2.0")
    other = tmp_path / "other"
    fixable(exemplar(tmp_path, "new", other, "--template", made.template, "--defaults"), REFUSED)
    assert not other.exists()
    completed = exemplar(tmp_path, "diff", "0.1.0", "0.2.0", "--template", made.template)
    assert completed.returncode == 2
    assert REFUSED in completed.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("attack", [put_settings, put_bare_repository])
def test_nor_does_the_weekly_update_by_plain_copier(
    made: Made, command: Path, tmp_path: Path, attack: Callable[[Path, Path], None]
) -> None:
    attack(made.template, command)
    release(made.template, "0.2.0")
    source = ROOT / "template/src/{{package_name}}/delivery/platform/template_update.py"
    constants = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(source.read_text()).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in {"WORDS", "CAREFUL"}
    }
    words = [sys.executable, "-m", "copier", *constants["WORDS"]]
    environment = surroundings(**constants["CAREFUL"])
    subprocess.run(words, cwd=made.folder, env=environment, check=True, capture_output=True)
    assert "_commit: v0.2.0" in made.read(".copier-answers.yml")
    assert not (tmp_path / "ran").exists()
