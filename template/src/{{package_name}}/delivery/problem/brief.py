"""The brief, its metrics among those that this project has."""

from pathlib import Path

from ..edge.brief import Brief, BriefError, read, require_metrics
from ..edge.errors import Fixable
from .metric import load_ratios


def read_brief(path: Path) -> tuple[Brief, dict[str, str]]:
    """The brief at `path`, and the text below each of its headings.

    Raises:
        Fixable: it cannot be used, or names a metric that neither the kind of problem nor the
            team's `metrics.py` has.
    """
    try:
        brief, sections = read(path)
        metrics = load_ratios()
        require_metrics(brief, {name: metrics[name].comparable for name in metrics}, str(path))
    except BriefError as error:
        raise Fixable(str(error)) from None
    return brief, sections
