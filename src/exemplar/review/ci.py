"""What continuous integration runs, read from its files: GitHub's workflows and GitLab's pipeline.

A step is followed through a script, a Make or just recipe, a stage of `dvc.yaml`, the hooks of
pre-commit, an action or workflow of the repository: one hop of each kind.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .reading import as_list, find_line, get, parse_yaml

WORKFLOW = re.compile(r"\.github/workflows/[^/]+\.ya?ml$")
GITLAB = ".gitlab-ci.yml"
HOOKS = ".pre-commit-config.yaml"
PROPOSED = {"pull_request", "pull_request_target", "merge_group", "merge_request"}
ELSEWHERE = re.compile(r"event_name\s*==\s*'(push|schedule|workflow_dispatch)'|github\.ref\s*==")
SOFT = re.compile(r"\|\|\s*(true|:|exit 0|echo\b)|;\s*true\s*$|^-\s", re.M)
"""A command whose failure is nobody's concern."""
SAID = re.compile(r"^\s*(#(?!!).*|(echo|printf)\b[^&|;\n]*)$", re.M)
"""Lines of a script that run nothing: comments, and what is printed."""
RECIPE = re.compile(r"^@?([\w.-]+)[^:=\n]*:(?!=)[^\n]*\n((?:[ \t]+[^\n]*\n?|\n(?=[ \t]))*)", re.M)
SCRIPT = re.compile(r"(?:^|[\s\"'/])((?:[\w.-]+/)*[\w.-]+\.(?:sh|bash|zsh)|(?:[\w-]+/)+[\w-]+)\b")
RUNNER = re.compile(r"\b(make|just|task)\b((?:\s+[\w./=-]+)*)")
HOPS = ("script", "make", "just", "hooks", "stages", "tox", "nox")


class Step(NamedTuple):
    """A command that CI runs."""

    path: str
    """The file of CI in which it begins."""
    line: int
    job: str
    events: frozenset[str]
    """What starts it: `pull_request`, `push`, `schedule`, `dispatch`."""
    is_soft: bool
    """Whether CI goes on where it fails."""
    command: str
    through: tuple[str, ...] = ()
    """The files by which the command is reached."""

    @property
    def can_stop(self) -> bool:
        """Whether a change that it is against cannot be merged, as far as files say."""
        return bool(self.events & PROPOSED) and not self.is_soft

    def describe(self) -> str:
        """Return the job, and the way to the command."""
        way = "".join(f" -> {path}" for path in self.through)
        return f"job {self.job}{way}"


def read_steps(files: Mapping[str, str]) -> list[Step]:
    """Return every command that CI runs, those that it reaches by one hop among them."""
    first = [step for path in files if WORKFLOW.match(path) for step in read_github(files, path)]
    first += read_gitlab(files)
    return [reached for step in first for reached in follow(step, files, frozenset())]


def read_github(
    files: Mapping[str, str], path: str, events: frozenset[str] | None = None, *, soft: bool = False
) -> Iterator[Step]:
    """Yield the steps of a workflow; `events` are those of the workflow that calls it."""
    text = files[path]
    workflow = parse_yaml(text)
    events = events if events is not None else read_events(workflow)
    for name, job in (get(workflow, "jobs") or {}).items():
        is_soft = soft or is_tolerated(job)
        called = str(get(job, "uses") or "")
        if called.startswith("./") and WORKFLOW.match(called[2:]) and called[2:] in files:
            if called[2:] != path:
                yield from read_github(files, called[2:], events, soft=is_soft)
            continue
        title = str(get(job, "name") or name)
        context = Step(path, 0, title, narrow(events, job), is_soft, "")
        yield from read_github_steps(files, context, as_list(get(job, "steps")))


