"""`exemplar review`: what each check sees, what it is not taken in by, and that it runs nothing."""

import json
import re
import resource
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from exemplar.errors import Fixable
from exemplar.review import repo_review
from exemplar.review.families import FAMILIES
from exemplar.review.host import Host, read_host
from exemplar.review.reading import parse_yaml
from exemplar.review.report import Review, find_moves, review_snapshot, to_json
from exemplar.review.snapshot import Snapshot, take_snapshot

from ..made import EXEMPLAR, Repository, call, git
from . import miniatures
from .edits import TODAY, all_green, build, drop, edit, put, seal
from .mutations import MUTATIONS, RAISING

CODES = [f"{family.name} {n}" for family in FAMILIES for n, _ in enumerate(family.checks, 1)]
ABSENT = {"Data 3", "Model 2", "Model 3", "Model 4", "Monitor 7", "Engineering 10"}
THERE = {"Data 2", "Monitor 6", "Delivery 6", "People 6"}


def read_grades(review: Review) -> dict[str, float]:
    """The grade of each check."""
    return {
        result.code: result.finding.grade
        for results in review.results.values()
        for result in results
    }


def read_evidence(review: Review, code: str) -> str:
    """What a check shows."""
    results = review.results[code.partition(" ")[0]]
    (finding,) = (result.finding for result in results if result.code == code)
    return "\n".join(evidence.format() for evidence in finding.evidence)


@pytest.fixture(scope="module")
def host(real: Snapshot) -> Host:
    return all_green(real)


@pytest.fixture(scope="module")
def real_review(real: Snapshot, host: Host) -> Review:
    return review_snapshot(real, host=host)


def test_what_is_generated_is_ready_and_nothing_of_a_simulation_is_in_force(
    generated: Snapshot,
) -> None:
    review = review_snapshot(generated)
    grades = read_grades(review)
    assert {code for code, grade in grades.items() if grade == 0} == ABSENT
    assert {code for code, grade in grades.items() if grade == 0.25} == THERE
    assert set(grades.values()) == {0, 0.25, 0.5}
    assert review.is_simulated
    assert "simulated" in read_evidence(review, "Infra 4")
    assert "simulated" in read_evidence(review, "People 1")
    assert review.score.weakest == "Model"
    assert (review.score.ready, review.score.in_force) == (2.0, 0)
    assert review.score.unknown == 12


def test_real_rows_and_a_host_that_is_green_bring_practices_into_force(
    real_review: Review,
) -> None:
    in_force = {name: real_review.add_up(name).in_force for name in real_review.results}
    assert in_force == {
        "Data": 4,
        "Model": 4,
        "Infra": 5,
        "Monitor": 4,
        "Delivery": 5,
        "Engineering": 8,
        "People": 7,
    }
    assert real_review.score.in_force == 4


def test_every_check_has_a_mutation() -> None:
    assert list(MUTATIONS) == CODES


@pytest.mark.parametrize("code", CODES)
def test_a_mutation_changes_the_grade_and_the_sums_and_is_named(
    code: str, real: Snapshot, host: Host, real_review: Review
) -> None:
    # What the host says comes before what a file asks for.
    by_host = code != "Engineering 9"
    before = real_review if by_host else review_snapshot(real)
    after = review_snapshot(MUTATIONS[code](real), host=host if by_host else None)
    old, new = read_grades(before)[code], read_grades(after)[code]
    assert old < new if code in RAISING else new < old
    word = "higher" if code in RAISING else "lower"
    moves = find_moves({"repositories": [to_json(before)]}, after)
    assert any(line.startswith(f"{code} {word}") for line in moves), moves
    family = code.partition(" ")[0]
    sums = [(sum(each.add_up(family)[:2])) for each in (before, after)]
    assert sums[0] < sums[1] if code in RAISING else sums[1] < sums[0]


