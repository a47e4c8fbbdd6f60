"""Answer mass: how probable it is that a language model gives either of its two answers at all.

Log-odds compare two tokens. A checkpoint that would rather say something else has them all the
same, and they look like any other's.
"""

import numpy as np
from numpy.typing import ArrayLike


def answer_mass(mass: ArrayLike) -> dict[str, float]:
    """Return the figures of P(A) + P(B) over clips.

    Parameters
    ----------
    mass : array_like, (clips,)

    Returns
    -------
    dict
        answer_mass: mean; answer_mass_least: least; answer_mass_clips.
    """
    values = np.asarray(mass, dtype=np.float64)
    return {
        "answer_mass": float(values.mean()),
        "answer_mass_least": float(values.min()),
        "answer_mass_clips": len(values),
    }
