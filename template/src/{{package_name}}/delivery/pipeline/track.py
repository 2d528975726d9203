"""Stage `track`: one MLflow run per distinct result."""

from ..edge.errors import run
from ..edge.files import parse_paths
from ..tracking.runs import track


def main(argv: list[str] | None = None) -> int:
    """Read parameters, reports and the challenger, write a run unless MLflow has it already."""
    print(track(*parse_paths(argv, __doc__, "params", "reports", "challenger")))
    return 0


if __name__ == "__main__":
    run(main)
