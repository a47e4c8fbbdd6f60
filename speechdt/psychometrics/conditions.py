"""Conditions of a variant: how well it tells speech in each, and how far its DT75 moves.

Hits are those at 10 % false alarms of all NONSPEECH clips of a condition: one criterion for all its
SNRs, since each of these has few clips. The lower asymptote of the curve is therefore fitted. All
conditions play the same items, so that every replicate draws the same groups in all of them: shifts
and differences are paired.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from speechdt.arrays import Floats
from speechdt.psychometrics import curve
from speechdt.psychometrics.existence import UNDEFINED, censored
from speechdt.psychometrics.matched_hits import FALSE_ALARMS, matched_hits
from speechdt.psychometrics.rates import Rates
from speechdt.statistics import bootstrap, limits
from speechdt.statistics.comparison import holm_within
from speechdt.statistics.criterion import yes_counts
from speechdt.statistics.families import interval_p, word
from speechdt.statistics.metrics import Groups, by_run

PROPORTION = 0.75
FAMILY = "conditions"
"""Of `families.FAMILIES`; corrected within a variant."""
HALF = 0.5
MOST = 1000
"""Replicates: of a bound, their Monte-Carlo error is 5 % of half the interval."""
NARROWEST = 0.25
"""Width of the narrowest curve, in steps of the ladder: it has few levels."""


class Measured(NamedTuple):
    """Figures of a condition, (replicates + 1,) each; row 0 as observed.

    Attributes
    ----------
    accuracy, half : arrays
        Balanced accuracy at the threshold learned on dev, and at P(speech) = 0.5.
    hit, right : arrays
        Share of SPEECH and of NONSPEECH that is decided rightly at the threshold learned on dev.
    half_hit : array
        Share of SPEECH that is decided rightly at 0.5.
    auc, hits : arrays
        Area under the ROC curve, and hits at 10 % false alarms.
    dt75 : array
        Infinite beyond the tested range.
    why : str
        Why there is no DT75, or ''.
    n, groups : int, list of int
        Trials, and groups of SPEECH and NONSPEECH.
    """

    accuracy: Floats
    half: Floats
    hit: Floats
    right: Floats
    half_hit: Floats
    auc: Floats
    hits: Floats
    dt75: Floats
    why: str
    n: int
    groups: list[int]


def at_most(thresholds: Floats) -> tuple[int, list[Floats]]:
    """Return how many replicates are made, and the thresholds of each run in them.

    Parameters
    ----------
    thresholds : (runs, replicates + 1) array
    """
    replicates = min(thresholds.shape[1] - 1, MOST)
    return replicates, list(thresholds[:, : replicates + 1])


def measure(
    trials: pd.DataFrame, thresholds: Sequence[Floats], *, replicates: int, seed: int
) -> Measured:
    """Measure one condition.

    Parameters
    ----------
    trials : DataFrame
        speech, group_id, p_speech, snr_db (NaN in a condition without background), and run.
    thresholds : sequence of (replicates + 1,) arrays
        Decision threshold of each run in each replicate.
    replicates, seed : int
        Of the bootstrap.
    """
    levels, place = np.unique(trials["snr_db"].fillna(0).to_numpy(float), return_inverse=True)
    placed = trials.assign(place=place.reshape(-1), stratum=0)
    runs = by_run(placed)
    codes, speech, _ = bootstrap.groups_by_class(runs[0]["speech"], runs[0]["group_id"])
    weights = bootstrap.weights(speech, replicates, seed)
    figures, trusted = [], True
    for run, threshold in zip(runs, thresholds, strict=True):
        at_theta, at_half = (
            _class_rates(run, own, weights) for own in (threshold, np.full(replicates + 1, HALF))
        )
        rate, enough = matched_hits(run, len(levels), weights[:, speech], weights[:, ~speech])
        trusted = trusted and enough
        of = [*at_theta, *at_half, Groups(run).auc(weights), *np.nan_to_num(rate).T]
        figures.append(np.stack(of, axis=1))
    hit, right, half_hit, half_right, auc, *hits = bootstrap.over_runs(figures, seed).T
    groups = [int(speech.sum()), int((~speech).sum())]
    asked = _asked(runs[0], codes, speech, weights, len(levels))
    dt75, why = _threshold(levels, np.stack(hits, axis=1), asked, groups, trusted)
    overall = (np.stack(hits, axis=1) * asked).sum(1) / asked.sum(1)
    return Measured(
        accuracy=(hit + right) / 2,
        half=(half_hit + half_right) / 2,
        hit=hit,
        right=right,
        half_hit=half_hit,
        auc=auc,
        hits=overall,
        dt75=dt75,
        why=why,
        n=len(runs[0]),
        groups=groups,
    )


def _class_rates(run: pd.DataFrame, threshold: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the share of each class that is decided rightly, in each replicate."""
    codes, speech, names = bootstrap.groups_by_class(run["speech"], run["group_id"])
    sizes = np.bincount(codes, minlength=len(names)).astype(float)
    yes = yes_counts(run["p_speech"], codes, len(names), threshold)
    yes_rates = [
        (weights[:, of] * yes[:, of]).sum(1) / (weights[:, of] @ sizes[of])
        for of in (speech, ~speech)
    ]
    return yes_rates[0], 1 - yes_rates[1]


def _asked(run: pd.DataFrame, codes: Any, speech: Any, weights: Floats, levels: int) -> Floats:
    """Return the weighted number of SPEECH trials at each level, (replicates + 1, levels)."""
    counts = np.zeros((len(speech), levels))
    np.add.at(counts, (codes, run["place"].to_numpy()), 1.0)
    return np.asarray(weights[:, speech] @ counts[speech])


