"""Random generators from one seed and a name, independent of the order of use."""

import hashlib

import numpy as np


def generator(seed: int, *names: object) -> np.random.Generator:
    """Return the random generator of `names` under `seed`."""
    return np.random.default_rng(int.from_bytes(_digest(seed, *names)[:16], "little"))


def rank(seed: int, *names: object) -> bytes:
    """Return a sort key that puts names in a random order, the same for the same seed."""
    return _digest(seed, *names)


def _digest(seed: int, *names: object) -> bytes:
    return hashlib.sha256("|".join(map(str, (seed, *names))).encode()).digest()
