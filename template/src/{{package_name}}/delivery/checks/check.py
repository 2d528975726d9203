"""`check`: the gates that a pull request has to pass, on a laptop and in CI alike."""

import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from ..edge.brief import Brief, find_unsaid
from ..edge.errors import Fixable
from ..edge.files import require_file
from ..edge.parameters import read_section
from ..edge.repository import ANSWERS, RENAME, find_origin_branch, read_main_branch
from ..edge.shell import CommandFailed, dvc, git, run
from ..problem.brief import read_known_brief
from ..tables.read import describe_way
from ..verdict.decision import DECISION, Decision, Verdict, parse_decision, read_decision
from ..verdict.looks import count_looks, describe_looks, describe_trials
from . import (
    champion_on_record,
    changes,
    data_in_git,
    plan,
    stage_deps,
    subfolder,
    team_files,
    update_leftovers,
)

SECTIONS = ("ingest", "validate", "split", "train", "evaluate")
STOPPED_BY: tuple[Verdict, ...] = ("hold",)  # what cannot be told stops no pull request
FIX = "Next: change features.py, model.py or the brief, then uv run dvc repro, then git commit"
SAME = 0.01  # of the interval's width: a gain that is off by more is another one


def brief(today: date) -> tuple[bool, str]:
    """The brief is complete for its phase, and its promises still stand."""
    path = Path("project-brief.md")
    content, sections = read_known_brief(path)
    faults = [*find_overdue(content, path, today), *_find_missing_pages(content, path)]
    return not faults, "; ".join(faults) or describe_state(content, sections)


def describe_state(content: Brief, sections: Mapping[str, str]) -> str:
    """Whether a brief is complete for its phase, or a draft that people have to finish."""
    if unsaid := find_unsaid(content, sections):
        return f"a draft in phase {content.phase}; only a person can say: {', '.join(unsaid)}"
    return f"complete for phase {content.phase}"


def find_overdue(content: Brief, path: Path, today: date) -> list[str]:
    """The review date, where it has passed."""
    if content.review_by is None or content.review_by >= today:
        return []
    return [
        f"{path}: expected `review_by` ahead of {today}, found {content.review_by}. "
        "Next: review the brief, then set a new date"
    ]


def _find_missing_pages(content: Brief, path: Path) -> list[str]:
    if content.phase != "deliver" or Path("docs/runbook.md").is_file():
        return []
    return [f"{path}: phase deliver expects docs/runbook.md, found no file"]


def inputs(today: date) -> tuple[bool, str]:
    """What the pipeline starts from is there; DVC itself would only say that a file is missing."""
    sections = {name: read_section(Path("params.yaml"), name) for name in SECTIONS}
    require_file(
        Path(str(sections["ingest"].get("source"))),
        made_by=describe_way(has_query=bool(sections["ingest"].get("query"))),
    )
    try:
        require_file(
            Path("models/champion/card.json"),
            made_by="uv run dvc pull models/champion.dvc (or uv run dvc checkout, on the machine "
            "that made it), then uv run dvc repro",
        )
    except Fixable as problem:
        raise Fixable(f"blocked: without the champion nothing ships.\n{problem}") from None
    return True, "parameters, source and champion are there"


def pipeline_deps(today: date) -> tuple[bool, str]:
    """Every stage names the code it imports, so that a change reruns it, and runs as it should."""
    pipeline = Path("dvc.yaml")
    faults = [*stage_deps.find_faults(pipeline), *plan.find_faults(pipeline)]
    return not faults, "\n".join(faults) or "every stage names what it imports"


def team_code(today: date) -> tuple[bool, str]:
    """What the team's code computes depends on the rows that it is given, and on nothing else."""
    faults = team_files.find_faults()
    return not faults, "\n".join(faults) or team_files.describe()


def kept_by_git(today: date) -> tuple[bool, str]:
    """Git holds no data and no models, nothing is left over from an update or a merge, and hooks
    and workflows lie where they are read.
    """
    try:
        faults = [*data_in_git.find_faults(), *update_leftovers.find_faults(), *find_line_ends()]
        faults += [*subfolder.find_faults(Path()), *_find_other_main_branch()]
    except (CommandFailed, update_leftovers.GitError) as problem:
        raise Fixable(f"{problem}\nNext: git init, or work in a clone") from None
    return not faults, "\n".join(faults) or "code, text and pointers, and nothing left over"


def _find_other_main_branch() -> list[str]:
    """That the main branch of `origin` is not the one of the workflows and of promotions."""
    known, actual = read_main_branch(), find_origin_branch()
    if actual in ("", known):
        return []
    return [
        f"{ANSWERS}: expected `main_branch: {actual}`, as origin has it, found {known}. "
        f"Next: {RENAME}{actual}"
    ]


