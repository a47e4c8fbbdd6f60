"""SPEECH decisions of one training run, under every draw of groups and decision thresholds."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from speechdt.arrays import Floats, Indices
from speechdt.statistics import bootstrap
from speechdt.statistics.criterion import Thresholds, yes_counts


class Draws(NamedTuple):
    """Draws of the replicates of a bootstrap.

    Attributes
    ----------
    replicates, seed : int
    thresholds : dict of str to (replicates + 1,) array
        Decision threshold of each replicate, by the column of decisions that it makes; decisions
        without one are taken as they are in every replicate.
    block : int
        Others are further draws (`bootstrap.weights`).
    """

    replicates: int
    seed: int
    thresholds: dict[str, Floats]
    block: int = 0

    def of_groups(self, groups: int, number: int) -> Floats:
        """Return the weights (replicates + 1, groups) of SPEECH (0), NONSPEECH (1) or catch (2).

        Each is drawn by itself. They are shared, and not to be written to.
        """
        return drawn(groups, self.replicates, self.seed + number, self.block)

    def at_most(self, replicates: int) -> "Draws":
        """Return the first of the replicates."""
        fewer = min(replicates, self.replicates)
        thresholds = {name: values[: fewer + 1] for name, values in self.thresholds.items()}
        return Draws(fewer, self.seed, thresholds, self.block)


def draws_of_runs(
    replicates: int, seed: int, of: Thresholds | None, runs: int, block: int = 0
) -> list[Draws]:
    """Return the draws of each training run; without thresholds, intervals take them as fixed."""
    if of is None:
        return [Draws(replicates, seed, {}, block)] * runs
    rows = np.r_[0, 1 + block * replicates : 1 + (block + 1) * replicates]
    columns = {"decided": of.balanced[:, rows], "decided_far10": of.far10[:, rows]}
    return [
        Draws(replicates, seed, {name: values[run] for name, values in columns.items()}, block)
        for run in range(runs)
    ]


@lru_cache(maxsize=64)
def drawn(groups: int, replicates: int, seed: int, block: int = 0) -> Floats:
    """Return the weights of the groups of one class, row 0 as observed."""
    weights = bootstrap.weights(np.ones(groups), replicates, seed, block=block)
    weights.flags.writeable = False
    return weights


def yes(trials: pd.DataFrame, codes: Indices, groups: int, decision: str, draws: Draws) -> Floats:
    """Count SPEECH decisions by group, in each replicate.

    Returns
    -------
    (replicates + 1, groups) array; (1, groups) where all replicates decide alike
    """
    if decision in draws.thresholds:
        thresholds = draws.thresholds[decision]
        return yes_counts(trials["p_speech"], codes, groups, thresholds)
    decided = trials[decision].to_numpy(dtype=float)
    counted: Floats = np.bincount(codes, decided, groups).astype(np.float64)
    return counted[None]
