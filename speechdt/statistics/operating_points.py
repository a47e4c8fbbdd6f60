"""Operating points that people deploy: hit rates at few false alarms, vendors' thresholds, DCF.

All but what is at a threshold are functionals of the ROC (`speechdt.statistics.roc`), for which
test may be used; a threshold for so many false alarms on new clips would have to come from dev
(``threshold_far10``). DCF is the detection cost of evaluations of speech activity detection, 0.75
of the misses and 0.25 of the false alarms (NIST OpenSAT 2019); its minimum over the curve is what
no threshold beats.
"""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import pandas as pd

from speechdt.arrays import Floats
from speechdt.statistics import bootstrap
from speechdt.statistics.metrics import by_run
from speechdt.statistics.roc import Curves, Roc
from speechdt.statistics.slices import COLUMNS

FALSE_ALARMS = {"hit_far1": 0.01, "hit_far5": 0.05, "hit_far10": 0.10}
"""Hit rates by name, and the false-alarm rate that each is at."""
PARTIAL = 0.10
"""The partial AUC lies below this false-alarm rate."""
FEWEST_ALARMS = 10
"""A hit rate is undefined where fewer NONSPEECH trials than this would be false alarms."""
MISS, ALARM = 0.75, 0.25
"""Weights of the detection cost."""
AXIS = np.geomspace(1e-3, 1.0, 61)
"""False-alarm rates at which the curve is tabulated."""
CURVE_COLUMNS = ["false_alarm", "hit", "low", "high"]
"""Of its curve."""

Thresholds: TypeAlias = "float | Floats"


