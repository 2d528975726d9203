"""The machine that a job has to itself: folders, processes, and what they tell the platform."""

import json
import os
import platform
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .emulated import Failed
from .expressions import NotRunnable

SHELLS = {
    "": "bash -e {0}",
    "bash": "bash --noprofile --norc -eo pipefail {0}",
    "sh": "sh -e {0}",
    "python": "python {0}",
}
LARGEST_SUMMARY = 1024 * 1024  # bytes of a step
COMMAND = re.compile(r"::(?P<name>[a-z-]+)(?: (?P<about>.*?))?::(?P<message>.*)", re.IGNORECASE)
GONE = ("set-output", "save-state", "set-env", "add-path")
FILES = ("env", "output", "path", "state", "step_summary")


@dataclass
class Step:
    """What came of a step; `text` is its output as the platform shows it, secrets masked."""

    id: str
    name: str
    outcome: str = "skipped"
    conclusion: str = "skipped"
    text: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    annotations: list[dict[str, str]] = field(default_factory=list)
    steps: "Steps" = field(default_factory=lambda: Steps([]))


@dataclass
class Steps:
    """The steps of a job or of an action, by place, id or name."""

    all: list[Step]

    def __len__(self) -> int:
        return len(self.all)

    def __getitem__(self, wanted: int | str) -> Step:
        if isinstance(wanted, int):
            return self.all[wanted]
        steps = [step for step in self.all if wanted in (step.id, step.name)]
        if len(steps) != 1:
            raise KeyError(f"{len(steps)} of {[step.name for step in self.all]} are {wanted!r}")
        return steps[0]


