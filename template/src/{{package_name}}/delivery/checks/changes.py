"""What stands otherwise than on another commit in how models are made and judged: brief, contract,
parameters, stages, code that judges, tests, pointers; and what of it changes what "good" means.

It reads the files themselves and no report: a report can say what its brief no longer does.
"""

import ast
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml.error import YAMLError

from ..edge.explain import yaml
from ..edge.repository import read_main_branch
from ..edge.shell import PACKAGE, run

Read = Callable[[str], str]
Facts = dict[str, str]
DELIVERY = f"src/{PACKAGE}/delivery"
JUDGING = (
    f"src/{PACKAGE}/metrics.py",
    *(f"{DELIVERY}/{room}" for room in ("checks", "problem", "statistics", "verdict")),
    *(f"{DELIVERY}/pipeline/{stage}.py" for stage in ("decide", "evaluate")),
)
"""Code that says what good means, files and folders."""
GATES = (
    ".github",
    ".pre-commit-config.yaml",
    "mypy.ini",
    "pytest.ini",
    "ruff.toml",
    "tests/conftest.py",
)
"""Files that decide what is checked, beside the tests themselves."""
GOOD = {
    "brief": ("decision", "front matter", "guardrails", "risk", "success", "value"),
    "contract": ("HORIZON", "MEANT", "SEGMENTS", "TARGET"),
    "parameter": ("evaluate", "split", "train leak_auc", "validate"),
    "stage": ("decide cmd", "decide frozen", "evaluate cmd", "evaluate frozen"),
    "code that judges": ("",),
}
"""What changes what good means: by kind, how the names begin."""
SHOWN = 12  # changes in a sentence
LONGEST = 80  # characters of an old or a new value
EDITED = "edited"
MARK = 'This changes what "good" means'


