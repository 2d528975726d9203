"""`summary`: a pull request's model on one page, for people who decide whether to merge it."""

import json
import os
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from ..checks import check
from ..edge.brief import read_brief
from ..edge.errors import Fixable, Refused
from ..edge.explain import yaml
from ..edge.files import find_project, read_json, write_text
from ..edge.shell import run
from ..problem import outcomes
from ..reporting import sections as report
from ..statistics.interval import Interval
from ..verdict.decision import parse_decision, read_decision
from ..verdict.looks import count_looks, describe_looks
from . import bring
from .host import show

Json = dict[str, Any]
TEAM = ("contract.py", "features.py", "model.py")
REPRODUCE = """The same on a laptop:

    git fetch origin {branch} && git checkout {branch}
    uv run {package} bring && uv run dvc repro && uv run {package} check"""
SHOWN = 12  # lines of what changed, for each kind; a comment has an end
UNJUDGED = "What follows is what the commit says of itself.\n\n"


def build_page(root: Path, against: str) -> str:
    """The verdict, what it rests on, and what this change has to do with it, as Markdown."""
    reports = root / "reports"
    brief = outcomes.require_prices(read_brief(reports / "brief.json"))
    decision = read_decision(reports / "decision.json")
    contents = {name: read_json(reports / f"{name}.json") for name in report.NAMES}
    unit, currency = report.escape(brief.decision.unit), brief.value.currency
    parts = [
        report.present_verdict(brief, decision),
        report.present_worth(brief, decision, contents["metrics"], contents["data"]),
        report.Section("Looks at these test rows", describe_looks(count_looks())),
        report.Section("What changed", describe_changes(root, against)),
        report.present_lines(decision, currency),
        report.Section("The worst slices", describe_worst_slices(contents["slices"], currency)),
        report.present_comparison(contents["metrics"], contents["comparison"], unit, currency),
    ]
    parts.append(report.Section("Tests (failed) · rows · seconds", read_test_grid(root).rstrip()))
    branch = os.environ.get("GITHUB_HEAD_REF") or _git(root, "branch", "--show-current").strip()
    how = REPRODUCE.format(branch=branch or "HEAD", package=__name__.partition(".")[0])
    return report.render_markdown([*parts, report.Section("How to reproduce", how)])


def describe_worst_slices(sliced: Json, currency: str, shown: int = 3) -> str:
    """The slices in which the challenger gains least, of those that can be judged."""
    parts = [part for column in sliced["segments"].values() for part in column if part["judged"]]
    if not parts:
        return "No slice can be judged."
    parts.sort(key=lambda part: part["metrics"]["gain"]["estimate"])
    rows: report.Rows = []
    for part in parts[:shown]:
        gain = report.format_interval(report.PRIMARY, Interval(**part["metrics"]["gain"]), currency)
        rows.append([report.escape(part["slice"]), f"{part['n']:,}", gain])
    return report.build_table(["slice", ">units", ">gain per 1,000"], rows)


def describe_changes(root: Path, against: str) -> str:
    """Decision, data, parameters, dependencies and team files, against another commit."""
    if _git(root, "rev-parse", "--verify", "--quiet", against + "^{commit}") == "":
        return f"Nothing to compare with: there is no {report.escape(against)} here."
    rows: report.Rows = []
    for kind, values in (
        ("decision", _read_decision), ("data", _read_data), ("parameter", _read_parameters),
        ("dependency", _read_dependencies),
    ):  # fmt: skip
        old, new = values(_reader_at(root, against)), values(_reader_here(root))
        differing = [name for name in old | new if old.get(name) != new.get(name)]
        rows += [
            [kind, report.escape(name), _format_cell(old.get(name)), _format_cell(new.get(name))]
            for name in differing[:SHOWN]
        ]
        rows += [[kind, f"and {len(differing) - SHOWN} more", "", ""]] if differing[SHOWN:] else []
    files = _git(root, "diff", "--name-only", against, "--", "src").split()
    rows += [
        ["team file", report.escape(name), "", "edited"] for name in files if name.endswith(TEAM)
    ]
    if not rows:
        return f"No decision, data, parameter, dependency or team file differs from {against}."
    return report.build_table(["what", "which", f"on {against}", "here"], rows)


