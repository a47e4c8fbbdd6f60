"""Paired comparison of variants in the area under the ROC curve, on the same trials.

The interval comes from resampling groups, both variants under the same draws. For the p-value the
answers of the two are exchanged in whole groups, on the common scale of ranks, since scores of two
detectors are not of one scale (Venkatraman & Begg 1996, doi:10.1093/biomet/83.4.835; Bandos,
Rockette & Gur 2005, doi:10.1002/sim.2149). After an exchange a SPEECH trial of one variant meets
NONSPEECH trials of the other. The difference of the areas is then a sum over groups, each with the
sign of its exchange, so that what serves balanced accuracy serves here, studentised likewise
(`speechdt.statistics.comparison`).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from speechdt.arrays import Bools, Floats, Indices
from speechdt.statistics import bootstrap
from speechdt.statistics.comparison import Pair, Sums, holm_within, paired_p
from speechdt.statistics.families import word
from speechdt.statistics.metrics import Groups, by_run

COLUMNS = (
    *("auc", "auc_reference", "auc_difference", "auc_difference_low", "auc_difference_high"),
    *("auc_p", "auc_p_holm", "verdict"),
)


def compare_auc(
    trials: Mapping[str, pd.DataFrame],
    pairs: Sequence[Pair],
    planned: Bools,
    *,
    replicates: int,
    permutations: int,
    seed: int,
) -> pd.DataFrame:
    """Compare pairs of variants in pooled AUC.

    Parameters
    ----------
    trials : mapping of str to DataFrame
        By variant, its trials in noise: trial_id, group_id, speech (bool), p_speech; and run, where
        it was trained several times (the p-value takes the runs as they are).
    pairs : sequence of (variant, reference)
    planned : (pairs,) bool array
        Which of them are corrected for their number (Holm 1979).
    replicates, permutations, seed : int
        Of the bootstrap and of the permutation test.

    Returns
    -------
    DataFrame
        `COLUMNS`, one row a pair: both areas, variant minus reference with its interval, p
        (two-sided), p corrected (NaN outside of the planned family), and verdict: gain or loss
        where that carries it, "not shown", or nothing outside of the family.
    """
    if not pairs:
        return pd.DataFrame(columns=list(COLUMNS))
    sorted_runs = {
        variant: [part.sort_values("trial_id", ignore_index=True) for part in by_run(table)]
        for variant, table in trials.items()
    }
    first = next(iter(sorted_runs.values()))[0]
    codes, of_speech, names = bootstrap.groups_by_class(first["speech"], first["group_id"])
    weights = bootstrap.weights(of_speech, replicates, seed)
    areas = {
        variant: bootstrap.over_runs([Groups(run).auc(weights) for run in runs], seed + place)
        for place, (variant, runs) in enumerate(sorted_runs.items())
    }
    one, other = (np.stack([areas[pair[side]] for pair in pairs], axis=1) for side in (0, 1))
    difference = one - other
    counts = [int(of_speech.sum()), int((~of_speech).sum())]
    low, high = bootstrap.interval(difference[0], difference[1:], counts)
    ranks = {
        variant: np.stack([np.asarray(run["p_speech"].rank(), dtype=np.float64) for run in runs])
        for variant, runs in sorted_runs.items()
    }
    speech = first["speech"].to_numpy(bool)
    shares = exchangeable(ranks, pairs, speech, codes, len(names))
    sizes = np.bincount(codes, minlength=len(names)).astype(float)
    sums = Sums(of_speech, pd.factorize(names)[0], sizes, shares)
    p = paired_p(sums, shares, permutations, seed)
    corrected = holm_within(p, planned)
    verdicts = _verdicts(difference[0], corrected, planned)
    values = (one[0], other[0], difference[0], low, high, p, corrected, verdicts)
    return pd.DataFrame(dict(zip(COLUMNS, values, strict=True)))


def _verdicts(difference: Floats, corrected: Floats, planned: Bools) -> list[str]:
    """Return what may be said of each difference; nothing outside of the family."""
    of = zip(difference, corrected, planned, strict=True)
    return [word("contrasts", value, p) if of_family else "" for value, p, of_family in of]


def exchangeable(
    ranks: Mapping[str, Floats],
    pairs: Sequence[Pair],
    speech: Bools,
    codes: Indices,
    groups: int,
) -> Floats:
    """Return what each group adds to the difference of two areas, (groups, pairs).

    Over the number of trials of its class, they sum to the difference; with the sign of each group
    that is exchanged turned round, to that of the exchanged answers.

    Parameters
    ----------
    ranks : mapping of str to (runs, T) array
        Ranks of the trials under each training run of a variant.
    pairs : sequence of (variant, reference)
    speech : (T,) array of bool
    codes : (T,) array of int
        Number of each trial's group, in which all are of one class.
    groups : int
    """
    wins: dict[Pair, Floats] = {}
    for pair in {
        (mine, rival) for one, other in pairs for mine in (one, other) for rival in (one, other)
    }:
        mine, rival = (ranks[name] for name in pair)
        wins[pair] = _wins(mine, rival, speech, same=pair[0] == pair[1])
    shares = np.empty((groups, len(pairs)))
    for place, (one, other) in enumerate(pairs):
        own = wins[one, one] - wins[other, other]
        mixed = wins[one, other] - wins[other, one]
        # A NONSPEECH trial of `one` meets SPEECH of `other` where that of `one` was exchanged.
        of_trials = (own + np.where(speech, mixed, -mixed)) / 2
        shares[:, place] = np.bincount(codes, of_trials, groups)
    return shares


def _wins(mine: Floats, rival: Floats, speech: Bools, *, same: bool) -> Floats:
    """Return, (T,), the share of the other class that each trial stands on the right side of.

    SPEECH trials have the ranks of `mine`, NONSPEECH ones those of `rival`; means over training
    runs, of one variant each run with itself.
    """
    pairs = [
        (one, other)
        for place, one in enumerate(mine)
        for second, other in enumerate(rival)
        if not same or place == second
    ]
    total = np.zeros(len(speech))
    for one, other in pairs:
        yes, no = one[speech], other[~speech]
        total[speech] += _below(yes, no) / len(no)
        total[~speech] += 1 - _below(no, yes) / len(yes)
    return total / len(pairs)


def _below(values: Floats, among: Floats) -> Floats:
    """Count how many lie below each value, those alike by half."""
    ordered = np.sort(among)
    ends = (np.searchsorted(ordered, values, side) for side in ("left", "right"))
    return np.asarray(sum(ends) / 2)
