"""A file that the template renames, splits or merges takes a team's edits with it, or the update
does not happen; under plain `copier update` nothing is lost either.

The small template's modules are numbered lines, one changed by the move, as imports are.
"""

import json
import os
import re
import runpy
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import copier
import pytest

from exemplar.merging import REFUSALS
from exemplar.moving import carry_edits, find_parts
from exemplar.rendering import Entry

from ..conftest import ROOT
from ..made import git
from .small import (
    DELIVERY,
    NUMBERED,
    Made,
    edit,
    exemplar,
    fixable,
    project_at,
    release,
    save,
    state,
    state_moves,
    template_at,
)

LABELS = ("yours", "before", "after")
FIRST, SECOND = NUMBERED[: NUMBERED.index("line 16\n")], NUMBERED[NUMBERED.index("line 16\n") :]
BINARY = b"\0" + NUMBERED.encode()


def text(content: str) -> Entry:
    return Entry("file", content.encode())


def replaced(content: str, line: int, replacement: str) -> str:
    """With another line in place of one: a test must not rot into changing nothing."""
    assert content.count(f"line {line}\n") == 1
    return content.replace(f"line {line}\n", f"{replacement}\n")


# --- Each kind of edit, on each kind of move ------------------------------------------------------


class Kind(NamedTuple):
    """A kind of move: `old` and `new` release by path. Line 5 is changed by all of them."""

    moves: dict[str, list[str]]
    old: dict[str, Entry]
    new: dict[str, Entry]


OLD, OTHER, NEW, PART = "old.py", "other.py", "new.py", "part.py"
MOVED = replaced(NUMBERED, 5, "line 5 of the release")
KINDS = {
    "moved": Kind({OLD: [NEW]}, {OLD: text(NUMBERED)}, {NEW: text(MOVED)}),
    "split": Kind(
        {OLD: [NEW, PART]},
        {OLD: text(NUMBERED)},
        {NEW: text(replaced(FIRST, 5, "line 5 of the release")), PART: text(SECOND)},
    ),
    "split, a part stays": Kind(
        {OLD: [NEW, OLD]},
        {OLD: text(NUMBERED)},
        {NEW: text(replaced(FIRST, 5, "line 5 of the release")), OLD: text(SECOND)},
    ),
    "merged": Kind(
        {OLD: [NEW], OTHER: [NEW]},
        {OLD: text(NUMBERED), OTHER: text("another\n" * 9)},
        {NEW: text(MOVED + "\n\n\n" + "another\n" * 9)},
    ),
    "merged into one that was there": Kind(
        {OLD: [NEW]},
        {OLD: text(NUMBERED), NEW: text("another\n" * 9)},
        {NEW: text("another\n" * 9 + "\n\n\n" + MOVED)},
    ),
}


class Outcome(NamedTuple):
    """What is at the paths of a project afterwards, and the refused paths."""

    files: dict[str, Entry]
    refused: list[str]


def update(kind: Kind, ours: Mapping[str, Entry]) -> Outcome:
    carried = carry_edits(ours, kind.old, kind.new, kind.moves, LABELS)
    assert set(carried.outcomes) >= {*kind.moves, *kind.new}
    files = {path: outcome.entry for path, outcome in carried.outcomes.items()}
    return Outcome(
        {path: entry for path, entry in files.items() if entry is not None},
        [path for path, outcome in carried.outcomes.items() if outcome.fate in REFUSALS],
    )


every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@every_kind
def test_without_an_edit_the_files_are_those_of_the_release(kind: Kind) -> None:
    assert update(kind, kind.old) == Outcome(kind.new, [])


@every_kind
@pytest.mark.parametrize("line", [12, 25])
def test_an_edit_of_other_lines_goes_to_where_these_lines_are(kind: Kind, line: int) -> None:
    ours = {**kind.old, OLD: text(replaced(NUMBERED, line, "ours"))}
    words = f"line {line}\n".encode()
    expected = {
        path: Entry("file", entry.content.replace(words, b"ours\n"))
        for path, entry in kind.new.items()
    }
    assert expected != kind.new
    assert update(kind, ours) == Outcome(expected, [])


