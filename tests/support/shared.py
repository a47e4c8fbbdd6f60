"""Results that several processes of a test run need, and one of them computes."""

import pickle
from functools import cache, wraps
from hashlib import sha256

from support.checkouts import once

FACTORY = []
"""The run's `tmp_path_factory`, once there is one."""


def shared(compute):
    """Keep what a function of hashable arguments returns, for all processes of a test run."""

    @cache
    @wraps(compute)
    def computed(*arguments):
        if not FACTORY:
            return compute(*arguments)
        key = sha256(repr(arguments).encode()).hexdigest()[:16]

        def write(folder):
            (folder / "found.pickle").write_bytes(pickle.dumps(compute(*arguments)))

        folder = once(FACTORY[0], f"{compute.__name__} {key}", write)
        return pickle.loads((folder / "found.pickle").read_bytes())

    return computed
