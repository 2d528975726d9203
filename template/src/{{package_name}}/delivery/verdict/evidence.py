"""What a decision rests on, read from the files that the stages before it wrote."""

from pathlib import Path
from typing import Any, NamedTuple

from ..edge.brief import read_brief
from ..edge.files import read_json, read_table
from ..edge.parameters import read
from ..problem import outcomes
from .comparison import Comparison, Evaluate
from .decision import is_simulated


class Leak(NamedTuple):
    """A feature that alone predicts the target almost perfectly, or what of it it `tells`, and why
    that is `meant`.
    """

    feature: str
    auc: float
    meant: str | None
    tells: str = ""


class Evidence(NamedTuple):
    """Challenger and champion on the same units, what they are called, by which way the champion
    was compared (1 to 4), the suspected leaks, whether the rows are simulated, and how many rows
    all parts hold together.
    """

    comparison: Comparison
    challenger: str
    champion: str
    compared_by: int | None
    leaks: tuple[Leak, ...]
    simulated: bool
    rows: int


def read_evidence(
    params: Path,
    brief: Path,
    challenger: Path,
    champion: Path,
    data: Path,
    training: Path,
    comparison: Path,
) -> Evidence:
    """Read what `decide` needs: `params.yaml`, `reports/brief.json`, the outcomes of both models,
    and the reports `data.json`, `training.json` and `comparison.json`.
    """
    names: dict[str, Any] = read_json(comparison)
    report: dict[str, Any] = read_json(data)
    return Evidence(
        comparison=Comparison(
            new=read_table(challenger),
            old=read_table(champion),
            brief=outcomes.require_prices(read_brief(brief)),
            settings=read(params, "evaluate", Evaluate),
        ),
        challenger=names["challenger"],
        champion=names["champion"],
        compared_by=names["compared_by"],
        leaks=tuple(
            Leak(leak["feature"], leak["auc"], leak["meant"], leak.get("tells", ""))
            for leak in read_json(training)["leaks"]
        ),
        simulated=is_simulated(report["source"]),
        rows=report["rows"]["valid"],
    )
