"""Pull requests that a command opens: one for each branch, kept up to date.

They are opened by `gh`, GitHub's command, as whoever it is logged in as: `$GH_TOKEN` in a workflow.
Such a branch is made anew by each call, until somebody else has pushed to it: then it stays theirs.
"""

import json
import os
import subprocess

from ..edge.errors import Fixable

MAIN = "main"
LONGEST = 60_000  # characters of a text; GitHub takes 65,536
BY_THE_PLATFORM = """

---
This was opened with the platform's own token, which starts no checks, so that workflows cannot \
start each other for ever. To have them run: *Approve workflows to run*, where that is offered; \
else close this pull request and reopen it. The same after each update of the branch. With a \
token of the team's they start by themselves: the workflow says which one it takes.
"""
FORBIDDEN = """
Next: Settings, Actions, General, Workflow permissions: let GitHub Actions create pull requests; \
or give the workflow the token that a comment in it describes. Then run it again; or open the \
pull request by hand from that branch"""

Ran = subprocess.CompletedProcess[str]


def propose(branch: str, commit: str, title: str, body: str, label: str | None = None) -> str:
    """Push a commit as a branch, and open its pull request or bring that up to date; what came of
    it, in words.
    """
    there = tip(branch)
    if there and (whose := others(there)):
        return f"{branch} stays as it is, as {whose} has pushed to it. Next: merge it, or close it"
    if not there or _made_of(there) != _made_of(commit):
        push(commit, branch)
    if os.environ.get("GH_TOKEN") and os.environ.get("GH_TOKEN") == os.environ.get("GITHUB_TOKEN"):
        body = body[:LONGEST] + BY_THE_PLATFORM
    if label:
        gh("label", "create", label, "--force")
    number = opened_for(branch)
    told = edited(number, title, body, label) if number else opened(branch, title, body, label)
    if told.returncode:
        raise Fixable(
            f"{branch} was pushed, but its pull request could not be opened: "
            f"{told.stderr.strip()}{FORBIDDEN}"
        )
    return f"{title}. Its pull request: {told.stdout.strip() or f'{branch} (#{number})'}"


def opened_for(branch: str) -> str | None:
    """The number of a branch's open pull request."""
    words = ["pr", "list", "--head", branch, "--state", "open", "--json", "number"]
    asked = gh(*words, "--jq", ".[].number")
    return next(iter(asked.stdout.split()), None) if asked.returncode == 0 else None


def opened(branch: str, title: str, body: str, label: str | None) -> Ran:
    """Open the pull request of a branch; it prints the address."""
    words = ["pr", "create", "--base", MAIN, "--head", branch, "--title", title]
    return gh(*words, "--body-file", "-", *(["--label", label] if label else []), given=body)


def edited(number: str, title: str, body: str, label: str | None) -> Ran:
    """Bring a pull request up to date, by the API: `gh pr edit` asks for projects too, which such
    tokens may not read (https://github.com/cli/cli/issues/6274).
    """
    words, where = ["api", "--silent", "--input", "-", "--method"], "repos/{owner}/{repo}"
    if label:
        given = json.dumps({"labels": [label]})
        gh(*words, "POST", f"{where}/issues/{number}/labels", given=given)
    given = json.dumps({"title": title, "body": body})
    return gh(*words, "PATCH", f"{where}/pulls/{number}", given=given)


def tip(branch: str) -> str | None:
    """The commit of a branch of `origin`, brought here; None where there is no such branch."""
    listed = _git("ls-remote", "origin", f"refs/heads/{branch}")
    if listed.returncode:
        raise Fixable(
            f"origin: expected the repository on its code host, found: {listed.stderr.strip()}"
        )
    if not listed.stdout:
        return None
    commit = listed.stdout.split()[0]
    _git("fetch", "--quiet", "origin", f"refs/heads/{branch}")
    return commit


def others(commit: str) -> str | None:
    """Who else made one of the commits that lead from here to another; merges of main aside."""
    ours = _git("var", "GIT_COMMITTER_IDENT").stdout.partition("<")[2].partition(">")[0]
    asked = _git("log", "--no-merges", "--format=%ce", f"HEAD..{commit}")
    return next((email for email in asked.stdout.split() if email != ours), None)


def _made_of(commit: str) -> str:
    """What a commit holds and what it stands on, but for when it was made."""
    return _git("log", "-1", "--format=%T %P", commit).stdout


def push(commit: str, branch: str) -> None:
    """Make a branch of `origin` this commit."""
    pushed = _git("push", "--quiet", "--force", "origin", f"{commit}:refs/heads/{branch}")
    if pushed.returncode:
        workflows = " and `workflows: write`" if "workflow" in pushed.stderr else ""
        raise Fixable(
            f"{branch} could not be pushed: {pushed.stderr.strip()}\nNothing was proposed. Next: "
            f"give the workflow a token with `contents: write`{workflows}, as a comment in it "
            "says; or run the same command where you may push"
        )


def withdraw(branch: str, because: str) -> bool:
    """Close the pull request of a branch, unless somebody else has pushed to it; whether it did."""
    there = tip(branch) if _git("remote").stdout.strip() else None
    if there is None or others(there):
        return False
    closed = gh("pr", "close", branch, "--comment", because, "--delete-branch")
    return closed.returncode == 0


def gh(*words: str, given: str = "") -> Ran:
    """Run GitHub's command."""
    try:
        return subprocess.run(
            ["gh", *words], input=given, capture_output=True, text=True, check=False
        )
    except OSError:
        raise Fixable(
            f"gh {' '.join(words[:2])}: expected GitHub's command, found none. Next: install it "
            "from https://cli.github.com, or open the pull request by hand"
        ) from None


def _git(*words: str) -> Ran:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=False)