def test_a_stripped_repository_keeps_only_what_its_files_say(generated: Snapshot) -> None:
    bare = drop(generated, r"^(\.github|tests|reports|docs|deploy|\.pre-commit)")
    grades = read_grades(review_snapshot(bare))
    assert max(grades.values()) == 0.5
    assert {code for code, grade in grades.items() if grade == 0.5} == {
        *("People 2", "People 3", "People 7", "People 9"),
    }
    assert read_grades(review_snapshot(build({"a.py": "x = 1\n"}))) == dict.fromkeys(CODES, 0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "LOAN_DEFAULT",
            {
                "Data 6": 0.25,
                "Data 7": 0.5,
                "Model 1": 0.25,
                "Infra 1": 0.25,
                "Infra 4": 0.25,
                "Delivery 1": 0.25,
                "Engineering 1": 0.25,
                "Engineering 4": 0.5,
                "Engineering 8": 0.25,
                "People 9": 0.5,
            },
        ),
        (
            "MADE_WITH_ML",
            {
                "Data 1": 0.25,
                "Model 1": 0.25,
                "Model 3": 0.25,
                "Delivery 7": 0.25,
                "Engineering 1": 0.25,
                "Engineering 4": 0.25,
                "Engineering 6": 0.25,
                "Engineering 8": 0.25,
                "Engineering 10": 0.25,
                "People 9": 0.5,
            },
        ),
        (
            "LIGHTNING_HYDRA",
            {
                "Model 1": 0.25,
                "Model 3": 0.25,
                "Infra 1": 0.25,
                "Infra 2": 0.5,
                "Delivery 7": 0.25,
                "Engineering 2": 0.5,
                "Engineering 4": 0.5,
                "Engineering 6": 0.5,
                "Engineering 7": 0.5,
                "Engineering 8": 0.25,
                "People 9": 0.5,
            },
        ),
        (
            "GET_STARTED",
            {
                "Model 1": 0.25,
                "Infra 1": 0.5,
                "Delivery 4": 0.5,
                "Delivery 5": 0.25,
                "Delivery 6": 0.5,
                "Delivery 7": 0.5,
                "Engineering 8": 0.25,
                "People 9": 0.25,
            },
        ),
    ],
)
def test_public_repositories_in_miniature(name: str, expected: dict[str, float]) -> None:
    grades = read_grades(review_snapshot(build(getattr(miniatures, name))))
    assert {code: grade for code, grade in grades.items() if grade} == expected


def test_a_metric_test_that_scores_training_rows_is_named_and_does_not_count() -> None:
    mini = build(miniatures.LOAN_DEFAULT)
    assert "mostly training rows" in read_evidence(review_snapshot(mini), "Infra 4")
    fitted = edit(mini, "src/tests/test_model_metrics.py", "model = .*", "model = Model().fit(x)")
    assert read_grades(review_snapshot(fitted))["Infra 4"] == 0.5


def test_a_remote_on_the_same_disk_is_not_shared(real: Snapshot) -> None:
    for url in ("storage", "/mnt/shared", "../storage", "file:///data", "C:\\data"):
        local = put(real, {".dvc/config": f"['remote \"s\"']\n    url = {url}\n"})
        assert read_grades(review_snapshot(local))["Delivery 6"] == 0.25, url


def test_a_small_table_of_a_report_is_no_data_in_git(real: Snapshot) -> None:
    assert any(path.endswith("plots/calibration.csv") for path in real.sizes)
    assert read_grades(review_snapshot(real))["Delivery 5"] == 1
    assert read_grades(review_snapshot(put(real, {"data/rows.csv": "a\n"})))["Delivery 5"] == 0


def test_the_grid_of_tests_is_read_from_the_tests(real: Snapshot) -> None:
    assert "reports/test-grid.json" not in real.sizes
    assert "integration, system, unit" in read_evidence(review_snapshot(real), "Engineering 5")


