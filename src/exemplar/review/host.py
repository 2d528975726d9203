"""What a code host says, from files that `gh api` wrote; nobody asks a host here."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import Fixable
from .finding import Evidence, Proof
from .reading import as_list, get, parse_json
from .snapshot import DAYS

EXPECTED = (
    "the rules of the main branch (gh api repos/OWNER/NAME/rules/branches/main) or the runs of a "
    "commit (gh api repos/OWNER/NAME/commits/COMMIT/check-runs)"
)


class Run(NamedTuple):
    """A check that ran for a commit."""

    name: str
    commit: str
    conclusion: str
    completed: str


@dataclass(frozen=True)
class Host:
    """Rules and runs, where a file says them."""

    rules: list[Any] | None = None
    runs: list[Run] | None = None
    sources: list[str] = field(default_factory=list)

    @property
    def required_checks(self) -> set[str] | None:
        """The checks without which nothing is merged; None where no file says that."""
        if self.rules is None:
            return None
        return {
            str(get(check, "context"))
            for rule in self.rules
            if get(rule, "type") == "required_status_checks"
            for check in as_list(get(rule, "parameters", "required_status_checks"))
        }

    def find_rule(self, kind: str) -> Any:
        """Return the rule of a kind, or None."""
        return next((rule for rule in self.rules or [] if get(rule, "type") == kind), None)

    def prove(self, jobs: Iterable[str], head: str, today: date) -> Proof:
        """Return whether each of these jobs was green at HEAD within 90 days."""
        latest = {run.name: run for run in self.runs or [] if run.commit == head}
        for job in jobs:
            run = latest.get(job)
            if run is None:
                return Proof(False, [Evidence(self.sources[-1], 0, f"no run of {job} at HEAD")])
            if run.conclusion != "success":
                return Proof(False, [Evidence(self.sources[-1], 0, f"{job} is {run.conclusion}")])
            if run.completed[:10] < (today - timedelta(days=DAYS)).isoformat():
                return Proof(False, [Evidence(self.sources[-1], 0, f"{job} ran {run.completed}")])
        days = max(latest[job].completed[:10] for job in jobs)
        return Proof(True, [Evidence(self.sources[-1], 0, "green at HEAD", days)])


def read_host(paths: Iterable[Path]) -> Host:
    """Return what files that `gh api` wrote say; raises Fixable where one is something else."""
    rules: list[Any] | None = None
    runs: list[Run] | None = None
    for path in paths:
        try:
            content = parse_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise Fixable(f"{path}: expected {EXPECTED}, found: {error}") from None
        checks = get(content, "check_runs")
        if isinstance(checks, list):
            runs = [*(runs or []), *map(parse_run, checks)]
        elif isinstance(content, list) and all(get(rule, "type") for rule in content):
            rules = [*(rules or []), *content]
        elif isinstance(get(content, "rules"), list):
            rules = [*(rules or []), *content["rules"]]
        else:
            raise Fixable(f"{path}: expected {EXPECTED}, found something else. Next: write it anew")
    return Host(rules, runs, [str(path) for path in paths])


def parse_run(check: Any) -> Run:
    """Return a check run as the host's API gives it."""
    keys = ("name", "head_sha", "conclusion", "completed_at")
    return Run(*(str(get(check, key) or "") for key in keys))
