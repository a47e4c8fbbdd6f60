"""Comparison of two versions of one detector on the same trials: AUC, scores and decisions.

Better or worse is the difference of AUC (`speechdt.statistics.auc_comparison`), p corrected for the
number of pairs. Beside it: how alike the scores are, and what becomes of hits and false alarms
where the threshold of the reference is kept. Correlations are over trials in noise; Spearman's
takes the ranks of all trials, in replicates as well.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from speechdt.arrays import Floats, Indices
from speechdt.statistics import auc_comparison, bootstrap
from speechdt.statistics.calibration import logit
from speechdt.statistics.metrics import by_run
from speechdt.statistics.operating_points import Thresholds
from speechdt.statistics.roc import Roc

MEASURES = (
    *("spearman", "pearson_logit", "threshold_shift"),
    *("hit", "hit_kept", "false_alarm", "false_alarm_kept"),
)
"""Columns with an interval: ``kept`` is the variant at the reference's threshold."""
OF_AREA = ("auc_p", "auc_p_holm")
"""Columns of `auc_comparison` whose names are shorter here."""
COLUMNS = (
    *("variant", "reference", "n", "groups"),
    *(name.removeprefix("auc_") if name in OF_AREA else name for name in auc_comparison.COLUMNS),
    *("threshold", "threshold_reference"),
    *(f"{name}{end}" for name in MEASURES for end in ("", "_low", "_high")),
)


def compare_versions(
    trials: Mapping[str, pd.DataFrame],
    pairs: Sequence[Sequence[str]],
    thresholds: Mapping[str, Thresholds],
    *,
    replicates: int,
    permutations: int,
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
    replicates, permutations, seed : int
        Of the bootstrap over groups, and of the permutation test.

    Returns
    -------
    DataFrame
        One row a pair, `COLUMNS`: those of `auc_comparison.compare_auc`, all pairs being one family
        (p, p_holm and verdict), then thresholds, correlations and rates; differences and shifts are
        variant minus reference.

    Raises
    ------
    ValueError
        If the two were scored on different trials.
    """
    named = [(str(one), str(other)) for one, other in pairs]
    first = {
        variant: by_run(table)[0].sort_values("trial_id", ignore_index=True)
        for variant, table in trials.items()
    }
    for one, other in named:
        if not first[one]["trial_id"].equals(first[other]["trial_id"]):
            raise ValueError(f"{one} and {other} were scored on different trials")
    areas = auc_comparison.compare_auc(
        first,
        named,
        np.ones(len(named), dtype=bool),
        replicates=replicates,
        permutations=permutations,
        seed=seed,
    ).rename(columns={name: name.removeprefix("auc_") for name in OF_AREA})
    rows = [
        _compared(one, other, (first[one], first[other]), thresholds, replicates, seed)
        for one, other in named
    ]
    figures = pd.DataFrame(rows)
    return pd.concat([figures, areas], axis=1).reindex(columns=list(COLUMNS))


def _compared(
    variant: str,
    reference: str,
    trials: tuple[pd.DataFrame, pd.DataFrame],
    thresholds: Mapping[str, Thresholds],
    replicates: int,
    seed: int,
) -> dict[str, Any]:
    new, old = trials
    roc = Roc(new)
    weights = bootstrap.weights(roc.of_speech, replicates, seed)
    own, other = (
        np.broadcast_to(np.asarray(thresholds[name], dtype=np.float64), len(weights))
        for name in (variant, reference)
    )
    hit, alarm = _rates(roc, weights, own)
    hit_kept, alarm_kept = _rates(roc, weights, other)
    samples = {
        **_correlations(new, old, weights),
        "threshold_shift": own - other,
        **{"hit": hit, "hit_kept": hit_kept},
        **{"false_alarm": alarm, "false_alarm_kept": alarm_kept},
    }
    row: dict[str, Any] = {"variant": variant, "reference": reference, "n": len(new)}
    row |= {"groups": new["group_id"].nunique()}
    row |= {"threshold": float(own[0]), "threshold_reference": float(other[0])}
    for name, values in samples.items():
        row |= _with_interval(name, values, roc.groups)
    return row


def _with_interval(name: str, samples: Floats, groups: list[int]) -> dict[str, float]:
    """Return a figure and its interval; none for a threshold that is the same in all replicates."""
    fixed = name == "threshold_shift" and np.ptp(samples) == 0
    ends = (np.nan, np.nan) if fixed else bootstrap.interval(samples[0], samples[1:], groups)
    low, high = map(float, ends)
    return {name: float(samples[0]), f"{name}_low": low, f"{name}_high": high}


def _rates(roc: Roc, weights: Floats, thresholds: Floats) -> tuple[Floats, Floats]:
    """Return hit and false-alarm rate at a threshold of each row, (R + 1,) each."""
    rates, start = [], 0
    for curves in roc.curves(weights):
        end = start + len(curves.hit)
        rates.append(np.array(curves.rates_at(thresholds[start:end])))
        start = end
    hit, alarm = np.concatenate(rates, axis=1)
    return hit, alarm


def _correlations(new: pd.DataFrame, old: pd.DataFrame, weights: Floats) -> dict[str, Floats]:
    """Return correlations of the scores, (R + 1,) each; NaN where one has a single score."""
    codes, _, _ = bootstrap.groups_by_class(new["speech"], new["group_id"])
    p, q = (table["p_speech"].to_numpy(np.float64) for table in (new, old))
    ranks = [np.asarray(pd.Series(scores).rank(), dtype=np.float64) for scores in (p, q)]
    return {
        "spearman": _weighted_correlation(ranks[0], ranks[1], codes, weights),
        "pearson_logit": _weighted_correlation(logit(p), logit(q), codes, weights),
    }


def _weighted_correlation(x: Floats, y: Floats, codes: Indices, weights: Floats) -> Floats:
    x, y = x - x.mean(), y - y.mean()
    products = np.column_stack([np.ones_like(x), x, y, x * x, y * y, x * y])
    sums = np.zeros((weights.shape[1], products.shape[1]))
    np.add.at(sums, codes, products)
    n, sx, sy, sxx, syy, sxy = (weights @ sums).T
    with np.errstate(divide="ignore", invalid="ignore"):
        both = sxy / n - sx * sy / n**2
        return np.asarray(both / np.sqrt((sxx / n - (sx / n) ** 2) * (syy / n - (sy / n) ** 2)))
