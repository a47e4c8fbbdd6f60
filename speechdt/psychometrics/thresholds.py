"""Detection thresholds of a variant: DT50 and DT75 with intervals, pooled and by slice.

Five kinds of curve, along SNR (dB) and along duration (fitted on log10 of ms); the first three also
by background, and along the SNR in the speech band:

=============  ==========================================  ==================================
kind           rate                                        guess rate
=============  ==========================================  ==================================
detection      SPEECH decisions on SPEECH clips            SPEECH decisions on catch trials
far10          the same, threshold set for 10 % false      the same, with that threshold
               alarms on dev
roc10          hits at 10 % false alarms on the NONSPEECH  0.1
               trials of the same stratum
accuracy       correct decisions, classes weighted alike   0.5
auc            area under the ROC curve                    0.5
=============  ==========================================  ==================================

Of these, roc10 and auc are functions of the ROC curve: no decision threshold moves them. Their
rates are no counts; fitted as if they were as many answers as there are SPEECH clips, the curve
maximises a quasi-likelihood, and intervals come from resampling groups alone.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from speechdt.arrays import Floats
from speechdt.psychometrics import curve
from speechdt.psychometrics.decided import Draws, draws_of_runs
from speechdt.psychometrics.existence import UNDEFINED, censored
from speechdt.psychometrics.goodness_of_fit import misfit_p
from speechdt.psychometrics.rates import Rates
from speechdt.psychometrics.steadied import (
    PROPORTIONS,
    bounds,
    claimed,
    curves_of,
    steadied_curves,
)
from speechdt.psychometrics.strata import SPEECH_BAND, Part, parts
from speechdt.statistics import bootstrap
from speechdt.statistics.criterion import Thresholds
from speechdt.statistics.metrics import by_run

TESTED = ("detection", "roc10", "accuracy")
"""Kinds of curve whose fit is tested."""
CURVE_POINTS = 101
MOST_OF_OTHERS = 1000
"""Replicates of all curves but the pooled one along SNR: of a bound, their Monte-Carlo error is 5 %
of half the interval."""
LABELS = ["kind", "dimension", "slice"]
DRAWN = [*LABELS, "fitted", "level", "rate", "low", "high"]
"""Columns of the curves."""


def thresholds(
    trials: pd.DataFrame,
    catch: pd.DataFrame,
    *,
    replicates: int,
    seed: int,
    criteria: Thresholds | None = None,
    plan: Collection[float] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fit all curves of a variant.

    Parameters
    ----------
    trials : DataFrame
        Test trials in noise: speech, item_id, group_id, snr_db, duration_ms, p_speech, decided,
        decided_far10; background and snr_speech_db, if known; and run, where a variant was trained
        several times: the curve is then that of the mean rates, and the spread of the runs is in
        the intervals.
    catch : DataFrame
        Catch trials: group_id, duration_ms, p_speech, decided, decided_far10 (and background, run).
    replicates : int
        Bootstrap replicates behind each interval; the pooled curves along SNR have as many times as
        many as their bounds need, all others at most `MOST_OF_OTHERS`.
    seed : int
    criteria : Thresholds, optional
        Decision thresholds of each replicate, and those of more; without them, intervals take the
        thresholds as given.
    plan : collection of float, optional
        SNRs of curves along duration; all by default.

    Returns
    -------
    table : DataFrame
        kind, dimension (snr, snr_speech: thresholds in dB; duration: in ms), slice (all, the level
        of the other dimension, or a background), n, guess, lapse, location, width, deviance,
        dispersion (variance of the rates over groups, in that of independent answers), fit_p (small
        if the curve does not fit, see `goodness_of_fit`), false_alarms (at which the thresholds
        were bought; with ``_low`` and ``_high``), offset_db (speech-band minus nominal SNR), and
        for each of dt50 and dt75: the threshold (NaN if censored), ``_censored`` ('<', '>',
        'undefined' or ''), ``_low`` and ``_high`` (-inf, inf beyond the tested range or unplaced).
    curves : DataFrame
        kind, dimension, slice, level, rate, low, high along the fitted curves; and the observed
        rates with fitted = False, among them d' (kind dprime), to which no curve is fitted.
    """
    rows, curves = [], []
    for part, of_kinds, fits in _curves_of_parts(
        parts(trials, catch, plan), len(by_run(trials)), replicates, seed, criteria
    ):
        for kind, rates in of_kinds.items():
            labels = dict(zip(LABELS, (kind, part.dimension, part.name), strict=True))
            if kind in fits:
                rows.append(labels | _threshold_row(part, kind, rates, fits[kind]))
            if rates.trusted:
                curves.append(_curve(part, rates, fits.get(kind)).assign(**labels))
    if not curves:  # one SNR and one duration make no curve
        columns = [*LABELS, *PROPORTIONS, *(f"{n}_censored" for n in PROPORTIONS)]
        return pd.DataFrame(columns=columns), pd.DataFrame(columns=DRAWN)
    table = pd.DataFrame(rows)
    table = pd.concat([table, *_in_speech_band(table)], ignore_index=True)
    return table, pd.concat(curves, ignore_index=True)[DRAWN]


