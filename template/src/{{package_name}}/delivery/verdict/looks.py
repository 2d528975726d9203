"""How many challengers were judged on the same test rows, and what so many looks do to a verdict;
and among how many candidates the validation rows chose.

The history of git knows: each commit holds which rows were judged on (`reports/split.json`) and
which challenger was (`reports/training.json`). No stage asks, because stages give the same reports
whatever the history is.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from ..edge.errors import Fixable
from ..edge.files import read_json
from ..edge.parameters import read_section
from ..edge.shell import git

SPLIT, TRAINING = "reports/split.json", "reports/training.json"
Look = tuple[object, ...]


class Looks(NamedTuple):
    """Distinct challengers judged on these test rows, whether git holds the whole history, the
    chance that one of them ships where all are just as good as the champion, and the distinct
    candidates that were compared on these validation rows.
    """

    challengers: int
    is_whole: bool
    chance: float
    candidates: int


def count_looks() -> Looks:
    """The looks at today's test rows: those of this folder, and those in all commits that are here,
    on branches, in stashes and in experiments of DVC too.

    A challenger that is no better than the champion ships with the chance of one side of what lies
    outside the interval. For k of them it is 1 - (1 - chance)^k where their luck is independent,
    and less where they resemble each other, as models of the same rows do.

    Raises:
        Fixable: the reports do not say which challenger was judged, or there is no git here.
    """
    here = (read_json(Path(SPLIT)), read_json(Path(TRAINING)))
    now = find_look(*here)
    if now is None:
        raise Fixable(
            f"{TRAINING}: expected the challenger's name and loss, found neither. "
            "Next: uv run dvc repro --force --single-item train"
        )
    reports = [here, *read_reports()]
    looks = {look for look in (find_look(*each) for each in reports) if look and look[0] == now[0]}
    trials = {trial for each in reports for trial in find_trials(*each)}
    rows = here[0].get("validation", {}).get("sha256")
    confidence = float(read_section(Path("params.yaml"), "evaluate")["confidence"])
    chance = 1 - (1 - (1 - confidence) / 2) ** len(looks)
    is_whole = git("rev-parse", "--is-shallow-repository").strip() == "false"
    compared = sum(trial[0] == rows for trial in trials)
    return Looks(len(looks), is_whole, chance, compared)


def find_look(split: Any, training: Any) -> Look | None:
    """The hash of the test rows, and what tells one challenger from another: its name and its loss
    on the validation rows; None where the reports do not say so.
    """
    try:
        name, loss = training["chosen"], training["loss"]
        [chosen] = (one for one in training["candidates"] if one["name"] == name)
        figures = (chosen[loss], chosen.get(f"{loss}_lower"), chosen.get(f"{loss}_upper"))
        return (split["test"]["sha256"], name, *figures)
    except (KeyError, TypeError, ValueError):
        return None


def find_trials(split: Any, training: Any) -> set[Look]:
    """For each candidate the hash of the validation rows, and what tells it from others: its name
    and its loss on them; none where the reports do not say so.
    """
    try:
        rows, loss = split["validation"]["sha256"], training["loss"]
        return {(rows, one["name"], one[loss]) for one in training["candidates"]}
    except (KeyError, TypeError):
        return set()


def read_reports() -> list[tuple[Any, Any]]:
    """The two reports of all commits, each pair once, from two lists of git's and one reading of
    each distinct file.
    """
    words = ["log", "--all", "--full-history", "--format=%H", "--", SPLIT, TRAINING]
    commits = git(*words).split()
    names = [f"{commit}:./{path}\n" for commit in commits for path in (SPLIT, TRAINING)]
    check = git("cat-file", "--batch-check=%(objectname)", stdin="".join(names))
    blobs = ["" if " " in line else line for line in check.splitlines()]
    pairs = set(zip(blobs[::2], blobs[1::2], strict=True))
    contents = _read_blobs({blob for pair in pairs for blob in pair if blob})
    return [(contents.get(split), contents.get(training)) for split, training in sorted(pairs)]


def _read_blobs(blobs: set[str]) -> dict[str, Any]:
    """The JSON of each blob by its name; those that are none are left out."""
    if not blobs:
        return {}
    mark = "@@ "  # begins no line of a report
    names = "".join(f"{blob}\n" for blob in sorted(blobs))
    text = git("cat-file", f"--batch={mark}%(objectname)", stdin=names)
    contents = {}
    for part in f"\n{text}".split(f"\n{mark}")[1:]:
        blob, _, content = part.partition("\n")
        try:
            contents[blob] = json.loads(content)
        except ValueError:  # both sides of a merge, committed
            continue
    return contents


def describe_looks(looks: Looks) -> str:
    """The looks in a sentence."""
    k, least = looks.challengers, "" if looks.is_whole else "at least "
    if k == 1:
        words = f"{least}1 challenger was judged on these test rows; were it just as good as the"
        words += f" champion, it would ship with a chance of {looks.chance:.1%}."
        return words[0].upper() + words[1:]
    words = f"{least}{k:,} challengers were judged on these test rows; were all just as good as the"
    words += f" champion, one of them would ship with a chance of {looks.chance:.0%}"
    return words[0].upper() + words[1:] + ", less where they are alike."


def describe_trials(looks: Looks) -> str:
    """How many candidates the validation rows compared, in a sentence."""
    least = "" if looks.is_whole else "At least "
    one = looks.candidates == 1
    return (
        f"{least}{looks.candidates:,} candidate{' was' if one else 's were'} compared on these "
        "validation rows."
    )
