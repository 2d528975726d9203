"""Stage `track`: one MLflow run per distinct result."""

from ..edge.errors import run
from ..edge.files import paths
from ..tracking.runs import log


def main(argv: list[str] | None = None) -> int:
    """Read parameters, reports and the challenger, write a run unless MLflow has it already."""
    print(log(*paths(argv, __doc__, "params", "reports", "challenger")))
    return 0


if __name__ == "__main__":
    run(main)
