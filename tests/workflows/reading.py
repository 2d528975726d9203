"""Reading workflow files and checking all of them, also what will not run."""

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ..made import git
from .expressions import STATUS, Names, NotRunnable, Place, check, condition, expressions, parse
from .triggers import triggers


class ExpressionInRun(NotRunnable):
    """`${{ }}` inside `run:`, where its value would become code."""


def place(contexts: str, functions: Collection[str] = ()) -> Place:
    return Place(frozenset(contexts.split()), frozenset(functions))


NOWHERE = place("")
EARLY = "github inputs vars"
LATER = f"{EARLY} needs"
STEPS = f"{LATER} steps job runner env"
ACTIONS = "github inputs steps job runner env"
IN_JOB, IN_URL, IN_STEP = place(LATER), place(STEPS), place(f"{STEPS} secrets")
IN_ACTION, IN_ACTION_OUTPUT = place(ACTIONS), place(ACTIONS)
IN_ACTION_DEFAULT = place("github job runner")

# What each key may use, by docs.github.com/actions/reference/workflows-and-actions/contexts
# (context availability). A key that is not here is not known to the runner.
WORKFLOW = dict.fromkeys(("name", "on", "permissions", "defaults", "jobs"), NOWHERE) | {
    "concurrency": place(EARLY),
    "env": place(f"{EARLY} secrets"),
}
JOB = {
    **dict.fromkeys(("needs", "permissions", "steps"), NOWHERE),
    **dict.fromkeys(("name", "concurrency", "runs-on", "timeout-minutes"), IN_JOB),
    "continue-on-error": IN_JOB,
    "if": place(LATER, STATUS),
    "environment": IN_URL,
    "env": place(f"{LATER} secrets"),
    "defaults": place(f"{LATER} env"),
    "outputs": place(f"{STEPS} secrets"),
}
STEP = dict.fromkeys(("name", "continue-on-error", "timeout-minutes", "env"), IN_STEP) | {
    "id": NOWHERE,
    "if": place(STEPS, STATUS),
}
RUN = STEP | {"run": NOWHERE, "shell": NOWHERE, "working-directory": IN_STEP}
USES = STEP | {"uses": NOWHERE, "with": IN_STEP}
STEP_OF_ACTION = dict.fromkeys(("name", "continue-on-error", "env"), IN_ACTION) | {
    "id": NOWHERE,
    "if": place(ACTIONS, STATUS),
}
RUN_OF_ACTION = STEP_OF_ACTION | {
    "run": NOWHERE,
    "shell": IN_ACTION,
    "working-directory": IN_ACTION,
}
USES_OF_ACTION = STEP_OF_ACTION | {"uses": NOWHERE, "with": IN_ACTION}
SETTINGS = ("shell", "working-directory")
ACTION = ("name", "description", "author", "inputs", "outputs", "runs", "branding")

_SCOPES = """actions artifact-metadata attestations checks code-quality contents deployments
    discussions id-token issues models packages pages pull-requests repository-projects
    security-events statuses vulnerability-alerts"""
NAME = re.compile("[A-Za-z_][A-Za-z0-9_-]*")
LEVELS = ("none", "read", "write")
_GITHUB = """action_path actor actor_id api_url base_ref event event_name event_path graphql_url
    head_ref job ref ref_name ref_type repository repositoryUrl repository_id repository_owner
    repository_owner_id retention_days run_attempt run_id run_number server_url sha token
    triggering_actor workflow workflow_ref workflow_sha workspace"""
_RUNNER = "os arch name temp tool_cache environment debug"
FIXED: dict[str, Any] = {
    "github": dict.fromkeys(_GITHUB.split()),
    "runner": dict.fromkeys(_RUNNER.split()),
    "job": {"status": None},
}
"""The names in those contexts that are the same in every workflow."""


@contextmanager
def located(where: str) -> Iterator[None]:
    """Say of an error where it is."""
    try:
        yield
    except NotRunnable as error:
        raise type(error)(f"{where}: {error}") from None


def read(source: str) -> dict[str, Any]:
    """A file by YAML 1.2, in which `on` is a word."""
    try:
        plain = json.loads(json.dumps(YAML(typ="safe", pure=True).load(source)))
    except (YAMLError, TypeError) as error:
        raise NotRunnable(f"cannot be read: {error}") from None
    return dict(mapping(plain, plain or ()))


