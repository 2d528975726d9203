"""`refresh`: the newest snapshot of the data, and, after `dvc repro`, a pull request with what the
pipeline made of it where the challenger wins.

A snapshot can be fetched where `dvc import` or `dvc import-url` brought the source, as its `.dvc`
file knows from where, and where `ingest: query:` in `params.yaml` says which query gives it.
"""

import os
from pathlib import Path

from ..edge.errors import Fixable
from ..edge.explain import yaml
from ..edge.files import find_project
from ..edge.parameters import read, read_section
from ..edge.repository import qualify
from ..edge.shell import PACKAGE, dvc, git, run
from ..promotion.change import find_stale_stages
from ..tables.read import Ingest, Query
from ..verdict.decision import read_decision
from . import bring, proposal, summary
from .host import output, say

BRANCH = "retrain"  # and before it the path of a project that is one of several
TITLE = "Retrain on the newest snapshot"
KEPT = ("dvc.lock", "reports")  # and the .dvc file of the source
BODY = """{page}

The next retraining writes the branch anew, unless somebody has pushed to it. Once this is \
merged, `release` proposes its promotion.
"""


def find_pointer(source: str) -> Path | None:
    """The `.dvc` file of the source, or of a folder that the source is in."""
    path = Path(source)
    for one in (path, *path.parents[:-1]):
        if (pointer := one.with_name(f"{one.name}.dvc")).exists():
            return pointer
    return None


def fetch_snapshot() -> bool:
    """Bring the newest snapshot of the source; whether that is another one than before."""
    ingest = read(Path("params.yaml"), "ingest", Ingest)
    source = ingest.source
    if ingest.query:
        return query_again(ingest.query, Path(source))
    if bring.is_simulated():
        say(f"No new snapshot: {source} makes the rows, and makes the same ones each time.")
        return False
    file = find_pointer(source)
    if file is None or not yaml(file.read_text(encoding="utf-8")).get("deps"):
        say(
            f"No new snapshot: {source} was put here by hand; nothing says where a newer one is. "
            f"To have it fetched: uv run dvc import-url --force s3://bucket/table.parquet {source}"
        )
        return False
    if bring.is_private(Path.cwd()):
        say(f"No new snapshot: it would be on this machine alone. {bring.SHARE}")
        return False
    bring.main()
    before = file.read_bytes()
    dvc("update", "--quiet", str(file))
    if file.read_bytes() == before:
        say(f"No new snapshot: {source} is the newest.")
        return False
    say(f"A new snapshot: {source}. Next: uv run dvc repro, then the same with --propose")
    return True


def query_again(query: Query, source: Path) -> bool:
    """Take a new snapshot of a query; whether that is another one than before."""
    from ..tables.snapshot import take_snapshot  # here, as other sources need no database

    pointer = source.with_name(f"{source.name}.dvc")
    before = pointer.read_bytes() if pointer.exists() else b""
    if before and not source.exists():  # a clone, which needs the models as well
        if bring.is_private(Path.cwd()):
            say(f"No new snapshot: it would be on this machine alone. {bring.SHARE}")
            return False
        bring.main()
    rows = take_snapshot(query, source)
    dvc("add", "--quiet", str(source))
    if pointer.read_bytes() == before:
        say(f"No new snapshot: {query.sql} gives what {source} has.")
        return False
    say(
        f"A new snapshot: {source}, {rows:,} rows of {query.sql}. Next: uv run dvc repro, then "
        "the same with --propose"
    )
    return True


def propose_retraining() -> None:
    """Open the pull request of a retraining that won; else say why there is none, and close that of
    an earlier snapshot.
    """
    decision, branch = read_decision(), qualify(BRANCH)
    if stale := find_stale_stages():
        raise Fixable(
            f"dvc status: expected reports of this snapshot, found {', '.join(stale)} out of date. "
            "Next: uv run dvc repro, then the same again"
        )
    # The page of the run has the report, whatever the verdict.
    summary.main("HEAD", committed=False)
    if decision.verdict != "ship":
        say(f"No pull request, as the verdict is {decision.verdict}: {decision.sentence}")
        if proposal.withdraw(branch, f"A newer snapshot says: {decision.sentence}"):
            say(f"The pull request of {branch} is closed.")
        return
    if bring.is_private(Path.cwd()):
        say(f"No pull request: the snapshot would be on this machine alone. {bring.SHARE}")
        return
    file = find_pointer(str(read_section(Path("params.yaml"), "ingest").get("source")))
    commit = _commit([*KEPT, *([str(file)] if file else [])])
    if commit is None:
        say("No pull request: all of this is committed already.")
        return
    dvc("push", "--quiet")
    page = Path("reports/summary.md").read_text(encoding="utf-8")
    say(proposal.propose(branch, commit, TITLE, BODY.format(page=page)))


def _commit(paths: list[str]) -> str | None:
    """A commit of these paths on top of HEAD, which no branch has yet; None where none differs."""
    index = Path(git("rev-parse", "--git-path", "proposal.index").strip()).resolve()
    environment = {"GIT_INDEX_FILE": str(index)}
    try:
        git("read-tree", "HEAD", environment=environment)
        git("add", "--all", "--", *paths, environment=environment)
        tree = git("write-tree", environment=environment).strip()
    finally:
        index.unlink(missing_ok=True)
    if tree == git("rev-parse", "HEAD^{tree}").strip():
        return None
    is_signed = git("config", "--type=bool", "--default=false", "commit.gpgSign").strip() == "true"
    sign = ["-S"] if is_signed else []
    return git("commit-tree", *sign, tree, "-p", "HEAD", "-m", TITLE).strip()


def describe_snapshot(source: str) -> None:
    """Say what a snapshot has that the contract does not allow, and the change that it asks for;
    nothing where it keeps the contract, or where the room `adopt` was deleted.
    """
    if not (Path(__file__).parents[1] / "adopt/snapshot.py").exists():
        return
    held = run(["python", "-m", f"{PACKAGE}.delivery.adopt.snapshot", source])
    if held.returncode:
        say((held.stdout or held.stderr).rstrip())


def main(*, propose: bool = False) -> int:
    """Fetch, or propose; `new=yes` or `new=no` as the step's output after a fetch."""
    os.chdir(find_project(Path.cwd()))
    if propose:
        propose_retraining()
        return 0
    if is_new := fetch_snapshot():
        describe_snapshot(str(read_section(Path("params.yaml"), "ingest").get("source")))
    output(new="yes" if is_new else "no")
    return 0
