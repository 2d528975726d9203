"""These checks for repo-review (scientific-python), by its entry points; it is not needed here.

repo-review knows yes, no and nothing to say: a check that is set up (½) is a yes, else its message
is what comes next.
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import Fixable
from .families import FAMILIES, describe
from .finding import REACHED, Finding
from .report import review_repository


@dataclass
class Check:
    """A check as repo-review wants it; its docstring is its message."""

    code: str
    family: str
    __doc__: str

    def check(self, root: Any) -> bool | str | None:
        """Return yes, or what comes next; None where the files are not on this machine."""
        findings = find_all(Path(str(root))) if Path(str(root)).is_dir() else None
        if findings is None:
            return None
        finding = findings[self.code]
        return True if finding.ready >= REACHED else f"{self.__doc__}. Next: {finding.next}"


@cache
def find_all(folder: Path) -> dict[str, Finding] | None:
    """Return the finding of each check by its code there; None where there is no repository."""
    try:
        review = review_repository(folder, date.today())
    except Fixable:
        return None
    return {
        name_code(result.code): result.finding
        for results in review.results.values()
        for result in results
    }


def name_code(code: str) -> str:
    """Return the code as repo-review writes it: `DATA1`."""
    return code.replace(" ", "").upper()


def list_checks() -> dict[str, Check]:
    """Return every check by its code: the entry point `repo_review.checks`."""
    return {
        code: Check(code, f"exemplar-{family.name.lower()}", describe(check))
        for family in FAMILIES
        for number, check in enumerate(family.checks, start=1)
        for code in [name_code(f"{family.name} {number}")]
    }


def list_families() -> dict[str, dict[str, object]]:
    """Return the families by their names: the entry point `repo_review.families`."""
    return {
        f"exemplar-{family.name.lower()}": {"name": family.title, "order": number}
        for number, family in enumerate(FAMILIES)
    }
