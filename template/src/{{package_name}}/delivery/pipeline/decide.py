"""Stage `decide`: the verdict that the brief asks for, with the reasons."""

from ..edge.errors import run
from ..edge.files import parse_paths
from ..verdict.decide import decide
from ..verdict.decision import write_decision
from ..verdict.evidence import read_evidence


def main(argv: list[str] | None = None) -> int:
    """Read outcomes, reports and the brief's lines, write `reports/decision.json`."""
    *evidence, report = parse_paths(
        argv, __doc__,
        "params", "brief", "challenger", "champion", "data", "training", "comparison", "report",
    )  # fmt: skip
    write_decision(decide(read_evidence(*evidence)), report)
    return 0


if __name__ == "__main__":
    run(main)
