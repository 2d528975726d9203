"""`exemplar update`, with everything that can come between: it ends well, or where it began."""

import contextlib
import os
import pty
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import copier
import pytest

from exemplar.releases import Standing, find_standing

from ..conftest import ROOT, released
from ..docs.pages import blocks
from ..made import EXEMPLAR, git
from .small import (
    LOGO_PATH,
    SOMEONE,
    Made,
    edit,
    exemplar,
    fixable,
    project_at,
    release,
    save,
    script,
    second,
    state,
    surroundings,
    template_at,
)

BRANCH = "template-update-0.2.0"
GIT = str(shutil.which("git"))


@pytest.fixture(scope="module")
def second_day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Where a template and a project of it live, and a copy of both to go back to."""
    at, kept = tmp_path_factory.mktemp("at"), tmp_path_factory.mktemp("kept") / "at"
    template = template_at(at / "template")
    made = project_at(at / "churn", template)
    second(template)
    made.edit("ruff.toml", "line 20\n", "line 20 of the team\n")
    made.save()
    shutil.copytree(at, kept, symlinks=True)
    return at, kept


@pytest.fixture
def made(second_day: tuple[Path, Path]) -> Made:
    """A project of 0.1.0 with an edit of the team's; its template is at 0.2.0."""
    at, kept = second_day
    shutil.rmtree(at)
    shutil.copytree(kept, at, symlinks=True)
    return Made(at / "churn", at / "template")


def stands(made: Made, branch: str = BRANCH) -> None:
    """The update is there, whole, on its branch."""
    assert made.git("branch", "--show-current").strip() == branch
    assert made.git("status", "--porcelain") == ""
    assert "_commit: v0.2.0\n" in made.read(".copier-answers.yml")
    text = made.read("ruff.toml")
    assert "line 5 of 0.2.0\n" in text
    assert "line 20 of the team\n" in text
    assert not (made.folder / ".git/exemplar-update.json").exists()


# --- It does what it says ----------------------------------------------------------------------


def test_an_update_is_one_commit_on_a_branch_with_both_changes(made: Made) -> None:
    before = made.git("rev-parse", "main")
    completed = exemplar(made.folder, "update", "--yes")
    assert completed.returncode == 0, completed
    stands(made)
    assert made.git("rev-parse", "HEAD^") == before == made.git("rev-parse", "main")
    changed = made.git("diff", "--name-only", "main").split()
    assert changed == [
        ".copier-answers.yml",
        "dvc.yaml",
        "ruff.toml",
        "src/churn/delivery/monitor.py",
    ]
    for words in ("New\n  src/churn/delivery/monitor.py", "Merged with your edits\n  ruff.toml"):
        assert words in completed.stdout
    assert "+line 5 of 0.2.0" in completed.stdout, "the patch of the team's file is shown"
    assert "the fast lane is green" in completed.stdout


def test_where_nothing_is_lost_the_files_are_those_of_plain_copier(made: Made) -> None:
    plain = made.folder.with_name("plain") / "churn"
    shutil.copytree(made.folder, plain)
    copier.run_update(plain, defaults=True, overwrite=True, quiet=True, unsafe=False)
    save(plain)
    assert exemplar(made.folder, "update", "--yes").returncode == 0
    assert git(plain, "rev-parse", "HEAD^{tree}") == made.git("rev-parse", "HEAD^{tree}")


def test_plain_copier_goes_on_from_where_the_command_ended(made: Made) -> None:
    assert exemplar(made.folder, "update", "--yes").returncode == 0
    edit(made.template / "template/pytest.ini", "line 9\n", "line 9 of 0.3.0\n")
    release(made.template, "0.3.0")
    copier.run_update(made.folder, defaults=True, overwrite=True, quiet=True, unsafe=False)
    assert made.git("status", "--porcelain").split() == [
        "M",
        ".copier-answers.yml",
        "M",
        "pytest.ini",
    ]


@pytest.mark.parametrize(("reply", "branch"), [("y", BRANCH), ("n", "main")])
def test_a_person_is_asked(made: Made, reply: str, branch: str) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [EXEMPLAR, "update"], cwd=made.folder, env=surroundings(), stdin=theirs,
        stdout=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        os.write(ours, f"{reply}\n".encode())
        printed = running.communicate()[0]
    assert running.returncode == 0
    assert f"Update on the branch {BRANCH}? [y/N]" in printed
    assert made.git("branch", "--show-current").strip() == branch


