"""The brief, its metrics among those that this project has."""

from pathlib import Path

from ..edge.brief import Brief, read_project_brief, require_metrics
from .metric import load_ratios


def read_known_brief(path: Path) -> tuple[Brief, dict[str, str]]:
    """The brief at `path`, and the text below each of its headings.

    Raises:
        Fixable: it cannot be used, or names a metric that neither the kind of problem nor the
            team's `metrics.py` has.
    """
    brief, sections = read_project_brief(path)
    metrics = load_ratios()
    require_metrics(brief, {name: metrics[name].comparable for name in metrics}, str(path))
    return brief, sections
