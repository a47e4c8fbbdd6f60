"""Metrics of a set of trials, for the trials as they are and for resampled groups.

All but the AUC are functions of sums over trials, so each group of trials is summed once; a
replicate of the bootstrap is then a weighted sum over groups. The AUC is a weighted sum over pairs
of groups.
"""

from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from speechdt.arrays import Floats
from speechdt.statistics import bootstrap

Sums: TypeAlias = dict[str, Floats]

BINS = 15
"""Equal-width bins of P(speech) for ECE and MCE."""
RATES = {
    **{"accuracy": None, "speech_accuracy": True, "nonspeech_accuracy": False},
    **{"recall_speech": True, "recall_nonspeech": False},
}
"""Metrics that are the mean of one answer a trial, and the class that they are about."""
UNBOUNDED = ("dprime", "criterion", "confidence_gap")
"""Metrics that are no proportion."""
SCALES = {"": "p_speech", "_temperature": "p_temperature", "_platt": "p_platt"}
"""Suffix of the calibration metrics, and the column that each is computed from."""


def evaluate(trials: pd.DataFrame, *, replicates: int, seed: int) -> pd.DataFrame:
    """Compute every metric that the trials define, each with a 95 % interval over groups.

    Parameters
    ----------
    trials : DataFrame
        One row a trial: speech (bool), decided (bool), item_id, group_id, p_speech,
        p_temperature, p_platt; and run, where a variant was trained several times: its metrics are
        means over the runs, and the spread of these is in the intervals.
    replicates : int
        Bootstrap replicates.
    seed : int
        The same seed and trials give the same replicates for every variant.

    Returns
    -------
    DataFrame
        metric, value, low, high. Metrics that need both classes are left out where one is missing.
    """
    runs = [Groups(part) for part in by_run(trials)]
    groups = runs[0]
    weights = bootstrap.weights(groups.speech, replicates, seed)
    of_runs = [run.metrics(weights) for run in runs]
    shared = [name for name in of_runs[0] if all(name in found for found in of_runs)]
    values = {
        name: bootstrap.over_runs([found[name] for found in of_runs], seed) for name in shared
    }
    rows = []
    for name, replicate in values.items():
        counts = groups.count_behind(name)
        units = groups.items_behind(name) if name in RATES else None
        low, high = bootstrap.interval(replicate[0], replicate[1:], counts, units=units)
        if name not in UNBOUNDED:  # with very few groups an interval may leave the range
            low, high = np.clip([low, high], 0.0, 1.0)
        rows.append((name, replicate[0], float(low), float(high)))
    return pd.DataFrame(rows, columns=["metric", "value", "low", "high"])


def auc_interval(trials: pd.DataFrame, *, replicates: int, seed: int) -> tuple[float, float, float]:
    """Return the area under the ROC curve and its 95 % interval over groups.

    Parameters
    ----------
    trials : DataFrame
        One row a trial: speech (bool), group_id, p_speech; both classes must occur.
    replicates, seed : int
        As for :func:`evaluate`.

    Returns
    -------
    auc, low, high : float
        In [0, 1]; the bounds are NaN if a class has one group only.
    """
    groups = Groups(trials)
    auc = groups.auc(bootstrap.weights(groups.speech, replicates, seed))
    low, high = bootstrap.interval(auc[0], auc[1:], groups.count_behind("auc"))
    low, high = np.clip([low, high], 0.0, 1.0)
    return float(auc[0]), float(low), float(high)


