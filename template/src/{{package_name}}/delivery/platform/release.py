"""`release`: what main asks for after a change: a pull request that puts the challenger in charge,
where the verdict is ship, or the tag of one that was merged.

A protected main takes no pushes, so a promotion goes through review like every change. What is to
be deployed is told as `tag`, and as `image` where `$REGISTRY` says where images go.
"""

import os
from functools import partial
from pathlib import Path

from ..edge.errors import Fixable
from ..edge.explain import yaml
from ..edge.files import find_project
from ..edge.repository import qualify
from ..edge.shell import dvc, git, run
from ..models import in_charge
from ..promotion.change import Change, resume
from ..promotion.change import propose as propose_change
from ..promotion.locks import work_alone
from ..promotion.pointer import (
    CHALLENGER,
    CHAMPION,
    copy_challenger,
    is_challenger_in_charge,
    restore_pointer,
)
from ..promotion.promote import plan_promotion
from ..promotion.record import RECORD, list_changes, list_rolled_back, next_tag
from ..promotion.registry import has_mlflow, register_champion
from ..promotion.rollback import plan_rollback
from ..verdict.decision import read_decision
from . import bring, proposal
from .host import output, say

LOCK = Path("dvc.lock")
AUTHOR = "the workflow deliver"
BODY = """{sentence}

Merging this puts it in charge: the next run on main tags the commit {tag}, builds the image \
from it and deploys that where the team has switched deploying on. The branch is written anew \
when main changes, unless somebody has pushed to it. To leave things as they are, close it.
"""


def list_untagged() -> list[str]:
    """The changes of the champion on record that no tag names yet, oldest first: just merged."""
    tags, own = git("tag", "--list").split(), qualify("")
    return [tag for _, _, tag in list_changes() if own + tag not in tags]


def publish_tag(tag: str) -> None:
    """Tag the commit of main that brought a change of the champion: the one that recorded it."""
    words = ["log", "--first-parent", "--reverse", "--format=%H", f"-S {tag}: "]
    commits = git(*words, "--", str(RECORD)).split()
    if not commits:
        raise Fixable(
            f"{RECORD}: expected the commit that recorded {tag} in this clone, found none. "
            "Next: git fetch --unshallow, or git commit what is not committed"
        )
    name = qualify(tag)
    git("tag", "--annotate", name, "--message", f"{tag} takes charge", commits[0])
    try:
        git("push", "--quiet", "origin", f"refs/tags/{name}")
    except Fixable:
        git("tag", "--delete", name)  # or the next call would take it for pushed
        raise


def deploy(tag: str) -> None:
    """Tell the jobs that follow what is to be deployed."""
    output(tag=qualify(tag))
    if registry := os.environ.get("REGISTRY"):
        output(image=f"{registry.lower()}:{tag}")


def propose() -> str:
    """Open the pull request that puts the challenger in charge; what there is to see."""
    with work_alone():
        resume()
        change = plan_promotion(refresh=False, because=None, name=AUTHOR)
        with propose_change(change, lambda: copy_challenger(change)) as commit:
            dvc("push", "--quiet")
            return _open(change, commit)


def _open(change: Change, commit: str) -> str:
    body = BODY.format(sentence=change.sentence, tag=change.tag)
    return proposal.propose(f"release/{qualify(change.tag)}", commit, change.title, body)


def roll_back() -> None:
    """Have what was in charge before deployed again, and propose that the record follows."""
    with work_alone():
        resume()
        change, former = plan_rollback(because=None, name=AUTHOR)
        is_model = former.name != "the rule"
        if is_model:
            deploy(former.name)
            say(f"{former.name} is deployed again.")
        else:
            say("The rule has no image yet: it is built once its pull request is merged.")
        try:
            restore = partial(restore_pointer, former.pointer)
            with propose_change(change, restore) as commit:
                say(_open(change, commit))
        except Fixable as problem:
            if not is_model:
                raise
            # What is deployed comes first, the record can follow.
            say(f"::warning::The record does not follow yet: {problem}")


def deploy_again(tag: str) -> None:
    """Have the image of an earlier champion deployed."""
    known = git("tag", "--list", qualify("champion-*"), qualify("rollback-*")).split()
    if qualify(tag) not in known:
        raise Fixable(
            f"release --again: expected a tag such as champion-1, found {tag}. "
            f"Next: git tag --list '{qualify('champion-*')}'"
        )
    deploy(tag)
    say(f"{tag} is deployed again.")


def tag_merged(merged: list[str]) -> None:
    """Tag what was merged, and tell MLflow."""
    if not merged:
        return
    for tag in merged:
        publish_tag(tag)
    model = in_charge.read_tag(CHAMPION)
    say(f"Merged and tagged: {', '.join(merged)}. In charge: {model or 'the rule'}.")
    if has_mlflow() and (trouble := register_champion()):
        say(trouble)


def main(*, rollback: bool = False, tag: str | None = None) -> int:
    """Say in one sentence what was done; outputs of the step where there is something to deploy."""
    os.chdir(find_project(Path.cwd()))
    run(["git", "fetch", "--quiet", "--tags", "origin"])
    decision, merged = read_decision(), list_untagged()
    ship = decision.verdict == "ship"
    if tag:
        deploy_again(tag)
    elif not (merged or rollback or ship):
        report_nothing(decision.sentence)
    elif bring.is_private(Path.cwd()):
        say(f"Not released: the champion would be on this machine alone. {bring.SHARE}")
    else:
        bring.main()
        take_next_step(merged, decision.sentence, rollback=rollback)
    return 0


def take_next_step(merged: list[str], sentence: str, *, rollback: bool) -> None:
    """Tag what was merged; then roll back, deploy that or propose, whichever comes first."""
    tag_merged(merged)
    if rollback:
        roll_back()
    elif merged:
        deploy(in_charge.read_tag(CHAMPION) or merged[-1])
    elif tag := find_rolled_back():
        report_nothing(f"The challenger is {tag}, which was rolled back; another one may come.")
    elif is_challenger_in_charge():
        report_nothing(sentence)
    else:
        say(propose())


def report_nothing(sentence: str) -> None:
    """Say so, and close the pull request of a challenger that has won before main changed."""
    branch = f"release/{qualify(next_tag('champion'))}"
    if proposal.withdraw(branch, f"Main changed. {sentence}"):
        say(f"The pull request of {branch} is closed.")
    say(f"Nothing to release. {sentence}")


def find_rolled_back() -> str | None:
    """The champion that was rolled back and is this very challenger, which nobody asked for."""
    challenger = _read_challenger(LOCK.read_text(encoding="utf-8"))
    for tag in list_rolled_back():
        lock = run(["git", "show", f"{qualify(tag)}:./{LOCK}"])
        if lock.returncode == 0 and _read_challenger(lock.stdout) == challenger:
            return tag
    return None


def _read_challenger(lock: str) -> str:
    """The hash of the challenger that a `dvc.lock` names."""
    outs = yaml(lock)["stages"]["train"]["outs"]
    return next(str(out["md5"]) for out in outs if out["path"] == CHALLENGER.as_posix())
