"""`summary`: a pull request's model on one page, for people who decide whether to merge it."""

import json
import os
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

from ..checks import changes, check
from ..edge.brief import read_brief
from ..edge.errors import Fixable, Refused
from ..edge.files import find_project, read_json, write_text
from ..edge.repository import read_main_branch
from ..edge.shell import run
from ..problem import outcomes
from ..problem.words import format_number
from ..reporting import sections as report
from ..verdict.decision import parse_decision, read_decision
from ..verdict.looks import count_looks, describe_looks, describe_trials
from . import bring
from .host import show

Json = dict[str, Any]
TEAM = ("contract.py", "features.py", "model.py")
REPRODUCE = """The same on a laptop:

    git fetch origin {branch} && git checkout {branch}
    uv run {package} bring && uv run dvc repro && uv run {package} check"""
SHOWN = 12  # lines of what changed, for each kind; a comment has an end
TERMS = "Brief, contract, parameters, stages, tests and pointers"
UNJUDGED = "What follows is what the commit says of itself.\n\n"


def build_page(root: Path, against: str) -> str:
    """The verdict, what it rests on, and what this change has to do with it, as Markdown."""
    reports = root / "reports"
    brief = outcomes.require_prices(read_brief(reports / "brief.json"))
    decision = read_decision(reports / "decision.json")
    contents = {name: read_json(reports / f"{name}.json") for name in report.NAMES}
    currency = brief.value.money
    is_held = decision.verdict == "hold"
    slices = report.Section(
        "The worst slices", report.build_worst_slices(contents["slices"], brief)
    )
    parts = [
        report.present_verdict(brief, decision),
        *([report.present_causes(contents, brief)] if is_held else []),
        report.present_gain(brief, decision, contents),
        report.Section("The test rows", describe_test_rows(contents["split"])),
        report.Section("What changed", describe_changes(root, against)),
        report.present_lines(decision, currency),
        *([] if is_held else [slices]),
        report.present_comparison(contents["metrics"], contents["comparison"], brief),
        report.present_actions(contents["metrics"], contents["comparison"], brief),
    ]
    parts.append(report.Section("Tests (failed) · rows · seconds", read_test_grid(root).rstrip()))
    branch = os.environ.get("GITHUB_HEAD_REF") or _git(root, "branch", "--show-current").strip()
    how = REPRODUCE.format(branch=branch or "HEAD", package=__name__.partition(".")[0])
    return report.render_markdown([*parts, report.Section("How to reproduce", how)])


def describe_terms(root: Path, against: str) -> tuple[str, str]:
    """Whether this work changes what good means, and all that it changes in brief, contract,
    parameters, stages, code that judges, tests and pointers; both '' where it changes none.
    """
    if not (base := changes.find_base(root, against)):
        return "", f"The brief is compared with nothing: no {report.escape(against)} is here.\n\n"
    rows: report.Rows = []
    counts: dict[str, int] = {}
    differences = changes.find_changes(root, base)
    for change in differences:
        counts[change.kind] = counts.get(change.kind, 0) + 1
        if change.kind in changes.FILES or counts[change.kind] <= SHOWN:
            cells = (change.name, *change.shorten())
            rows.append([change.kind, *(report.escape(cell) for cell in cells)])
    for kind in counts.keys() - changes.FILES.keys():
        rows += [[kind, f"{counts[kind]} in all", "", ""]] if counts[kind] > SHOWN else []
    if not rows:
        return "", ""
    table = report.build_table(["what", "which", f"on {against}", "here"], rows)
    words = changes.describe_good(differences)
    mark = f"**{report.escape(words)}** The verdict is by the new measure.\n\n" if words else ""
    return mark, f"# {TERMS}\n\n{table}\n\n"


def describe_test_rows(split: Json) -> str:
    """How often they were judged on, and how many are missing from them."""
    looks = count_looks()
    return f"{describe_looks(looks)} {describe_trials(looks)}\n\n{report.describe_missing(split)}"