@every_kind
def test_an_edit_of_the_same_lines_is_refused(kind: Kind) -> None:
    ours = {**kind.old, OLD: text(replaced(NUMBERED, 5, "line 5 of ours"))}
    outcome = update(kind, ours)
    assert outcome.refused == [OLD]
    assert outcome.files[OLD] == ours[OLD]


@every_kind
def test_what_was_deleted_stays_deleted_unless_it_is_half_of_a_file(kind: Kind) -> None:
    ours = {path: entry for path, entry in kind.old.items() if path != OLD}
    assert update(kind, ours) == Outcome(kind.new if ours else {}, [])


@every_kind
def test_a_program_stays_one_where_it_is_clear_which(kind: Kind) -> None:
    ours = {**kind.old, OLD: Entry("program", NUMBERED.encode())}
    outcome = update(kind, ours)
    if len(kind.moves[OLD]) == 1:
        assert outcome == Outcome({NEW: kind.new[NEW]._replace(kind="program")}, [])
    else:
        assert outcome.refused == [OLD]


@every_kind
def test_a_binary_in_its_place_is_never_merged(kind: Kind) -> None:
    outcome = update(kind, {**kind.old, OLD: Entry("file", BINARY)})
    assert outcome.refused == [OLD]
    assert outcome.files[OLD].content == BINARY


@pytest.mark.parametrize(
    ("moves", "new"), [({OLD: [NEW]}, [NEW]), ({OLD: [NEW, PART]}, [NEW, PART])]
)
def test_a_binary_that_the_move_left_alone_is_taken_along(
    moves: dict[str, list[str]], new: list[str]
) -> None:
    """Where it has parts, only one can be what it was."""
    logo, part = Entry("file", b"\0logo"), Entry("file", b"\0part")
    after = dict(zip(new, (logo, part), strict=False))
    ours = Entry("file", b"\0ours")
    outcome = update(Kind(moves, {OLD: logo}, after), {OLD: ours})
    assert outcome == Outcome({**after, NEW: ours}, [])


def test_an_edit_that_belongs_into_both_parts_is_refused() -> None:
    split = KINDS["split"]
    ours = text(replaced(replaced(NUMBERED, 12, "ours"), 25, "ours"))
    assert update(split, {OLD: ours}).refused == [OLD]


def test_an_edit_that_fits_both_parts_is_refused() -> None:
    """A licence, say, that stands above each of them."""
    head = "line 1\nline 2\nline 3\n"
    kind = KINDS["split"]._replace(new={NEW: text(FIRST), PART: text(head + SECOND)})
    assert update(kind, {OLD: text(replaced(NUMBERED, 2, "ours"))}).refused == [OLD]


def test_edits_of_both_files_meet_in_the_merged_one() -> None:
    merged = KINDS["merged"]
    ours = {
        OLD: text(replaced(NUMBERED, 12, "ours")),
        OTHER: text("another\n" * 9 + "ours too\n"),
    }
    outcome = update(merged, ours)
    assert outcome.refused == []
    content = outcome.files[NEW].content.decode()
    assert "\nours\n" in content
    assert content.endswith("another\nours too\n")


def test_a_file_of_the_teams_at_the_new_path_is_refused() -> None:
    moved = KINDS["moved"]
    outcome = update(moved, {**moved.old, NEW: text("Ours.\n")})
    assert outcome.refused == [NEW]
    assert b"Ours." in outcome.files[NEW].content


# --- Moves of many releases -----------------------------------------------------------------------


def test_a_file_that_moved_twice_is_found_where_it_is_now() -> None:
    moves = {"a": ["b"], "b": ["c", "d"], "d": ["e"]}
    after = dict.fromkeys(["c", "e"], text(""))
    assert find_parts("a", {"a": text("")}, after, moves) == ["c", "e"]
    assert find_parts("d", {"c": text(""), "d": text("")}, after, moves) == ["e"]


def test_a_split_whose_part_stayed_does_not_happen_twice() -> None:
    moves = {"a": ["b", "a"], "b": ["c"]}
    for behind in (["a", "b"], ["a", "c"]):
        before = dict.fromkeys(behind, text(""))
        assert find_parts("a", before, dict.fromkeys(["a", "c"], text("")), moves) == []