def operating_points(
    trials: pd.DataFrame,
    thresholds: list[Thresholds],
    vendor: float | None = None,
    *,
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """Measure a variant at its operating points, over all trials and by duration and background.

    Parameters
    ----------
    trials : DataFrame
        In noise: speech (bool), group_id, p_speech, duration_ms, background; and run, where the
        variant was trained several times.
    thresholds : list of float or (R + 1,) array
        Decision threshold of each run; row 0 its own, the others those of dev's replicates.
    vendor : float, optional
        Threshold that the vendor's own tools have by default, on p_speech.
    replicates, seed : int
        Of the bootstrap over groups.

    Returns
    -------
    DataFrame
        by (all, duration_ms or background), level, n, groups, metric, value, low, high. Metrics:
        auc, pauc10 (below 10 % false alarms, standardised: 0.5 is chance), hit_far1, hit_far5,
        hit_far10 (NaN where fewer than `FEWEST_ALARMS` trials would be false alarms), dcf_min; over
        all trials also threshold, hit, false_alarm and dcf, the same of the vendor's threshold with
        ``vendor_`` before them. Thresholds have no interval.
    """
    rows = []
    for by, level, part in _slices(trials):
        if part["speech"].nunique() < 2:
            continue
        whole = by == "all"
        at = {"": thresholds} if whole else {}
        if whole and vendor is not None:
            at["vendor_"] = [vendor] * len(thresholds)
        size = (len(by_run(part)[0]), part["group_id"].nunique())
        for row in _measured(part, at, replicates, seed):
            rows.append((by, level, *size, *row))
    return pd.DataFrame(rows, columns=COLUMNS)


def roc_table(trials: pd.DataFrame, *, replicates: int, seed: int) -> pd.DataFrame:
    """Return the curve of a variant at the false-alarm rates of `AXIS`, with a pointwise interval.

    Parameters as for :func:`operating_points`.

    Returns
    -------
    DataFrame
        false_alarm, hit, low, high; without the rates that fewer than one NONSPEECH trial is.
    """
    fewest = 1 / int((~by_run(trials)[0]["speech"].to_numpy(bool)).sum())
    axis = AXIS[fewest * (1 - 1e-9) <= AXIS]
    runs = [Roc(part) for part in by_run(trials)]
    weights = bootstrap.weights(runs[0].of_speech, replicates, seed)
    hits = [np.vstack([curve.hit_at(axis) for curve in roc.curves(weights)]) for roc in runs]
    hit = bootstrap.over_runs(hits, seed)
    low, high = np.clip(bootstrap.interval(hit[0], hit[1:], runs[0].groups), 0.0, 1.0)
    return pd.DataFrame(
        dict(zip(CURVE_COLUMNS, (axis, hit[0], low, high), strict=True)), columns=CURVE_COLUMNS
    )


def _slices(noisy: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    yield "all", "", noisy
    for duration, part in noisy.groupby("duration_ms"):
        yield "duration_ms", f"{duration:g}", part
    for background, part in noisy.groupby("background"):
        yield "background", str(background), part


def _measured(
    trials: pd.DataFrame, thresholds: dict[str, list[Thresholds]], replicates: int, seed: int
) -> Iterator[tuple[str, float, float, float]]:
    """Yield metric, value, low and high of a slice."""
    parts = by_run(trials)
    curves = [Roc(part) for part in parts]
    groups = curves[0].groups
    weights = bootstrap.weights(curves[0].of_speech, replicates, seed)
    of_runs = [
        _figures(roc, weights, {name: at[run] for name, at in thresholds.items()})
        for run, roc in enumerate(curves)
    ]
    quiet = int((~parts[0]["speech"].to_numpy(bool)).sum())
    for name in of_runs[0]:
        samples = bootstrap.over_runs([figures[name] for figures in of_runs], seed)
        if quiet * FALSE_ALARMS.get(name, 1.0) < FEWEST_ALARMS:
            yield name, np.nan, np.nan, np.nan
            continue
        if name.endswith("threshold"):
            yield name, float(samples[0]), np.nan, np.nan
            continue
        counts, units = _behind(name, groups)
        low, high = bootstrap.interval(samples[0], samples[1:], counts, units=units)
        low, high = np.clip([low, high], 0.0, 1.0)
        yield name, float(samples[0]), float(low), float(high)


def _behind(name: str, groups: list[int]) -> tuple[list[int], int | None]:
    """Return the groups that a metric rests on, and the units of a rate of 0 or 1."""
    if name.endswith("false_alarm"):
        return [groups[1]], groups[1]
    if name in ("hit", "vendor_hit"):
        return [groups[0]], groups[0]
    return groups, groups[0] if name in FALSE_ALARMS else None


def _figures(roc: Roc, weights: Floats, thresholds: dict[str, Thresholds]) -> dict[str, Floats]:
    """Return each metric of a run, (R + 1,)."""
    batches: dict[str, list[Floats]] = {}
    start = 0
    for curves in roc.curves(weights):
        end = start + len(curves.hit)
        own = {
            name: at if np.ndim(at) == 0 else np.asarray(at)[start:end]
            for name, at in thresholds.items()
        }
        for name, values in _of_curves(curves, own).items():
            batches.setdefault(name, []).append(values)
        start = end
    return {name: np.concatenate(values) for name, values in batches.items()}


def _of_curves(curves: Curves, thresholds: dict[str, Thresholds]) -> dict[str, Floats]:
    hits = curves.hit_at([*FALSE_ALARMS.values(), PARTIAL])
    figures = {
        "auc": curves.area(),
        "pauc10": curves.area_below(PARTIAL, hits[:, -1]),
        **{name: hits[:, place] for place, name in enumerate(FALSE_ALARMS)},
        "dcf_min": cost(curves.hit, curves.false_alarm).min(axis=1),
    }
    for name, at in thresholds.items():
        hit, false_alarm = curves.rates_at(at)
        figures |= {
            f"{name}threshold": np.broadcast_to(np.asarray(at, dtype=np.float64), hit.shape),
            f"{name}hit": hit,
            f"{name}false_alarm": false_alarm,
            f"{name}dcf": cost(hit, false_alarm),
        }
    return figures


def cost(hit: Floats, false_alarm: Floats) -> Floats:
    """Return the detection cost, 0.75 of the misses and 0.25 of the false alarms, in [0, 0.75]."""
    return MISS * (1 - hit) + ALARM * false_alarm
