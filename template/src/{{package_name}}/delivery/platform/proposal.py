"""Pull requests that a command opens: one for each branch, kept up to date.

They are opened by `gh`, GitHub's command, as whoever it is logged in as: `$GH_TOKEN` in a workflow.
Such a branch is made anew by each call, until somebody else has pushed to it: then it stays theirs.
"""

import json
import os

from ..edge.errors import Fixable
from ..edge.repository import find_prefix, read_main_branch
from ..edge.shell import Completed, git, run

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


def propose(branch: str, commit: str, title: str, body: str, label: str | None = None) -> str:
    """Push a commit as a branch, and open its pull request or bring that up to date; a sentence
    that says what came of it.

    Raises Fixable where it may not be pushed or opened.
    """
    if prefix := find_prefix():  # one project of several
        title = f"{prefix.rstrip('/')}: {title}"
    tip = fetch_tip(branch)
    if tip and (author := find_other_author(tip)):
        return f"{branch} stays as it is, as {author} has pushed to it. Next: merge it, or close it"
    if not tip or _read_content(tip) != _read_content(commit):
        push(commit, branch)
    if os.environ.get("GH_TOKEN") and os.environ.get("GH_TOKEN") == os.environ.get("GITHUB_TOKEN"):
        body = body[:LONGEST] + BY_THE_PLATFORM
    if label:
        gh("label", "create", label, "--force")
    number = find_request(branch)
    completed = (
        edit_request(number, title, body, label)
        if number
        else open_request(branch, title, body, label)
    )
    if completed.returncode:
        raise Fixable(
            f"{branch} was pushed, but its pull request could not be opened: "
            f"{completed.stderr.strip()}{FORBIDDEN}"
        )
    return f"{title}. Its pull request: {completed.stdout.strip() or f'{branch} (#{number})'}"


def find_request(branch: str) -> str | None:
    """The number of a branch's open pull request."""
    words = ["pr", "list", "--head", branch, "--state", "open", "--json", "number"]
    completed = gh(*words, "--jq", ".[].number")
    return next(iter(completed.stdout.split()), None) if completed.returncode == 0 else None


def open_request(branch: str, title: str, body: str, label: str | None) -> Completed:
    """Open the pull request of a branch; it prints the address."""
    words = ["pr", "create", "--base", read_main_branch(), "--head", branch, "--title", title]
    return gh(*words, "--body-file", "-", *(["--label", label] if label else []), stdin=body)


def edit_request(number: str, title: str, body: str, label: str | None) -> Completed:
    """Bring a pull request up to date, by the API: `gh pr edit` asks for projects too, which such
    tokens may not read (https://github.com/cli/cli/issues/6274).
    """
    words, where = ["api", "--silent", "--input", "-", "--method"], "repos/{owner}/{repo}"
    if label:
        labels = json.dumps({"labels": [label]})
        gh(*words, "POST", f"{where}/issues/{number}/labels", stdin=labels)
    content = json.dumps({"title": title, "body": body})
    return gh(*words, "PATCH", f"{where}/pulls/{number}", stdin=content)


def fetch_tip(branch: str) -> str | None:
    """The commit of a branch of `origin`, brought here; None where there is no such branch."""
    completed = run(["git", "ls-remote", "origin", f"refs/heads/{branch}"])
    if completed.returncode:
        raise Fixable(
            f"origin: expected the repository on its code host, found: {completed.stderr.strip()}"
        )
    if not completed.stdout:
        return None
    run(["git", "fetch", "--quiet", "origin", f"refs/heads/{branch}"])
    return completed.stdout.split()[0]


def find_other_author(commit: str) -> str | None:
    """The email of somebody else who made a commit between here and another; None without.

    Merges of main do not count.
    """
    ours = git("var", "GIT_COMMITTER_IDENT").partition("<")[2].partition(">")[0]
    emails = git("log", "--no-merges", "--format=%ce", f"HEAD..{commit}").split()
    return next((email for email in emails if email != ours), None)


def _read_content(commit: str) -> str:
    """What a commit holds and what it stands on, but for when it was made."""
    return git("log", "-1", "--format=%T %P", commit)


def push(commit: str, branch: str) -> None:
    """Make a branch of `origin` this commit."""
    reference = f"{commit}:refs/heads/{branch}"
    completed = run(["git", "push", "--quiet", "--force", "origin", reference])
    if completed.returncode:
        workflows = " and `workflows: write`" if "workflow" in completed.stderr else ""
        raise Fixable(
            f"{branch} could not be pushed: {completed.stderr.strip()}\nNothing was proposed. "
            f"Next: give the workflow a token with `contents: write`{workflows}, as a comment in "
            "it says; or run the same command where you may push"
        )


def withdraw(branch: str, because: str) -> bool:
    """Close the pull request of a branch, unless somebody else has pushed to it; whether it did."""
    tip = fetch_tip(branch) if git("remote").strip() else None
    if tip is None or find_other_author(tip):
        return False
    completed = gh("pr", "close", branch, "--comment", because, "--delete-branch")
    return completed.returncode == 0


def gh(*arguments: str, stdin: str = "") -> Completed:
    """Run GitHub's command; the finished process. Raises Fixable where it is not installed."""
    return run(["gh", *arguments], stdin=stdin)
