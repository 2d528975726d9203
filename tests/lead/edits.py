"""Edits of a repository's files as values: what a team, or somebody who cheats, would do."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import yaml

from exemplar.review.host import Host, Run
from exemplar.review.reading import as_list
from exemplar.review.snapshot import Snapshot
from exemplar.review.subject import Subject

TODAY = date(2026, 11, 29)
HEAD = "a" * 40


def build(files: dict[str, str], name: str = "mini") -> Snapshot:
    """A repository whose files were all committed today."""
    return put(Snapshot(name, HEAD, TODAY, {}, {}, {}, {}), files)


def put(snapshot: Snapshot, files: Mapping[str, str | None]) -> Snapshot:
    """The snapshot with other files, committed today; None deletes one."""
    text, sizes = dict(snapshot.files), dict(snapshot.sizes)
    dates, content = dict(snapshot.dates), dict(snapshot.content)
    for path, new in files.items():
        for kept in (text, sizes, dates, content):
            kept.pop(path, None)
        if new is not None:
            text[path], content[path] = new, new.encode()
            sizes[path], dates[path] = len(new.encode()), snapshot.today
    return replace(snapshot, files=text, sizes=sizes, dates=dates, content=content)


def drop(snapshot: Snapshot, pattern: str) -> Snapshot:
    """The snapshot without the files whose path matches; there has to be one."""
    paths = [path for path in snapshot.sizes if re.search(pattern, path)]
    assert paths, pattern
    return put(snapshot, dict.fromkeys(paths))


def edit(snapshot: Snapshot, path: str, old: str, new: str) -> Snapshot:
    """The snapshot with every place of a text replaced; there has to be one."""
    text = snapshot.files[path]
    changed = re.sub(old, new, text, flags=re.M)
    assert changed != text, (path, old)
    return put(snapshot, {path: changed})


def seal(snapshot: Snapshot) -> Snapshot:
    """The snapshot as after a run of the pipeline: `dvc.lock` has the hashes of these files."""
    lock: dict[str, Any] = yaml.safe_load(snapshot.files["dvc.lock"])
    subject = Subject(snapshot)
    for stage in lock["stages"].values():
        for entry in [*as_list(stage.get("deps")), *as_list(stage.get("outs"))]:
            entry["md5"] = subject.hash_file(entry["path"]) or entry["md5"]
    return put(snapshot, {"dvc.lock": yaml.safe_dump(lock, sort_keys=False)})


def make_real(snapshot: Snapshot) -> Snapshot:
    """The generated repository once a team has a table of its own, a promotion and a licence."""
    day = TODAY.isoformat()
    real = edit(snapshot, "params.yaml", r"source: \S+", "source: data/customers.csv")
    real = edit(real, "reports/data.json", r'"source": "\S+"', '"source": "data/customers.csv"')
    real = edit(real, "pyproject.toml", "^version", 'license = "MIT"\nversion')
    real = edit(real, "docs/team.md", r"^(\| (?!role)\w[^|]*\|) \|", r"\1 Ada |")
    real = edit(real, "project-brief.md", r"^- 2026-09-14", f"- {day}")
    champion = Subject(real).hash_file("models/champion")
    others = {
        "data/customers.csv.dvc": "outs:\n- md5: 0123456789abcdef\n  path: customers.csv\n",
        "docs/releases.md": f"# Releases\n\n## {day} champion-1: gradient boosting takes charge "
        f"from rule\n\n- Verdict: ship.\n- Model: {champion}\n",
        f"docs/decisions/{day}-weekly.md": "# We score weekly\n\n## Alternatives\n\n1. Daily\n\n"
        "## Decision\n\nWeekly.\n",
        ".dvc/config": "['remote \"s\"']\n    url = s3://acme/churn\n",
        "LICENSE": "MIT",
    }
    return seal(put(real, others))


def all_green(snapshot: Snapshot) -> Host:
    """What the host says where rules are on and every job was green at HEAD today."""
    names = {step.job for step in Subject(snapshot).steps}
    required = [{"context": "code"}, {"context": "model"}]
    rules = [
        {"type": "pull_request", "parameters": {"required_approving_review_count": 1}},
        {"type": "required_status_checks", "parameters": {"required_status_checks": required}},
    ]
    runs = [Run(name, snapshot.head, "success", TODAY.isoformat()) for name in names]
    return Host(rules, runs, ["host.json"])
