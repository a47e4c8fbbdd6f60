"""Metrics of a set of trials, for the trials as they are and for resampled groups.

All but the AUC are functions of sums over trials, so each group of trials is summed once; a
replicate of the bootstrap is then a weighted sum over groups. The AUC is a weighted sum over pairs
of groups.
"""

from copy import copy
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from speechdt.arrays import Floats
from speechdt.statistics import bootstrap, limits
from speechdt.statistics.criterion import yes_counts
from speechdt.statistics.formulas import (
    Sums,
    calibration_metrics,
    confidence_metrics,
    detection_theory,
    one_class_metrics,
    two_class_metrics,
)

BINS = 15
"""Equal-width bins of P(speech) for ECE and MCE."""
RATES = {
    **{"accuracy": None, "speech_accuracy": True, "nonspeech_accuracy": False},
    **{"recall_speech": True, "recall_nonspeech": False},
    **{"speech_accuracy_half": True, "nonspeech_accuracy_half": False},
}
"""Metrics that are the mean of one answer a trial, and the class that they are about."""
FEWEST_BLOCKS = 4
"""Of replicates, before it is asked whether there are enough."""
STEADY = 0.03
"""Monte-Carlo standard error of a bound that is little enough, in halves of the interval: three of
them, which one seed in 370 exceeds, are a tenth."""
HIDDEN = ("speech_accuracy_half", "nonspeech_accuracy_half")
"""Metrics that others are made of, and that no table has."""
SCALES = {"": "p_speech", "_temperature": "p_temperature", "_platt": "p_platt"}
"""Suffix of the calibration metrics, and the column that each is computed from."""


def evaluate(
    trials: pd.DataFrame,
    thresholds: Floats | None = None,
    *,
    replicates: int,
    seed: int,
    blocks: int = 1,
) -> pd.DataFrame:
    """Compute every metric that the trials define, each with a 95 % interval over groups.

    Parameters
    ----------
    trials : DataFrame
        One row a trial: speech (bool), decided (bool), item_id, group_id, p_speech,
        p_temperature, p_platt; and run, where a variant was trained several times: its metrics are
        means over the runs, and the spread of these is in the intervals.
    thresholds : (runs, blocks * replicates + 1) array, optional
        Decision thresholds of each run (`criterion.Thresholds`). Without them the decisions are
        taken for granted, and the intervals are conditional on them.
    replicates : int
        Bootstrap replicates.
    seed : int
        The same seed and trials give the same replicates for every variant.
    blocks : int
        Up to so many times as many replicates, until no bound hangs on their number: until its
        Monte-Carlo standard error is at most `STEADY` of half the interval.

    Returns
    -------
    DataFrame
        metric, value, low, high. Metrics that need both classes are left out where one is missing.
    """
    runs = [Groups(part) for part in by_run(trials)]
    groups = runs[0]
    drawn: list[list[Sums]] = []
    while len(drawn) < blocks:
        for block in range(len(drawn), min(max(FEWEST_BLOCKS, 2 * len(drawn)), blocks)):
            drawn.append(_block(runs, thresholds, replicates, seed, block))
        samples = _joined(drawn, seed)
        if len(drawn) < blocks and _steady(samples, groups):
            break
    ends = {}
    for name, sample in samples.items():
        low, high = bootstrap.interval(sample[0], sample[1:], groups.count_behind(name))
        ends[name] = limits.clipped(name, low, high)
    values = {name: float(sample[0]) for name, sample in samples.items()}
    ends = limits.widened(values, ends, *groups.counts)
    table = [(name, value, *ends[name]) for name, value in values.items() if name not in HIDDEN]
    return pd.DataFrame(table, columns=["metric", "value", "low", "high"])


def _block(
    runs: list["Groups"], thresholds: Floats | None, replicates: int, seed: int, block: int
) -> list[Sums]:
    """Return the metrics of each run in a block of replicates, first as observed."""
    weights = bootstrap.weights(runs[0].speech, replicates, seed, block=block)
    if thresholds is not None:
        first = 1 + block * replicates
        own = np.hstack([thresholds[:, :1], thresholds[:, first : first + replicates]])
        runs = [run.deciding_by(row) for run, row in zip(runs, own, strict=True)]
    return [run.metrics(weights) for run in runs]


def _joined(drawn: list[list[Sums]], seed: int) -> Sums:
    """Return the replicates of all blocks, as the mean over runs, by metric."""
    shared = [name for name in drawn[0][0] if all(name in metrics for metrics in drawn[0])]

    def of_run(run: int, name: str) -> Floats:
        blocks = [block[run][name] for block in drawn]
        return np.concatenate([blocks[0], *(block[1:] for block in blocks[1:])])

    return {
        name: bootstrap.over_runs([of_run(run, name) for run in range(len(drawn[0]))], seed)
        for name in shared
    }