class Change(NamedTuple):
    """What stands otherwise: its kind, its name, and how it stood and stands ('' for not)."""

    kind: str
    name: str
    old: str
    new: str

    @property
    def is_of_good(self) -> bool:
        """Whether it changes what good means."""
        return self.name.startswith(GOOD.get(self.kind, ()))

    def shorten(self) -> tuple[str, str]:
        """How it stood and stands; of long texts the part in which they begin to differ."""
        if max(len(self.old), len(self.new)) <= LONGEST:
            return self.old, self.new
        pairs = enumerate(zip(self.old, self.new, strict=False))
        both = min(len(self.old), len(self.new))
        same = next((n for n, (before, after) in pairs if before != after), both)
        start = max(0, same - LONGEST // 2)
        ends = (text[start : start + LONGEST] for text in (self.old, self.new))
        old, new = (f"{'…' if start else ''}{text}" for text in ends)
        return old, new

    def describe(self) -> str:
        """The change in a few words."""
        if self.new == EDITED:
            return f"{self.kind} {self.name}: {EDITED}"
        old, new = (value or "nothing" for value in self.shorten())
        return f"{self.kind} {self.name}: {old} → {new}"


def find_target() -> str:
    """What this folder's work is to be merged into: the branch that a pull request names, or the
    main one; as the remote has it, where there is one.
    """
    name = os.environ.get("GITHUB_BASE_REF") or read_main_branch()
    here = _git(Path(), "rev-parse", "--verify", "--quiet", f"origin/{name}")
    return f"origin/{name}" if here else name


def find_base(root: Path, against: str) -> str:
    """The last commit that this work shares with another, or in a shallow clone that other one; ''
    where it is not here.
    """
    shared = _git(root, "merge-base", "HEAD", against)
    verify = ["rev-parse", "--verify", "--quiet", against + "^{commit}"]
    return (shared or _git(root, *verify)).strip()


def find_changes(root: Path, against: str) -> list[Change]:
    """Every such change between the commit `against` and the files in `root`."""
    old, new = read_at(root, against), read_here(root)
    changes = []
    for kind, (path, parse) in FILES.items():
        if old(path) == new(path):
            continue
        before, after = parse(old(path)), parse(new(path))
        names = [name for name in before | after if before.get(name) != after.get(name)]
        changes += [Change(kind, n, before.get(n, ""), after.get(n, "")) for n in names]
    for kind, paths in (("code that judges", JUDGING), ("gate", GATES)):
        changes += [Change(kind, name, "", EDITED) for name in _differ(root, against, paths)]
    changes += _find_tests_taken_away(root, against)
    for name in _differ(root, against, ("*.dvc",)):
        changes.append(Change("pointer", name, _read_hash(old(name)), _read_hash(new(name))))
    return changes + _find_outputs_without_cause(old("dvc.lock"), new("dvc.lock"))


def describe_good(changes: list[Change]) -> str:
    """What of it changes what good means, in a sentence; '' where nothing does."""
    words = [change.describe() for change in changes if change.is_of_good]
    words[SHOWN:] = [f"and {len(words) - SHOWN} more"] if words[SHOWN:] else []
    return f"{MARK}: {'; '.join(words)}." if words else ""


def read_at(root: Path, commit: str) -> Read:
    """Read files as a commit has them; '' where it has none."""
    return lambda name: _git(root, "show", f"{commit}:./{name}")


def read_here(root: Path) -> Read:
    """Read files as they are here; '' where there is none."""

    def read(name: str) -> str:
        path = root / name
        return path.read_text("utf-8", errors="replace") if path.is_file() else ""

    return read


def flatten(nested: Any, before: str = "") -> Facts:
    """Nested keys as one: `train seed`. Lines of a brief are known by their metric and slice, other
    items of a list by themselves.
    """
    if isinstance(nested, dict):
        parts = [flatten(value, f"{before} {key}".lstrip()) for key, value in nested.items()]
    elif isinstance(nested, list):
        parts = [_flatten_item(item, before) for item in nested]
    else:
        return {before: "none" if nested is None else f"{nested}"}
    flat: Facts = {}
    for name, value in ((name, part[name]) for part in parts for name in part):
        flat[name] = f"{flat[name]}; {value}" if name in flat else value
    return flat


def _flatten_item(item: Any, before: str) -> Facts:
    if isinstance(item, dict) and "metric" in item:
        where = f" in {item['where']}" if "where" in item else ""
        rest = [f"{key} {item[key]}" for key in item if key not in ("metric", "where")]
        return {f"{before} {item['metric']}{where}": ", ".join(rest)}
    return flatten(item, before) if isinstance(item, dict) else {f"{before} {item}": "named"}


def _parse_brief(text: str) -> Facts:
    front, _, prose = text.replace("\r\n", "\n").partition("---\n")[2].partition("\n---")
    facts = _parse_yaml(front or text, "front matter")
    digest = hashlib.sha256(prose.encode()).hexdigest()[:8]
    return facts | ({"text": f"{len(prose.split()):,} words ({digest})"} if prose.strip() else {})


def _parse_stages(text: str) -> Facts:
    return {name.removeprefix("stages "): fact for name, fact in _parse_yaml(text).items()}


def _parse_yaml(text: str, name: str = "all") -> Facts:
    """The keys of YAML, flat; of what cannot be read, its lines, below that name."""
    try:
        content = yaml(text) if text.strip() else {}
    except (YAMLError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        return {f"{name}, line {n}": line for n, line in enumerate(text.splitlines(), 1) if line}
    return flatten(content)


def _parse_contract(text: str) -> Facts:
    """The columns and rules of `contract.py`, and its other names, each as its code without what
    only describes it.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return {"all": " ".join(text.split())}
    facts: Facts = {}
    for node in tree.body:
        inner = node.body if isinstance(node, ast.ClassDef) else [node]
        for statement in inner:
            if name := _find_name(statement):
                code = _format_code(statement)
                facts[name] = f"{facts[name]}; {code}" if name in facts else code
    return facts


def _find_name(statement: ast.stmt) -> str:
    """The name that a statement defines, where it defines one that a contract is made of."""
    if isinstance(statement, ast.FunctionDef):
        return statement.name
    if isinstance(statement, ast.Assign):
        return ast.unparse(statement.targets[0])
    return ast.unparse(statement.target) if isinstance(statement, ast.AnnAssign) else ""


def _format_code(statement: ast.stmt) -> str:
    if isinstance(statement, ast.FunctionDef):
        body = [part for part in statement.body if not _is_text(part)]
        return "; ".join(ast.unparse(part) for part in body)
    value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    if isinstance(value, ast.Call):
        value.keywords = [word for word in value.keywords if word.arg != "description"]
    return ast.unparse(value) if value else ""


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


FILES: dict[str, tuple[str, Callable[[str], Facts]]] = {
    "brief": ("project-brief.md", _parse_brief),
    "contract": (f"src/{PACKAGE}/contract.py", _parse_contract),
    "parameter": ("params.yaml", _parse_yaml),
    "stage": ("dvc.yaml", _parse_stages),
}


def _find_tests_taken_away(root: Path, against: str) -> list[Change]:
    """Test functions that the commit had and that are gone, or are skipped now."""
    files = [name for name in _differ(root, against, ("tests",)) if name.endswith(".py")]
    old, new = read_at(root, against), read_here(root)
    before = {test: state for name in files for test, state in _list_tests(old(name)).items()}
    after = {test: state for name in files for test, state in _list_tests(new(name)).items()}
    return [
        Change("test", test, state, after.get(test, "taken away"))
        for test, state in before.items()
        if state == "runs" and after.get(test) != "runs"
    ]


def _list_tests(text: str) -> Facts:
    """The test functions of a file, each with whether it `runs` or is `skipped`."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return {}
    marked = any(_find_name(node) == "pytestmark" and _is_skip(node) for node in tree.body)
    return {
        node.name: "skipped" if marked or any(map(_is_skip, node.decorator_list)) else "runs"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test")
    }


def _is_skip(node: ast.AST) -> bool:
    return any(word in ast.unparse(node) for word in (".skip", ".xfail"))


def _find_outputs_without_cause(old: str, new: str) -> list[Change]:
    """Outputs that `dvc.lock` has otherwise, though what its stage is made from is the same."""
    before, after = (_read_stages(lock) for lock in (old, new if new != old else ""))
    changes = []
    for stage in before.keys() & after.keys():
        outputs = [_flatten_outputs(lock.pop("outs", [])) for lock in (before[stage], after[stage])]
        if before[stage] == after[stage]:
            changes += [
                Change(
                    "output without a cause", f"{stage} {path}", digest, outputs[1].get(path, "")
                )
                for path, digest in sorted(outputs[0].items())
                if outputs[1].get(path) != digest
            ]
    return changes


def _read_stages(lock: str) -> dict[str, dict[str, Any]]:
    try:
        return dict(yaml(lock)["stages"])
    except (YAMLError, LookupError, TypeError, ValueError):  # none yet, or both sides of a merge
        return {}


def _flatten_outputs(outputs: list[dict[str, Any]]) -> Facts:
    return {output["path"]: str(output.get("md5", ""))[:12] for output in outputs}


def _read_hash(pointer: str) -> str:
    """The hash by which DVC knows what a pointer points at."""
    facts = _parse_yaml(pointer)
    return next((fact[:12] for name, fact in facts.items() if name.endswith("md5")), "")


def _differ(root: Path, against: str, paths: tuple[str, ...]) -> list[str]:
    """The files below `root` that differ from those of a commit, of these paths."""
    words = ["diff", "--name-only", "--relative", "--no-renames", against, "--", *paths]
    return _git(root, *words).splitlines()


def _git(root: Path, *words: str) -> str:
    """What git prints; '' where it fails."""
    completed = run(["git", *words], root)
    return completed.stdout if completed.returncode == 0 else ""
