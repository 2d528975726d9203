"""What `on:` of a workflow says about an event: whether it starts a run, and with which inputs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..made import git
from .expressions import NotRunnable

_EVENTS = """branch_protection_rule check_run check_suite create delete deployment deployment_status
    discussion discussion_comment fork gollum image_version issue_comment issues label merge_group
    milestone page_build public pull_request pull_request_review pull_request_review_comment
    pull_request_target push registry_package release repository_dispatch schedule status watch
    workflow_dispatch workflow_run"""
EVENTS = frozenset(_EVENTS.split())
REFS = frozenset({"branches", "branches-ignore"})
PATHS = frozenset({"paths", "paths-ignore"})
FILTERS = {
    "push": REFS | PATHS | {"tags", "tags-ignore"},
    "pull_request": REFS | PATHS | {"types"},
    "pull_request_target": REFS | PATHS | {"types"},
    "workflow_run": REFS | {"types", "workflows"},
    "merge_group": REFS | {"types"},
    "workflow_dispatch": {"inputs"},
}
"""The keys below an event, `types` for every other."""

PROPOSED = ("opened", "synchronize", "reopened")
"""The types of a pull request's events that count where a workflow names none."""


@dataclass(frozen=True)
class Event:
    """What happened on the platform.

    `base` and `head` are the branches of a pull request, `fork` whether its head is in a fork. What
    is left empty is taken from the repository: `head` and a push's `ref` from what is checked out,
    `sha` from `ref`; for a pull request it is the commit that merges `head` into `base`.
    """

    name: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    ref: str = ""
    sha: str = ""
    base: str = "main"
    head: str = ""
    actor: str = "somebody"
    fork: bool = False
    default_branch: str = "main"

    @property
    def proposed(self) -> bool:
        """Whether it is about a pull request, which runs on a merge that nobody has made yet."""
        return self.name.startswith("pull_request") and self.name != "pull_request_target"

    @property
    def unprivileged(self) -> bool:
        """Whether the platform withholds the secrets and gives a token that can only read."""
        return (self.fork and self.proposed) or self.actor == "dependabot[bot]"


def triggers(on: Any) -> dict[str, dict[str, Any]]:
    """`on:` in its longest form: the filters of each event.

    Errors: NotRunnable for events and filters that the platform does not know.
    """
    names = [on] if isinstance(on, str) else on
    events = names if isinstance(names, dict) else dict.fromkeys(names)
    for name, filters in events.items():
        if name not in EVENTS:
            raise NotRunnable(f"on: there is no event {name!r}")
        if name == "schedule":
            _check_schedule(filters)
            continue
        if wrong := set(filters or {}) - FILTERS.get(name, {"types"}):
            raise NotRunnable(f"on.{name}: {', '.join(sorted(wrong))} cannot be asked for")
        for kind in ("branches", "tags", "paths"):
            if {kind, f"{kind}-ignore"} <= set(filters or {}):
                raise NotRunnable(f"on.{name}: {kind} and {kind}-ignore exclude each other")
    return {
        name: {"schedule": filters} if name == "schedule" else dict(filters or {})
        for name, filters in events.items()
    }


def _check_schedule(entries: Any) -> None:
    for entry in entries or [{}]:
        if not re.fullmatch(r"[\d*/,\-A-Z]+( [\d*/,\-A-Z]+){4}", str(entry.get("cron"))):
            raise NotRunnable(f"on.schedule: {entry.get('cron')!r} are not five fields of a cron")


def starts(on: Mapping[str, Mapping[str, Any]], event: Event, repository: Path) -> bool:
    """Whether an event starts a run of a workflow with these triggers."""
    if event.name not in on:
        return False
    filters = on[event.name]
    if event.name == "schedule":
        return event.payload.get("schedule") in [entry["cron"] for entry in filters["schedule"]]
    types = _listed(filters.get("types", PROPOSED if event.name.startswith("pull_request") else ()))
    if event.name.startswith("pull_request_review"):
        types = _listed(filters.get("types", ()))
    if types and event.payload.get("action") not in types:
        return False
    names = filters.get("workflows")
    if names and event.payload["workflow_run"]["name"] not in _listed(names):
        return False
    tag = event.ref.startswith("refs/tags/")
    return _ref_matches(filters, event, tag) and (tag or _paths_match(filters, event, repository))


