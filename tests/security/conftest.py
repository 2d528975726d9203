"""The repository of `tests/champion`, whose model folders a test may make hostile."""

from ..champion.conftest import champions, promoted, started

__all__ = ["champions", "promoted", "started"]