def test_without_a_terminal_it_shows_and_changes_nothing(made: Made) -> None:
    before = state(made.folder)
    completed = exemplar(made.folder, "update")
    fixable(completed, "--yes")
    assert "ruff.toml" in completed.stdout
    assert state(made.folder) == before


def test_check_answers_in_one_line_and_by_exit_code(made: Made, tmp_path: Path) -> None:
    outdated = exemplar(tmp_path, "update", "--check", made.folder)
    assert (outdated.returncode, len(outdated.stdout.splitlines())) == (1, 1)
    assert "0.1.0 -> 0.2.0, 1 behind" in outdated.stdout
    (made.folder / "untracked.txt").touch()  # looking is allowed at any time
    assert exemplar(made.folder, "update", "--check").returncode == 1
    (made.folder / "untracked.txt").unlink()
    assert exemplar(made.folder, "update", "--yes").returncode == 0
    current = exemplar(made.folder, "update", "--check")
    assert (current.returncode, current.stdout) == (0, "Up to date: 0.2.0.\n")
    shutil.rmtree(made.template)
    fixable(exemplar(made.folder, "update", "--check"), str(made.template), "_src_path")


def test_without_tags_the_versions_of_the_history_count(made: Made) -> None:
    git(made.template, "tag", "--delete", "v0.1.0", "v0.2.0")
    checked = exemplar(made.folder, "update", "--check")
    assert (checked.returncode, "0.1.0 -> 0.2.0, 1 behind" in checked.stdout) == (1, True), checked
    completed = exemplar(made.folder, "update", "--yes")
    assert completed.returncode == 0, completed
    stands(made)
    assert f"_src_path: {made.template}\n" in made.read(".copier-answers.yml")


def test_a_version_that_is_a_commit_has_a_release(made: Made) -> None:
    first = git(made.template, "rev-parse", "v0.1.0").strip()
    assert find_standing(str(made.template), first[:9]) == Standing("0.1.0", "0.2.0", 1)
    assert find_standing(str(made.template), "v0.1.0-3-gabc1234") == Standing("0.1.0", "0.2.0", 1)


def test_releases_that_landed_without_a_tag_are_tagged(made: Made) -> None:
    tags = git(made.template, "tag", "--delete", "v0.2.0")
    completed = exemplar(made.folder, "release", "--tags", "--template", made.template)
    assert completed.stdout.startswith("v0.2.0 is "), completed
    assert git(made.template, "tag").split() == ["v0.1.0", "v0.2.0"], tags
    again = exemplar(made.folder, "release", "--tags", "--template", made.template)
    assert again.stdout == "Every release has its tag.\n"


def test_a_second_call_has_nothing_to_do(made: Made) -> None:
    assert exemplar(made.folder, "update", "--yes").returncode == 0
    completed = exemplar(made.folder, "update", "--yes")
    assert (completed.returncode, completed.stdout) == (0, "Up to date: v0.2.0.\n")


def test_a_red_fast_lane_is_exit_code_1_and_leaves_the_branch_to_fix(
    made: Made, tmp_path: Path
) -> None:
    uv = script(tmp_path / "bin/uv", '[ "$1" != run ] || { echo "1 failed"; exit 1; }')
    completed = exemplar(made.folder, "update", "--yes", UV=str(uv))
    assert completed.returncode == 1
    assert "1 failed" in completed.stdout
    assert "git switch -" in completed.stdout
    stands(made)


def test_the_fast_lane_is_that_of_the_project(made: Made, tmp_path: Path) -> None:
    uv = script(tmp_path / "bin/uv", f'echo "$PWD: $@" >> {tmp_path}/called')
    assert exemplar(made.folder, "update", "--yes", UV=str(uv)).returncode == 0
    assert (tmp_path / "called").read_text().splitlines() == [
        f"{made.folder}: sync --quiet",
        f"{made.folder}: run --no-sync pytest -m not everything",
    ]


