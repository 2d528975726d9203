"""The hook `project-brief`: each brief is complete for its phase, its metrics known."""

import sys

from ..edge import brief
from ..problem.brief import find_scales


def main(argv: list[str] | None = None) -> int:
    """`project_brief.py [project-brief.md …]`: print what is wrong with each brief and end with
    2.
    """
    return brief.main(argv, find_scales)


if __name__ == "__main__":
    sys.exit(main())
