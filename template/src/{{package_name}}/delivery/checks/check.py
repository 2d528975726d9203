"""`check`: the gates that a pull request has to pass, on a laptop and in CI alike."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from ..edge.brief import Brief
from ..edge.errors import Fixable
from ..edge.files import present, read_json
from ..edge.parameters import read as read_settings
from ..edge.parameters import section
from ..edge.shell import dvc, run
from ..problem.brief import read_brief
from . import data_in_git, stage_deps, update_leftovers

SECTIONS = ("ingest", "validate", "split", "train", "evaluate")
VERDICTS = {"ship": 0, "refresh": 0, "unclear": 0, "hold": 1}
DECISION = Path("reports/decision.json")
FIX = "Next: change features.py, model.py or the brief, then uv run dvc repro, then git commit"
SAME = 0.01  # of the interval's width: a gain that is off by more is another one


def brief(today: date) -> tuple[bool, str]:
    """The brief is complete for its phase, and its promises still stand."""
    path = Path("project-brief.md")
    content, _ = read_brief(path)
    found = [*overdue(content, path, today), *_missing_pages(content, path)]
    return not found, "; ".join(found) or f"complete for phase {content.phase}"


def overdue(content: Brief, path: Path, today: date) -> list[str]:
    """The review date, where it has passed."""
    if content.review_by is None or content.review_by >= today:
        return []
    told = f"expected `review_by` ahead of {today}, found {content.review_by}"
    return [f"{path}: {told}. Next: review the brief, then set a new date"]


def _missing_pages(content: Brief, path: Path) -> list[str]:
    if content.phase != "deliver" or Path("docs/runbook.md").is_file():
        return []
    return [f"{path}: phase deliver expects docs/runbook.md, found no file"]


def inputs(today: date) -> tuple[bool, str]:
    """What the pipeline starts from is there; DVC itself would only say that a file is missing."""
    sections = {name: section(Path("params.yaml"), name) for name in SECTIONS}
    present(
        Path(str(sections["ingest"].get("source"))),
        made_by="uv run dvc pull (shared data), or fix `ingest: source:` in params.yaml",
    )
    try:
        present(
            Path("models/champion/card.json"),
            made_by="uv run dvc pull models/champion.dvc (or uv run dvc checkout, on the machine "
            "that made it), then uv run dvc repro",
        )
    except Fixable as problem:
        raise Fixable(f"blocked: without the champion nothing ships.\n{problem}") from None
    return True, "parameters, source and champion are there"


def pipeline_deps(today: date) -> tuple[bool, str]:
    """Every stage names the code it imports, so that a change reruns it."""
    found = stage_deps.find_faults(Path("dvc.yaml"))
    return not found, "\n".join(found) or "every stage names what it imports"


def kept_by_git(today: date) -> tuple[bool, str]:
    """Git holds no data and no models, and nothing is left over from an update or a merge."""
    try:
        found = [*data_in_git.find_faults(), *update_leftovers.find_faults()]
    except (Fixable, update_leftovers.GitError) as problem:
        raise Fixable(f"{problem}\nNext: git init, or work in a clone") from None
    return not found, "\n".join(found) or "code, text and pointers, and nothing left over"


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
    """The verdict on the challenger, as the outcomes give it now."""
    told = read_json(DECISION)
    if (now := decided()) != told:
        return False, (
            f"{DECISION} says {told['verdict']}, the outcomes say: {now['sentence']} "
            "Next: uv run dvc repro --force --single-item decide"
        )
    if VERDICTS[told["verdict"]] == 0:
        return True, told["sentence"]
    return False, f"{told['sentence']} {FIX}"


def decided() -> dict[str, Any]:
    """What the outcomes that are here decide, as `decide` would write it."""
    from ..edge.files import read_table, rounded
    from ..verdict.comparison import Evaluate
    from ..verdict.decision import decide

    reports = {
        name: read_json(Path(f"reports/{name}.json"))
        for name in ("brief", "data", "training", "comparison")
    }
    new, old = (
        read_table(Path(f"data/outcomes/{model}.parquet")) for model in ("challenger", "champion")
    )
    decision = decide(
        new,
        old,
        reports["brief"],
        read_settings(Path("params.yaml"), "evaluate", Evaluate),
        data=reports["data"],
        training=reports["training"],
        names=reports["comparison"],
    )
    content: dict[str, Any] = json.loads(json.dumps(rounded(decision)))
    return content


def committed(today: date) -> tuple[bool, str]:
    """The decision of the last commit is the one that came out here."""
    completed = run(["git", "show", f"HEAD:./{DECISION}"])
    if completed.returncode:
        return False, f"{DECISION} is not in git. Next: uv run dvc repro, then git commit"
    then, now = json.loads(completed.stdout), read_json(DECISION)
    if differs(then, now):
        return False, (
            f"the commit says: {then['sentence']} Here it comes out otherwise: {now['sentence']} "
            "Data, libraries or the machine are others. Next: uv sync, uv run dvc repro --force, "
            "then git commit"
        )
    return True, "the decision of the commit is what comes out here"


def differs(then: dict[str, Any], now: dict[str, Any]) -> bool:
    """Whether two decisions differ in more than the last digits, which another machine may have."""
    if any(then[key] != now[key] for key in ("verdict", "challenger", "champion")):
        return True
    before, after = then["gain"], now["gain"]
    if None in (before["lower"], after["lower"]):
        return (before["lower"] is None) != (after["lower"] is None)
    width = before["upper"] - before["lower"]
    ends = ("estimate", "lower", "upper")
    return any(abs(after[end] - before[end]) > SAME * width for end in ends)


CHECKS: dict[str, Callable[[date], tuple[bool, str]]] = {
    "brief": brief,
    "inputs": inputs,
    "stages": pipeline_deps,
    "git": kept_by_git,
    "current": current,
    "decision": decision,
}


def main(*, against_commit: bool = False) -> int:
    """Run every check, say each result in a line; 1 if one says no."""
    said_no = False
    extra = {"committed": committed} if against_commit else {}
    for name, check in (CHECKS | extra).items():
        passed, sentence = check(date.today())
        print(f"{'ok' if passed else 'NO':2}  {name}: {sentence}", flush=True)
        said_no |= not passed
        if check is current and not passed:
            break  # the decision that is there is about other files than these
    return int(said_no)