def test_a_lock_file_that_git_keeps_is_part_of_the_commit(made: Made, tmp_path: Path) -> None:
    (made.folder / "uv.lock").write_text("old\n")
    made.save()
    uv = script(tmp_path / "bin/uv", "echo new > uv.lock")
    assert exemplar(made.folder, "update", "--yes", UV=str(uv)).returncode == 0
    stands(made)
    assert made.git("show", "HEAD:uv.lock") == "new\n"
    assert made.git("rev-list", "--count", "main..HEAD").strip() == "1"


# --- No edit is lost ---------------------------------------------------------------------------


def test_the_same_lines_are_refused_and_the_edit_is_shown(made: Made) -> None:
    made.edit("ruff.toml", "line 5\n", "line 5 of the team\n")
    made.save()
    before = state(made.folder)
    completed = exemplar(made.folder, "update", "--yes")
    fixable(completed, "ruff.toml: edited by you and by the template", "+line 5 of the team")
    assert state(made.folder) == before


def test_a_binary_that_only_the_team_changed_is_kept(made: Made) -> None:
    logo = made.folder / "tests/system/logo.png"
    logo.write_bytes(b"\0ours")
    made.save()
    completed = exemplar(made.folder, "update", "--yes")
    assert completed.returncode == 0, completed
    assert "plain copier update would lose it)\n  tests/system/logo.png" in completed.stdout
    assert logo.read_bytes() == b"\0ours"


def test_a_binary_that_both_changed_is_refused(made: Made) -> None:
    (made.folder / "tests/system/logo.png").write_bytes(b"\0ours")
    made.save()
    (made.template / LOGO_PATH).write_bytes(b"\0theirs")
    release(made.template, "0.3.0")
    before = state(made.folder)
    fixable(exemplar(made.folder, "update", "--yes"), "tests/system/logo.png")
    assert state(made.folder) == before


def rename(template: Path, *, retire: bool = False) -> None:
    """Release 0.3.0: pytest.ini has another name."""
    git(template, "mv", "template/pytest.ini", "template/tests.ini")
    if retire:
        edit(
            template / "copier.yml",
            "{% if _copier_operation == 'update' %}\n    {% endif %}",
            "{% if _copier_operation == 'update' %}\n    /pytest.ini\n    {% endif %}",
        )
    release(template, "0.3.0")


def test_a_file_that_the_template_renamed_takes_no_edit_with_it(made: Made) -> None:
    made.edit("pytest.ini", "line 9\n", "line 9 of the team\n")
    made.save()
    rename(made.template)
    before = state(made.folder)
    completed = exemplar(made.folder, "update", "--yes")
    fixable(completed, "pytest.ini: edited by you, and dropped or renamed", "+line 9 of the team")
    assert state(made.folder) == before


def test_a_retired_file_with_an_edit_is_the_teams_from_then_on(made: Made) -> None:
    made.edit("pytest.ini", "line 9\n", "line 9 of the team\n")
    made.save()
    rename(made.template, retire=True)
    completed = exemplar(made.folder, "update", "--yes")
    assert completed.returncode == 0, completed
    assert "edited by you)\n  pytest.ini" in completed.stdout
    assert "line 9 of the team\n" in made.read("pytest.ini")
    assert (made.folder / "tests.ini").exists()


@pytest.mark.parametrize("retire", [True, False])
def test_a_dropped_file_without_an_edit_goes(made: Made, retire: bool) -> None:
    rename(made.template, retire=retire)
    completed = exemplar(made.folder, "update", "--yes")
    assert completed.returncode == 0, completed
    assert "not edited by you)\n  pytest.ini" in completed.stdout
    assert not (made.folder / "pytest.ini").exists()
    assert (made.folder / "tests.ini").exists()


def test_what_the_team_deleted_stays_deleted(made: Made) -> None:
    (made.folder / "dvc.yaml").unlink()
    (made.folder / "docs/team.md").unlink()
    made.save()
    completed = exemplar(made.folder, "update", "--yes")
    assert completed.returncode == 0, completed
    assert "Stay deleted (changed by the template)\n  dvc.yaml" in completed.stdout
    assert not (made.folder / "dvc.yaml").exists()
    assert not (made.folder / "docs/team.md").exists()