def read_github_steps(
    files: Mapping[str, str], context: Step, steps: list[Any], *, may_hop: bool = True
) -> Iterator[Step]:
    """Yield the commands of steps, and those of an action of the repository itself."""
    text = files[context.through[-1] if context.through else context.path]
    for step in steps:
        is_soft = context.is_soft or is_tolerated(step)
        if run := get(step, "run"):
            line = find_line(text, str(run).strip().partition("\n")[0])
            if context.through:
                line = context.line
            events = narrow(context.events, step)
            yield context._replace(line=line, is_soft=is_soft, command=str(run), events=events)
        uses = str(get(step, "uses") or "")
        if uses and not uses.startswith("./"):
            line = context.line if context.through else find_line(text, uses)
            yield context._replace(line=line, is_soft=is_soft, command=f"uses: {uses}")
        for name in ("action.yml", "action.yaml"):
            action = f"{uses[2:].rstrip('/')}/{name}"
            if uses.startswith("./") and action in files and may_hop:
                inner = as_list(get(parse_yaml(files[action]), "runs", "steps"))
                line = find_line(text, uses)
                hop = context._replace(line=line, is_soft=is_soft, through=(action,))
                yield from read_github_steps(files, hop, inner, may_hop=False)


def is_tolerated(job: Any) -> bool:
    """Whether CI goes on where a job or a step fails, or never runs it; an expression that allows
    it counts as yes.
    """
    never = str(get(job, "if")).strip("${} ").lower() == "false"
    return never or bool(get(job, "continue-on-error"))


def narrow(events: frozenset[str], job: Any) -> frozenset[str]:
    """Return what starts a job or a step: less where its condition names other events."""
    condition = str(get(job, "if") or "")
    is_other = ELSEWHERE.search(condition) and "pull_request" not in condition
    return events - PROPOSED if is_other else events


def read_events(workflow: Any) -> frozenset[str]:
    """Return what starts a workflow; YAML reads the key `on` as true."""
    content = workflow if isinstance(workflow, dict) else {}
    triggers = content.get("on", content.get(True))
    names = list(triggers) if isinstance(triggers, dict) else as_list(triggers)
    return frozenset("dispatch" if name == "workflow_dispatch" else str(name) for name in names)


def read_gitlab(files: Mapping[str, str]) -> Iterator[Step]:
    """Yield the commands of GitLab's pipeline, of files that it includes among them."""
    if GITLAB not in files:
        return
    pipeline = parse_yaml(files[GITLAB])
    sources = {GITLAB: pipeline}
    for include in as_list(get(pipeline, "include")):
        path = str(get(include, "local") or (include if isinstance(include, str) else "")).lstrip(
            "/"
        )
        if path in files:
            sources[path] = parse_yaml(files[path])
    jobs: dict[str, tuple[str, Any]] = {
        str(name): (path, job)
        for path, content in sources.items()
        if isinstance(content, dict)
        for name, job in content.items()
        if isinstance(job, dict)
    }
    before = as_list(get(pipeline, "before_script") or get(pipeline, "default", "before_script"))
    for name, (path, job) in jobs.items():
        whole = {**inherit(job, jobs), **job}
        if name.startswith(".") or not as_list(whole.get("script")):
            continue
        commands = as_list(whole.get("before_script") or before) + as_list(whole.get("script"))
        is_soft = bool(whole.get("allow_failure")) or whole.get("when") == "manual"
        for command in flatten(commands):
            line = find_line(files[path], command.strip().partition("\n")[0])
            yield Step(path, line, name, read_gitlab_events(whole), is_soft, command)


def inherit(job: Mapping[str, Any], jobs: Mapping[str, tuple[str, Any]]) -> dict[str, Any]:
    """Return what a job of GitLab's extends."""
    inherited: dict[str, Any] = {}
    for name in as_list(job.get("extends")):
        inherited |= jobs.get(str(name), ("", {}))[1]
    return inherited


def flatten(commands: list[Any]) -> Iterator[str]:
    """Yield the commands of lists within lists (`!reference`, anchors)."""
    for command in commands:
        if isinstance(command, list):
            yield from (str(each) for each in command)
        else:
            yield str(command)


