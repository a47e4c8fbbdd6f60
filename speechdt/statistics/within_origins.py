"""Within origins: the AUC over pairs of trials that come from the same place.

Where an origin gives one class only, whatever tells it apart (microphone, codec, studio) tells the
class as well, and the pooled AUC counts that as hearing. Over pairs of one origin it is of no use.
"""

from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from speechdt.arrays import Bools, Floats, Indices
from speechdt.statistics import bootstrap
from speechdt.statistics.metrics import Groups, by_run

ALL, SEEN, UNSEEN, ORIGIN = "all", "seen", "unseen", "origin"
"""Parts of the trials: all, those of origins that train or dev has too, those of origins that are
in test alone, and those of one origin."""


class Aucs(NamedTuple):
    """AUC of a part, row 0 as observed, the others under resampled groups, (replicates + 1,)."""

    pooled: Floats
    within: Floats


def by_origin(
    trials: pd.DataFrame, unseen: Collection[str], *, replicates: int, seed: int
) -> pd.DataFrame:
    """Compare the pooled AUC of a variant with that within origins.

    Parameters
    ----------
    trials : DataFrame
        Test trials in noise: speech (bool), group_id, origin, p_speech (and run).
    unseen : collection of str
        Origins that are in test alone.
    replicates, seed : int
        Of the bootstrap: the same draws of groups for both, which pairs them.

    Returns
    -------
    DataFrame
        part, origin (of part ``origin``, else ''), n, origins (that hold both classes),
        groups_speech and groups_nonspeech (of these origins); auc (pooled), auc_within and
        difference (pooled minus within), each with ``_low`` and ``_high``: NaN where no origin
        holds both classes, and without bounds where one of them has a single group, or so few that
        a draw may have no pair. A row for all, for seen and for unseen trials as far as there are
        any, and for each origin of both classes, which has no difference.
    """
    rows = []
    for part, origin, of in _parts(trials, unseen):
        held = of[of["origin"].isin(_of_both_classes(of))]
        first = by_run(held)[0] if len(held) else held
        groups = [
            int(first.loc[first["speech"] == speech, "group_id"].nunique())
            for speech in (True, False)
        ]
        row = {
            "part": part,
            "origin": origin,
            "n": len(by_run(of)[0]),
            "origins": held["origin"].nunique(),
            "groups_speech": groups[0],
            "groups_nonspeech": groups[1],
        }
        numbers = _numbers(of, groups, replicates, seed)
        if part == ORIGIN:  # where the two are one
            numbers |= dict.fromkeys(("difference", "difference_low", "difference_high"), np.nan)
        rows.append(row | numbers)
    return pd.DataFrame(rows)


def _parts(
    trials: pd.DataFrame, unseen: Collection[str]
) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield part, origin and trials of each row; both classes are in each."""
    apart = trials["origin"].isin(unseen)
    for part, of in ((ALL, trials), (SEEN, trials[~apart]), (UNSEEN, trials[apart])):
        if of["speech"].nunique() == 2 and (part == ALL or len(of) < len(trials)):
            yield part, "", of
    for origin in _of_both_classes(trials):
        yield ORIGIN, origin, trials[trials["origin"] == origin]


def _of_both_classes(trials: pd.DataFrame) -> list[str]:
    classes = trials.groupby("origin")["speech"].nunique()
    return sorted(map(str, classes.index[classes == 2]))


def _numbers(
    trials: pd.DataFrame, groups: list[int], replicates: int, seed: int
) -> dict[str, float]:
    runs = [aucs(run, replicates=replicates, seed=seed) for run in by_run(trials)]
    pooled = bootstrap.over_runs([run.pooled for run in runs], seed)
    within = bootstrap.over_runs([run.within for run in runs], seed)
    row: dict[str, float] = {}
    for name, values in (("auc", pooled), ("auc_within", within), ("difference", pooled - within)):
        low = high = np.nan
        if np.isfinite(values[0]):
            counts = [
                trials.loc[trials["speech"] == of, "group_id"].nunique() for of in (True, False)
            ]
            behind = counts if name == "auc" else groups
            low, high = (float(end) for end in bootstrap.interval(values[0], values[1:], behind))
            least = -1.0 if name == "difference" else 0.0
            low, high = (float(np.clip(end, least, 1.0)) for end in (low, high))
        row |= {name: float(values[0]), f"{name}_low": low, f"{name}_high": high}
    return row


def aucs(trials: pd.DataFrame, *, replicates: int, seed: int) -> Aucs:
    """Return the AUC over all pairs of SPEECH and NONSPEECH trials, and over pairs of one origin.

    Every pair counts alike. Groups of both are drawn together.

    Parameters
    ----------
    trials : DataFrame
        Of one run; see :func:`by_origin`.
    replicates, seed : int
    """
    codes, of_speech, _ = bootstrap.groups_by_class(trials["speech"], trials["group_id"])
    weights = bootstrap.weights(of_speech, replicates, seed)
    wins, pairs = _pairs_of_one_origin(trials, codes, of_speech)
    speech, other = weights[:, of_speech], weights[:, ~of_speech]
    with np.errstate(invalid="ignore"):
        within = ((speech @ wins) * other).sum(1) / ((speech @ pairs) * other).sum(1)
    return Aucs(Groups(trials).auc(weights), within)


def _pairs_of_one_origin(
    trials: pd.DataFrame, codes: Indices, of_speech: Bools
) -> tuple[Floats, Floats]:
    """Count won pairs and pairs of one origin, for each group of SPEECH and each of NONSPEECH."""
    place = np.where(of_speech, np.cumsum(of_speech), np.cumsum(~of_speech)) - 1
    wins = np.zeros((int(of_speech.sum()), int((~of_speech).sum())))
    pairs = np.zeros_like(wins)
    p, speech = trials["p_speech"].to_numpy(), trials["speech"].to_numpy(dtype=bool)
    origin = trials["origin"].to_numpy()
    for name in _of_both_classes(trials):
        here = origin == name
        own = here & speech
        rows = place[codes[own]]
        for group in np.unique(codes[here & ~speech]):
            rivals = np.sort(p[here & (codes == group)])
            sides = [np.searchsorted(rivals, p[own], side) for side in ("left", "right")]
            np.add.at(wins[:, place[group]], rows, (sides[0] + sides[1]) / 2)
            np.add.at(pairs[:, place[group]], rows, len(rivals))
    return wins, pairs
