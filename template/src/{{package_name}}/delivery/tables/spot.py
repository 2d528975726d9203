"""Where a name falls between 0 and 1: the same wherever and whenever it is asked."""

import hashlib


def spot(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest()) / 2**48