def test_a_file_that_both_added_is_refused(made: Made) -> None:
    (made.folder / "src/churn/delivery/monitor.py").write_text('"""Ours."""\n')
    made.save()
    before = state(made.folder)
    fixable(exemplar(made.folder, "update", "--yes"), "src/churn/delivery/monitor.py", "Ours.")
    assert state(made.folder) == before


def test_a_folder_in_the_place_of_a_new_file_is_refused(made: Made) -> None:
    folder = made.folder / "src/churn/delivery/monitor.py"
    folder.mkdir()
    (folder / "mine.py").touch()
    made.save()
    before = state(made.folder)
    fixable(exemplar(made.folder, "update", "--yes"), "monitor.py")
    assert state(made.folder) == before


def test_an_ignored_file_in_the_place_of_a_new_one_is_not_overwritten(made: Made) -> None:
    (made.template / "template/access.log").write_text("the template's\n")
    git(made.template, "add", "--force", "template/access.log")
    release(made.template, "0.3.0")
    (made.folder / "access.log").write_text("ours\n")
    before = state(made.folder)
    fixable(exemplar(made.folder, "update", "--yes"), "access.log", "git does not keep")
    assert state(made.folder) == before


def test_a_release_that_cannot_be_rendered_is_told_without_a_traceback(made: Made) -> None:
    (made.template / "template/broken.md.jinja").write_text("{{ nobody_knows }}")
    release(made.template, "0.3.0")
    before = state(made.folder)
    fixable(exemplar(made.folder, "update", "--yes"), "nobody_knows")
    assert state(made.folder) == before


def test_a_file_that_both_changed_alike_is_no_conflict(made: Made) -> None:
    made.edit("dvc.yaml", "line 5\n", "line 5 of 0.2.0\n")
    made.save()
    assert exemplar(made.folder, "update", "--yes").returncode == 0
    stands(made)


def test_a_program_that_the_team_made_one_stays_one(made: Made) -> None:
    (made.folder / "ruff.toml").chmod(0o755)
    made.save()
    assert exemplar(made.folder, "update", "--yes").returncode == 0
    stands(made)
    assert os.access(made.folder / "ruff.toml", os.X_OK)


# --- Answers -----------------------------------------------------------------------------------


def test_an_answer_that_is_no_longer_possible_is_said_to_be_reset(tmp_path: Path) -> None:
    template = template_at(tmp_path / "template")
    made = project_at(tmp_path / "churn", template, storage="gcs")
    project = made.folder
    edit(template / "copier.yml", '    "gcs: Google Cloud Storage": gcs\n', "")
    questions = "project_summary:\n"
    edit(template / "copier.yml", questions, f"colour:\n  default: blue\n\n{questions}")
    second(template)
    completed = exemplar(project, "update", "--yes")
    assert completed.returncode == 0, completed
    assert "storage: 'gcs' is no longer possible, reset to its default 'local'" in completed.stdout
    assert "colour: a new question, answered with its default 'blue'" in completed.stdout
    assert "# kept at local\n" in made.read("dvc.yaml")


def test_the_files_follow_an_answer_that_was_changed_by_hand(made: Made) -> None:
    made.edit(".copier-answers.yml", "storage: local", "storage: s3")
    made.save()
    completed = exemplar(made.folder, "update", "--yes")
    assert completed.returncode == 0, completed
    assert (
        "storage: changed from 'local' to 's3' since; the files are rendered with the new answer"
        in completed.stdout
    )
    stands(made)
    assert "# kept at s3\n" in made.read("dvc.yaml")
    assert "storage: s3\n" in made.read(".copier-answers.yml")


def test_an_answer_that_copier_was_given_anew_is_no_update(made: Made) -> None:
    anew = {"storage": "s3", "storage_url": "s3://bucket/churn"}
    copier.run_update(
        made.folder, anew, vcs_ref=copier.VcsRef.CURRENT, defaults=True, overwrite=True, quiet=True
    )
    made.save()
    made.git("-C", str(made.template), "tag", "--delete", "v0.2.0")
    completed = exemplar(made.folder, "update", "--yes")
    assert (completed.returncode, completed.stdout) == (0, "Up to date: v0.1.0.\n")