def test_a_file_whose_new_place_was_dropped_later_is_not_moved() -> None:
    assert find_parts("a", {"a": text("")}, {}, {"a": ["b"]}) == []


def test_moves_in_a_circle_end() -> None:
    assert find_parts("a", {"a": text("")}, {"b": text("")}, {"a": ["b"], "b": ["a"]}) == ["b"]


# --- The command, and plain Copier ----------------------------------------------------------------

CODE = "src/churn/delivery"
NAMES = ("untouched", "edited", "deleted", "program", "one", "whole")
STATED = {
    **{f"{CODE}/{name}.py": [f"{CODE}/room/{name}.py"] for name in NAMES[:4]},
    f"{CODE}/one.py": [f"{CODE}/room/merged.py"],
    f"{CODE}/whole.py": [f"{CODE}/room/first.py", f"{CODE}/room/second.py"],
    "tests/system/logo.png": ["tests/system/images/logo.png"],
}


@pytest.fixture(scope="module")
def second_day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Where a template with moves in 0.2.0 and an unedited project of 0.1.0 live, and a copy."""
    at, kept = tmp_path_factory.mktemp("at"), tmp_path_factory.mktemp("kept") / "at"
    template = template_at(at / "template")
    for name in NAMES:
        (template / DELIVERY / f"{name}.py").write_text(NUMBERED)
    git(template, "tag", "--delete", "v0.1.0")
    save(template)
    git(template, "tag", "v0.1.0")
    project_at(at / "churn", template)
    room = template / DELIVERY / "room"
    room.mkdir()
    for name in NAMES[:4]:
        git(template, "mv", f"{DELIVERY}/{name}.py", f"{DELIVERY}/room/{name}.py")
        edit(room / f"{name}.py", "line 5\n", "line 5 of 0.2.0\n")
    git(template, "mv", f"{DELIVERY}/one.py", f"{DELIVERY}/room/merged.py")
    edit(room / "merged.py", "line 30\n", "line 30\n\n\nmore\n")
    git(template, "rm", "--quiet", f"{DELIVERY}/whole.py")
    (room / "first.py").write_text(FIRST)
    (room / "second.py").write_text(SECOND)
    (template / "template/tests/system/images").mkdir()
    git(template, "mv", "template/tests/system/logo.png", "template/tests/system/images/logo.png")
    state_moves(template, STATED)
    old = {path: f"template/{path.replace('/churn/', '/{{package_name}}/')}" for path in STATED}
    contents = {path: [git(template, "rev-parse", f"v0.1.0:{old[path]}")[:12]] for path in STATED}
    ids = json.dumps(contents).replace("/churn/", "/{{ package_name }}/")
    (template / "blueprints/moved.json").write_text(ids)
    release(template, "0.2.0")
    shutil.copytree(at, kept, symlinks=True)
    return at, kept


@pytest.fixture
def made(second_day: tuple[Path, Path]) -> Made:
    """An unedited project of 0.1.0."""
    at, kept = second_day
    shutil.rmtree(at)
    shutil.copytree(kept, at, symlinks=True)
    return Made(at / "churn", at / "template")


def edit_everything(made: Made) -> None:
    """An edit of each kind that can be taken along."""
    for name, line in {"edited": 20, "one": 12, "whole": 25}.items():
        made.edit(f"{CODE}/{name}.py", f"line {line}\n", f"line {line} of the team\n")
    (made.folder / CODE / "deleted.py").unlink()
    (made.folder / CODE / "program.py").chmod(0o755)
    (made.folder / "tests/system/logo.png").write_bytes(b"\0ours")
    made.save()


def plain_update(made: Made) -> None:
    copier.run_update(made.folder, defaults=True, overwrite=True, quiet=True, unsafe=False)


def leftovers(made: Made) -> list[str]:
    hook = runpy.run_path(str(ROOT / DELIVERY / "checks/update_leftovers.py"))
    return list(hook["find_faults"](made.folder))


def test_every_edit_goes_to_its_new_place_and_the_old_one_is_gone(made: Made) -> None:
    edit_everything(made)
    completed = exemplar(made.folder, "update", "--yes")
    assert completed.returncode == 0, completed
    assert made.git("status", "--porcelain") == ""
    for name in NAMES:
        assert not (made.folder / CODE / f"{name}.py").exists()
    room = f"{CODE}/room"
    assert made.read(f"{room}/untouched.py") == replaced(NUMBERED, 5, "line 5 of 0.2.0")
    both = replaced(replaced(NUMBERED, 5, "line 5 of 0.2.0"), 20, "line 20 of the team")
    assert made.read(f"{room}/edited.py") == both
    assert (
        made.read(f"{room}/merged.py")
        == replaced(NUMBERED, 12, "line 12 of the team") + "\n\nmore\n"
    )
    assert made.read(f"{room}/first.py") == FIRST
    assert made.read(f"{room}/second.py") == replaced(SECOND, 25, "line 25 of the team")
    assert not (made.folder / room / "deleted.py").exists()
    assert os.access(made.folder / room / "program.py", os.X_OK)
    assert (made.folder / "tests/system/images/logo.png").read_bytes() == b"\0ours"
    assert leftovers(made) == []
    for words in (
        f"not edited by you)\n  {CODE}/untouched.py -> {room}/untouched.py\n",
        f"your edit (plain copier update would leave it behind)\n  {CODE}/edited.py -> ",
        f"  {CODE}/whole.py -> {room}/second.py\n",
    ):
        assert words in completed.stdout
    assert f"New\n  {room}" not in completed.stdout


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        ("edited", 5, [f"{CODE}/edited.py -> {CODE}/room/edited.py: ", "in the same place"]),
        ("whole", 16, [f"{CODE}/whole.py -> {CODE}/room/first.py or {CODE}/room/second.py: "]),
    ],
)
def test_an_edit_that_cannot_go_along_stops_the_update_and_is_shown(
    made: Made, name: str, line: int, words: list[str]
) -> None:
    made.edit(f"{CODE}/{name}.py", f"line {line - 1}\nline {line}\n", f"line {line} of the team\n")
    made.save()
    before = state(made.folder)
    completed = exemplar(made.folder, "update", "--yes")
    fixable(completed, *words, f"+line {line} of the team")
    assert state(made.folder) == before


def test_plain_copier_leaves_every_edit_where_it_was(made: Made) -> None:
    edit_everything(made)
    before = {path: (made.folder / path).read_bytes() for path in made.git("ls-files").split()}
    plain_update(made)
    for path in STATED:
        assert (made.folder / path).exists() == (path in before), path
        if path in before:
            assert (made.folder / path).read_bytes() == before[path]
    assert made.read(f"{CODE}/room/untouched.py") == replaced(NUMBERED, 5, "line 5 of 0.2.0")


def test_what_plain_copier_leaves_is_named_with_the_command_that_ends_it(made: Made) -> None:
    edit_everything(made)
    assert leftovers(made) == []
    plain_update(made)
    faults = {line.partition(": ")[0]: line for line in leftovers(made)}
    assert set(faults) == {
        str(made.folder / path)
        for path in (
            *(f"{CODE}/{name}.py" for name in ("edited", "program", "one", "whole")),
            "tests/system/logo.png",
            f"{CODE}/checks/moves.json",
        )
    }


def test_the_commands_that_it_names_end_it(made: Made) -> None:
    made.edit(f"{CODE}/whole.py", "line 25\n", "line 25 of the team\n")
    made.save()
    plain_update(made)
    for line in leftovers(made):
        *edits, ending = re.findall(r"git -C .*?(?= shows|$)", line)
        for command in edits:
            printed = subprocess.run(
                command, shell=True, capture_output=True, text=True, check=True
            )
            assert "+line 25 of the team" in printed.stdout
        subprocess.run(ending, shell=True, check=True)
    assert leftovers(made) == []
    assert made.git("ls-files", *STATED) == ""


def test_a_listing_in_conflict_is_no_traceback(made: Made) -> None:
    plain_update(made)
    listing = made.folder / CODE / "checks/moves.json"
    listing.write_text("<<<<<<< before updating\n" + listing.read_text())
    made.save()
    assert [line for line in leftovers(made) if "conflict marker" in line] == leftovers(made)
