"""GitHub's workflows on this machine, so that they can be tested without the platform.

`run` executes every job of a workflow as the platform would and says what came of it. What it
cannot do, what the platform refuses, and what is always a slip, is `NotRunnable`; nothing is left
out in silence. Workflow files are read from the commit that the event is about.
"""

import math
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

from .emulated import EMULATED, Action, Failed, Use
from .events import TOKEN, github, happened
from .expressions import (
    Functions,
    Names,
    NotRunnable,
    Place,
    check,
    condition,
    evaluate,
    fill,
    number,
    parse,
    text,
    truth,
)
from .machine import Machine, Step, Steps
from .reading import (
    FIXED,
    IN_ACTION_DEFAULT,
    IN_ACTION_OUTPUT,
    IN_JOB,
    IN_STEP,
    IN_URL,
    JOB,
    WORKFLOW,
    Reader,
    ancestors,
    defaults,
    input_names,
    label,
    located,
    mapping,
    needs,
    permissions,
    required,
    step_names,
    table,
)
from .triggers import Event, inputs, starts, triggers

NO_ACTION = ("action_path", "")
GRACE = 5  # minutes that are left to the steps of a cancelled job


@dataclass
class Job:
    """What came of a job; `result` is what others see of it, `outcome` before continue-on-error."""

    name: str
    result: str = "skipped"
    outcome: str = "skipped"
    steps: Steps = field(default_factory=lambda: Steps([]))
    outputs: dict[str, str] = field(default_factory=dict)
    permissions: dict[str, str] = field(default_factory=dict)
    environment: str = ""
    url: str = ""
    runs_on: Any = None
    concurrency: dict[str, Any] = field(default_factory=dict)
    summary: str = ""


@dataclass
class Completed:
    """What came of an event; jobs by id."""

    triggered: bool
    result: str = "skipped"
    jobs: dict[str, Job] = field(default_factory=dict)
    concurrency: dict[str, Any] = field(default_factory=dict)
    artifacts: Path = Path()

    @property
    def summary(self) -> str:
        return "".join(job.summary for job in self.jobs.values())

    @property
    def annotations(self) -> list[dict[str, str]]:
        steps = (step for job in self.jobs.values() for step in job.steps.all)
        return [note for step in steps for note in step.annotations]


@dataclass(frozen=True)
class Scope:
    """What expressions can see at some point."""

    contexts: Mapping[str, Any]
    names: Names
    functions: Functions = field(default_factory=dict)

    def more(self, **contexts: Any) -> "Scope":
        return replace(self, contexts={**self.contexts, **contexts})

    def result(self, source: str, place: Place) -> Any:
        node = parse(source)
        check(node, place, self.names)
        return evaluate(node, self.contexts, self.functions)

    def value(self, value: Any, place: Place) -> Any:
        return fill(value, lambda source: self.result(source, place))

    def string(self, value: Any, place: Place) -> str:
        return text(self.value(value, place))

    def strings(self, values: Mapping[str, Any] | None, place: Place) -> dict[str, str]:
        return {name: self.string(value, place) for name, value in (values or {}).items()}

    def holds(self, value: Any, place: Place) -> bool:
        return truth(self.result(condition(value), place))


@dataclass
class Status:
    """How a job, or an action within it, is getting on."""

    failed: bool = False
    cancelled: bool = False

    def __str__(self) -> str:
        return "cancelled" if self.cancelled else "failure" if self.failed else "success"

    @property
    def functions(self) -> dict[str, Callable[..., Any]]:
        return {
            "always": lambda: True,
            "cancelled": lambda: self.cancelled,
            "failure": lambda: self.failed,
            "success": lambda: not self.failed and not self.cancelled,
        }


@dataclass(frozen=True)
class Flow:
    """A workflow that runs, and what it is given."""

    path: str
    tree: dict[str, Any]
    inputs: dict[str, Any]
    secrets: dict[str, str]


@dataclass(frozen=True)
class Frame:
    """Where steps stand: in a job, or in an action that one of its steps uses."""

    machine: Machine
    permissions: dict[str, str]
    defaults: dict[str, str]
    status: Status
    until: float
    env: Mapping[str, str] = field(default_factory=dict)
    action: bool = False