def mapping(spec: Any, known: Collection[str], *required: str) -> dict[str, Any]:
    """A mapping (nothing is an empty one) that has these keys only, and the required ones."""
    spec = {} if spec is None else spec
    if not isinstance(spec, dict):
        raise NotRunnable(f"{spec!r} is not a mapping")
    if wrong := set(spec) - set(known):
        raise NotRunnable(f"not known here: {', '.join(sorted(wrong))}")
    if missing := set(required) - set(spec):
        raise NotRunnable(f"missing: {', '.join(sorted(missing))}")
    return spec


def label(spec: Mapping[str, Any]) -> str:
    """What a step is called as long as nothing is evaluated."""
    first = str(spec.get("run", "")).strip().split("\n")[0]
    return str(spec.get("name") or spec.get("uses") or first)


def table(spec: Mapping[str, Any], action: bool) -> dict[str, Place]:
    """What the keys of a step may use."""
    if action:
        return RUN_OF_ACTION if "run" in spec else USES_OF_ACTION
    return RUN if "run" in spec else USES


def required(declared: Mapping[str, Any] | None) -> list[str]:
    """The inputs or secrets that have to be given."""
    about = {name: about or {} for name, about in (declared or {}).items()}
    return [name for name in about if about[name].get("required") and "default" not in about[name]]


def permissions(declared: Any) -> dict[str, str]:
    """Permissions by scope. Errors: NotRunnable for a scope or a level that there is not."""
    if declared in ("read-all", "write-all"):
        return dict.fromkeys(_SCOPES.split(), declared.partition("-")[0])
    if wrong := set(mapping(declared, _SCOPES.split()).values()) - set(LEVELS):
        raise NotRunnable(f"permissions: there is no level {', '.join(map(str, wrong))}")
    return dict(declared or {})


def defaults(level: Mapping[str, Any]) -> dict[str, Any]:
    """What a workflow or a job says for all of its scripts."""
    return mapping(mapping(level.get("defaults"), {"run"}).get("run"), SETTINGS)


def needs(spec: Mapping[str, Any]) -> list[str]:
    names = spec.get("needs", [])
    return [names] if isinstance(names, str) else list(names)


def ancestors(jobs: Mapping[str, Any], job: str, below: tuple[str, ...] = ()) -> list[str]:
    """Every job that has to end before a job does begin, in an order that serves all."""
    order: dict[str, None] = {}
    for need in needs(jobs[job]):
        if need not in jobs or need in (*below, job):
            raise NotRunnable(f"needs: {need!r} is no other job, or needs this one")
        order |= dict.fromkeys([*ancestors(jobs, need, (*below, job)), need])
    return list(order)


def step_names(steps: Collection[str]) -> dict[str, Any]:
    return {step: dict.fromkeys(("outputs", "outcome", "conclusion")) for step in steps}


def job_names(outputs: Collection[str]) -> dict[str, Any]:
    return {"result": None, "outputs": dict.fromkeys(outputs)}


def input_names(tree: Mapping[str, Any]) -> dict[str, None]:
    declared = triggers(tree["on"]).get("workflow_dispatch", {}).get("inputs")
    return dict.fromkeys(declared or {})


def _check(value: Any, where: Place, names: Names) -> None:
    for source in expressions(value):
        check(parse(source), where, names)


def _check_keys(spec: Mapping[str, Any], places: Mapping[str, Place], names: Names) -> None:
    for key in spec:
        with located(key):
            if key == "if":
                check(parse(condition(spec[key])), places[key], names)
            else:
                _check(spec[key], places[key], names)


