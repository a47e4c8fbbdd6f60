"""Detection thresholds of a variant: DT50 and DT75 with intervals, pooled and by slice.

Four kinds of curve, along SNR (dB) and along duration (fitted on log10 of ms):

=============  ==========================================  ==================================
kind           rate                                        guess rate
=============  ==========================================  ==================================
detection      SPEECH decisions on SPEECH clips            SPEECH decisions on catch trials
far10          the same, threshold set for 10 % false      the same, with that threshold
               alarms on dev
accuracy       correct decisions, classes weighted alike   0.5
auc            area under the ROC curve                    0.5
=============  ==========================================  ==================================
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from speechdt.arrays import Floats
from speechdt.psychometrics import curve
from speechdt.psychometrics.goodness_of_fit import misfit_p
from speechdt.psychometrics.guess_rate import catch_rate
from speechdt.statistics import bootstrap
from speechdt.statistics.metrics import Groups, by_run

PROPORTIONS = {"dt50": 0.50, "dt75": 0.75}
DIMENSIONS = {"snr": "snr_db", "duration": "duration_ms"}
"""Dimension of a curve, and the column that holds its levels."""
KINDS = ("detection", "far10", "accuracy", "auc")
TESTED = ("detection", "accuracy")
"""Kinds of curve whose fit is tested."""
CURVE_POINTS = 101


class Rates(NamedTuple):
    """Counts behind a curve, row 0 as observed, the others resampled.

    Attributes
    ----------
    levels : (L,)
        In dB, or log10 of ms.
    successes, trials : (replicates + 1, L)
    guess : (replicates + 1,)
        Fixed guess rate.
    groups : list of int
        Number of groups in each class that the rates rest on.
    items : int
        Number of items that they rest on.
    """

    levels: Floats
    successes: Floats
    trials: Floats
    guess: Floats
    groups: list[int]
    items: int


def thresholds(
    trials: pd.DataFrame, catch: pd.DataFrame, *, replicates: int, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fit all curves of a variant.

    Parameters
    ----------
    trials : DataFrame
        Test trials in noise: speech, item_id, group_id, snr_db, duration_ms, p_speech, decided,
        decided_far10; and run, where a variant was trained several times: the curve is then that of
        the mean rates, and the spread of the runs is in the intervals.
    catch : DataFrame
        Catch trials: group_id, duration_ms, decided, decided_far10 (and run).
    replicates : int
        Bootstrap replicates behind each interval.
    seed : int

    Returns
    -------
    table : DataFrame
        kind, dimension (snr: thresholds in dB; duration: in ms), slice (all, or the level of the
        other dimension), n, guess, lapse, location, width, deviance, fit_p (of detection and
        accuracy: small if the curve does not fit, see `goodness`), and for each of dt50 and dt75:
        the threshold (NaN if censored), ``_censored`` ('<', '>', 'undefined' or ''), ``_low`` and
        ``_high`` (-inf, inf beyond the tested range).
    curves : DataFrame
        kind, dimension, slice, level, rate, low, high along the fitted curves; and the observed
        rates with fitted = False.
    """
    rows, curves = [], []
    for dimension, slice_name, part, silence in _slices(trials, catch):
        all_rates = [_rates(kind, dimension, part, silence, replicates, seed) for kind in KINDS]
        for kind, rates, fit in zip(KINDS, all_rates, _fits(all_rates), strict=True):
            labels = {"kind": kind, "dimension": dimension, "slice": slice_name}
            row = labels | _threshold_row(rates, fit, dimension)
            tested = kind in TESTED
            rows.append(row | {"fit_p": _fit_p(fit, rates) if tested else np.nan})
            curves.append(_curve(rates, fit, dimension).assign(**labels))
    order = ["kind", "dimension", "slice", "fitted", "level", "rate", "low", "high"]
    if not curves:  # one SNR and one duration make no curve
        columns = ["kind", "dimension", "slice", *(f"{n}_censored" for n in PROPORTIONS)]
        return pd.DataFrame(columns=columns), pd.DataFrame(columns=order)
    return pd.DataFrame(rows), pd.concat(curves, ignore_index=True)[order]