def _steady(samples: Sums, groups: "Groups") -> bool:
    """Say whether more replicates would hardly move a bound."""
    for name, sample in samples.items():
        behind = groups.count_behind(name)
        low, high = bootstrap.interval(sample[0], sample[1:], behind)
        error = bootstrap.monte_carlo_error(sample[1:], behind)
        if (error > STEADY * (high - low) / 2).any():
            return False
    return True


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
    thresholds : (replicates + 1,) array, optional
        Decision threshold under each row of weights; else the decisions are those of the trials.

    Attributes
    ----------
    speech : bool array, (groups,)
        Class of each group (a group of both classes counts as two).
    """

    def __init__(self, trials: pd.DataFrame, thresholds: Floats | None = None):
        codes, self.speech, _ = bootstrap.groups_by_class(trials["speech"], trials["group_id"])
        self._codes, self._count = codes, len(self.speech)
        self._trials, self._thresholds = trials, thresholds
        self._sizes = np.bincount(codes, minlength=self._count).astype(np.float64)
        self._pairs = self._wins()

    def deciding_by(self, thresholds: Floats | None) -> "Groups":
        """Return the same groups with other decision thresholds."""
        self._of_groups  # noqa: B018  # summed once, for all
        other = copy(self)
        other._thresholds = thresholds
        return other

    def metrics(self, weights: Floats) -> dict[str, Floats]:
        """Compute all metrics for groups weighted by each row of `weights`, (replicates,) each."""
        sums = self._weighted(weights) | self._decisions(weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            metrics = one_class_metrics(sums)
            if self._pairs.size:
                metrics |= two_class_metrics(sums)
                metrics |= detection_theory(sums)
                metrics["auc"] = self.auc(weights)
            for suffix in SCALES:
                metrics |= calibration_metrics(sums, suffix)
            metrics |= confidence_metrics(sums)
        return {name: values for name, values in metrics.items() if not np.isnan(values[0])}

    @cached_property
    def _of_groups(self) -> tuple[dict[str, tuple[int, ...]], Floats]:
        """Sum what each trial adds; return the shape of each sum, and all in one table."""
        summands = _summands(self._trials)
        columns = [values.reshape(len(values), -1) for values in summands.values()]
        shapes = {name: values.shape[1:] for name, values in summands.items()}
        return shapes, self._sum(np.hstack(columns))

    def _weighted(self, weights: Floats) -> Sums:
        """Sum over weighted groups, in one product: weights are read once."""
        shapes, sums = self._of_groups
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])[:-1]
        parts = np.split(weights @ sums, ends, axis=1)
        return {
            name: part.reshape(len(weights), *shape)
            for (name, shape), part in zip(shapes.items(), parts, strict=True)
        }

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

    @property
    def counts(self) -> tuple[tuple[int, int], tuple[float, float]]:
        """Groups, and trials, of SPEECH and of NONSPEECH."""
        speech = int(self.speech.sum())
        of_speech = float(self._sizes[self.speech].sum())
        return (speech, self._count - speech), (of_speech, float(self._sizes.sum()) - of_speech)

    def _decisions(self, weights: Floats) -> Sums:
        """Sum what depends on the decisions, (replicates,) each."""
        platt = self._trials["p_platt"].to_numpy(np.float64)
        yes, yes_platt = self._yes(), self._yes(platt)
        # P(NONSPEECH) of those that are not
        no_platt = (self._sizes - self._sum(platt)) - (yes - yes_platt)
        right = np.where(self.speech, yes, self._sizes - yes)
        right_confidence = np.where(self.speech, yes_platt, no_platt)
        of_groups = {
            "hit": np.where(self.speech, yes, 0.0),
            "false_alarm": np.where(self.speech, 0.0, yes),
            "correct": right,
            "confidence": yes_platt + no_platt,
            "confidence_correct": right_confidence,
        }
        return {name: (weights * values).sum(axis=1) for name, values in of_groups.items()}

    def _yes(self, values: Floats | None = None) -> Floats:
        """Count the SPEECH decisions of each group, or sum values over them.

        (replicates, groups), or one row for all if the decisions are taken for granted.
        """
        if self._thresholds is not None:
            p = self._trials["p_speech"].to_numpy(np.float64)
            return yes_counts(p, self._codes, self._count, self._thresholds, values)
        decided = self._trials["decided"].to_numpy(np.float64)
        decided = decided if values is None else decided * values
        return np.bincount(self._codes, decided, self._count)[None].astype(np.float64)

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
    sums = {
        "n": np.ones(len(trials)),
        "speech": speech,
        "nonspeech": ~speech,
        "half_hit": speech & (trials["p_speech"].to_numpy() >= 0.5),
        "half_false_alarm": ~speech & (trials["p_speech"].to_numpy() >= 0.5),
    }
    for suffix, column in SCALES.items():
        p = trials[column].to_numpy()
        in_bin = np.eye(BINS)[bin_of(p)]
        sums[f"squared_error{suffix}"] = (p - speech) ** 2
        sums[f"bin_n{suffix}"] = in_bin
        sums[f"bin_p{suffix}"] = in_bin * p[:, None]
        sums[f"bin_speech{suffix}"] = in_bin * speech[:, None]
    return {name: np.asarray(values, dtype=np.float64) for name, values in sums.items()}


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