@dataclass(frozen=True)
class Reader:
    """Reads the files of a commit; `actions` are the names of those actions that can be run."""

    repository: Path
    sha: str
    actions: Collection[str]

    def source(self, path: str) -> str | None:
        """A file of the commit, if it has it."""
        try:
            return git(self.repository, "show", f"{self.sha}:{path}")
        except CalledProcessError:
            return None

    def workflow(self, path: str) -> dict[str, Any]:
        """A workflow, checked."""
        with located(path):
            if (source := self.source(path)) is None:
                raise NotRunnable("is not in the commit")
            tree = mapping(read(source), WORKFLOW, "on", "jobs", "permissions")
            jobs = tree["jobs"]
            defaults(tree)
            for spec in mapping(jobs, jobs or ()).values():
                mapping(spec, spec or ())
            permissions(tree["permissions"])
            names = {**FIXED, "inputs": input_names(tree)}
            _check_keys({key: tree[key] for key in tree.keys() - {"on", "jobs"}}, WORKFLOW, names)
            for job, spec in jobs.items():
                with located(f"job {job}"):
                    self._check_job(tree, job, spec)
        return tree

    def names(self, tree: Mapping[str, Any], job: str) -> dict[str, Any]:
        """What there is in the contexts of a job, steps aside; None where anything may be."""
        jobs, spec = tree["jobs"], tree["jobs"][job]
        return {
            **FIXED,
            "inputs": input_names(tree),
            "needs": {need: job_names(jobs[need].get("outputs") or {}) for need in needs(spec)},
            "steps": {},
        }

    def _check_job(self, tree: Mapping[str, Any], job: str, spec: Any) -> None:
        ancestors(tree["jobs"], job)
        permissions(spec.get("permissions", {}))
        defaults(spec)
        names = self.names(tree, job)
        mapping(spec, JOB, "runs-on", "steps")
        self._check_steps(spec["steps"], names, action=False)
        _check_keys({key: spec[key] for key in spec.keys() - {"steps"}}, JOB, names)
        environment = spec.get("environment")
        if isinstance(environment, dict):
            mapping(environment, {"name", "url", "deployment"}, "name")
            environment = environment["name"]
        _check(environment, IN_JOB, names)

    def _check_steps(self, specs: Any, names: dict[str, Any], action: bool) -> None:
        """Check steps, and add what there is of those with an id to `names["steps"]`."""
        for spec in specs:
            with located(f"step {label(mapping(spec, spec or ()))}"):
                places = table(spec, action)
                mapping(spec, places, *(["uses"] if "run" not in spec else ["run"]))
                if action and "run" in spec and "shell" not in spec:
                    raise NotRunnable("a step of an action has to name its shell")
                if expressions(spec.get("run")):
                    raise ExpressionInRun(f"an expression in run: {spec['run'].strip()!r}")
                outputs = self._check_uses(spec) if "uses" in spec else None
                _check_keys(spec, places, names)
                if "id" in spec:
                    known = str(spec["id"])
                    if known in names["steps"] or not NAME.fullmatch(known):
                        raise NotRunnable(f"id {known!r} is no name, or is there already")
                    names["steps"] |= {known: {**step_names([known])[known], "outputs": outputs}}

    def _check_uses(self, spec: Mapping[str, Any]) -> dict[str, None] | None:
        """Refuse an action that cannot be run; which outputs one of this commit has."""
        uses = str(spec["uses"])
        if not uses.startswith("./"):
            name, _, ref = uses.partition("@")
            if not ref or name not in self.actions:
                raise NotRunnable(f"no action {uses!r} was given to the runner (or it has no ref)")
            return None
        sources = (self.source(f"{os.path.normpath(uses)}/action.{end}") for end in ("yml", "yaml"))
        if (source := next(filter(None, sources), None)) is None:
            return None  # whatever ran before may have put it into the workspace
        tree = self.action(uses, source)
        mapping(spec.get("with"), tree.get("inputs") or {}, *required(tree.get("inputs")))
        return dict.fromkeys(tree.get("outputs") or {})

    def action(self, uses: str, source: str) -> dict[str, Any]:
        """A composite action, checked."""
        with located(uses):
            tree = mapping(read(source), ACTION, "name", "runs")
            mapping(tree["runs"], {"using", "steps"}, "using", "steps")
            declared = tree.get("inputs") or {}
            names = {**FIXED, "inputs": dict.fromkeys(declared), "steps": {}}
            _check(declared, IN_ACTION_DEFAULT, names)
            self._check_steps(tree["runs"]["steps"], names, action=True)
            _check(tree.get("outputs"), IN_ACTION_OUTPUT, names)
        return tree
