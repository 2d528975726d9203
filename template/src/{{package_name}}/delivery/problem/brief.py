"""The brief, its metrics among those that this project has."""

from pathlib import Path

from ..edge.brief import Brief, read_project_brief, require_metrics
from .metric import load_ratios


def list_comparable(_: Brief) -> dict[str, bool]:
    """The metrics that a brief can name, each with whether models can be compared on it."""
    return {name: metric.comparable for name, metric in load_ratios().items()}


def read_known_brief(path: Path) -> tuple[Brief, dict[str, str]]:
    """The brief at `path`, and the text below each of its headings.

    Raises:
        Fixable: it cannot be used, or names a metric that neither the kind of problem nor the
            team's `metrics.py` has.
    """
    brief, sections = read_project_brief(path)
    require_metrics(brief, list_comparable(brief), str(path))
    return brief, sections