def _read_decision(read: Any) -> Json:
    if not (text := read("reports/decision.json")):
        return {}
    decision = parse_decision(text, "reports/decision.json")
    value = json.loads(read("reports/brief.json") or "{}").get("value", {})
    gain = report.format_interval(report.PRIMARY, decision.gain.interval, value.get("currency", ""))
    values = {name: getattr(decision, name) for name in ("verdict", "champion", "challenger")}
    return values | {"gain per 1,000": gain}


def _read_data(read: Any) -> Json:
    data, split = (json.loads(read(f"reports/{name}.json") or "{}") for name in ("data", "split"))
    rows = {f"rows {name}": count for name, count in data.get("rows", {}).items()}
    parts = {part: split[part] for part in ("train", "validation", "test") if part in split}
    rows |= {f"rows to {name}": part["rows"] for name, part in parts.items()}
    return rows | {f"hash of {name}": part["sha256"][:12] for name, part in parts.items()}


def _read_parameters(read: Any) -> Json:
    return _flatten(yaml(read("params.yaml") or "{}") or {})


def _flatten(nested: Json, before: str = "") -> Json:
    """Nested keys as one: `train.seed`."""
    flat: Json = {}
    for name, value in nested.items():
        inner = isinstance(value, dict)
        flat |= _flatten(value, f"{before}{name}.") if inner else {f"{before}{name}": value}
    return flat


def _read_dependencies(read: Any) -> Json:
    packages = tomllib.loads(read("uv.lock") or "").get("package", [])
    return {package["name"]: package.get("version", "") for package in packages}


def _format_cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:,.6g}" if isinstance(value, float) else report.escape(value)


def _reader_at(root: Path, commit: str) -> Any:
    """Read files as a commit has them; '' where it has none."""
    return lambda name: _git(root, "show", f"{commit}:./{name}")


def _reader_here(root: Path) -> Any:
    return lambda name: (root / name).read_text("utf-8") if (root / name).exists() else ""


def _git(root: Path, *words: str) -> str:
    """What git prints; '' where it fails."""
    completed = run(["git", *words], root)
    return completed.stdout if completed.returncode == 0 else ""


def main(against: str, *, tests: bool = False) -> int:
    """Write `reports/summary.md`, and add it to the page that CI shows where there is one."""
    root = find_project(Path.cwd())
    text = (
        f"# Tests (failed) · rows · seconds\n\n{read_test_grid(root)}"
        if tests
        else judge_and_describe(root, against)
    )
    write_text(text, root / "reports/summary.md")
    show(text)
    print(f"{root / 'reports/summary.md'}: written")
    return 0


def judge_and_describe(root: Path, against: str) -> str:
    """What stops it, then what the commit says of the model, as far as it says anything."""
    try:
        bring.require_data(root)
        gates = (check.CHECKS | {"committed": check.committed}).values()
        results = [gate(date.today()) for gate in gates]
        text = "# Not to be merged yet\n\n" if not all(passed for passed, _ in results) else ""
        text += "".join(f"{report.escape(why)}\n\n" for passed, why in results if not passed)
    except Refused as problem:
        text = f"# Not to be merged yet\n\n{report.escape(problem)}\n\n{UNJUDGED}"
    except Fixable as problem:
        text = f"# Not judged\n\n{report.escape(problem)}\n\n{UNJUDGED}"
    try:
        return text + build_page(root, against)
    except Fixable as problem:
        return text + f"No report: {report.escape(problem)}\n"


def read_test_grid(root: Path) -> str:
    """The grid of the last run of pytest here."""
    return _reader_here(root)("reports/test-grid.md") or "No test has run here.\n"
