"""Spread that the choice of decision thresholds adds to a difference of balanced accuracy.

Replicates in which test's groups are drawn and thresholds are chosen again at once count test's
luck twice: once as the spread between draws of test's groups, and once more because each threshold
meets other trials of the same test set, whose accuracy goes up and down with the threshold by
chance alone. Of one detector's accuracy that is little beside the spread between groups; of a
paired difference, from which that spread is gone, it made intervals a fifth to a third too wide,
which covered the truth in 99 to 100 % of simulations. So the two parts are taken apart: draws of
groups with thresholds as they are, and draws of thresholds on groups as they are, whose variance is
less what so many groups give by chance.
"""

import numpy as np
from numpy.typing import NDArray

from speechdt.arrays import Floats

__all__ = ["through_thresholds"]

SAME = 1e-20
"""Variance below which a difference is the same with all thresholds."""


def through_thresholds(right: Floats, speech: NDArray[np.bool_], sizes: Floats) -> Floats:
    """Return deviations of a difference of balanced accuracy that thresholds are behind.

    Parameters
    ----------
    right : (R + 1, G) array
        Correct decisions of a variant minus those of another, by group, with the thresholds of each
        replicate; row 0 with those of the calibration.
    speech : (G,) bool array
        Class of each group.
    sizes : (G,) array
        Trials of each group.

    Returns
    -------
    (R + 1,) array
        To be added to the replicates that take thresholds for granted; 0 in row 0.
    """
    again = right[1:]
    difference, chance = np.zeros(len(again)), 0.0
    for of in (speech, ~speech):
        n = sizes[of]
        difference += again[:, of].sum(axis=1) / n.sum() / 2
        # How the groups of test differ in what a threshold changes, against the mean threshold.
        change = again[:, of] - again[:, of].mean(axis=0)
        change -= change.sum(axis=1, keepdims=True) / n.sum() * n
        groups = max(len(n), 2)
        chance += float((change**2).sum(axis=1).mean()) / n.sum() ** 2 / 4 * groups / (groups - 1)
    spread = float(difference.var())
    share = np.sqrt(max(spread - chance, 0.0) / spread) if spread > SAME else 0.0
    return np.concatenate([[0.0], share * (difference - difference.mean())])
