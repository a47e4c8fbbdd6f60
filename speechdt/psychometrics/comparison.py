"""Paired comparison of DT75: the difference of two variants' thresholds in dB.

Thresholds are those of kind roc10, hits at 10 % false alarms: at decision thresholds of their own,
two detectors that hear alike differ by as much as their readiness to say SPEECH does. Intervals
come from resampling groups, both variants under the same draws, p from exchanging the answers of
the two in whole groups (as in `speechdt.statistics.comparison`). The curves are fitted again every
time. A threshold beyond the tested range is infinite here. Of a variant that was trained several
times, the curve is that of the mean rates of its runs, whose spread is in the intervals; the
p-value takes the runs as they are.

Scores of two detectors cannot be exchanged as they are. What is exchanged is the rate of false
alarms at each score, on the NONSPEECH trials of the same level: it leaves the ROC curve of each as
it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from speechdt.arrays import Floats
from speechdt.psychometrics import curve
from speechdt.psychometrics.decided import Draws
from speechdt.psychometrics.existence import UNDEFINED, censored
from speechdt.psychometrics.matched_hits import FALSE_ALARMS, coded, matched_hits, placement
from speechdt.psychometrics.rates import Rates
from speechdt.psychometrics.strata import levelled
from speechdt.statistics import bootstrap
from speechdt.statistics.comparison import Pair, holm_within
from speechdt.statistics.metrics import by_run

PROPORTION = 0.75
MOST_PERMUTATIONS = 1000
"""Each needs two fits for each pair."""


def compare_thresholds(
    trials: Mapping[str, pd.DataFrame],
    pairs: Sequence[Pair],
    planned: NDArray[np.bool_],
    *,
    replicates: int,
    permutations: int,
    seed: int,
) -> pd.DataFrame:
    """Compare pairs of variants in DT75 at 10 % false alarms along SNR, over all durations.

    Parameters
    ----------
    trials : mapping of str to DataFrame
        By variant, its trials in noise, as for `thresholds.thresholds`.
    pairs : sequence of (variant, reference)
    planned : (pairs,) bool array
        Which of them get a p-value, corrected for their number.
    replicates, permutations, seed : int
        Permutations beyond `MOST_PERMUTATIONS` are not made.

    Returns
    -------
    DataFrame
        One row a pair: dt75_difference_db (variant minus reference, below zero if the variant bears
        more noise); NaN if a threshold is censored, when dt75_difference_censored says ``>`` (the
        variant's lies higher, by an unknown amount), ``<`` or ``undefined`` (both lie beyond the
        range, or one is undefined); ``_low``, ``_high`` (infinite where open); dt75_p, dt75_p_holm.
    """
    columns = ["dt75_difference_db", "dt75_difference_censored", "dt75_difference_db_low"]
    columns += ["dt75_difference_db_high", "dt75_p", "dt75_p_holm"]
    if not trials or next(iter(trials.values()))["snr_db"].nunique() < 2:  # no curve
        empty = pd.DataFrame(index=range(len(pairs)), columns=columns, dtype=float)
        return empty.assign(dt75_difference_censored=UNDEFINED)
    placed = {variant: levelled(of, "snr_db") for variant, of in trials.items()}
    bootstrapped = {
        variant: _bootstrapped(of, levels, Draws(replicates, seed, {}), seed + place)
        for place, (variant, (of, levels)) in enumerate(placed.items())
    }
    rows = []
    for (one, other), is_planned in zip(pairs, planned, strict=True):
        (thresholds, groups, why), (rivals, _, other_why) = bootstrapped[one], bootstrapped[other]
        difference = _difference(thresholds, rivals)
        if UNDEFINED in (why, other_why):
            difference = np.full_like(difference, np.nan)
        low, high = bootstrap.interval(difference[0], difference[1:], groups)
        p = np.nan
        if is_planned and not np.isnan(difference[0]):
            count = min(permutations, MOST_PERMUTATIONS)
            levels = placed[one][1]
            p = _permutation_p(placed[one][0], placed[other][0], levels, count, seed)
        rows.append(_row(difference[0], low, high, p))
    table = pd.DataFrame(rows, columns=columns)
    table["dt75_p_holm"] = holm_within(table["dt75_p"].to_numpy(float), np.asarray(planned))
    return table


def _bootstrapped(
    trials: pd.DataFrame, levels: Floats, draws: Draws, seed: int
) -> tuple[Floats, list[int], str]:
    """Return DT75 (replicates + 1,), the groups of each class, and why the own one is censored.

    The draws of groups are those of `thresholds`; runs are drawn by variant, since those of two
    have nothing to do with each other.
    """
    of_runs, trusted, groups = [], True, [0, 0]
    for run in by_run(trials):
        groups = [coded(run[run["speech"] == of])[1] for of in (True, False)]
        if not all(groups):
            return np.full(draws.replicates + 1, np.nan), [1], UNDEFINED
        weights = (draws.of_groups(count, number) for number, count in enumerate(groups))
        rate, enough = matched_hits(run, len(levels), *weights)
        of_runs.append(rate)
        trusted = trusted and enough
    asked = _asked(trials[trials["speech"]], len(levels), draws)
    hits = bootstrap.over_runs(np.nan_to_num(of_runs), seed) * asked
    constant = np.full(len(asked), FALSE_ALARMS)
    fit = curve.fit(levels, hits, asked, guess=constant)
    rates = Rates(hits, asked, constant, constant, groups, 0, trusted)
    return fit.extended_threshold(PROPORTION), groups, censored(rates, fit, PROPORTION)


def _asked(speech: pd.DataFrame, levels: int, draws: Draws) -> Floats:
    """Return the weighted number of SPEECH trials of a run at each level."""
    run = by_run(speech)[0]
    codes, groups = coded(run)
    counts = np.zeros((groups, levels))
    np.add.at(counts, (codes, run["place"].to_numpy()), 1.0)
    return np.asarray(draws.of_groups(groups, 0) @ counts)


def _permutation_p(
    one: pd.DataFrame, other: pd.DataFrame, levels: Floats, permutations: int, seed: int
) -> float:
    """Return the two-sided p-value of no difference in DT75."""
    rng = np.random.default_rng([seed, permutations])
    both = pd.concat(
        [_on_one_scale(of).assign(owner=owner) for owner, of in enumerate((one, other))]
    )
    kept, counts = [], np.bincount(both.loc[both["speech"], "place"], minlength=len(levels))
    for is_speech in (True, False):
        of = both["speech"] == is_speech
        codes, names = pd.factorize(both.loc[of, "group_id"], sort=True)
        drawn = rng.integers(0, 2, (permutations + 1, len(names))).astype(float)
        drawn[0] = 1  # the trials as they are
        kept.append(drawn)
        # numbered so that `coded` has the groups of one before those of the other
        owner = both.loc[of, "owner"].to_numpy()
        both.loc[of, "group_id"] = [f"{o}{c:09d}" for o, c in zip(owner, codes, strict=True)]
    runs = [len(by_run(of)) for of in (one, other)]
    asked = np.broadcast_to(counts / sum(runs), (permutations + 1, len(levels)))
    thresholds = []
    for turned in (False, True):
        weights = []
        for own in kept:
            mine, rivals = (1 - own, own) if turned else (own, 1 - own)
            weights.append(np.hstack([mine / runs[0], rivals / runs[1]]))
        rate, _ = matched_hits(both, len(levels), *weights)
        constant = np.full(len(rate), FALSE_ALARMS)
        curves = curve.fit(levels, np.nan_to_num(rate) * asked, asked, guess=constant)
        thresholds.append(curves.extended_threshold(PROPORTION))
    # Both beyond the same end: no difference. One beyond an end: as large as can be, either way.
    differences = np.nan_to_num(_difference(*thresholds), nan=0.0, posinf=np.inf, neginf=-np.inf)
    as_extreme = np.abs(differences[1:]) >= abs(differences[0]) - 1e-9
    return float(1 + as_extreme.sum()) / (permutations + 1)


def _on_one_scale(trials: pd.DataFrame) -> pd.DataFrame:
    """Put the false alarms at each score in its place, by run and level; SPEECH is high."""
    parts = []
    for run in by_run(trials):
        for _, at in run.groupby("place"):
            rivals = at.loc[~at["speech"], "p_speech"].to_numpy()
            parts.append(at.assign(p_speech=1 - placement(at["p_speech"].to_numpy(), rivals)))
    columns = ["speech", "group_id", "place", "stratum", "p_speech"]
    return pd.concat(parts, ignore_index=True)[columns]


def _difference(one: Floats, other: Floats) -> Floats:
    """Return one minus the other; NaN where both lie beyond the same end of the range."""
    with np.errstate(invalid="ignore"):
        difference: Floats = one - other
    return difference


def _row(value: float, low: Any, high: Any, p: float) -> tuple[float | str, ...]:
    why = UNDEFINED if np.isnan(value) else {np.inf: ">", -np.inf: "<"}.get(value, "")
    return (np.nan if why else value, why, float(low), float(high), p, np.nan)
