"""From a table to the files of a team: proposed, drafted, tidied, and nothing of theirs lost."""

import re
import shutil
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from ..edge.errors import Fixable
from ..edge.files import write_text
from ..edge.repository import Written
from ..edge.shell import PACKAGE, dvc, git, run
from .brief import draft_brief, find_positive
from .contract import draft_contract
from .features import draft_features
from .model import draft_model, draft_tests
from .params import ENOUGH, edit_params, raise_test_share
from .pieces import DRAFTS
from .proposal import Answers, Decided, Proposal
from .propose import propose
from .record import draft_record

CODE = f"src/{PACKAGE}"
PARAMS, BRIEF, README = "params.yaml", "project-brief.md", "README.md"
DRAFTED = (
    BRIEF,
    *(f"{CODE}/{name}.py" for name in ("contract", "features", "model")),
    *(f"tests/unit/test_{name}.py" for name in ("contract", "features", "rule", "candidates")),
)
"""What is written anew."""

SIMULATED = (
    f"{CODE}/example.py",
    *(f"tests/unit/test_{name}.py" for name in ("example", "expectations")),
)
"""What the table takes the place of, where it was there when the project began."""

MARK = "Drafted-by: adopt"  # in the message of a commit
INTRODUCTION = re.compile(r"Until your data arrives, .*?(?=\n2\.)", re.DOTALL)
INSTEAD = """\
`ingest.source` in `params.yaml` names the table, `contract.py` describes one row of it. Read what
   `adopt` drafted (`docs/decisions/` says why): `features.py`, `model.py`, the brief are yours."""
UNWRITABLE = "E501,RUF001,RUF002,RUF003"  # a long or foreign word of the table: marked, not changed
AGAIN = f"uv run {PACKAGE} adopt"


def write_drafts(root: Path, table: Path, answers: Answers, *, yes: bool, fresh: bool) -> Written:
    """Write the files of a team for a table into the project at `root`; put the table under DVC.

    `yes` asks nothing. `fresh` says that the files are those that were rendered a moment ago, so
    that there is nothing to lose.

    Raises:
        Fixable: the table cannot be adopted, or edits would be lost; nothing was written.
    """
    require_kind()
    simulated = list(SIMULATED) if fresh else require_untouched(root)
    is_asked = not yes and sys.stdin.isatty()
    proposal = propose(table, answers, ask if is_asked else None)
    source, today = choose_place(root, table), date.today()
    params, proposal = share_rows((root / PARAMS).read_text(encoding="utf-8"), proposal)
    unsaid = list_unsaid(proposal)
    record = f"docs/decisions/{today}-adopted.md"
    drafts = {
        BRIEF: draft_brief(proposal, source, today),
        f"{CODE}/contract.py": draft_contract(proposal),
        f"{CODE}/features.py": draft_features(proposal),
        f"{CODE}/model.py": draft_model(proposal),
        **{f"tests/unit/{name}": text for name, text in draft_tests(proposal).items()},
        record: draft_record(proposal, source, today, unsaid),
    }
    drafts = tidy(root, drafts) | {PARAMS: edit_params(params, source, proposal.read)}
    pointer = keep_table(root, table, source)
    for name, text in drafts.items():
        write_text(text, root / name)
    for name in simulated:
        (root / name).unlink(missing_ok=True)
    introduce(root / README)
    paths = [root / name for name in (*drafts, *simulated, README, pointer)]
    message = f"Adopt {table.name}\n\n{MARK}"
    return Written(paths, message, describe_unsaid(unsaid, record))


def share_rows(params: str, proposal: Proposal) -> tuple[str, Proposal]:
    """`params.yaml` and the proposal, with a share of rows for the test that can tell something."""
    target = proposal.rows[proposal.target.name]
    is_number = proposal.problem == "regression"
    units = target.len() if is_number else int((target == find_positive(proposal)).sum())
    params, share = raise_test_share(params, units)
    if share is None:
        return params, proposal
    name = "rows" if is_number else f"rows of `{find_positive(proposal)}`"
    reason = f"about {units * share:,.0f} of {units:,} {name}; fewer than {ENOUGH} cannot tell"
    decided = Decided("share of rows for the test", f"{share:g}", reason, "inferred")
    return params, replace(proposal, decided=(*proposal.decided, decided))


def ask(question: str, default: str) -> str:
    """The answer of a person at a terminal."""
    return str(typer.prompt(f"\n{question}", default=default, show_default=bool(default)))


def require_kind() -> None:
    """Raise Fixable where the kind of problem has no drafts."""
    if not DRAFTS.is_dir():
        raise Fixable(
            f"{AGAIN}: expected a repository for classification or regression, found one of "
            "another kind. Next: adopt the table by hand; docs/ranking.md and docs/answering.md of "
            "the template show how"
        )


