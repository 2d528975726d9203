"""Events as the platform tells of them: what a test leaves open, and the context `github`."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..made import git
from .expressions import NotRunnable
from .reading import FIXED
from .triggers import Event

TOKEN = "ghs_0123456789abcdefghijklmnopqrstuvwxyz"


def happened(event: Event, repository: Path, project: str) -> Event:
    """An event with what it leaves open: its ref, its commit, and what every payload has."""
    head = event.head
    if not head and not (event.name == "push" and event.ref):
        head = git(repository, "branch", "--show-current").strip()
    owner, _, name = project.partition("/")
    payload: dict[str, Any] = {
        "repository": {
            "full_name": project,
            "name": name,
            "owner": {"login": owner},
            "default_branch": event.default_branch,
            "fork": False,
            "visibility": "private",
        },
        "sender": {"login": event.actor},
    }
    ref = event.ref or f"refs/heads/{event.default_branch}"
    if event.name.startswith("pull_request"):
        known = event.payload.get("pull_request", {})
        figure = known.get("number", event.payload.get("number", 1))
        ref = f"refs/pull/{figure}/merge" if event.proposed else f"refs/heads/{event.base}"
        theirs = f"{event.actor}/{name}" if event.fork else project
        tips = [git(repository, "rev-parse", branch).strip() for branch in (head, event.base)]
        about = {
            "number": figure,
            "draft": False,
            "head": {
                "ref": head,
                "sha": tips[0],
                "repo": {"full_name": theirs, "fork": event.fork},
            },
            "base": {"ref": event.base, "sha": tips[1], "repo": {"full_name": project}},
            "user": {"login": event.actor},
        }
        payload |= {"action": "opened", "number": figure, "pull_request": about}
        if event.proposed and not event.sha:
            event = replace(event, sha=_merge(repository, *reversed(tips)))
            git(repository, "update-ref", ref, event.sha)
    elif event.name in ("push", "workflow_dispatch"):
        ref = event.ref or f"refs/heads/{head}"
    sha = event.sha or git(repository, "rev-parse", f"{ref}^{{commit}}").strip()
    if event.name == "push":
        payload |= {"ref": ref, "after": sha}
    payload = _merged(payload, event.payload)
    return replace(event, ref=ref, sha=sha, head=head, payload=payload)


def _merge(repository: Path, base: str, head: str) -> str:
    """The commit that merges a branch into its base, as the platform makes it."""
    try:
        tree = git(repository, "merge-tree", "--write-tree", base, head).split()[0]
    except subprocess.CalledProcessError:
        raise NotRunnable(f"{head} does not merge into {base}: nothing runs") from None
    message = ("-m", f"Merge {head} into {base}")
    return git(repository, "commit-tree", "-p", base, "-p", head, *message, tree).strip()


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        name: _merged(below[name], above[name])
        for name in below.keys() & above.keys()
        if isinstance(below[name], dict) and isinstance(above[name], dict)
    }
    return {**below, **above, **both}


def github(
    event: Event, project: str, count: int, file: str, tree: Mapping[str, Any]
) -> dict[str, Any]:
    """The context `github` of a run."""
    proposal = event.name.startswith("pull_request")
    return dict.fromkeys(FIXED["github"], "") | {
        "actor": event.actor,
        "actor_id": "1",
        "api_url": "https://api.github.com",
        "base_ref": event.base if proposal else "",
        "event": event.payload,
        "event_name": event.name,
        "graphql_url": "https://api.github.com/graphql",
        "head_ref": event.head if proposal else "",
        "ref": event.ref,
        "ref_name": re.sub("^refs/(heads|tags|pull)/", "", event.ref),
        "ref_type": "tag" if event.ref.startswith("refs/tags/") else "branch",
        "repository": project,
        "repositoryUrl": f"git://github.com/{project}.git",
        "repository_id": "1",
        "repository_owner": project.partition("/")[0],
        "repository_owner_id": "1",
        "retention_days": "90",
        "run_attempt": "1",
        "run_id": str(1000 + count),
        "run_number": str(count),
        "server_url": "https://github.com",
        "sha": event.sha,
        "token": TOKEN,
        "triggering_actor": event.actor,
        "workflow": tree.get("name") or file,
        "workflow_ref": f"{project}/{file}@{event.ref}",
        "workflow_sha": event.sha,
    }