@dataclass
class Machine:
    """What the steps of a job share.

    `base` is the environment of every process, `env` what the workflow and its steps add, `path`
    what goes before PATH. `deadline` (by time.monotonic) ends the job, `longest` (seconds) a
    process that nothing else ends.
    """

    folder: Path
    name: str
    base: Mapping[str, str]
    env: dict[str, str]
    masks: list[str]
    deadline: float
    longest: float
    path: list[str] = field(default_factory=list)
    summary: str = ""
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)

    @property
    def workspace(self) -> Path:
        return self.folder / "work" / self.name / self.name

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def temp(self) -> Path:
        return self.folder / "work/_temp"

    @property
    def runner(self) -> dict[str, str]:
        """The context `runner`."""
        arch = {"x86_64": "X64", "aarch64": "ARM64", "arm64": "ARM64"}[platform.machine()]
        context = {"os": "Linux", "arch": arch, "name": "here", "environment": "github-hosted"}
        tools = str(self.folder / "tools")
        return context | {"temp": str(self.temp), "tool_cache": tools, "debug": ""}

    def set_up(self, event: object) -> None:
        """Make the folders, and a git that makes up no author."""
        for place in (self.workspace, self.home, self.temp / "files", self.folder / "tmp"):
            place.mkdir(parents=True)
        (self.home / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
        (self.temp / "event.json").write_text(json.dumps(event))

    def tear_down(self) -> None:
        """End what steps left running."""
        for group in self.groups:
            _kill(group)

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """The environment of a process with variables of its step."""
        ours = str(Path(sys.prefix) / "bin")
        path = ":".join(part for part in os.environ["PATH"].split(":") if part != ours)
        bare = {"PATH": path, "HOME": str(self.home), "TMPDIR": str(self.folder / "tmp")}
        whole = {**bare, "LANG": "C.UTF-8", **self.base, **self.env, **env}
        return whole | {"PATH": ":".join([*self.path, whole["PATH"]])}

    def masked(self, output: str) -> str:
        lines = {line for mask in self.masks for line in mask.splitlines() if line.strip()}
        for secret in sorted(lines, key=len, reverse=True):
            output = output.replace(secret, "***")
        return output

    def script(
        self,
        source: str,
        shell: str,
        folder: Path,
        env: Mapping[str, str],
        variables: Mapping[str, str],
        until: float,
        step: Step,
    ) -> None:
        """Run a script, and read what it wrote for the platform.

        `variables` are those that nothing can override. Errors: Failed if it ends badly, takes
        too long or writes what cannot be read; NotRunnable for a shell that is not known.
        """
        if "{0}" not in (template := SHELLS.get(shell, shell)):
            raise NotRunnable(f"shell {shell!r} is not known")
        if not folder.is_dir():
            raise Failed(f"The working directory {folder} does not exist")
        stem = self.temp / f"files/{len(self.groups)}"
        files = {kind: stem.with_suffix(f".{kind}") for kind in FILES}
        for file in files.values():
            file.touch()
        stem.write_text(source)
        command = [part.replace("{0}", str(stem)) for part in shlex.split(template)]
        variables = {
            **variables,
            **{f"GITHUB_{kind.upper()}": str(file) for kind, file in files.items()},
        }
        wrong = self._process(command, folder, self.environment(env) | variables, until, step)
        self.env |= _variables(files["env"].read_text())
        step.outputs = _variables(files["output"].read_text())
        _variables(files["state"].read_text())
        self.path = [*reversed(files["path"].read_text().splitlines()), *self.path]
        summary = files["step_summary"].read_text()
        if len(summary.encode()) > LARGEST_SUMMARY:
            raise Failed("$GITHUB_STEP_SUMMARY upload aborted, supports content up to 1024k")
        self.summary += self.masked(summary)
        if wrong:
            raise Failed(wrong)

    def _process(
        self, command: list[str], folder: Path, env: Mapping[str, str], until: float, step: Step
    ) -> str:
        """Run a command to its end or until the time is up; what went wrong, if anything."""
        log = self.temp / "files/log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.groups.append(process.pid)
        left = until - time.monotonic()
        try:
            code = process.wait(max(0.0, min(left, self.longest)))
        except subprocess.TimeoutExpired:
            _kill(process.pid)
            process.wait()
            if left > self.longest:
                raise NotRunnable(
                    f"took more than {self.longest} s, which nothing bounds"
                ) from None
            code = None
        self.commands(log.read_text(errors="replace"), step)
        if code is None:
            return "The action has timed out."
        return f"Process completed with exit code {code}." if code else ""

    def commands(self, output: str, step: Step) -> None:
        """Note what a step printed, masked, and obey the workflow commands in it."""
        resume = ""
        for line in output.splitlines(keepends=True):
            match = COMMAND.match(line.strip())
            name = match["name"].lower() if match else ""
            if resume:
                resume = "" if line.strip() == f"::{resume}::" else resume
            elif match and name == "stop-commands":
                resume = match["message"]
            elif match and name in GONE:
                raise NotRunnable(f"::{name}:: is no longer a command: write to the file instead")
            elif match and name == "add-mask":
                self.masks.append(_unescaped(match["message"]))
            elif match and name in ("error", "warning", "notice"):
                pairs = (pair.partition("=") for pair in (match["about"] or "").split(","))
                about = {key.strip(): _unescaped(value) for key, _, value in pairs if key.strip()}
                message = self.masked(_unescaped(match["message"]))
                step.annotations.append({**about, "kind": name, "message": message})
            step.text += self.masked(line)


def _kill(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _unescaped(message: str) -> str:
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        message = message.replace(code, sign)
    return message


def _variables(source: str) -> dict[str, str]:
    """What a file of `name=value` and `name<<END` says. Errors: Failed where it says nothing."""
    variables: dict[str, str] = {}
    lines = source.splitlines()
    while lines:
        line = lines.pop(0)
        head = re.fullmatch(r"(.+?)(=|<<)(.*)", line)
        if head and head[2] == "<<":
            if head[3] not in lines:
                raise Failed(f"Invalid value. Matching delimiter not found '{head[3]}'")
            end = lines.index(head[3])
            variables[head[1].strip()] = "\n".join(lines[:end])
            lines = lines[end + 1 :]
        elif head:
            variables[head[1].strip()] = head[3]
        elif line.strip():
            raise Failed(f"Invalid format '{line}'")
    return variables