@dataclass
class Runner:
    """A run on its way; `run` says what the fields are."""

    event: Event
    repository: Path
    reader: Reader
    folder: Path
    secrets: dict[str, str]
    variables: Mapping[str, str]
    actions: Mapping[str, Action]
    environment: Mapping[str, str]
    minute: float
    longest: float
    project: str
    github: dict[str, Any]
    completed: Completed

    def scope(self, flow: Flow) -> Scope:
        """What can be seen of a workflow before any job."""
        contexts = {"github": self.github, "inputs": flow.inputs, "vars": self.variables}
        names = {**FIXED, "inputs": input_names(flow.tree)}
        return Scope({**contexts, "secrets": flow.secrets}, names)

    def flow(self, flow: Flow) -> dict[str, Job]:
        """Run the jobs of a workflow, one after the other; what came of each, by id."""
        jobs, ended = flow.tree["jobs"], dict[str, Job]()
        order = [name for job in jobs for name in (*ancestors(jobs, job), job)]
        for name in dict.fromkeys(order):
            with located(f"{flow.path}: job {name}"):
                ended[name] = self.job(flow, name, ended)
        return ended

    def job(self, flow: Flow, job: str, ended: Mapping[str, Job]) -> Job:
        """Run a job, if it is to run."""
        spec = flow.tree["jobs"][job]
        above = {ended[other].result for other in ancestors(flow.tree["jobs"], job)}
        status = Status("failure" in above).functions
        status["success"] = lambda: above <= {"success"}
        known = {
            need: {"result": ended[need].result, "outputs": ended[need].outputs}
            for need in needs(spec)
        }
        scope = self.scope(flow).more(needs=known)
        scope = replace(scope, names=self.reader.names(flow.tree, job), functions=status)
        done = self.completed.jobs[job] = Job(job)
        if scope.holds(spec.get("if", True), JOB["if"]):
            done.name = scope.string(spec.get("name", job), IN_JOB)
            wanted = permissions(spec.get("permissions", flow.tree["permissions"]))
            done.permissions = self.granted(wanted)
            done.concurrency = _concurrency(scope.value(spec.get("concurrency"), IN_JOB))
            self.steps_of(flow, job, scope, done)
        return done

    def granted(self, wanted: Mapping[str, str]) -> dict[str, str]:
        """What the platform leaves of it: only to read, where it trusts nobody."""
        if not self.event.unprivileged:
            return dict(wanted)
        return {scope: "read" for scope, level in wanted.items() if level != "none"}

    def steps_of(self, flow: Flow, job: str, scope: Scope, done: Job) -> None:
        """Run the steps of a job, on a machine of its own."""
        spec = flow.tree["jobs"][job]
        done.runs_on = scope.value(spec["runs-on"], IN_JOB)
        if match := re.search(r"(windows|macos)[\w.-]*", str(done.runs_on)):
            raise NotRunnable(f"runs-on: this machine is no {match[0]}")
        about = spec.get("environment") or ""
        about = about if isinstance(about, dict) else {"name": about}
        done.environment = scope.string(about["name"], IN_JOB)
        env = scope.strings(flow.tree.get("env"), WORKFLOW["env"])
        env |= scope.strings(spec.get("env"), JOB["env"])
        settings = {**defaults(flow.tree), **defaults(spec)}
        settings = scope.more(env=env).strings(settings, JOB["defaults"])
        machine = self.machine(spec, job, scope, env, flow.secrets)
        here = {**self.github, "job": job, "workspace": str(machine.workspace)}
        here["event_path"] = str(machine.temp / "event.json")
        scope = scope.more(github=here, runner=machine.runner, job={})
        frame = Frame(machine, done.permissions, settings, Status(), machine.deadline)
        done.steps = self.steps(spec["steps"], scope, frame)
        for afterwards in reversed(machine.afterwards) if str(frame.status) == "success" else ():
            afterwards()
        machine.tear_down()
        end = self.after(scope, frame, done.steps)
        outputs = end.strings(spec.get("outputs"), JOB["outputs"])
        secret = {key for key, value in outputs.items() if machine.masked(value) != value}
        done.outputs = outputs | dict.fromkeys(secret, "")
        done.url = end.string(about.get("url", ""), IN_URL)
        done.summary = machine.summary
        done.outcome = done.result = str(frame.status)
        if (
            _boolean(scope.value(spec.get("continue-on-error", False), IN_JOB))
            and frame.status.failed
        ):
            done.result = "success"

    def machine(
        self,
        spec: Mapping[str, Any],
        name: str,
        scope: Scope,
        env: dict[str, str],
        secrets: Mapping[str, str],
    ) -> Machine:
        minutes = self.minutes(scope.value(spec.get("timeout-minutes", 360), IN_JOB))
        machine = Machine(
            folder=self.folder / re.sub(r"[^\w.-]+", "-", name),
            name=self.project.rpartition("/")[2],
            base=self.environment,
            env=env,
            masks=[value for value in (*self.secrets.values(), *secrets.values()) if value],
            deadline=time.monotonic() + minutes,
            longest=self.longest,
        )
        machine.set_up(self.github["event"])
        return machine

    def minutes(self, value: Any) -> float:
        """Minutes of the workflow in seconds of this machine."""
        if not (minutes := number(value)) > 0:
            raise NotRunnable(f"timeout-minutes: {value!r} is no time")
        return minutes * self.minute

    def steps(self, specs: Any, scope: Scope, frame: Frame) -> Steps:
        """Run steps one after the other."""
        done = Steps([])
        for spec in specs:
            with located(f"step {label(spec)}"):
                now = replace(self.after(scope, frame, done), functions=frame.status.functions)
                step = self.step(spec, now, frame)
            done.all.append(step)
            frame.status.failed |= step.conclusion == "failure"
            frame.status.cancelled |= time.monotonic() >= frame.machine.deadline
        return done

    def after(self, scope: Scope, frame: Frame, done: Steps) -> Scope:
        """What can be seen after steps."""
        known = {
            step.id: {
                "outputs": step.outputs,
                "outcome": step.outcome,
                "conclusion": step.conclusion,
            }
            for step in done.all
            if step.id
        }
        names = {**scope.names, "steps": step_names(known)}
        job = {**scope.contexts["job"], "status": str(frame.status)}
        env = {**frame.machine.env, **frame.env}
        return replace(scope, names=names).more(steps=known, job=job, env=env)

    def step(self, spec: Mapping[str, Any], scope: Scope, frame: Frame) -> Step:
        """Run a step, if it is to run."""
        places = table(spec, frame.action)
        step = Step(spec.get("id", ""), label(spec))
        own = scope.strings(spec.get("env"), places["env"])
        scope = scope.more(env={**scope.contexts["env"], **own})
        step.name = scope.string(spec.get("name", step.name), places["name"])
        if not scope.holds(spec.get("if", True), places["if"]):
            return step
        late = frame.status.cancelled
        until = time.monotonic() + GRACE * self.minute if late else frame.until
        if "timeout-minutes" in spec:
            bound = self.minutes(scope.value(spec["timeout-minutes"], IN_STEP))
            until = min(until, time.monotonic() + bound)
        frame = replace(frame, until=until, env={**frame.env, **own})
        step.outcome = "success"
        try:
            if "run" in spec:
                self.script(spec, step, scope, frame)
            else:
                self.use(spec, step, scope, frame)
        except Failed as failure:
            ended = not late and time.monotonic() >= frame.machine.deadline
            step.outcome = "cancelled" if ended else "failure"
            message = frame.machine.masked(str(failure))
            step.annotations.append({"kind": "error", "message": message})
            step.text += f"Error: {message}\n"
        tolerated = scope.value(spec.get("continue-on-error", False), places["continue-on-error"])
        step.conclusion = step.outcome
        if _boolean(tolerated) and step.outcome == "failure":
            step.conclusion = "success"
        return step

    def script(self, spec: Mapping[str, Any], step: Step, scope: Scope, frame: Frame) -> None:
        """Run what `run` says."""
        places = table(spec, frame.action)
        settings = {} if frame.action else frame.defaults
        own = {key: spec[key] for key in ("shell", "working-directory") if key in spec}
        settings = settings | {key: scope.string(value, places[key]) for key, value in own.items()}
        variables = {
            f"GITHUB_{name.upper()}": text(value)
            for name, value in scope.contexts["github"].items()
            if name not in ("event", "token", "repositoryUrl") and (name, value) != NO_ACTION
        }
        variables |= {f"RUNNER_{key.upper()}": value for key, value in frame.machine.runner.items()}
        frame.machine.script(
            spec["run"],
            settings.get("shell", ""),
            frame.machine.workspace / settings.get("working-directory", "."),
            frame.env,
            {**variables, "CI": "true", "GITHUB_ACTIONS": "true"},
            frame.until,
            step,
        )

    def use(self, spec: Mapping[str, Any], step: Step, scope: Scope, frame: Frame) -> None:
        """Run an action: one of the repository's own, one of the caller's or an emulated one."""
        arguments = scope.strings(spec.get("with"), table(spec, frame.action)["with"])
        if spec["uses"].startswith("./"):
            self.composite(spec["uses"], arguments, step, scope, frame)
            return
        machine = frame.machine
        use = Use(
            inputs=arguments,
            workspace=machine.workspace,
            home=machine.home,
            environment=machine.environment(frame.env),
            repository=self.repository,
            name=self.project,
            event=self.event,
            permissions=frame.permissions,
            artifacts=self.completed.artifacts,
        )
        try:
            {**EMULATED, **self.actions}[spec["uses"].partition("@")[0]](use)
        except CalledProcessError as error:
            raise Failed(f"{error.cmd}: {error.stderr}") from None
        finally:
            machine.commands("".join(f"{line}\n" for line in use.log), step)
        step.outputs = use.outputs
        machine.env |= use.exported
        machine.path = [*use.path, *machine.path]
        machine.afterwards += [use.afterwards] if use.afterwards else []

    def composite(
        self, uses: str, arguments: dict[str, str], step: Step, scope: Scope, frame: Frame
    ) -> None:
        """Run an action of the repository, from where it is checked out."""
        folder = frame.machine.workspace / uses
        file = next(folder.glob("action.y*ml"), None)
        if file is None:
            raise Failed(f"Can't find 'action.yml' under '{folder}': is it checked out?")
        tree = self.reader.action(uses, file.read_text())
        declared = tree.get("inputs") or {}
        mapping(arguments, declared, *required(declared))
        defaults = {key: (about or {}).get("default", "") for key, about in declared.items()}
        values = scope.strings(defaults, IN_ACTION_DEFAULT) | arguments
        here = {**scope.contexts["github"], "action_path": str(folder.resolve())}
        scope = replace(scope, names={**scope.names, "inputs": dict.fromkeys(declared)})
        scope = scope.more(inputs=values, github=here)
        frame = replace(frame, status=Status(), action=True)
        step.steps = self.steps(tree["runs"]["steps"], scope, frame)
        wanted = {key: about["value"] for key, about in (tree.get("outputs") or {}).items()}
        step.outputs = self.after(scope, frame, step.steps).strings(wanted, IN_ACTION_OUTPUT)
        step.text = "".join(inner.text for inner in step.steps.all)
        step.annotations = [note for inner in step.steps.all for note in inner.annotations]
        if str(frame.status) != "success":
            raise Failed(f"A step of {uses} failed")


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise NotRunnable(f"{value!r} is neither true nor false")
    return value


