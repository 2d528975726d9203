"""What the checks ask of a repository: its tests, what CI reaches, what proves a figure."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from .ci import Step, read_hooks, read_steps
from .finding import UNKNOWN, Evidence, Proof
from .host import Host
from .reading import as_list, find_line, get, parse_json, parse_yaml
from .snapshot import DAYS, Snapshot
from .testing import TEST_FILE, Test, is_run_by, read_tests

BRIEF = "project-brief.md"
FRONT_MATTER = re.compile(r"\A---\n(.*?\n)---\n(.*)\Z", re.S)
LISTED = re.compile(r"^([A-Z_]+)(?:: [^=\n]+)? = (\[[^\]]*\])", re.M)


@dataclass(frozen=True)
class Subject:
    """A repository that is reviewed. Everything is worked out once, when it is asked for."""

    snapshot: Snapshot
    host: Host = field(default_factory=Host)

    @cached_property
    def steps(self) -> list[Step]:
        """Every command that CI runs."""
        return read_steps(self.snapshot.files)

    @cached_property
    def required(self) -> list[Step]:
        """The commands that can stop a change; only those of required jobs, where that is known."""
        steps = [step for step in self.steps if step.can_stop]
        names = self.host.required_checks
        if names is None:
            return steps
        names |= {name.partition(" (")[0] for name in names}  # of a matrix
        return [step for step in steps if step.job in names]

    @cached_property
    def hooks(self) -> list[str]:
        """What the hooks of pre-commit run."""
        return read_hooks(self.snapshot.files)

    @cached_property
    def tests(self) -> list[Test]:
        """The tests that can fail."""
        return [test for test in read_tests(self.snapshot.files) if test.can_fail]

    @cached_property
    def required_tests(self) -> list[tuple[Test, Step]]:
        """The tests that a required step runs, each with the first such step."""
        runs = [
            step for step in self.required if re.search(r"\b(py\.?test|unittest)\b", step.command)
        ]
        pairs = ((test, next((s for s in runs if is_run_by(test, s)), None)) for test in self.tests)
        return [(test, step) for test, step in pairs if step is not None]

    @cached_property
    def code(self) -> dict[str, str]:
        """The text of each Python file that is no test, those of the template's own left out."""
        return {
            path: text
            for path, text in self.snapshot.files.items()
            if path.endswith((".py", ".ipynb"))
            and not TEST_FILE.search(path)
            and "/delivery/" not in path
            and not path.startswith("tests/")
        }

    @cached_property
    def settings(self) -> dict[str, str]:
        """The text of each YAML file that is neither CI's nor a container's."""
        return {
            path: text
            for path, text in self.snapshot.files.items()
            if path.endswith((".yaml", ".yml")) and not re.search(r"^\.|compose\.ya?ml$", path)
        }

    @cached_property
    def documents(self) -> dict[str, str]:
        """The text of each page that people wrote."""
        return {
            path: text
            for path, text in self.snapshot.files.items()
            if path.endswith((".md", ".rst", ".txt"))
            and not path.startswith((".github/ISSUE", "reports/"))
            and "/delivery/" not in path
            and PurePosixPath(path).name not in {"AGENTS.md", "TEMPLATE.md"}
        }

    @cached_property
    def brief(self) -> dict[str, Any]:
        """The front matter of the brief; empty where there is none."""
        match = FRONT_MATTER.match(self.snapshot.files.get(BRIEF, ""))
        content = parse_yaml(match[1]) if match else None
        return content if isinstance(content, dict) else {}

    @cached_property
    def sections(self) -> dict[str, str]:
        """The text below each heading of the brief, without comments."""
        match = FRONT_MATTER.match(self.snapshot.files.get(BRIEF, ""))
        text = re.sub(r"<!--.*?-->", "", match[2], flags=re.S) if match else ""
        parts = re.split(r"^## +(.+)$", text, flags=re.M)
        return {
            name.strip(): body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)
        }

    @cached_property
    def contract(self) -> dict[str, list[str]]:
        """The lists of names that a contract states: PERSONAL, SEGMENTS."""
        texts = [text for path, text in self.code.items() if path.endswith("contract.py")]
        return {
            name: re.findall(r"[\"'](\w+)[\"']", names)
            for text in texts
            for name, names in LISTED.findall(text)
        }

    @cached_property
    def source(self) -> str:
        """Where the rows come from, as the last run says; empty where no run does."""
        return str(get(self.report("reports/data.json"), "source") or "")

    @property
    def is_simulated(self) -> bool:
        """Whether a file of code makes the rows."""
        ingest = get(parse_yaml(self.snapshot.files.get("params.yaml", "")), "ingest", "source")
        return self.source.endswith(".py") or str(ingest or "").endswith(".py")

    def report(self, path: str) -> Any:
        """Return what a JSON file holds, or None."""
        return parse_json(self.snapshot.files.get(path, ""))

    @cached_property
    def staged(self) -> set[str]:
        """The files on which stages of the pipeline depend."""
        stages = get(parse_yaml(self.snapshot.files.get("dvc.lock", "")), "stages") or {}
        return {
            str(get(dependency, "path"))
            for stage in stages.values()
            for dependency in as_list(get(stage, "deps"))
        }

    # What is there.

    def cite(self, path: str, needle: str = "", note: str = "") -> list[Evidence]:
        """Return a file as evidence, at the line of a text; nothing where either is missing."""
        if path not in self.snapshot.sizes or needle not in self.snapshot.files.get(path, needle):
            return []
        line = find_line(self.snapshot.files.get(path, ""), needle) if needle else 0
        changed = self.snapshot.dates.get(path)
        return [Evidence(path, line, note, changed.isoformat() if changed else "")]

    def search(self, pattern: str, texts: dict[str, str] | None = None) -> list[Evidence]:
        """Return the first places of a pattern in code, or in other texts."""
        expression = re.compile(pattern, re.I | re.M)
        places = []
        for path, text in (self.code if texts is None else texts).items():
            if match := expression.search(text):
                line = text.count("\n", 0, match.start()) + 1
                places.append(Evidence(path, line, " ".join(match[0].split())[:60]))
        return places[:3]

    def find(self, pattern: str) -> list[Evidence]:
        """Return the files whose path matches."""
        expression = re.compile(pattern, re.I)
        return [Evidence(path) for path in self.snapshot.sizes if expression.search(path)][:3]

    # What CI reaches.

    def reach(self, pattern: str, steps: Iterable[Step] | None = None) -> list[Evidence]:
        """Return the required steps whose command matches; of other steps, where they are given."""
        expression = re.compile(pattern, re.I)
        places = [
            Evidence(step.path, step.line, step.describe())
            for step in (self.required if steps is None else steps)
            if expression.search(step.command)
        ]
        return list(dict.fromkeys(places))[:2]

    def reach_on(self, event: str, pattern: str) -> list[Evidence]:
        """Return the steps, not soft, that match and that an event starts."""
        return self.reach(
            pattern, (each for each in self.steps if event in each.events and not each.is_soft)
        )

    def find_tests(self, pattern: str) -> list[Evidence]:
        """Return the tests that can fail and whose text or name matches."""
        expression = re.compile(pattern, re.I)
        return [
            Evidence(test.path, test.line, test.name)
            for test in self.tests
            if expression.search(test.source)
        ]

    def reach_tests(self, pattern: str) -> list[Evidence]:
        """Return the tests whose text or name matches, and that a required step runs."""
        expression = re.compile(pattern, re.I)
        return [
            Evidence(test.path, test.line, f"{test.name}, run by {step.describe()}")
            for test, step in self.required_tests
            if expression.search(test.source)
        ]

    def find_modules(self, pattern: str) -> list[str]:
        """Return the Python files of the team's own whose path matches."""
        expression = re.compile(pattern, re.I)
        return [path for path in self.code if expression.search(path)]

    def select_tests(self, names: set[str], tests: list[Evidence]) -> list[Evidence]:
        """Return those of the tests whose file imports one of these modules."""
        if not names:
            return []
        imports = re.compile(rf"^\s*(from|import)\b.*\b({'|'.join(map(re.escape, names))})\b", re.M)
        return [test for test in tests if imports.search(self.snapshot.files[test.path])]

    # What proves it.

    def prove(self, *paths: str, holds: bool = True, note: str = "") -> Proof:
        """Return whether committed results show that a practice works: each is dated within 90
        days, belongs to the files of HEAD by the hashes of `dvc.lock`, and is not simulated.
        """
        if not holds or any(path not in self.snapshot.files for path in paths):
            missing = [path for path in paths if path not in self.snapshot.files]
            return Proof(False, [Evidence(path, 0, "not in git") for path in missing])
        evidence = self.cite(paths[0], note=note)
        for path in paths:
            if fault := self.find_fault(path):
                return Proof(False, [self.cite(path)[0]._replace(note=fault)])
        return Proof(True, evidence)

    def prove_run(self, path: str) -> Proof:
        """Return whether a result shows that the pipeline ran on the files of HEAD; another result
        stands in for one that is not there.
        """
        results = [each for each in self.lineage if each in self.snapshot.files]
        if not results:
            return UNKNOWN
        return self.prove(path if path in results else results[0])

    def find_fault(self, path: str) -> str:
        """Return why a result proves nothing; empty where it does."""
        if self.is_simulated:
            return "simulated: the rows are made by a file of code"
        if not self.snapshot.is_recent(path):
            return f"not of the last {DAYS} days"
        return self.lineage.get(path, "no hash ties it to the files of HEAD")

    @cached_property
    def lineage(self) -> dict[str, str]:
        """For each output of `dvc.lock`: why it does not belong to HEAD; empty where it does."""
        stages = get(parse_yaml(self.snapshot.files.get("dvc.lock", "")), "stages") or {}
        made_by = {
            str(get(out, "path")): name
            for name, stage in stages.items()
            for out in as_list(get(stage, "outs"))
        }
        faults: dict[str, str] = {}
        for name in stages:
            self._trace(str(name), stages, made_by, faults, ())
        results = {}
        for path, name in made_by.items():
            out = next(o for o in as_list(get(stages[name], "outs")) if get(o, "path") == path)
            fault = faults.get(name, "")
            if not fault and self.hash_file(path) not in {None, get(out, "md5")}:
                fault = "edited since the run that dvc.lock records"
            results[path] = fault
        return results

    def _trace(
        self,
        name: str,
        stages: dict[str, Any],
        made_by: dict[str, str],
        faults: dict[str, str],
        seen: tuple[str, ...],
    ) -> str:
        """Return why a stage, or one before it, was not run on the files of HEAD."""
        if name in faults or name in seen:
            return faults.get(name, "")
        for dependency in as_list(get(stages[name], "deps")):
            path = str(get(dependency, "path"))
            recorded = get(dependency, "md5")
            if path in made_by:
                fault = self._trace(made_by[path], stages, made_by, faults, (*seen, name))
            else:
                current = self.hash_file(path)
                is_other = current is not None and current != recorded
                fault = f"older than {path}, by dvc.lock" if is_other else ""
            if fault:
                faults[name] = fault
                return fault
        faults[name] = ""
        return ""

    def hash_file(self, path: str) -> str | None:
        """Return the hash by which DVC knows a file or folder of HEAD; None where git has none."""
        content = self.snapshot.content
        if path in content:
            return hashlib.md5(content[path], usedforsecurity=False).hexdigest()
        pointer = get(parse_yaml(self.snapshot.files.get(f"{path}.dvc", "")), "outs")
        if pointer:
            return str(get(as_list(pointer)[0], "md5"))
        below = {
            p.removeprefix(f"{path}/"): c for p, c in content.items() if p.startswith(f"{path}/")
        }
        if not below or any(
            p.startswith(f"{path}/") and p not in content for p in self.snapshot.sizes
        ):
            return None
        entries = [
            {"md5": hashlib.md5(below[name], usedforsecurity=False).hexdigest(), "relpath": name}
            for name in sorted(below)
        ]
        text = json.dumps(entries, sort_keys=True)
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() + ".dir"

    def prove_page(self, path: str) -> Proof:
        """Return whether a page was looked after within 90 days, by the history, for real rows."""
        if self.is_simulated:
            note = "the business is simulated, so the page is an example"
            return Proof(False, [Evidence(path, 0, note)])
        if not self.snapshot.is_recent(path):
            return Proof(False, [Evidence(path, 0, f"not changed in the last {DAYS} days")])
        return Proof(True, self.cite(path))

    def prove_runs(self, evidence: Sequence[Evidence]) -> Proof:
        """Return whether the host says that the jobs of these steps were green at HEAD lately."""
        jobs = {m[1] for e in evidence if (m := re.search(r"job ([^>]+?)(?: ->|$)", e.note))}
        if not jobs or self.host.runs is None:
            return UNKNOWN
        return self.host.prove(jobs, self.snapshot.head, self.snapshot.today)