def test_a_result_proves_nothing_once_it_is_old_or_edited_or_of_other_files(
    real: Snapshot,
) -> None:
    assert read_grades(review_snapshot(real))["Infra 4"] == 1
    later = TODAY + timedelta(days=91)
    aged = Snapshot(**{**vars(real), "today": later})
    assert "not of the last 90 days" in read_evidence(review_snapshot(aged), "Infra 4")
    forged = edit(real, "reports/metrics.json", '"n": ', '"n": 1')
    assert "edited since the run" in read_evidence(review_snapshot(forged), "Infra 4")
    other = edit(real, "src/churn/model.py", "0.05", "0.06")
    assert "older than src/" in read_evidence(review_snapshot(other), "Infra 4")
    assert read_grades(review_snapshot(seal(other)))["Infra 4"] == 1


def test_the_host_counts_only_by_a_file_that_gh_wrote(real: Snapshot, tmp_path: Path) -> None:
    file = tmp_path / "host.json"
    check = {"name": "code", "head_sha": real.head, "conclusion": "success"}
    runs = [{**check, "completed_at": "2026-11-28T10:00:00Z"}]
    file.write_text(json.dumps({"check_runs": runs}))
    assert read_grades(review_snapshot(real))["Engineering 2"] == 0.5
    assert read_grades(review_snapshot(real, host=read_host([file])))["Engineering 2"] == 1
    for other in (
        {"head_sha": "b" * 40},
        {"conclusion": "failure"},
        {"completed_at": "2026-01-01"},
    ):
        file.write_text(json.dumps({"check_runs": [{**runs[0], **other}]}))
        assert read_grades(review_snapshot(real, host=read_host([file])))["Engineering 2"] == 0.5
    file.write_text(json.dumps([{"type": "required_status_checks", "parameters": {}}]))
    unprotected = review_snapshot(real, host=read_host([file]))
    assert read_grades(unprotected)["Engineering 4"] == 0.25, "no job of these is required"
    file.write_text("{}")
    with pytest.raises(Fixable, match="gh api"):
        read_host([file])


def sign(folder: Path) -> None:
    """Put a signature on HEAD, so that git may want to check it."""
    head, _, message = git(folder, "cat-file", "commit", "HEAD").partition("\n\n")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n iQ==\n -----END PGP SIGNATURE-----"
    commit = folder.parent / "commit"
    commit.write_text(f"{head}\n{signature}\n\n{message}")
    git(
        folder, "reset", "--quiet", git(folder, "hash-object", "-wt", "commit", str(commit)).strip()
    )


def test_nothing_of_a_repository_is_executed(tmp_path: Path) -> None:
    trap = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho ran >> {trap}\n")
    program.chmod(0o755)
    folder = tmp_path / "hostile"
    folder.mkdir()
    git(folder, "init", "--quiet")
    (folder / ".gitattributes").write_text("*.py diff=trap filter=trap\n")
    (folder / "conftest.py").write_text(f"open({str(trap)!r}, 'w')\n")
    (folder / "setup.py").write_text(f"open({str(trap)!r}, 'w')\n")
    (folder / "project-brief.md").write_text(
        f"---\nowner: !!python/object/apply:os.system ['touch {trap}']\n---\n"
    )
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "a trap")
    sign(folder)
    for key in (
        *("core.fsmonitor", "gpg.program", "diff.external", "diff.trap.textconv"),
        *("filter.trap.smudge", "filter.trap.clean", "core.pager", "core.sshCommand"),
    ):
        git(folder, "config", key, str(program))
    git(folder, "config", "log.showSignature", "true")
    for hook in ("post-checkout", "pre-commit", "reference-transaction"):
        (folder / ".git/hooks" / hook).write_text(program.read_text())
        (folder / ".git/hooks" / hook).chmod(0o755)
    take_snapshot(folder, TODAY)
    trap.unlink(missing_ok=True)
    for verb in ("review", "fleet"):
        call(tmp_path, EXEMPLAR, verb, folder)
    assert not trap.exists()