def _fits(of_kinds: list[Rates]) -> list[curve.Fit]:
    """Fit the curves of several kinds along the same levels, at once since that is faster."""
    fit = curve.fit(
        of_kinds[0].levels,
        np.stack([rates.successes for rates in of_kinds]),
        np.stack([rates.trials for rates in of_kinds]),
        guess=np.stack([rates.guess for rates in of_kinds]),
    )
    return [fit[place] for place in range(len(of_kinds))]


def _slices(
    trials: pd.DataFrame, catch: pd.DataFrame
) -> Iterator[tuple[str, str, pd.DataFrame, pd.DataFrame]]:
    """Yield dimension, slice, and the trials and catch trials of each curve."""
    for dimension in DIMENSIONS:
        if trials[DIMENSIONS[dimension]].nunique() < 2:
            continue
        yield dimension, "all", trials, catch
        other = "duration_ms" if dimension == "snr" else "snr_db"
        for level, part in trials.groupby(other):
            silence = catch[catch[other] == level] if other == "duration_ms" else catch
            yield dimension, f"{level:g}", part, silence


def _rates(
    kind: str,
    dimension: str,
    trials: pd.DataFrame,
    catch: pd.DataFrame,
    replicates: int,
    seed: int,
) -> Rates:
    """Return the rates of all training runs together."""
    runs = [
        _run_rates(kind, dimension, part, silence, replicates, seed)
        for part, silence in zip(by_run(trials), by_run(catch), strict=True)
    ]
    return runs[0]._replace(
        successes=bootstrap.over_runs([run.successes for run in runs], seed),
        trials=bootstrap.over_runs([run.trials for run in runs], seed),
        guess=bootstrap.over_runs([run.guess for run in runs], seed),
    )


def _run_rates(
    kind: str,
    dimension: str,
    trials: pd.DataFrame,
    catch: pd.DataFrame,
    replicates: int,
    seed: int,
) -> Rates:
    column = DIMENSIONS[dimension]
    levels = np.sort(trials[column].unique()).astype(float)
    place = np.searchsorted(levels, trials[column])
    if kind == "auc":
        successes, counts, groups = _auc_counts(trials, place, len(levels), replicates, seed)
    elif kind == "accuracy":
        successes, counts, groups = _accuracy_counts(trials, place, len(levels), replicates, seed)
    else:
        successes, counts, groups = _detection_counts(
            trials[trials["speech"]], place[trials["speech"]], len(levels), kind, replicates, seed
        )
    guess = np.full(replicates + 1, 0.5)
    if kind in ("detection", "far10"):
        guess = catch_rate(catch, _decision(kind), replicates, seed)
    scale = np.log10(levels) if dimension == "duration" else levels
    asked = trials["speech"] if kind in ("detection", "far10") else slice(None)
    items = trials.loc[asked, "item_id"].nunique()
    return Rates(scale, successes, counts, guess, groups, int(items))


def _decision(kind: str) -> str:
    return "decided_far10" if kind == "far10" else "decided"


def _detection_counts(
    speech: pd.DataFrame,
    place: NDArray[np.int64],
    levels: int,
    kind: str,
    replicates: int,
    seed: int,
) -> tuple[Floats, Floats, list[int]]:
    codes, names = pd.factorize(speech["group_id"], sort=True)
    weights = bootstrap.weights(np.ones(len(names)), replicates, seed)
    yes = _table(codes, place, speech[_decision(kind)], len(names), levels)
    asked = _table(codes, place, np.ones(len(speech)), len(names), levels)
    return weights @ yes, weights @ asked, [len(names)]