def describe_changes(root: Path, against: str) -> str:
    """Decision, data, dependencies and team files, against another commit."""
    if _git(root, "rev-parse", "--verify", "--quiet", against + "^{commit}") == "":
        return f"Nothing to compare with: there is no {report.escape(against)} here."
    rows: report.Rows = []
    for kind, values in (
        ("decision", _read_decision), ("data", _read_data), ("dependency", _read_dependencies)
    ):  # fmt: skip
        old, new = values(changes.read_at(root, against)), values(changes.read_here(root))
        differing = [name for name in old | new if old.get(name) != new.get(name)]
        rows += [
            [kind, report.escape(name), _format_cell(old.get(name)), _format_cell(new.get(name))]
            for name in differing[:SHOWN]
        ]
        rows += [[kind, f"and {len(differing) - SHOWN} more", "", ""]] if differing[SHOWN:] else []
    files = _git(root, "diff", "--name-only", "--relative", against, "--", "src").split()
    rows += [
        ["team file", report.escape(name), "", "edited"] for name in files if name.endswith(TEAM)
    ]
    if not rows:
        return f"No decision, data, dependency or team file differs from {against}."
    return report.build_table(["what", "which", f"on {against}", "here"], rows)


def _read_decision(read: Any) -> Json:
    if not (text := read("reports/decision.json")):
        return {}
    decision = parse_decision(text, "reports/decision.json")
    value = json.loads(read("reports/brief.json") or "{}").get("value", {})
    gain = "prices are missing"
    if decision.gain.estimate is not None:
        currency = value.get("currency", "")
        gain = report.format_interval(report.PRIMARY, decision.gain.interval, currency)
    values = {name: getattr(decision, name) for name in ("verdict", "champion", "challenger")}
    return values | {"gain per 1,000": gain}


def _read_data(read: Any) -> Json:
    data, split = (json.loads(read(f"reports/{name}.json") or "{}") for name in ("data", "split"))
    rows = {f"rows {name}": count for name, count in data.get("rows", {}).items()}
    parts = {part: split[part] for part in ("train", "validation", "test") if part in split}
    rows |= {f"rows to {name}": part["rows"] for name, part in parts.items()}
    return rows | {f"hash of {name}": part["sha256"][:12] for name, part in parts.items()}


def _read_dependencies(read: Any) -> Json:
    packages = tomllib.loads(read("uv.lock") or "").get("package", [])
    return {package["name"]: package.get("version", "") for package in packages}


def _format_cell(value: object) -> str:
    if value is None:
        return ""
    return format_number(value) if isinstance(value, float) else report.escape(value)


def _git(root: Path, *words: str) -> str:
    """What git prints; '' where it fails."""
    completed = run(["git", *words], root)
    return completed.stdout if completed.returncode == 0 else ""


def main(against: str | None = None, *, tests: bool = False, committed: bool = True) -> int:
    """Write `reports/summary.md`, and add it to the page that CI shows where there is one; where
    nothing is `committed` yet, the last commit is not held against it.
    """
    root = find_project(Path.cwd())
    against = against or f"origin/{read_main_branch(root)}"
    text = (
        f"# Tests (failed) · rows · seconds\n\n{read_test_grid(root)}"
        if tests
        else judge_and_describe(root, against, committed=committed)
    )
    write_text(text, root / "reports/summary.md")
    show(text)
    print(f"{root / 'reports/summary.md'}: written")
    return 0


def judge_and_describe(root: Path, against: str, *, committed: bool) -> str:
    """Whether it changes what good means, what stops it, what it changes, then what the commit says
    of the model, as far as it says anything.
    """
    try:
        bring.require_data(root)
        gates = check.CHECKS | check.COMMITTED
        names = [name for name in gates if committed or name != "committed"]
        results = [gates[name](date.today()) for name in names]
        text = "# Not to be merged yet\n\n" if not all(passed for passed, _ in results) else ""
        text += "".join(f"{report.escape(why)}\n\n" for passed, why in results if not passed)
    except Refused as problem:
        text = f"# Not to be merged yet\n\n{report.escape(problem)}\n\n{UNJUDGED}"
    except Fixable as problem:
        text = f"# Not judged\n\n{report.escape(problem)}\n\n{UNJUDGED}"
    mark, terms = describe_terms(root, against)
    text = f"{mark}{text}{terms}"
    try:
        page = build_page(root, against)
        sentence = report.escape(read_decision(root / "reports/decision.json").sentence)
        return text + (page.replace(f"{sentence}\n\n", "", 1) if sentence in text else page)
    except Fixable as problem:
        return text + f"No report: {report.escape(problem)}\n"


def read_test_grid(root: Path) -> str:
    """The grid of the last run of pytest here."""
    return changes.read_here(root)("reports/test-grid.md") or "No test has run here.\n"
