"""The author's published protocol: conditions once each, accuracies over them, and thresholds.

Balanced accuracy is taken over all clips of all conditions, and as the mean over the axes, each
axis being the mean over its conditions. Thresholds along duration and along the SNR of white noise
come in two ways, by linear interpolation between levels as published, and from fitted curves.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from speechdt.arrays import Floats
from speechdt.psychometrics import curve
from speechdt.psychometrics.conditions import Measured
from speechdt.psychometrics.existence import censored
from speechdt.psychometrics.interpolation import Crossing, crossing, why_apart
from speechdt.psychometrics.rates import CHANCE, Rates
from speechdt.statistics import bootstrap

ALL_CLIPS, MACRO = "all clips", "mean over axes"
LEARNED, HALF = "learned on dev", "0.5"
"""Decision thresholds: that of the other tables, and that of the published study."""
RATES = {
    HALF: {"balanced accuracy": "half", "speech heard": "half_hit"},
    LEARNED: {"balanced accuracy": "accuracy", "speech heard": "hit"},
}
"""Rates at each, and where a condition has them."""
GUESS = {"balanced accuracy": CHANCE, "speech heard": None}
"""Guess rate of a rate: known, or fitted."""
PROPORTIONS = (0.50, 0.75, 0.90)
ALONG = {"duration": "duration_ms", "noise": "snr_db"}
"""Axes with thresholds, and the unit of these."""


class Condition(NamedTuple):
    """Condition: key, axis, and value along the axis as text."""

    key: str
    axis: str
    value: str


def accuracies(
    measurements: Mapping[str, Measured], conditions: Sequence[Condition]
) -> pd.DataFrame:
    """Return balanced accuracies over all clips, over axes, and of each axis.

    Parameters
    ----------
    measurements : mapping of str to Measured
        By the key of a condition, all with the same items.
    conditions : sequence of Condition
        Without the neutral one.

    Returns
    -------
    DataFrame
        threshold (`LEARNED` or `HALF`), over (`ALL_CLIPS`, `MACRO` or an axis), conditions (how
        many), accuracy, accuracy_low, accuracy_high.
    """
    axes = list(dict.fromkeys(condition.axis for condition in conditions))
    groups = measurements[conditions[0].key].groups
    rows = []
    for rule, rates in RATES.items():
        name = rates["balanced accuracy"]
        of = {one.key: getattr(measurements[one.key], name) for one in conditions}
        by_axis = {
            axis: np.mean([of[one.key] for one in conditions if one.axis == axis], axis=0)
            for axis in axes
        }
        values = {
            # All conditions play the same items, so the mean over clips is that over conditions.
            ALL_CLIPS: np.mean(list(of.values()), axis=0),
            MACRO: np.mean(list(by_axis.values()), axis=0),
            **by_axis,
        }
        for over, accuracy in values.items():
            count = sum(over in (ALL_CLIPS, MACRO, one.axis) for one in conditions)
            low, high = bootstrap.interval(accuracy[0], accuracy[1:], groups)
            row = {"threshold": rule, "over": over, "conditions": count}
            row |= {"accuracy": float(accuracy[0])}
            ends = np.clip([low, high], 0, 1)
            rows.append(row | {"accuracy_low": ends[0], "accuracy_high": ends[1]})
    return pd.DataFrame(rows)


def thresholds(
    measurements: Mapping[str, Measured], conditions: Sequence[Condition]
) -> pd.DataFrame:
    """Return thresholds along duration and SNR, interpolated and fitted.

    Parameters
    ----------
    measurements, conditions
        As for :func:`accuracies`.

    Returns
    -------
    DataFrame
        threshold (`LEARNED` or `HALF`), axis, unit, rate (of `GUESS`), proportion; interpolated,
        fitted, each with ``_censored`` (``<``, ``>``, undefined or ''), fitted_low, fitted_high,
        rise (of the rate, from the level below the interpolated threshold to that above) and why
        (they differ).
    """
    rows = []
    for axis, unit in ALONG.items():
        of = sorted(
            (one for one in conditions if one.axis == axis), key=lambda one: float(one.value)
        )
        if len(of) < 2:
            continue
        levels = np.array([float(one.value) for one in of])
        measured = [measurements[one.key] for one in of]
        for rule, rate in product(RATES, GUESS):
            name, guess = RATES[rule][rate], GUESS[rate]
            values = np.stack([getattr(one, name) for one in measured], axis=1)
            rows += [
                {"threshold": rule, "axis": axis, "unit": unit, "rate": rate} | row
                for row in _of_rate(axis, levels, values, measured, guess)
            ]
    return pd.DataFrame(rows)


def _of_rate(
    axis: str, levels: Floats, values: Floats, measured: list[Measured], guess: float | None
) -> list[dict[str, Any]]:
    along_log = axis == "duration"
    scale = np.log10(levels) if along_log else levels
    asked = np.broadcast_to([float(one.n) for one in measured], values.shape)
    guesses = None if guess is None else np.full(len(values), guess)
    # Accuracy below chance is chance to a curve that begins there.
    fit = curve.fit(scale, np.clip(values, 0, 1) * asked, asked, guess=guesses)
    groups = measured[0].groups if guess else measured[0].groups[:1]
    none = np.full(len(values), np.nan)
    rates = Rates(values * asked, asked, np.asarray(fit.guess), none, groups, 0)
    rows = []
    for proportion in PROPORTIONS:
        straight = crossing(levels, values[0], proportion)
        why = censored(rates, fit, proportion)
        fitted = float(fit.threshold(proportion)[0]) if not why else np.nan
        reached = fit.extended_threshold(proportion)
        low, high = map(float, bootstrap.interval(reached[0], reached[1:], groups))
        apart = why_apart(
            _on_scale(straight, along_log), fitted, why, proportion, float(fit.guess[0])
        )
        ends = [_unit(end, along_log) if why != "undefined" else np.nan for end in (low, high)]
        rows.append(
            {
                "proportion": proportion,
                "interpolated": straight.level,
                "interpolated_censored": straight.censored,
                "fitted": _unit(fitted, along_log),
                "fitted_censored": why,
                "fitted_low": ends[0],
                "fitted_high": ends[1],
                "rise": straight.rise,
                "why": apart,
            }
        )
    return rows


def _on_scale(threshold: Crossing, along_log: bool) -> Crossing:
    """Return an interpolated threshold, and its neighbours, on the curve's scale."""
    if not along_log or threshold.censored:
        return threshold
    level, below, above = np.log10([threshold.level, threshold.below, threshold.above]).tolist()
    return threshold._replace(level=level, below=below, above=above)


