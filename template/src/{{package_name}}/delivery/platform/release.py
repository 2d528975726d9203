"""`release`: what main asks for after a change: a pull request that puts the challenger in charge,
where the verdict is ship, or the tag of one that was merged.

A protected main takes no pushes, so a promotion goes through review like every change. What is to
be deployed is told as `tag`, and as `image` where `$REGISTRY` says where images go.
"""

import os
import re
from functools import partial
from pathlib import Path

from ..edge.errors import Fixable
from ..edge.explain import yaml
from ..edge.files import find_project, read_json
from ..models import in_charge
from ..promotion import promote
from . import bring, proposal
from .host import output, say

TITLE = re.compile(r"^## \S+ ((?:champion|rollback)-\d+): ", re.MULTILINE)
LOCK = Path("dvc.lock")
ROLLED_BACK = re.compile(r"^## \S+ rollback-\d+: (champion-\d+) gives way", re.MULTILINE)
BY = "the workflow deliver"
BODY = """{sentence}

Merging this puts it in charge: the next run on main tags the commit {tag}, builds the image \
from it and deploys that where the team has switched deploying on. The branch is written anew \
when main changes, unless somebody has pushed to it. To leave things as they are, close it.
"""


def untagged() -> list[str]:
    """The changes of the champion on record that no tag names yet, oldest first: just merged."""
    if not promote.RECORD.exists():
        return []
    known = promote.git("tag", "--list").split()
    told = TITLE.findall(promote.RECORD.read_text(encoding="utf-8"))
    return [tag for tag in told if tag not in known]


def publish_tag(tag: str) -> None:
    """Tag the commit of main that brought a change of the champion: the one that recorded it."""
    words = ["log", "--first-parent", "--reverse", "--format=%H", f"-S {tag}: "]
    found = promote.git(*words, "--", str(promote.RECORD)).split()
    if not found:
        raise Fixable(
            f"{promote.RECORD}: expected the commit that recorded {tag} in this clone, found none. "
            "Next: git fetch --unshallow, or git commit what is not committed"
        )
    promote.git("tag", "--annotate", tag, "--message", f"{tag} takes charge", found[0])
    try:
        promote.git("push", "--quiet", "origin", f"refs/tags/{tag}")
    except Fixable:
        promote.git("tag", "--delete", tag)  # or the next call would take it for pushed
        raise


def deploy(tag: str) -> None:
    """Tell the jobs that follow what is to be deployed."""
    output(tag=tag)
    if registry := os.environ.get("REGISTRY"):
        output(image=f"{registry.lower()}:{tag}")


def propose() -> str:
    """Open the pull request that puts the challenger in charge; what there is to see."""
    with promote.alone():
        promote.resume()
        change = promote.promotion(refresh=False, because=None, name=BY)
        with promote.for_a_while(change, lambda: promote.copy_challenger(change)) as commit:
            promote.dvc("push", "--quiet")
            return _open(change, commit)


def _open(change: promote.Change, commit: str) -> str:
    body = BODY.format(sentence=change["sentence"], tag=change["tag"])
    return proposal.propose(f"release/{change['tag']}", commit, change["title"], body)


def back() -> None:
    """Have what was in charge before deployed again, and propose that the record follows."""
    with promote.alone():
        promote.resume()
        change, left = promote.way_back(because=None, name=BY)
        before = left["before"]
        deployed = before["name"] != "the rule"
        if deployed:
            deploy(before["name"])
            say(f"{before['name']} is deployed again.")
        else:
            say("The rule has no image yet: it is built once its pull request is merged.")
        try:
            pointer = partial(promote.restore_pointer, before["pointer"])
            with promote.for_a_while(change, pointer) as commit:
                say(_open(change, commit))
        except Fixable as problem:
            if not deployed:
                raise
            # What is deployed comes first, the record can follow.
            say(f"::warning::The record does not follow yet: {problem}")


def again(tag: str) -> None:
    """Have the image of an earlier champion deployed."""
    if tag not in promote.git("tag", "--list", "champion-*", "rollback-*").split():
        raise Fixable(
            f"release --again: expected a tag such as champion-1, found {tag}. "
            "Next: git tag --list 'champion-*'"
        )
    deploy(tag)
    say(f"{tag} is deployed again.")


def tags(merged: list[str]) -> None:
    """Tag what was merged, and tell MLflow."""
    if not merged:
        return
    for tag in merged:
        publish_tag(tag)
    model = in_charge.read_tag(promote.CHAMPION)
    say(f"Merged and tagged: {', '.join(merged)}. In charge: {model or 'the rule'}.")
    if promote.tells_mlflow() and (trouble := promote.register()):
        say(trouble)


def main(*, rollback: bool = False, tag: str | None = None) -> int:
    """Say in one sentence what was done; outputs of the step where there is something to deploy."""
    os.chdir(find_project(Path.cwd()))
    promote.call(["git", "fetch", "--quiet", "--tags", "origin"], check=False)
    decision, merged = read_json(Path("reports/decision.json")), untagged()
    ship = decision["verdict"] == "ship"
    if tag:
        again(tag)
    elif not (merged or rollback or ship):
        nothing(decision["sentence"])
    elif bring.private(Path.cwd()):
        say(f"Not released: the champion would be on this machine alone. {bring.SHARE}")
    else:
        bring.main()
        asked(merged, decision["sentence"], rollback=rollback)
    return 0


def asked(merged: list[str], sentence: str, *, rollback: bool) -> None:
    """Tag what was merged; then roll back, deploy that or propose, whichever comes first."""
    tags(merged)
    if rollback:
        back()
    elif merged:
        deploy(in_charge.read_tag(promote.CHAMPION) or merged[-1])
    elif former := rolled_back():
        nothing(f"The challenger is {former}, which was rolled back; another one may come.")
    elif in_charge_already():
        nothing(sentence)
    else:
        say(propose())


def nothing(sentence: str) -> None:
    """Say so, and close the pull request of a challenger that has won before main changed."""
    branch = f"release/{promote.following('champion')}"
    if proposal.withdraw(branch, f"Main changed. {sentence}"):
        say(f"The pull request of {branch} is closed.")
    say(f"Nothing to release. {sentence}")


def in_charge_already() -> bool:
    """Whether the challenger is the champion."""
    here, there = (folder / "card.json" for folder in (promote.CHALLENGER, promote.CHAMPION))
    return here.exists() and here.read_bytes() == there.read_bytes()


def rolled_back() -> str | None:
    """The champion that was rolled back and is this very challenger, which nobody asked for."""
    told = promote.RECORD.read_text(encoding="utf-8") if promote.RECORD.exists() else ""
    here = _challenger(LOCK.read_text(encoding="utf-8"))
    for tag in ROLLED_BACK.findall(told):
        then = promote.call(["git", "show", f"{tag}:./{LOCK}"], check=False)
        if then.returncode == 0 and _challenger(then.stdout) == here:
            return str(tag)
    return None


def _challenger(lock: str) -> str:
    """The hash of the challenger that a `dvc.lock` names."""
    outs = yaml(lock)["stages"]["train"]["outs"]
    return next(str(out["md5"]) for out in outs if out["path"] == promote.CHALLENGER.as_posix())