ANSWERS_BROKEN: dict[str, tuple[Callable[[str], str], list[str]]] = {
    "not YAML": (lambda text: text + "\n: {", ["no such YAML", "git checkout", "--"]),
    "empty": (lambda _: "", ["no such YAML", "git checkout"]),
    "a key that is no text": (lambda text: text + "1: x\n", ["the key 1, which is no text"]),
    "an impossible date": (lambda text: text + "day: 2027-02-30\n", ["day is out of range"]),
    "no version": (lambda text: text.replace("_commit", "commit"), ["no _commit", "git checkout"]),
    "relative": (lambda text: text.replace("_src_path: /", "_src_path: "), ["which is relative"]),
    "gone": (lambda text: text.replace("/template", "/nowhere"), ["no such folder", "_src_path"]),
    "unknown version": (lambda text: text.replace("v0.1.0", "v7.0.0"), ["v7.0.0", "found"]),
    "refused answer": (lambda text: text.replace(": local", ": tape"), ["tape", "accepts"]),
}  # fmt: skip


@pytest.mark.parametrize("how", ANSWERS_BROKEN)
def test_answers_that_cannot_be_used_are_named_and_nothing_changes(made: Made, how: str) -> None:
    breaks, words = ANSWERS_BROKEN[how]
    answers = made.folder / ".copier-answers.yml"
    text = answers.read_text()
    assert breaks(text) != text
    answers.write_text(breaks(text))
    made.save()
    before = state(made.folder)
    fixable(exemplar(made.folder, "update", "--yes"), *words)
    assert state(made.folder) == before


def test_a_template_that_moved_is_followed(made: Made) -> None:
    moved = made.template.with_name("moved")
    made.template.rename(moved)
    before = state(made.folder)
    fixable(exemplar(made.folder, "update", "--yes"), "no such folder", "_src_path")
    assert state(made.folder) == before
    made.edit(
        ".copier-answers.yml", f"_src_path: {made.template}", f"_src_path: file://{moved}/.git"
    )
    made.save()
    completed = exemplar(made.folder, "update", "--yes")
    assert completed.returncode == 0, completed.stderr
    stands(made)


def test_a_template_that_asks_for_trust_is_refused(made: Made) -> None:
    with (made.template / "copier.yml").open("a") as file:
        file.write("\n_tasks: ['touch /tmp/never']\n")
    release(made.template, "0.3.0")
    before = state(made.folder)
    fixable(exemplar(made.folder, "update", "--yes"), "expected nothing that needs trust", "tasks")
    assert state(made.folder) == before


# --- Where and when it may begin ---------------------------------------------------------------


def test_a_detached_head_is_left_and_found_again(made: Made) -> None:
    made.git("checkout", "--quiet", "--detach")
    before = state(made.folder)
    broken = exemplar(made.folder, "update", "--yes", UV=str(shutil.which("false")))
    fixable(broken, "packages", "Back on a detached HEAD")
    assert state(made.folder) == before
    assert exemplar(made.folder, "update", "--yes").returncode == 0
    stands(made)


def test_a_shallow_clone_is_updated_too(made: Made, tmp_path: Path) -> None:
    shallow = tmp_path / "shallow/churn"
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{made.folder}", str(shallow))
    assert exemplar(shallow, "update", "--yes").returncode == 0
    stands(Made(shallow, made.template))


