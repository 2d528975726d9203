"""The template's statistics, which import nothing of the other rooms."""

import importlib
import sys

from ..conftest import ROOT

sys.path.insert(0, str(ROOT / "template/src/{{package_name}}"))
bootstrap, influence, interval, joint = (
    importlib.import_module(f"delivery.statistics.{name}")
    for name in ("bootstrap", "influence", "interval", "joint")
)
FEWEST, Interval = interval.FEWEST, interval.Interval
