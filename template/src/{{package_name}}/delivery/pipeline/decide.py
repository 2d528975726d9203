"""Stage `decide`: the verdict that the brief asks for, with the reasons."""

from ..edge.errors import run
from ..edge.files import paths, read_json, read_table, write_json
from ..edge.parameters import read
from ..verdict.comparison import Evaluate
from ..verdict.decision import decide


def main(argv: list[str] | None = None) -> int:
    """Read outcomes, reports and the brief's lines, write `reports/decision.json`."""
    params, brief, new, old, data, training, comparison, report = paths(
        argv, __doc__,
        "params", "brief", "challenger", "champion", "data", "training", "comparison", "report",
    )  # fmt: skip
    decision = decide(
        read_table(new),
        read_table(old),
        read_json(brief),
        read(params, "evaluate", Evaluate),
        data=read_json(data),
        training=read_json(training),
        names=read_json(comparison),
    )
    write_json(decision, report)
    return 0


if __name__ == "__main__":
    run(main)