def require_untouched(root: Path) -> list[str]:
    """Return the files of the simulated business.

    Raises Fixable where one of them, or one that would be written anew, is not committed, or was
    edited since it was rendered or drafted. What a person wrote is not to be lost, and not to be
    searched for in the history either.
    """
    base = find_base(root)
    began = git("ls-tree", "-z", "--name-only", base, "--", *SIMULATED, folder=root)
    simulated = began.split("\0")[:-1]
    names = [*DRAFTED, *simulated]
    status = git("status", "--porcelain", "-z", "--", *names, PARAMS, README, folder=root)
    if unsaved := [entry[3:] for entry in status.split("\0") if entry]:
        raise Fixable(
            f"{', '.join(unsaved)}: expected to be committed before a table is adopted, found "
            f"changes that are not. Next: git commit, or git stash, then {AGAIN}"
        )
    differs = git(
        "diff", "--name-only", "--relative", "--diff-filter=AM", "-z", base, "HEAD", "--", *names,
        folder=root,
    )  # fmt: skip
    if edited := differs.split("\0")[:-1]:
        back = f"git checkout {base[:12]} -- {' '.join(edited)} and git commit"
        raise Fixable(
            f"{', '.join(edited)}: expected as rendered or drafted, found edits, which {AGAIN} "
            f"would overwrite. Next: to do without them, {back}, then {AGAIN}; to keep them, write "
            "the table's columns into them by hand"
        )
    return simulated


def find_base(root: Path) -> str:
    """The commit of the newest adoption, or else the one with which the project began.

    Raises:
        Fixable: there is none yet.
    """
    drafted = run(["git", "log", "-1", "--format=%H", f"--grep=^{MARK}$", "--", "."], root)
    began = run(["git", "log", "--format=%H", "--diff-filter=A", "--", "dvc.yaml"], root)
    commits = [*drafted.stdout.split(), *began.stdout.split()[-1:]]
    if not commits:
        raise Fixable(
            f"{root}: expected a first commit, so that nothing is lost, found none. "
            f"Next: uv run {PACKAGE} start, then {AGAIN}"
        )
    return commits[0]


def choose_place(root: Path, table: Path) -> str:
    """Where the table is kept, from the root: below data/source, under its own name."""
    folder = root / "data/source"
    if table.parent == folder:
        return table.relative_to(root).as_posix()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", table.name).lstrip("-.") or "table"
    return f"data/source/{name if Path(name).suffix or table.is_dir() else f'table{table.suffix}'}"


def keep_table(root: Path, table: Path, source: str) -> str:
    """Put the table, as it came, under DVC; return the path of its pointer from the root."""
    place = root / source
    if place.resolve() != table.resolve():
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir():
            shutil.rmtree(place)
        place.unlink(missing_ok=True)
        if table.is_dir():
            shutil.copytree(table, place)
        else:
            shutil.copyfile(table, place)
    dvc("add", "--quiet", source, folder=root)
    return f"{source}.dvc"


def tidy(root: Path, drafts: dict[str, str]) -> dict[str, str]:
    """The drafts as the project's own ruff writes them."""
    ruff = ["python", "-m", "ruff"]
    config = ["--quiet", "--no-cache", "--config", str(root / "ruff.toml")]
    with TemporaryDirectory() as scratch:
        for name, text in drafts.items():
            write_text(text, Path(scratch) / name)
        for command in (
            ["check", *config, "--select", "I", "--fix"],
            ["format", *config],
            ["check", *config, "--select", UNWRITABLE, "--add-noqa"],
        ):
            completed = run([*ruff, *command, scratch], root)
            if completed.returncode:
                raise Fixable(
                    f"ruff: expected to tidy the drafts, found: {completed.stderr.strip()[-500:]}\n"
                    f"Next: uv sync, then {AGAIN}"
                )
        return {name: (Path(scratch) / name).read_text(encoding="utf-8") for name in drafts}


def introduce(readme: Path) -> None:
    """Have the README speak of the table, where it still speaks of the simulated business."""
    if readme.exists():
        text = readme.read_text(encoding="utf-8")
        if (edited := INTRODUCTION.sub(INSTEAD, text)) != text:
            write_text(edited, readme)


def list_unsaid(proposal: Proposal) -> list[str]:
    """What only a person can say."""
    return [
        *proposal.open,
        f"Who owns it, who wants it, who uses it? {BRIEF} says `to be said` there.",
        "What is each column? The descriptions in contract.py show it to whoever asks the service.",
    ]


def describe_unsaid(unsaid: Iterable[str], record: str) -> str:
    """The list of what only a person can say, for a terminal."""
    lines = "".join(f"\n  - {line}" for line in unsaid)
    return f"\nOnly a person can say:{lines}\nWhat was decided, and why: {record}"
