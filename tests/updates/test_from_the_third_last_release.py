"""Every history, from the last but two of the releases that updates start from."""

from pathlib import Path

from .each_history import every_history, holds
from .histories import History
from .projects import Source


@every_history
def test_an_update_keeps_what_it_promises(history: History, source: Source, tmp_path: Path) -> None:
    holds(history, source, 0, tmp_path)
