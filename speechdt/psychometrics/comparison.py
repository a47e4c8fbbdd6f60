"""Paired comparison of DT75: the difference of two variants' thresholds in dB.

As for balanced accuracy (`speechdt.statistics.comparison`): intervals from resampling groups, both
variants under the same draws, p from exchanging the answers of the two in whole groups. The curves
are fitted again every time. A threshold beyond the tested range is infinite here. Of a variant that
was trained several times, the curve is that of the mean rates of its runs, whose spread is in the
intervals; the p-value takes the runs as they are.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from speechdt.arrays import Floats
from speechdt.psychometrics import curve
from speechdt.statistics import bootstrap
from speechdt.statistics.comparison import Pair, holm_within
from speechdt.statistics.metrics import by_run

PROPORTION = 0.75
MOST_PERMUTATIONS = 1000
"""Each needs two fits for each pair."""


class Answers(NamedTuple):
    """SPEECH decisions, V variants.

    Attributes
    ----------
    levels : (L,) array
        SNR in dB.
    yes, asked : V arrays (runs, G, L), and (G, L) array
        On SPEECH clips, by group, of each training run.
    catch_yes, catch_asked : V arrays (runs, C), and (C,) array
        On catch trials, by group.
    """

    levels: Floats
    yes: Sequence[Floats]
    asked: Floats
    catch_yes: Sequence[Floats]
    catch_asked: Floats


def compare_thresholds(
    trials: Mapping[str, pd.DataFrame],
    catch: Mapping[str, pd.DataFrame],
    pairs: Sequence[Pair],
    planned: NDArray[np.bool_],
    *,
    replicates: int,
    permutations: int,
    seed: int,
) -> pd.DataFrame:
    """Compare pairs of variants in DT75 of detection along SNR, over all durations.

    Parameters
    ----------
    trials, catch : mapping of str to DataFrame
        By variant, its trials in noise and its catch trials, as for `thresholds.thresholds`.
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
    answers = tally(trials, catch)
    if len(answers.levels) < 2:  # no curve
        empty = pd.DataFrame(index=range(len(pairs)), columns=columns, dtype=float)
        return empty.assign(dt75_difference_censored="undefined")
    thresholds, undefined = _bootstrapped(answers, replicates, seed)
    index = {variant: place for place, variant in enumerate(trials)}
    rows = []
    for pair, is_planned in zip(pairs, planned, strict=True):
        one, other = (index[name] for name in pair)
        difference = _difference(thresholds[one], thresholds[other])
        if undefined[one] or undefined[other]:
            difference = np.full_like(difference, np.nan)
        low, high = bootstrap.interval(difference[0], difference[1:], len(answers.asked))
        p = np.nan
        if is_planned and not np.isnan(difference[0]):
            count = min(permutations, MOST_PERMUTATIONS)
            p = _permutation_p(answers, one, other, difference[0], count, seed)
        rows.append(_row(difference[0], low, high, p))
    table = pd.DataFrame(rows, columns=columns)
    table["dt75_p_holm"] = holm_within(table["dt75_p"].to_numpy(float), np.asarray(planned))
    return table


def tally(trials: Mapping[str, pd.DataFrame], catch: Mapping[str, pd.DataFrame]) -> Answers:
    """Count the SPEECH decisions of each run of each variant."""
    counted = [[_cells(run) for run in by_run(table)] for table in trials.values()]
    silent = [[_alarms(run) for run in by_run(catch[variant])] for variant in trials]
    cells, alarms = counted[0][0], silent[0][0]
    return Answers(
        levels=cells["size"].columns.to_numpy(float),
        yes=[np.stack([run["sum"].to_numpy(float) for run in runs]) for runs in counted],
        asked=cells["size"].to_numpy(float),
        catch_yes=[np.stack([run["sum"].to_numpy(float) for run in runs]) for runs in silent],
        catch_asked=alarms["size"].to_numpy(float),
    )


def _cells(trials: pd.DataFrame) -> pd.DataFrame:
    speech = trials[trials["speech"]].groupby(["group_id", "snr_db"])["decided"]
    cells: Any = speech.agg(["sum", "size"]).unstack()
    return pd.DataFrame(cells.fillna(0.0))


def _alarms(catch: pd.DataFrame) -> pd.DataFrame:
    return catch.groupby("group_id")["decided"].agg(["sum", "size"])


def _bootstrapped(answers: Answers, replicates: int, seed: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Return DT75 (V, replicates + 1), under the draws of groups of `thresholds`; if undefined."""
    groups, silent = (
        bootstrap.weights(np.ones(size), replicates, of)
        for size, of in ((len(answers.asked), seed), (len(answers.catch_asked), seed + 2))
    )
    found, undefined = [], []
    asked, catch_asked = groups @ answers.asked, silent @ answers.catch_asked
    for variant, (yes, alarms) in enumerate(zip(answers.yes, answers.catch_yes, strict=True)):
        # Runs are drawn by variant: those of two have nothing to do with each other.
        drawn = bootstrap.over_runs(groups @ yes, seed + variant)
        guess = bootstrap.over_runs(alarms @ silent.T, seed + variant) / catch_asked
        curves = curve.fit(answers.levels, drawn, asked, guess=guess)
        found.append(curves.extended_threshold(PROPORTION))
        undefined.append(curves.censored(PROPORTION)[0] == "undefined")
    return np.stack(found), np.array(undefined)


def _permutation_p(
    answers: Answers, one: int, other: int, observed: float, permutations: int, seed: int
) -> float:
    """Return the two-sided p-value of no difference in DT75."""
    rng = np.random.default_rng([seed, permutations])
    kept, silent = (
        rng.integers(0, 2, (permutations, size)).astype(float)
        for size in (len(answers.asked), len(answers.catch_asked))
    )
    thresholds = []
    heard, quiet = (
        [of[place].mean(0) for place in (one, other)] for of in (answers.yes, answers.catch_yes)
    )
    for first, second in ((0, 1), (1, 0)):
        yes = _exchanged(kept, heard[first], heard[second])
        alarms = _exchanged(silent, quiet[first], quiet[second])
        asked = np.broadcast_to(answers.asked.sum(0), yes.shape)
        guess = alarms / answers.catch_asked.sum()
        curves = curve.fit(answers.levels, yes, asked, guess=guess)
        thresholds.append(curves.extended_threshold(PROPORTION))
    # Both beyond the same end: no difference. One beyond an end: as large as can be, either way.
    found = np.nan_to_num(_difference(*thresholds), nan=0.0, posinf=np.inf, neginf=-np.inf)
    as_extreme = np.abs(found)
    return float(1 + (as_extreme >= abs(observed) - 1e-9).sum()) / (permutations + 1)


def _exchanged(kept: Floats, own: Floats, rival: Floats) -> Floats:
    """Sum over groups, of which some (1) keep their own answers and some (0) take the rival's."""
    total: Floats = kept @ own + (1 - kept) @ rival
    return total


def _difference(one: Floats, other: Floats) -> Floats:
    """Return one minus the other; NaN where both lie beyond the same end of the range."""
    with np.errstate(invalid="ignore"):
        difference: Floats = one - other
    return difference


def _row(value: float, low: Any, high: Any, p: float) -> tuple[float | str, ...]:
    censored = "undefined" if np.isnan(value) else {np.inf: ">", -np.inf: "<"}.get(value, "")
    return (np.nan if censored else value, censored, float(low), float(high), p, np.nan)
