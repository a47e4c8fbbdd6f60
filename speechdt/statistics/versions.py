"""Two versions of one detector on the same trials: what an upgrade changes.

Better or worse is the difference of AUC, on the same trials and the same resampled groups. Beside
it: how alike the scores are, and what becomes of hits and false alarms where the threshold of the
older version is kept. Correlations are over trials in noise; Spearman's takes the ranks of all
trials, in replicates as well.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from speechdt.arrays import Floats
from speechdt.statistics import bootstrap
from speechdt.statistics.calibration import logit
from speechdt.statistics.metrics import by_run
from speechdt.statistics.operating_points import Thresholds
from speechdt.statistics.roc import Roc

MEASURES = (
    *("auc", "auc_reference", "auc_difference", "spearman", "pearson_logit", "threshold_shift"),
    *("hit", "hit_kept", "false_alarm", "false_alarm_kept"),
)
"""Columns with an interval: ``kept`` is the variant at the reference's threshold."""
COLUMNS = (
    *("variant", "reference", "n", "groups", "threshold", "threshold_reference"),
    *(f"{name}{end}" for name in MEASURES for end in ("", "_low", "_high")),
)


def compare_versions(
    trials: Mapping[str, pd.DataFrame],
    pairs: Sequence[Sequence[str]],
    thresholds: Mapping[str, Thresholds],
    *,
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """Compare versions pair by pair.

    Parameters
    ----------
    trials : mapping of str to DataFrame
        By variant, its trials in noise: trial_id, speech (bool), group_id, p_speech; of several
        training runs the first counts.
    pairs : sequence of (variant, reference)
        The newer version and the older, or the other way round.
    thresholds : mapping of str to float or (R + 1,) array
        Decision threshold of each variant; row 0 its own, the others those of dev's replicates.
    replicates, seed : int
        Of the bootstrap over groups.

    Returns
    -------
    DataFrame
        One row a pair, `COLUMNS`; differences and shifts are variant minus reference.

    Raises
    ------
    ValueError
        If the two did not hear the same trials.
    """
    rows = [
        _compared(str(one), str(other), trials, thresholds, replicates, seed)
        for one, other in pairs
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _compared(
    variant: str,
    reference: str,
    trials: Mapping[str, pd.DataFrame],
    thresholds: Mapping[str, Thresholds],
    replicates: int,
    seed: int,
) -> dict[str, object]:
    new, old = (
        by_run(trials[name])[0].set_index("trial_id").sort_index() for name in (variant, reference)
    )
    if not new.index.equals(old.index):
        raise ValueError(f"{variant} and {reference} did not hear the same trials")
    roc, of_old = Roc(new), Roc(old)
    weights = bootstrap.weights(roc.of_speech, replicates, seed)
    own, other = (
        np.broadcast_to(np.asarray(thresholds[name], float), len(weights))
        for name in (variant, reference)
    )
    area, area_of_old = _areas(roc, weights), _areas(of_old, weights)
    hit, alarm = _rates(roc, weights, own)
    hit_kept, alarm_kept = _rates(roc, weights, other)
    samples = {
        "auc": area,
        "auc_reference": area_of_old,
        "auc_difference": area - area_of_old,
        **_correlations(new, old, weights),
        "threshold_shift": own - other,
        **{"hit": hit, "hit_kept": hit_kept},
        **{"false_alarm": alarm, "false_alarm_kept": alarm_kept},
    }
    row: dict[str, object] = {"variant": variant, "reference": reference, "n": len(new)}
    row |= {"groups": new["group_id"].nunique()}
    row |= {"threshold": float(own[0]), "threshold_reference": float(other[0])}
    for name, values in samples.items():
        row |= _with_interval(name, values, roc.groups)
    return row


def _with_interval(name: str, samples: Floats, groups: list[int]) -> dict[str, float]:
    """Return a figure and its interval; none for a threshold that is the same in all replicates."""
    if name == "threshold_shift" and np.ptp(samples) == 0:
        low = high = np.nan
    else:
        low, high = bootstrap.interval(samples[0], samples[1:], groups)
    return {name: float(samples[0]), f"{name}_low": float(low), f"{name}_high": float(high)}


def _areas(roc: Roc, weights: Floats) -> Floats:
    return np.concatenate([curves.area() for curves in roc.curves(weights)])


def _rates(roc: Roc, weights: Floats, thresholds: Floats) -> tuple[Floats, Floats]:
    """Return hit and false-alarm rate at a threshold of each row, (R + 1,) each."""
    found, start = [], 0
    for curves in roc.curves(weights):
        end = start + len(curves.hit)
        found.append(np.array(curves.rates_at(thresholds[start:end])))
        start = end
    hit, alarm = np.concatenate(found, axis=1)
    return hit, alarm


def _correlations(new: pd.DataFrame, old: pd.DataFrame, weights: Floats) -> dict[str, Floats]:
    """Return correlations of the scores, (R + 1,) each; NaN where one has a single score."""
    codes, _, _ = bootstrap.groups_by_class(new["speech"], new["group_id"])
    scales = {"spearman": rankdata, "pearson_logit": logit}
    return {
        name: _weighted_correlation(
            np.asarray(scale(new["p_speech"].to_numpy(float)), dtype=float),
            np.asarray(scale(old["p_speech"].to_numpy(float)), dtype=float),
            codes,
            weights,
        )
        for name, scale in scales.items()
    }


def _weighted_correlation(x: Floats, y: Floats, codes: Floats, weights: Floats) -> Floats:
    x, y = x - x.mean(), y - y.mean()
    products = np.column_stack([np.ones_like(x), x, y, x * x, y * y, x * y])
    sums = np.zeros((weights.shape[1], products.shape[1]))
    np.add.at(sums, codes, products)
    n, sx, sy, sxx, syy, sxy = (weights @ sums).T
    with np.errstate(divide="ignore", invalid="ignore"):
        both = sxy / n - sx * sy / n**2
        return np.asarray(both / np.sqrt((sxx / n - (sx / n) ** 2) * (syy / n - (sy / n) ** 2)))
