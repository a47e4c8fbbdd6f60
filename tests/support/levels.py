"""Levels of signals."""

import numpy as np


def power_db(x):
    return 10 * np.log10(np.mean(np.square(x, dtype=np.float64)))