def test_a_project_in_a_larger_repository_touches_nothing_else(tmp_path: Path) -> None:
    template = template_at(tmp_path / "template")
    top = tmp_path / "monorepo"
    for name in ("README.md", "ruff.toml", "other/src/churn/delivery/check.py"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text("of the neighbours\n")
    made = project_at(top / "models/churn", template, repository=top)
    second(template)
    made.edit("ruff.toml", "line 20\n", "line 20 of the team\n")
    save(top)
    (top / "other/at work.txt").write_text("not committed\n")
    completed = exemplar(made.folder, "update", "--yes")
    assert completed.returncode == 0, completed
    changed = git(top, "diff", "--name-only", "main", "HEAD").split()
    assert changed
    assert all(name.startswith("models/churn/") for name in changed)
    assert git(top, "status", "--porcelain", "--untracked-files=all") == '?? "other/at work.txt"\n'
    assert "line 5 of 0.2.0\n" in made.read("ruff.toml")
    assert "line 20 of the team\n" in made.read("ruff.toml")


def half_merged(made: Made) -> None:
    made.git("switch", "--quiet", "--create", "side", "HEAD^")
    made.edit("pytest.ini", "line 9\n", "line 9 of a branch\n")
    made.save()
    made.git("switch", "--quiet", "main")
    made.git("merge", "--quiet", "--no-commit", "--no-ff", "side")


def markers(made: Made) -> None:
    text = "<<<<<<< before updating\nline 9\n=======\n>>>>>>> after updating\n"
    made.edit("pytest.ini", "line 9\n", text)
    made.save()


def rejected(made: Made) -> None:
    (made.folder / "pytest.ini.rej").write_text("@@ -1 +1 @@\n")
    made.save()


def dirty(made: Made) -> None:
    made.edit("pytest.ini", "line 9\n", "line 9 at work\n")


def untracked(made: Made) -> None:
    (made.folder / "at work.py").touch()


def branch_there(made: Made) -> None:
    made.git("branch", BRANCH)


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (half_merged, ["merge that is not finished", "git merge --abort"]),
        (markers, ["conflict markers", "pytest.ini"]),
        (rejected, ["pytest.ini.rej"]),
        (dirty, ["everything committed", "pytest.ini"]),
        (untracked, ["everything committed", "at work.py"]),
        (branch_there, [BRANCH, "git branch -D"]),
    ],
)
def test_it_does_not_begin_on_top_of_something_unfinished(
    made: Made, prepare: Callable[[Made], None], words: list[str]
) -> None:
    prepare(made)
    before = state(made.folder)
    fixable(exemplar(made.folder, "update", "--yes"), *words)
    assert state(made.folder) == before


def test_a_folder_without_a_project_is_told_so(tmp_path: Path) -> None:
    fixable(exemplar(tmp_path, "update"), ".copier-answers.yml", "exemplar update PATH")
    (tmp_path / ".copier-answers.yml").touch()
    fixable(exemplar(tmp_path, "update"), "git repository with a commit")


def test_somebody_whom_git_does_not_know_is_told_before_anything_happens(made: Made) -> None:
    nobody = dict.fromkeys(SOMEONE, "")
    fixable(exemplar(made.folder, "update", "--yes", **nobody), "who commits", "user.name")


# --- Stopped on the way ------------------------------------------------------------------------

GIT_STEPS = {
    "rendering": " ls-remote ",
    "copying": " commit-tree ",
    "branching": " update-ref refs/heads/template-update",
    "switching": " switch ",
}
UV_STEPS = ["sync", "run"]


def stopper(folder: Path, program: str, words: str, sign: str, *, after: bool) -> dict[str, str]:
    """Surroundings in which the command gets a signal when it calls a program with these words."""
    real = GIT if program == "git" else "true"
    hit = f"kill -{sign} $PPID; sleep 0.1; [ {sign} = INT ] && [ {real} = true ] && sleep 5"
    do = f'{real} "$@"; {hit}; exit 0' if after else f"{hit}"
    text = f'case " $* " in *"{words}"*) {do};; esac\nexec {real} "$@"'
    path = script(folder / "bin" / program, text)
    if program == "uv":
        return {"UV": str(path)}
    return {"PATH": f"{path.parent}{os.pathsep}{os.environ['PATH']}"}


STOPS = [
    *(("git", words, False) for words in GIT_STEPS.values()),
    *(("git", GIT_STEPS[name], True) for name in ("branching", "switching")),
    *(("uv", f" {word} ", False) for word in UV_STEPS),
]


@pytest.mark.parametrize(
    ("program", "words", "after"), STOPS, ids=[f"{w.strip()}-{a}" for _, w, a in STOPS]
)
@pytest.mark.parametrize("sign", ["INT", "KILL"])
def test_stopped_at_any_step_it_is_back_where_it_was(
    made: Made, tmp_path: Path, program: str, words: str, after: bool, sign: str
) -> None:
    before = state(made.folder)
    completed = exemplar(
        made.folder, "update", "--yes", **stopper(tmp_path, program, words, sign, after=after)
    )
    if sign == "KILL":
        assert completed.returncode == -signal.SIGKILL
        wait_for_nobody(made.folder)
        (made.folder / "at work.txt").touch()
        fixable(exemplar(made.folder, "update"), "at work.txt")  # restored before that is found
        (made.folder / "at work.txt").unlink()
    else:
        assert completed.returncode == 2, completed
        assert "Stopped" in completed.stderr
        assert "Traceback" not in completed.stderr
    assert state(made.folder) == before