def read_gitlab_events(job: Mapping[str, Any]) -> frozenset[str]:
    """Return what starts a job of GitLab's; without a rule, every pipeline does."""
    rules = repr([job.get("rules"), job.get("only")])
    if rules == "[None, None]":
        return frozenset({"merge_request", "push"})
    events = set()
    if "merge_request" in rules:
        events.add("merge_request")
    if "schedule" in rules:
        events.add("schedule")
    if re.search(r"branch|main|master|push|tag", rules, re.I):
        events.add("push")
    return frozenset(events)


def follow(step: Step, files: Mapping[str, str], hops: frozenset[str]) -> Iterator[Step]:
    """Yield a step and what it reaches, with one hop of each kind at most."""
    command = SAID.sub("", step.command)
    step = step._replace(command=command, is_soft=step.is_soft or bool(SOFT.search(command)))
    yield step
    for kind, path, command in find_hops(step.command, files):
        if kind not in hops:
            reached = step._replace(command=command, through=(*step.through, path))
            yield from follow(reached, files, hops | {kind})


def find_hops(command: str, files: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield what a command runs in the repository: the kind of hop, the file, its commands."""
    for name in SCRIPT.findall(command):
        path = name.removeprefix("./")
        if path in files and not path.endswith((".py", ".md", ".json", ".yaml", ".yml", ".toml")):
            yield "script", path, files[path]
    for runner, words in RUNNER.findall(command):
        for path in ("Makefile", "makefile", "GNUmakefile", "justfile", "Justfile", ".justfile"):
            if path in files and (runner == "make") == ("make" in path.lower()):
                yield from find_recipes(runner, path, files[path], words.split())
    if re.search(r"\bpre-commit\s+run\b|\bprek\s+run\b|pre-commit/action@", command):
        yield from (("hooks", HOOKS, hook) for hook in read_hooks(files))
    if re.search(r"\bdvc\s+(repro|exp\s+run)\b", command):
        for stage in (get(parse_yaml(files.get("dvc.yaml", "")), "stages") or {}).values():
            for cmd in as_list(get(stage, "cmd") or get(stage, "do", "cmd")):
                yield "stages", "dvc.yaml", str(cmd)
    if re.search(r"\btox\b", command) and (text := files.get("tox.ini")):
        yield (
            "tox",
            "tox.ini",
            "\n".join(re.findall(r"^commands\s*=((?:.*\n)(?:[ \t].*\n?)*)", text, re.M)),
        )
    if re.search(r"\bnox\b", command) and (text := files.get("noxfile.py")):
        calls = re.findall(r"session\.run(?:_always)?\(([^)]*)\)", text)
        yield "nox", "noxfile.py", "\n".join(re.sub(r"[\"',]+", " ", call) for call in calls)


def find_recipes(
    runner: str, path: str, text: str, words: list[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield the recipes that a call of Make or just runs, with those of their prerequisites."""
    recipes = {match[1]: (match[0], match[2]) for match in RECIPE.finditer(text)}
    for word in words or list(recipes)[:1]:
        if word in recipes:
            head, body = recipes[word]
            needed = head.partition("\n")[0].partition(":")[2].split()
            bodies = [body, *(recipes[name][1] for name in needed if name in recipes)]
            yield runner, path, re.sub(r"^\s+@?", "", "\n".join(bodies), flags=re.M)


def read_hooks(files: Mapping[str, str]) -> list[str]:
    """Return what the hooks of pre-commit run: the command, or the id and the repository."""
    configuration = parse_yaml(files.get(HOOKS, ""))
    return [
        f"{get(hook, 'id')} {get(hook, 'entry') or get(repository, 'repo') or ''} "
        + " ".join(map(str, as_list(get(hook, "args"))))
        for repository in as_list(get(configuration, "repos"))
        for hook in as_list(get(repository, "hooks"))
        if "manual" not in as_list(get(hook, "stages"))
    ]