def test_a_project_in_a_folder_has_the_workflows_of_the_root(tmp_path: Path) -> None:
    pull = "on: pull_request\njobs:\n  t:\n    steps:\n      - run: {}\n"
    for name, text in {
        ".github/workflows/a.yml": pull.format("ruff check"),
        "churn/.github/workflows/b.yml": pull.format("mypy"),
        "churn/ruff.toml": "",
        "churn/mypy.ini": "",
        "other/project-brief.md": "---\nphase: develop\n---\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "Start")
    snapshot = take_snapshot(tmp_path / "churn", TODAY)
    assert set(snapshot.sizes) == {".github/workflows/a.yml", "ruff.toml", "mypy.ini"}
    grades = read_grades(review_snapshot(snapshot))
    assert (grades["Engineering 2"], grades["Engineering 3"]) == (0.5, 0.25), "b.yml never runs"


def test_a_small_file_that_grows_by_its_aliases_is_none() -> None:
    names = "abcdefghi"
    lines = ["a: &a [x, x]"] + [
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in pairwise(names)
    ]
    merged = ["a: &a {k: 1}"] + [
        f"{new}: &{new} {{<<: [{', '.join([f'*{old}'] * 9)}]}}" for old, new in pairwise(names)
    ]
    for text in ("\n".join(lines), "\n".join(merged)):
        assert parse_yaml(text) is None
        brief = f"---\n{text}\nowner: *i\nvalue: *i\n---\n"
        snapshot = build({"project-brief.md": brief, ".gitlab-ci.yml": f"{text}\ntest: *i\n"})
        assert read_grades(review_snapshot(snapshot))["People 2"] == 0
    assert parse_yaml(".a: &a {k: 1}\nb:\n  <<: *a\n") == {".a": {"k": 1}, "b": {"k": 1}}
    assert parse_yaml("a: &a [*a]\n") is not None


@pytest.mark.parametrize("ending", [".py", ".yml", ".yaml", ".json", ".toml", ".md", ".lock"])
def test_what_cannot_be_parsed_is_no_practice_and_no_crash(ending: str, real: Snapshot) -> None:
    broken = dict.fromkeys((p for p in real.files if p.endswith(ending)), "{[(" * 500 + "\0!!int x")
    assert broken
    before, after = (
        sum(read_grades(review_snapshot(s)).values()) for s in (real, put(real, broken))
    )
    assert after < before


def test_it_is_shown_and_written_and_takes_less_than_two_seconds(
    made: Repository, tmp_path: Path
) -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    file = tmp_path / "review.json"
    completed = call(tmp_path, EXEMPLAR, "review", made.folder, "--json", str(file), "--all")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert completed.returncode == 0, completed
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2
    assert "ML Test Score, the least of its four sections: 2 ready (weakest: Model)" in (
        completed.stdout
    )
    (written,) = json.loads(file.read_text())["repositories"]
    assert [r["code"] for f in written["families"].values() for r in f["results"]] == CODES
    for code in CODES:
        assert re.search(rf"^{code}\b", completed.stdout, re.M), code
    again = call(tmp_path, EXEMPLAR, "review", made.folder, "--since", str(file))
    assert "nothing moved" in again.stdout


def test_one_that_cannot_be_read_does_not_hide_the_others(made: Repository, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    words = ("review", tmp_path / "nowhere", made.folder, tmp_path / "empty", "--json", "-")
    completed = call(tmp_path, EXEMPLAR, *words)
    assert completed.returncode == 2
    assert "expected a folder, found none" in completed.stderr
    repositories = json.loads(completed.stdout)["repositories"]
    assert [("fault" in each) for each in repositories] == [False, True, True]


def test_the_command_line_imports_none_of_it() -> None:
    code = "import sys, exemplar.cli; sys.exit('yaml' in sys.modules)"
    assert call(Path(), EXEMPLAR.with_name("python"), "-c", code).returncode == 0


def test_repo_review_can_run_the_checks(made: Repository) -> None:
    checks = repo_review.list_checks()
    assert [check.family for check in checks.values()][:7] == ["exemplar-data"] * 7
    assert set(repo_review.list_families()) == {check.family for check in checks.values()}
    assert checks["DATA1"].__doc__ == "Feature expectations are captured in a schema"
    assert checks["DATA1"].check(made.folder) is True
    assert "Next: " in str(checks["DATA3"].check(made.folder))
    assert checks["DATA1"].check(made.folder / "docs") is not True