def by_run(trials: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the trials of each training run; all of them where there is no column ``run``."""
    if "run" not in trials:
        return [trials]
    return [part for _, part in trials.groupby("run", sort=True)]


class Groups:
    """Sums of the trials of each group.

    Parameters
    ----------
    trials : DataFrame
        See :func:`evaluate`.

    Attributes
    ----------
    speech : bool array, (groups,)
        Class of each group (a group of both classes counts as two).
    """

    def __init__(self, trials: pd.DataFrame):
        codes, self.speech, _ = bootstrap.groups_by_class(trials["speech"], trials["group_id"])
        self._codes, self._count = codes, len(self.speech)
        self._trials = trials
        self._sizes = np.bincount(codes, minlength=self._count).astype(np.float64)
        self._pairs = self._wins()

    def metrics(self, weights: Floats) -> dict[str, Floats]:
        """Compute all metrics for groups weighted by each row of `weights`, (replicates,) each."""
        sums = {
            name: weights @ self._sum(values) for name, values in _summands(self._trials).items()
        }
        with np.errstate(divide="ignore", invalid="ignore"):
            found = _one_class_metrics(sums)
            if self._pairs.size:
                found |= _two_class_metrics(sums)
                found |= _detection_theory(sums)
                found["auc"] = self.auc(weights)
            for suffix in SCALES:
                found |= _calibration_metrics(sums, suffix)
            found |= _confidence_metrics(sums)
        return {name: values for name, values in found.items() if not np.isnan(values[0])}

    def auc(self, weights: Floats) -> Floats:
        """Compute the area under the ROC curve for weighted groups, (replicates,)."""
        speech, nonspeech = weights[:, self.speech], weights[:, ~self.speech]
        won = np.einsum("rs,sn,rn->r", speech, self._pairs, nonspeech, optimize=True)
        pairs = (speech @ self._sizes[self.speech]) * (nonspeech @ self._sizes[~self.speech])
        return np.asarray(won / pairs)

    def count_behind(self, metric: str) -> list[int]:
        """Return how many groups of each class a metric rests on."""
        of_class = RATES.get(metric)
        counts = [int((self.speech == is_speech).sum()) for is_speech in (True, False)]
        return [
            count
            for count, is_speech in zip(counts, (True, False), strict=True)
            if count and of_class in (None, is_speech)
        ]

    def items_behind(self, metric: str) -> int:
        """Return how many items a metric rests on."""
        of_class = RATES.get(metric)
        of = self._trials["speech"] == of_class if of_class is not None else slice(None)
        return int(self._trials.loc[of, "item_id"].nunique())

    def _sum(self, values: Floats) -> Floats:
        columns = values.reshape(len(values), -1)
        sums = np.zeros((self._count, columns.shape[1]))
        np.add.at(sums, self._codes, columns)
        return sums.reshape(self._count, *values.shape[1:])

    def _wins(self) -> Floats:
        """Count, for each pair of groups, how often a SPEECH trial outscores a NONSPEECH one."""
        p = self._trials["p_speech"].to_numpy()
        is_speech = self._trials["speech"].to_numpy()
        wins = np.zeros((int(self.speech.sum()), int((~self.speech).sum())))
        rows = (np.cumsum(self.speech) - 1)[self._codes[is_speech]]
        for column, group in enumerate(np.flatnonzero(~self.speech)):
            rivals = np.sort(p[self._codes == group])
            below = np.searchsorted(rivals, p[is_speech], "left")
            not_above = np.searchsorted(rivals, p[is_speech], "right")
            np.add.at(wins[:, column], rows, (below + not_above) / 2)
        return wins


def bin_of(p: Floats) -> NDArray[np.int64]:
    """Return the calibration bin of each P(speech), 0 to `BINS` - 1."""
    return np.minimum((p * BINS).astype(np.int64), BINS - 1)


def _summands(trials: pd.DataFrame) -> Sums:
    speech = trials["speech"].to_numpy(dtype=bool)
    decided = trials["decided"].to_numpy(dtype=bool)
    correct = speech == decided
    platt = trials["p_platt"].to_numpy()
    confidence = np.where(decided, platt, 1 - platt)
    sums = {
        "n": np.ones(len(trials)),
        "speech": speech,
        "nonspeech": ~speech,
        "hit": speech & decided,
        "false_alarm": ~speech & decided,
        "half_hit": speech & (trials["p_speech"].to_numpy() >= 0.5),
        "half_false_alarm": ~speech & (trials["p_speech"].to_numpy() >= 0.5),
        "correct": correct,
        "confidence": confidence,
        "confidence_correct": confidence * correct,
    }
    for suffix, column in SCALES.items():
        p = trials[column].to_numpy()
        in_bin = np.eye(BINS)[bin_of(p)]
        sums[f"squared_error{suffix}"] = (p - speech) ** 2
        sums[f"bin_n{suffix}"] = in_bin
        sums[f"bin_p{suffix}"] = in_bin * p[:, None]
        sums[f"bin_speech{suffix}"] = in_bin * speech[:, None]
    return {name: np.asarray(values, dtype=np.float64) for name, values in sums.items()}


def _one_class_metrics(sums: Sums) -> Sums:
    return {
        "accuracy": sums["correct"] / sums["n"],
        "speech_accuracy": sums["hit"] / sums["speech"],
        "nonspeech_accuracy": 1 - sums["false_alarm"] / sums["nonspeech"],
    }


def _two_class_metrics(sums: Sums) -> Sums:
    hit, false_alarm = sums["hit"], sums["false_alarm"]
    rejected, missed = sums["nonspeech"] - false_alarm, sums["speech"] - hit
    hit_rate, rejection_rate = hit / sums["speech"], rejected / sums["nonspeech"]
    half = sums["half_hit"] / sums["speech"] - sums["half_false_alarm"] / sums["nonspeech"]
    return {
        "balanced_accuracy": (hit_rate + rejection_rate) / 2,
        "balanced_accuracy_half": (half + 1) / 2,
        # A detector that never says a class has no precision for it; by custom it counts as 0.
        "precision_speech": _ratio_or_zero(hit, hit + false_alarm),
        "recall_speech": hit_rate,
        "f1_speech": 2 * hit / (2 * hit + false_alarm + missed),
        "precision_nonspeech": _ratio_or_zero(rejected, rejected + missed),
        "recall_nonspeech": rejection_rate,
        "f1_nonspeech": 2 * rejected / (2 * rejected + missed + false_alarm),
    }


def _detection_theory(sums: Sums) -> Sums:
    """Return d' and criterion c (Green & Swets 1966), kept finite by half a trial (Hautus 1995)."""
    hit = ndtri((sums["hit"] + 0.5) / (sums["speech"] + 1))
    false_alarm = ndtri((sums["false_alarm"] + 0.5) / (sums["nonspeech"] + 1))
    return {"dprime": hit - false_alarm, "criterion": -(hit + false_alarm) / 2}


def _calibration_metrics(sums: Sums, suffix: str) -> Sums:
    gap = np.abs(sums[f"bin_p{suffix}"] - sums[f"bin_speech{suffix}"])
    count = sums[f"bin_n{suffix}"]
    return {
        f"ece{suffix}": gap.sum(axis=1) / sums["n"],
        f"mce{suffix}": _ratio_or_zero(gap, count).max(axis=1),
        f"brier{suffix}": sums[f"squared_error{suffix}"] / sums["n"],
    }


def _confidence_metrics(sums: Sums) -> Sums:
    when_correct = sums["confidence_correct"] / sums["correct"]
    wrong = sums["n"] - sums["correct"]
    when_wrong = (sums["confidence"] - sums["confidence_correct"]) / wrong
    return {
        "confidence": sums["confidence"] / sums["n"],
        "confidence_correct": when_correct,
        "confidence_wrong": when_wrong,
        "confidence_gap": when_correct - when_wrong,
    }


def _ratio_or_zero(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def reliability(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the points of a reliability diagram.

    Parameters
    ----------
    trials : DataFrame
        See :func:`evaluate`.

    Returns
    -------
    DataFrame
        scale (raw, temperature, platt), bin, n, p_speech (mean), speech_rate; empty bins left out.
    """
    speech = trials["speech"].to_numpy(dtype=float)
    tables = []
    for suffix, column in SCALES.items():
        p = trials[column].to_numpy()
        frame = pd.DataFrame({"bin": bin_of(p), "p_speech": p, "speech_rate": speech})
        table = frame.groupby("bin").agg(
            n=("p_speech", "size"),
            p_speech=("p_speech", "mean"),
            speech_rate=("speech_rate", "mean"),
        )
        table.insert(0, "scale", suffix.lstrip("_") or "raw")
        tables.append(table.reset_index())
    return pd.concat(tables, ignore_index=True)