def _accuracy_counts(
    trials: pd.DataFrame, place: NDArray[np.int64], levels: int, replicates: int, seed: int
) -> tuple[Floats, Floats, list[int]]:
    """Count correct decisions, the classes weighted alike whatever their numbers."""
    rate: Floats = np.zeros((replicates + 1, levels))
    total: Floats = np.zeros((replicates + 1, levels))
    groups = []
    correct = trials["decided"] == trials["speech"]
    for number, is_speech in enumerate((True, False)):
        of = (trials["speech"] == is_speech).to_numpy()
        codes, names = pd.factorize(trials["group_id"][of], sort=True)
        weights = bootstrap.weights(np.ones(len(names)), replicates, seed + number)
        asked = weights @ _table(codes, place[of], np.ones(of.sum()), len(names), levels)
        rate += weights @ _table(codes, place[of], correct[of], len(names), levels) / asked / 2
        total += asked
        groups.append(len(names))
    return rate * total, total, groups


def _auc_counts(
    trials: pd.DataFrame, place: NDArray[np.int64], levels: int, replicates: int, seed: int
) -> tuple[Floats, Floats, list[int]]:
    """Give the AUC of each level the weight of as many answers as a level has SPEECH clips."""
    auc = np.zeros((replicates + 1, levels))
    for level in range(levels):
        groups = Groups(trials[place == level])
        auc[:, level] = groups.auc(bootstrap.weights(groups.speech, replicates, seed))
    counts = [float(trials["speech"][place == level].sum()) for level in range(levels)]
    total = np.broadcast_to(counts, auc.shape).copy()
    return auc * total, total, groups.count_behind("auc")


def _table(
    codes: NDArray[np.int64], place: NDArray[np.int64], values: Any, groups: int, levels: int
) -> Floats:
    table = np.zeros((groups, levels))
    np.add.at(table, (codes, place), np.asarray(values, float))
    return table


def _threshold_row(rates: Rates, fit: curve.Fit, dimension: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "n": round(rates.trials[0].sum()),
        "guess": fit.guess[0],
        "lapse": fit.lapse[0],
        "location": _in_unit(fit.location[0], dimension),
        "width": fit.width[0],
        "deviance": fit.deviance(rates.successes, rates.trials)[0],
    }
    for name, proportion in PROPORTIONS.items():
        reached = fit.extended_threshold(proportion)
        censored = str(fit.censored(proportion)[0])
        bounds = bootstrap.interval(reached[0], reached[1:], rates.groups)
        low, high = (np.nan, np.nan) if censored == "undefined" else _in_range(bounds, fit)
        row |= {
            name: _in_unit(fit.threshold(proportion)[0], dimension),
            f"{name}_censored": censored,
            f"{name}_low": _in_unit(low, dimension),
            f"{name}_high": _in_unit(high, dimension),
        }
    return row


def _fit_p(fit: curve.Fit, rates: Rates) -> float:
    return misfit_p(fit, rates.successes, rates.trials, rates.guess)


def _in_range(bounds: tuple[Any, Any], fit: curve.Fit) -> tuple[float, float]:
    """Return the bounds, infinite where they lie outside the tested range."""
    low, high = bounds
    return (
        -np.inf if low < fit.levels[0] else float(low),
        np.inf if high > fit.levels[-1] else float(high),
    )


def _in_unit(level: Any, dimension: str) -> float:
    """Return a fitted level in dB or ms; beyond the range (infinite) stays beyond it."""
    return float(level if dimension == "snr" or np.isinf(level) else 10.0**level)


def _curve(rates: Rates, fit: curve.Fit, dimension: str) -> pd.DataFrame:
    x = np.linspace(rates.levels[0], rates.levels[-1], CURVE_POINTS)
    psi = fit.predict(x)
    low, high = bootstrap.interval(psi[0], psi[1:], rates.groups)
    smooth = pd.DataFrame({"fitted": True, "level": x, "rate": psi[0], "low": low, "high": high})
    observed = rates.successes / rates.trials
    low, high = bootstrap.interval(observed[0], observed[1:], rates.groups, units=rates.items)
    points = pd.DataFrame(
        {"fitted": False, "level": rates.levels, "rate": observed[0], "low": low, "high": high}
    )
    curve = pd.concat([smooth, points], ignore_index=True)
    if dimension == "duration":
        curve["level"] = 10.0 ** curve["level"]
    return curve
