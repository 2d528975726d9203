"""The repository of `tests/champion`, whose model folders a test may make hostile."""

from ..champion.conftest import clone, environment, once, promoted, started

__all__ = ["clone", "environment", "once", "promoted", "started"]