def _curves_of_parts(
    of: Iterable[Part], runs: int, replicates: int, seed: int, criteria: Thresholds | None
) -> Iterator[tuple[Part, dict[str, Rates], dict[str, curve.Fit]]]:
    """Yield parts, their rates by kind, and the curves that are fitted to them."""
    blocks = 1 if criteria is None else (criteria.balanced.shape[1] - 1) // replicates

    def block_of(number: int) -> list[Draws]:
        return draws_of_runs(replicates, seed, criteria, runs, number)

    fewer = [own.at_most(MOST_OF_OTHERS) for own in block_of(0)]
    for part in of:
        if part.whole:
            yield part, *steadied_curves(part, block_of, blocks)
        else:
            yield part, *curves_of(part, fewer)


def _threshold_row(part: Part, kind: str, rates: Rates, fit: curve.Fit) -> dict[str, Any]:
    low, high = bootstrap.interval(rates.false_alarms[0], rates.false_alarms[1:], rates.groups)
    tested = kind in TESTED and part.dimension != SPEECH_BAND
    row: dict[str, Any] = {
        "n": round(rates.trials[0].sum()),
        "guess": rates.guess[0].mean(),
        "lapse": fit.lapse[0],
        "location": _in_unit(fit.location[0], part.dimension),
        "width": fit.width[0],
        "deviance": fit.deviance(rates.successes, rates.trials)[0],
        "dispersion": _dispersion(rates),
        "fit_p": _fit_p(fit, rates) if tested and rates.trusted else np.nan,
        "false_alarms": rates.false_alarms[0],
        "false_alarms_low": float(low),
        "false_alarms_high": float(high),
        "offset_db": part.offset_db,
    }
    # Other curves have fewer replicates, of which all bounds have such an error.
    ends_of = claimed if part.whole else bounds
    for name, proportion in PROPORTIONS.items():
        why = censored(rates, fit, proportion)
        ends = (np.nan, np.nan) if why == UNDEFINED else ends_of(rates, fit, proportion)
        at = fit.threshold(proportion)[0] if not why else np.nan
        row |= {
            name: _in_unit(at, part.dimension),
            f"{name}_censored": why,
            f"{name}_low": _in_unit(ends[0], part.dimension),
            f"{name}_high": _in_unit(ends[1], part.dimension),
        }
    return row


def _dispersion(rates: Rates) -> float:
    """Return the variance of the observed rates, in that of as many independent answers."""
    rate, trials = rates.rates[0], rates.trials[0]
    binomial = rate * (1 - rate) / trials
    drawn = np.nanvar(rates.rates[1:], axis=0)
    some = np.isfinite(binomial) & (binomial > 0)
    return float(drawn[some].sum() / binomial[some].sum()) if some.any() else float("nan")


def _fit_p(fit: curve.Fit, rates: Rates) -> float:
    return misfit_p(fit, rates.successes, rates.trials, rates.guess)


def _in_unit(level: Any, dimension: str) -> float:
    """Return a fitted level in dB or ms; beyond the range (infinite) stays beyond it."""
    return float(10.0**level if dimension == "duration" and not np.isinf(level) else level)


def _in_speech_band(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the thresholds of each background along speech-band SNR: moved by its mean."""
    of = (table["dimension"] == "snr") & table["offset_db"].notna()
    moved = table[of].assign(dimension=SPEECH_BAND)
    columns = [f"{name}{end}" for name in PROPORTIONS for end in ("", "_low", "_high")]
    for column in ("location", *columns):
        moved[column] += moved["offset_db"]
    return [moved] if len(moved) else []


def _curve(part: Part, rates: Rates, fit: curve.Fit | None) -> pd.DataFrame:
    observed: Floats = rates.rates
    units = min(rates.groups) if fit is not None else None
    low, high = bootstrap.interval(observed[0], observed[1:], rates.groups, units=units)
    points = {"level": part.scale, "rate": observed[0], "low": low, "high": high}
    tables = [pd.DataFrame({"fitted": False} | points)]
    if fit is not None:
        x = np.linspace(part.scale[0], part.scale[-1], CURVE_POINTS)
        psi = fit.predict(x)
        low, high = bootstrap.interval(psi[0], psi[1:], rates.groups)
        smooth = {"fitted": True, "level": x, "rate": psi[0], "low": low, "high": high}
        tables.insert(0, pd.DataFrame(smooth))
    drawn = pd.concat(tables, ignore_index=True)
    if part.dimension == "duration":
        drawn["level"] = 10.0 ** drawn["level"]
    return drawn