def wait_for_nobody(folder: Path) -> None:
    """Wait until no process works in a folder; fail after a while."""
    for _ in range(100):
        links = Path("/proc").glob("[0-9]*/cwd")
        if not any(link.exists() and link.samefile(folder) for link in links):
            return
        time.sleep(0.1)
    raise AssertionError("a killed update has left a process")


def test_copiers_process_ends_with_an_update_that_is_killed(made: Made, tmp_path: Path) -> None:
    before = state(made.folder)
    first = 'kill -KILL "$(cut -d " " -f 4 /proc/$PPID/stat)"'  # of its process, the one above
    text = f'case " $* " in *" write-tree "*) {first};; esac\nexec {GIT} "$@"'
    bin_folder = script(tmp_path / "bin/git", text).parent
    with subprocess.Popen(
        [EXEMPLAR, "update", "--yes"],
        cwd=made.folder,
        env=surroundings(PATH=f"{bin_folder}{os.pathsep}{os.environ['PATH']}"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            assert process.wait(60) == -signal.SIGKILL
            assert is_gone(process.pid), "a killed update has left a process"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert state(made.folder) == before


def is_gone(group: int) -> bool:
    """Whether a group of processes has ended, or does so within seconds."""
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_the_commit_of_an_update_is_signed_where_the_team_signs(made: Made, tmp_path: Path) -> None:
    key = tmp_path / "key"
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    assert subprocess.run(words, check=False).returncode == 0
    for name, value in (("gpg.format", "ssh"), ("user.signingKey", key), ("commit.gpgSign", True)):
        made.git("config", name, str(value))
    completed = exemplar(made.folder, "update", "--yes")
    assert completed.returncode == 0, completed
    stands(made)
    assert "BEGIN SSH SIGNATURE" in made.git("cat-file", "commit", "HEAD")


def test_copier_alone_killed_is_told_and_changes_nothing(made: Made, tmp_path: Path) -> None:
    before = state(made.folder)
    stop = stopper(tmp_path, "git", " write-tree ", "KILL", after=False)  # Copier's first
    fixable(exemplar(made.folder, "update", "--yes", **stop), "Copier was stopped")
    assert state(made.folder) == before


def killed(made: Made, tmp_path: Path) -> None:
    """Kill an update while its tests run."""
    completed = exemplar(
        made.folder, "update", "--yes", **stopper(tmp_path, "uv", " run ", "KILL", after=False)
    )
    assert completed.returncode == -signal.SIGKILL


def test_what_was_written_after_a_kill_is_not_overwritten(made: Made, tmp_path: Path) -> None:
    killed(made, tmp_path)
    made.edit("ruff.toml", "line 25\n", "line 25 written since\n")
    before = state(made.folder)
    fixable(exemplar(made.folder, "update", "--yes"), "edited since: ruff.toml")
    assert state(made.folder) == before


def test_who_went_on_after_a_kill_is_left_alone(made: Made, tmp_path: Path) -> None:
    killed(made, tmp_path)
    made.edit("ruff.toml", "line 25\n", "line 25 written since\n")
    made.save()
    completed = exemplar(made.folder, "update", "--yes")
    assert (completed.returncode, completed.stdout) == (0, "Up to date: v0.2.0.\n")
    stands(made)


def test_of_two_updates_at_once_one_says_no(made: Made, tmp_path: Path) -> None:
    wait = f"touch {tmp_path}/at; while ! [ -e {tmp_path}/go ]; do sleep 0.05; done"
    uv = script(tmp_path / "bin/uv", wait)
    with subprocess.Popen(
        [EXEMPLAR, "update", "--yes"], cwd=made.folder, env=surroundings(UV=str(uv)),
        stdout=subprocess.DEVNULL,
    ) as first:  # fmt: skip
        while not (tmp_path / "at").exists():
            time.sleep(0.05)
        fixable(exemplar(made.folder, "update", "--yes"), "no other update at work")
        (tmp_path / "go").touch()
    assert first.returncode == 0
    stands(made)


def test_packages_that_cannot_be_had_undo_the_update(made: Made, tmp_path: Path) -> None:
    uv = script(tmp_path / "bin/uv", 'echo "error: no such version" >&2; echo > uv.lock; exit 1')
    before = state(made.folder)
    fixable(exemplar(made.folder, "update", "--yes", UV=str(uv)), "no such version")
    assert state(made.folder) == before


# --- Adopting ----------------------------------------------------------------------------------


def test_adopt_merges_what_changed_in_the_teams_files_and_commits_nothing(made: Made) -> None:
    made.edit("docs/team.md", "line 20\n", "line 20 of the team\n")
    made.save()
    completed = exemplar(made.folder, "update", "--yes", "--adopt")
    assert completed.returncode == 0, completed
    assert "docs/team.md: merged with yours" in completed.stdout
    assert made.git("status", "--porcelain") == " M docs/team.md\n"
    text = made.read("docs/team.md")
    assert "line 5 of 0.2.0\n" in text
    assert "line 20 of the team\n" in text


def test_adopt_shows_a_conflict_where_both_changed_a_line(made: Made) -> None:
    made.edit("docs/team.md", "line 5\n", "line 5 of the team\n")
    made.save()
    assert exemplar(made.folder, "update", "--yes").returncode == 0
    completed = exemplar(made.folder, "update", "--yes", "--adopt")  # later, from the history
    assert "docs/team.md: CONFLICT" in completed.stdout
    assert "<<<<<<< yours\nline 5 of the team\n" in made.read("docs/team.md")
    assert "line 5 of 0.2.0\n>>>>>>> template v0.2.0\n" in made.read("docs/team.md")


def test_adopt_adds_what_is_new_and_leaves_what_is_gone(made: Made) -> None:
    (made.template / "template/docs/glossary.md").write_text("Words.\n")
    git(made.template, "rm", "--quiet", "template/docs/team.md")
    release(made.template, "0.3.0")
    completed = exemplar(made.folder, "update", "--yes", "--adopt")
    assert "docs/glossary.md: added" in completed.stdout
    assert "docs/team.md: gone upstream; yours stays" in completed.stdout
    assert made.git("status", "--porcelain") == "?? docs/glossary.md\n"


# --- The page ----------------------------------------------------------------------------------


def test_the_commands_of_the_page_run(made: Made, tmp_path: Path) -> None:
    """`docs/lead/update.md`, from a clone of a template beside a project."""
    script(tmp_path / "bin/uv", 'shift; exec "$@"')  # `uv run`, in the environment of this test
    path = os.pathsep.join([str(tmp_path / "bin"), str(EXEMPLAR.parent), os.environ["PATH"]])
    page = (ROOT / "docs/lead/update.md").read_text(encoding="utf-8")
    codes = [
        subprocess.run(
            ["bash", "-c", block.text], cwd=made.template, env=surroundings(PATH=path), check=False
        ).returncode
        for block in blocks(page)
        if block.language == "bash"
    ]
    assert codes == [1, 0, 0], "there is an update; done; adopted"
    assert made.git("status", "--porcelain") == " M docs/team.md\n"


# --- The real template -------------------------------------------------------------------------


def test_the_real_template_is_updated(
    tmp_path: Path,
) -> None:
    source = tmp_path / "whole"
    source.mkdir()
    released(ROOT, source, "v9999")
    folder = tmp_path / "churn"
    copier.run_copy(str(source), folder, defaults=True, quiet=True, unsafe=False)
    git(folder, "init", "--quiet", "-b", "main")
    (folder / "dvc.yaml").write_text((folder / "dvc.yaml").read_text() + "\n# ours\n")
    save(folder)
    for name in ("pytest.ini", "README.md.jinja"):
        with (source / "template" / name).open("a") as file:
            file.write("# of the next release\n")
    save(source)
    git(source, "tag", "v9999.1")
    completed = exemplar(folder, "update", "--yes")
    assert completed.returncode == 0, completed
    assert git(folder, "diff", "--name-only", "main").split() == [
        ".copier-answers.yml",
        "pytest.ini",
    ]
    assert git(folder, "status", "--porcelain") == ""