def find_line_ends() -> list[str]:
    """A sentence where lines end otherwise here than in the commit, as `core.autocrlf` makes them:
    DVC and the cards of models know a file by its bytes.
    """
    listing = git("ls-files", "--eol", "-z", "--", ".").split("\0")[:-1]
    entries = [(words.split()[:2], path) for words, _, path in (e.partition("\t") for e in listing)]
    paths = [path for ends, path in entries if ends in (["i/lf", "w/crlf"], ["i/lf", "w/mixed"])]
    if not paths:
        return []
    others = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return [
        f"{paths[0]}{others}: expected lines that end as in the commit (LF), found CRLF, so that "
        "nothing that was made here is up to date anywhere else. Next: have `* text=auto eol=lf` "
        "in .gitattributes and commit all; then git rm -r --quiet --cached . and git reset --hard"
    ]


def champion(today: date) -> tuple[bool, str]:
    """The champion is what the newest promotion or rollback on record put in charge."""
    tagged = champion_on_record.read_tagged()
    fault = champion_on_record.find_fault(tagged)
    return fault is None, fault or champion_on_record.describe(tagged)


def current(today: date) -> tuple[bool, str]:
    """What is committed is what the pipeline makes from these files."""
    status = dvc("status")
    if "up to date" in status:
        return True, "reports and models belong to these files"
    stages = ", ".join(
        line.rstrip(":") for line in status.splitlines() if line and not line[0].isspace()
    )
    return False, f"these are out of date: {stages}. Next: uv run dvc repro"


def decision(today: date) -> tuple[bool, str]:
    """The verdict on the challenger."""
    written = read_decision()
    if written.verdict in STOPPED_BY:
        return False, f"{written.sentence} {FIX}"
    return True, written.sentence


def derived(today: date) -> tuple[bool, str]:
    """Everything but the training comes out again from the data, the models and the code here."""
    start = time.perf_counter()
    from .derive import derive

    with tempfile.TemporaryDirectory() as scratch:
        derivation = derive(Path(scratch))
    took = f"{time.perf_counter() - start:.1f} s"
    if derivation.faults:
        return False, "\n".join(derivation.faults)
    again = [name for name in derivation.stages if name != "train"]
    sentence = f"comes out again as it is here, but for the training ({took}): {', '.join(again)}"
    if derivation.missing:
        sentence += f"; not derived: {', '.join(derivation.missing)}"
    return True, sentence


def committed(today: date) -> tuple[bool, str]:
    """The decision of the last commit is the one that came out here."""
    completed = run(["git", "show", f"HEAD:./{DECISION.as_posix()}"])
    if completed.returncode:
        return False, f"{DECISION} is not in git. Next: uv run dvc repro, then git commit"
    then, now = parse_decision(completed.stdout, f"HEAD:{DECISION}"), read_decision()
    if is_another(then, now):
        return False, (
            f"the commit says: {then.sentence} Here it comes out otherwise: {now.sentence} "
            "Data, libraries or the machine are others. Next: uv sync, uv run dvc repro --force, "
            "then git commit"
        )
    return True, "the decision of the commit is what comes out here"


def is_another(then: Decision, now: Decision) -> bool:
    """Whether two decisions differ in more than the last digits, which another machine may have."""
    if any(
        getattr(then, key) != getattr(now, key) for key in ("verdict", "challenger", "champion")
    ):
        return True
    before, after = then.gain.interval, now.gain.interval
    if before.lower is None or before.upper is None or after.lower is None:
        return (before.lower is None) != (after.lower is None)
    width = before.upper - before.lower
    return any(
        was is None or is_now is None or abs(is_now - was) > SAME * width
        for was, is_now in zip(before, after, strict=True)
    )


CHECKS: dict[str, Callable[[date], tuple[bool, str]]] = {
    "brief": brief,
    "inputs": inputs,
    "stages": pipeline_deps,
    "code": team_code,
    "git": kept_by_git,
    "champion": champion,
    "current": current,
    "decision": decision,
}
COMMITTED = {"committed": committed, "derived": derived}
"""What is asked of a commit besides."""


def main(*, against_commit: bool = False) -> int:
    """Say what this work changes in what good means, run every check and print each result in a
    line, and after the decision how many looks it took; 1 if one says no.
    """
    if words := describe_measure():
        print(f"--  measure: {words}", flush=True)
    failed = False
    extra = COMMITTED if against_commit else {}
    for name, check in (CHECKS | extra).items():
        passed, sentence = check(date.today())
        print(f"{'ok' if passed else 'NO':2}  {name}: {sentence}", flush=True)
        failed |= not passed
        if check is current and not passed:
            break  # the decision that is there is about other files than these
        if check is decision:
            looks = count_looks()
            print(f"--  looks: {describe_looks(looks)}", flush=True)
            print(f"--  tried: {describe_trials(looks)}", flush=True)
    return int(failed)


def describe_measure() -> str:
    """What this work changes in what good means, for whoever merges it; '' where nothing."""
    target = changes.find_target()
    base = changes.find_base(Path(), target)
    words = changes.describe_good(changes.find_changes(Path(), base)) if base else ""
    return f"against {target}: {words}" if words else ""
