"""A number between 0 and 1 for each name: the same on every machine and on every day."""

import hashlib


def compute_spot(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest()) / 2**48
