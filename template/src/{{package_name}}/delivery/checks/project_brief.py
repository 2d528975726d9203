"""The hook `project-brief`: each brief is complete for its phase, its metrics known."""

import sys
from pathlib import Path

from ..edge.errors import run
from ..problem.brief import read_known_brief


def main(argv: list[str] | None = None) -> int:
    """`project_brief.py [project-brief.md …]`: stop at the first brief that cannot be used."""
    for name in (sys.argv[1:] if argv is None else argv) or ["project-brief.md"]:
        read_known_brief(Path(name))
    return 0


if __name__ == "__main__":
    run(main)