def _worst(results: Iterable[str]) -> str:
    distinct = set(results)
    return next((one for one in ("failure", "cancelled", "success") if one in distinct), "skipped")


def _concurrency(value: Any) -> dict[str, Any]:
    about = {"group": value} if isinstance(value, str) else value
    known = ("group", "cancel-in-progress", "queue")
    return dict(mapping(about, known, *(["group"] if about else [])))


def _dispatched(declared: Mapping[str, Any], form: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs of a run by hand: a form sends strings, and only booleans do not stay ones."""
    kinds = {name: (about or {}).get("type", "string") for name, about in declared.items()}
    read = dict(form)
    for name, value in form.items():
        if kinds.get(name) == "boolean" and value in ("true", "false"):
            read[name] = value == "true"
        if kinds.get(name) == "number" and not math.isnan(number(value)):
            read[name] = number(value)
    values = inputs(declared, read, lambda default: default)
    return {key: text(value) if kinds[key] == "number" else value for key, value in values.items()}


def run(
    repository: Path,
    file: str,
    event: Event,
    *,
    folder: Path,
    secrets: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    actions: Mapping[str, Action] | None = None,
    environment: Mapping[str, str] | None = None,
    minute: float = 60.0,
    longest: float = 600.0,
    project: str = "acme/project",
) -> Completed:
    """Run a workflow of a repository's commit, as the platform would for an event.

    `folder` is where the jobs' machines are. `actions` has what stands for the actions of others,
    by `owner/name`. `environment` is added to an environment that is bare otherwise. A minute of
    `timeout-minutes` takes `minute` seconds; a process that nothing bounds may take `longest`.

    Errors: NotRunnable with file, job and step; ExpressionInRun is one.
    """
    repository, folder = repository.resolve(), folder.resolve()
    event = happened(event, repository, project)
    known = {**EMULATED, **(actions or {})}
    reader = Reader(repository, event.sha, known)
    tree = reader.workflow(file)
    on = triggers(tree["on"])
    with located(file):
        if not starts(on, event, repository):
            return Completed(False)
    count = len(list(folder.glob("run-*"))) + 1
    here = folder / f"run-{count}"
    (here / "artifacts").mkdir(parents=True)
    values: dict[str, Any] = {}
    with located(file):
        if event.name == "workflow_dispatch":
            declared = on["workflow_dispatch"].get("inputs") or {}
            values = _dispatched(declared, event.payload.get("inputs") or {})
            texts = {name: text(value) for name, value in values.items()}
            event = replace(event, payload={**event.payload, "inputs": texts})
    known_secrets = {} if event.unprivileged else dict(secrets or {})
    runner = Runner(
        event=event,
        repository=repository,
        reader=reader,
        folder=here,
        secrets={"GITHUB_TOKEN": TOKEN, **known_secrets},
        variables=variables or {},
        actions=known,
        environment=environment or {},
        minute=minute,
        longest=longest,
        project=project,
        github=github(event, project, count, file, tree),
        completed=Completed(True, artifacts=here / "artifacts"),
    )
    flow = Flow(file, tree, values, runner.secrets)
    scope, completed = runner.scope(flow), runner.completed
    with located(file):
        group = scope.value(tree.get("concurrency"), WORKFLOW["concurrency"])
        completed.concurrency = _concurrency(group)
    completed.result = _worst(job.result for job in runner.flow(flow).values())
    return completed