def _ref_matches(filters: Mapping[str, Any], event: Event, tag: bool) -> bool:
    kind, other = ("tags", "branches") if tag else ("branches", "tags")
    if event.name != "push":
        ref = event.base
        if event.name == "workflow_run":
            ref = event.payload["workflow_run"]["head_branch"]
    else:
        ref = re.sub("^refs/(heads|tags)/", "", event.ref)
        asks = {name.partition("-")[0] for name in filters}
        if other in asks and kind not in asks:
            return False
    return _wanted(filters, kind, [ref])


def _paths_match(filters: Mapping[str, Any], event: Event, repository: Path) -> bool:
    """Whether the change touches what the workflow asks for.

    Errors: NotRunnable where it cannot be told what the change is: a push without `before`.
    """
    if not PATHS & set(filters):
        return True
    before = str(event.payload.get("before", ""))
    if event.name == "push" and not before.strip("0"):
        raise NotRunnable("on.push.paths: the event's payload does not say what was there `before`")
    between = f"{before}..{event.sha}" if event.name == "push" else f"{event.base}...{event.sha}"
    changed = git(repository, "diff", "--name-only", "-z", between).split("\0")[:-1]
    return _wanted(filters, "paths", changed)


def _wanted(filters: Mapping[str, Any], kind: str, names: list[str]) -> bool:
    """Whether one of the names is wanted, by `kind` or by `kind-ignore`."""
    if kind in filters:
        patterns = _listed(filters[kind])
        if all(pattern.startswith("!") for pattern in patterns):
            raise NotRunnable(f"{kind}: {patterns} excludes everything")
        return any(selected(name, patterns) for name in names)
    ignored = _listed(filters.get(f"{kind}-ignore", ()))
    return any(not selected(name, ignored) for name in names)


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def selected(name: str, patterns: list[str]) -> bool:
    """Whether the last pattern that matches a name is not one with `!`."""
    verdict = False
    for pattern in patterns:
        if re.fullmatch(_regex(pattern.removeprefix("!")), name):
            verdict = not pattern.startswith("!")
    return verdict


def _regex(pattern: str) -> str:
    """A filter pattern as a regular expression; `?` and `+` are about the character before."""
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "?", "+": "+"}
    parts = re.findall(r"\*\*/|\*\*|\*|\[[a-zA-Z0-9-]+\]|\\.|.", pattern)
    return "".join(
        known.get(part) or (part if part[1:] and part[0] == "[" else re.escape(part[-1]))
        for part in parts
    )


KINDS: dict[str, tuple[type, Any]] = {
    "string": (str, ""),
    "choice": (str, ""),
    "environment": (str, ""),
    "boolean": (bool, False),
    "number": (int, 0),
}
"""Of the inputs: what a value is, and what it is where nothing is given."""


def inputs(declared: Mapping[str, Any], entries: Mapping[str, Any], default: Any) -> dict[str, Any]:
    """The inputs of a run, with what was not given.

    `default` makes the value of a default. Errors: NotRunnable for an input that is not declared,
    is missing or is not of its kind, which the platform refuses too.
    """
    if wrong := set(entries) - set(declared):
        raise NotRunnable(f"inputs {', '.join(sorted(wrong))} are not declared")
    values: dict[str, Any] = {}
    for name in declared:
        about = declared[name] or {}
        kind = about.get("type", "string")
        if kind not in KINDS:
            raise NotRunnable(f"input {name}: there is no type {kind!r}")
        expected, nothing = KINDS[kind]
        if about.get("required") and name not in entries and "default" not in about:
            raise NotRunnable(f"input {name} is required")
        options = about.get("options", [])
        nothing = options[0] if kind == "choice" and options else nothing
        value = entries.get(name, default(about["default"]) if "default" in about else nothing)
        if isinstance(value, float) and expected is int:
            expected = float
        if isinstance(value, bool) != (expected is bool) or not isinstance(value, expected):
            raise NotRunnable(f"input {name}: {value!r} is no {kind}")
        if kind == "choice" and value not in options:
            raise NotRunnable(f"input {name}: {value!r} is none of {', '.join(options)}")
        values[name] = value
    return values
