"""The brief, its metrics among those that this project has."""

from pathlib import Path

from ..edge.brief import Brief, Scale, read_project_brief, require_kind, require_metrics
from .metric import EVERY_UNIT, Metric, load_ratios, needs_prices
from .metrics import PRICED, PRICES


def find_scales(brief: Brief) -> dict[str, Scale]:
    """The metrics that a brief can name, each with what a line may say of it.

    Raises:
        Fixable: its prices are those of another kind of problem.
    """
    if brief.decision and brief.value:
        require_kind(brief, PRICES, PRICED)
    return {name: find_scale(metric) for name, metric in load_ratios().items()}


def find_scale(metric: Metric) -> Scale:
    """Whether models can be compared on a metric, between which figures it lies, and whether it
    needs prices.
    """
    scale = Scale(metric.comparable, needs_prices=needs_prices(metric))
    if metric.form == "share":
        return scale._replace(lowest=0.0, highest=1.0)
    if isinstance(metric.bounds, tuple) and metric.denominator is EVERY_UNIT:
        return scale._replace(lowest=metric.bounds[0], highest=metric.bounds[1])
    return scale


def read_known_brief(path: Path) -> tuple[Brief, dict[str, str]]:
    """The brief at `path`, and the text below each of its headings.

    Raises:
        Fixable: it cannot be used, or names a metric that neither the kind of problem nor the
            team's `metrics.py` has, or its prices are those of another kind of problem.
    """
    brief, sections = read_project_brief(path)
    require_metrics(brief, find_scales(brief), str(path))
    return brief, sections