def _unit(level: float, along_log: bool) -> float:
    return float(10.0**level) if along_log and np.isfinite(level) else level


def beside_published(
    bank: pd.DataFrame, along: pd.DataFrame, published: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """Return published figures beside those here, where a variant is the published system.

    Parameters
    ----------
    bank : DataFrame
        From :func:`accuracies`, with the column variant.
    along : DataFrame
        From :func:`thresholds`, likewise.
    published : mapping
        By variant: system, and some of balanced_accuracy (%), snr75_db and dt75_ms.

    Returns
    -------
    DataFrame
        variant, system, figure, published, here: accuracy over all clips, and interpolated
        thresholds of balanced accuracy, where P(speech) reaches 0.5.
    """
    columns = ["variant", "system", "figure", "published", "here"]
    rows = []
    for variant, entry in published.items():
        own = bank[(bank["variant"] == variant) & (bank["over"] == ALL_CLIPS)]
        accuracy = own.loc[own["threshold"] == HALF, "accuracy"]
        if accuracy.empty:
            continue
        of = {
            "variant": variant,
            "rate": "balanced accuracy",
            "proportion": 0.75,
            "threshold": HALF,
        }
        reached = along[(along[list(of)] == pd.Series(of)).all(axis=1)]
        at = reached.set_index("axis")["interpolated"]
        here = {
            "balanced_accuracy": ("balanced accuracy (%)", 100 * float(accuracy.iloc[0])),
            "snr75_db": ("SNR75 (dB)", float(at.get("noise", np.nan))),
            "dt75_ms": ("DT75 (ms)", float(at.get("duration", np.nan))),
        }
        rows += [
            (variant, entry["system"], title, entry[name], value)
            for name, (title, value) in here.items()
            if name in entry
        ]
    return pd.DataFrame(rows, columns=columns)