def _threshold(
    levels: Floats, hits: Floats, asked: Floats, groups: list[int], trusted: bool
) -> tuple[Floats, str]:
    if len(levels) < 2:  # no curve
        return np.full(len(hits), np.nan), UNDEFINED
    narrowest = NARROWEST * float(np.diff(levels).min())
    fit = curve.fit(levels, np.minimum(hits, 1) * asked, asked, narrowest=narrowest)
    alarms = np.full(len(hits), FALSE_ALARMS)
    rates = Rates(hits * asked, asked, np.asarray(fit.guess), alarms, groups, 0, trusted)
    return fit.extended_threshold(PROPORTION), censored(rates, fit, PROPORTION)


def measured_conditions(
    trials: pd.DataFrame, thresholds: Sequence[Floats], *, replicates: int, seed: int
) -> dict[str, Measured]:
    """Return :func:`measure` of each condition, by the column ``condition``, in their order."""
    return {
        str(key): measure(of, thresholds, replicates=replicates, seed=seed)
        for key, of in trials.groupby("condition", sort=False)
    }


def table(measurements: Mapping[str, Measured], neutral: str) -> pd.DataFrame:
    """Return a row for each condition.

    Parameters
    ----------
    measurements : mapping of str to Measured
        From :func:`measured_conditions`.
    neutral : str
        The condition that the others are compared with.

    Returns
    -------
    DataFrame
        condition, n, groups; accuracy (balanced, at the threshold learned on dev), auc, hits,
        dt75 (dB; NaN if censored, see ``dt75_censored``), accuracy_difference, auc_difference and
        dt75_shift_db (condition minus neutral; above zero, it takes a higher SNR), each with
        ``_low`` and ``_high``; p and p_holm of the shift, and verdict.
    """
    reference = measurements[neutral]
    rows = [_row(key, own, reference, key != neutral) for key, own in measurements.items()]
    made = pd.DataFrame(rows)
    others = (made["condition"] != neutral).to_numpy()
    made["p_holm"] = holm_within(made["p"].to_numpy(float), others)
    made["verdict"] = [
        word(FAMILY, -shift, p) if other and not np.isnan(p) else ""
        for shift, p, other in zip(made["dt75_shift_db"], made["p_holm"], others, strict=True)
    ]
    return made


def _row(key: str, own: Measured, neutral: Measured, other: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"condition": key, "n": own.n, "groups": sum(own.groups)}
    row |= _rate("accuracy", own.accuracy, own) | _rate("auc", own.auc, own)
    row |= _rate("hits", own.hits, own)
    row |= _level("dt75", own.dt75, own.why, own.groups)
    row |= _difference("accuracy_difference", own.accuracy - neutral.accuracy, own.groups, other)
    row |= _difference("auc_difference", own.auc - neutral.auc, own.groups, other)
    with np.errstate(invalid="ignore"):
        shift = own.dt75 - neutral.dt75
    undefined = UNDEFINED in (own.why, neutral.why) or np.isnan(shift[0]) or not other
    why = UNDEFINED if undefined else {np.inf: ">", -np.inf: "<"}.get(float(shift[0]), "")
    row |= _level("dt75_shift_db", shift, why if other else "", own.groups, other)
    low, high = (float(row[f"dt75_shift_db{end}"]) for end in ("_low", "_high"))
    tested = other and not undefined
    row["p"] = interval_p(float(shift[0]), low, high, 0.0) if tested else np.nan
    return row


def _rate(name: str, values: Floats, of: Measured) -> dict[str, float]:
    """Return a rate with its interval; with exact limits where resampling does not move it."""
    low, high = bootstrap.interval(values[0], values[1:], of.groups)
    ends = limits.clipped(name, low, high)
    if name == "accuracy":
        ends = _of_both_classes(of, ends)
    ends = limits.of_rate(float(values[0]), *ends, min(of.groups))
    return {name: float(values[0]), f"{name}_low": ends[0], f"{name}_high": ends[1]}


def _of_both_classes(of: Measured, ends: tuple[float, float]) -> tuple[float, float]:
    """Widen the interval of balanced accuracy where one class makes no error, or nothing but."""
    parts = []
    for values, groups in zip((of.hit, of.right), of.groups, strict=True):
        low, high = bootstrap.interval(values[0], values[1:], groups)
        value = float(values[0])
        parts.append((value, *limits.of_rate(value, float(low), float(high), groups)))
    if not any(value in (0.0, 1.0) for value, _, _ in parts):
        return ends
    exact = limits.mover(*parts)
    return min(ends[0], exact[0]), max(ends[1], exact[1])


def _difference(name: str, values: Floats, groups: list[int], other: bool) -> dict[str, float]:
    if not other:
        return {name: np.nan, f"{name}_low": np.nan, f"{name}_high": np.nan}
    low, high = bootstrap.interval(values[0], values[1:], groups)
    return {name: float(values[0]), f"{name}_low": float(low), f"{name}_high": float(high)}


def _level(
    name: str, values: Floats, why: str, groups: list[int], applicable: bool = True
) -> dict[str, Any]:
    """Return a level in dB with its interval; NaN, and why, where it is censored."""
    low, high = (np.nan, np.nan)
    if applicable and why != UNDEFINED:
        low, high = map(float, bootstrap.interval(values[0], values[1:], groups))
    at = float(values[0]) if applicable and not why else np.nan
    return {name: at, f"{name}_censored": why, f"{name}_low": low, f"{name}_high": high}
