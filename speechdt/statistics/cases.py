"""Cheapest variant of each case: one SNR, duration, background and cost of a false alarm.

Someone who deploys a detector knows roughly which clips it will hear, and what a false alarm costs
beside a miss. The threshold is then the one that costs least on all of dev, chosen again on dev's
groups in each replicate; what it costs on the test trials of the case is a sum over groups, so that
all cases of a background are one product of matrices. Variants share the draws, which pairs them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from speechdt.arrays import Bools, Floats, Indices
from speechdt.statistics import bootstrap
from speechdt.statistics.criterion import HALF, NEVER, TIE, candidates
from speechdt.statistics.limits import SAME, unseen
from speechdt.statistics.metrics import by_run
from speechdt.statistics.roc import Roc

COSTS = (1 / 3, 1.0, 3.0, 10.0)
"""Costs of a false alarm, that of a miss being 1; a third is that of NIST's OpenSAT."""
ALL = "all"
"""Level that stands for all of the plan's."""
COLUMNS = [
    *("snr_db", "duration_ms", "background", "false_alarm_cost", "variant", "n", "groups"),
    *("hit", "false_alarm", "cost", "cost_low", "cost_high"),
    *("difference", "difference_low", "difference_high"),
]


def cases(
    dev: Mapping[str, pd.DataFrame],
    test: Mapping[str, pd.DataFrame],
    plan_snr_db: Sequence[float],
    *,
    replicates: int,
    seed: int,
    costs: Sequence[float] = COSTS,
) -> pd.DataFrame:
    """Measure what every variant costs in every case; the mappings are by variant.

    Parameters
    ----------
    dev, test : mappings of str to DataFrame
        Trials in noise: trial_id, speech (bool), group_id, p_speech; of test also snr_db,
        duration_ms and background; and run, where a variant was trained several times.
    plan_snr_db : sequence of float
        SNRs that `ALL` pools; others of the trials are cases of their own.
    replicates, seed : int
        Of the bootstrap over groups.
    costs : sequence of float
        Of a false alarm, in misses.

    Returns
    -------
    DataFrame
        `COLUMNS`, the cheapest variant of a case first. cost is (misses + c · false alarms) /
        (1 + c), both as rates: 0 is perfect, and whoever always gives one answer pays 1 / (1 + c)
        or c / (1 + c). difference is the cost less that of the cheapest, which has no interval.
        Cases that lack a class have no rows.
    """
    thresholds = {
        variant: [
            np.stack([cheapest(run, cost, replicates, seed) for cost in costs])
            for run in by_run(table)
        ]
        for variant, table in dev.items()
    }
    runs = {variant: [_ordered(run) for run in by_run(table)] for variant, table in test.items()}
    first = next(iter(runs.values()))[0]
    tables = []
    for background in (ALL, *sorted(set(first["background"]))):
        chosen = (
            np.ones(len(first), bool) if background == ALL else first["background"].eq(background)
        )
        part = _Part(first[chosen], plan_snr_db, replicates, seed)
        paid = {
            variant: _over_runs(
                [
                    part.rates(run.loc[np.asarray(chosen), "p_speech"].to_numpy(float), own)
                    for run, own in zip(runs[variant], thresholds[variant], strict=True)
                ],
                seed,
            )
            for variant in runs
        }
        tables += [part.table(paid, place, cost) for place, cost in enumerate(costs)]
        for table in tables[-len(costs) :]:
            table["background"] = background
    return pd.concat(tables, ignore_index=True)[COLUMNS]


def cheapest(dev: pd.DataFrame, cost: float, replicates: int, seed: int) -> Floats:
    """Choose the threshold with the least cost on dev, and again on dev's resampled groups.

    Parameters
    ----------
    dev : DataFrame
        speech (bool), group_id, p_speech.
    cost : float
        Of a false alarm, in misses. With 1 it is the threshold of the best balanced accuracy.
    replicates, seed : int

    Returns
    -------
    (R + 1,) array
        Where nothing is cheaper than always giving the cheaper answer, the threshold that gives it;
        with a cost of 1, where neither is, `HALF`.
    """
    roc = Roc(dev)
    weights = bootstrap.weights(roc.of_speech, replicates, seed, draws="dev")
    thresholds = candidates(dev["p_speech"])
    chosen = []
    for curves in roc.curves(weights):
        # From the lowest threshold, which calls all SPEECH, to the one that calls nothing so.
        gain = (curves.hit - cost * curves.false_alarm)[:, ::-1]
        most = gain.max(axis=1, keepdims=True)
        rank = np.cumsum(gain >= most - TIE, axis=1)
        middle = (rank == rank[:, -1:] // 2 + 1).argmax(axis=1)
        useless = most[:, 0] <= max(0.0, 1 - cost) + TIE
        chosen.append(np.where(useless, _one_answer(cost), thresholds[middle]))
    return np.concatenate(chosen)


def _one_answer(cost: float) -> float:
    if cost == 1:
        return HALF
    return 0.0 if cost < 1 else NEVER


def _ordered(run: pd.DataFrame) -> pd.DataFrame:
    return run.sort_values("trial_id", ignore_index=True)


class _Rates(NamedTuple):
    """Hit and false-alarm rates, (costs, R + 1, cases) each."""

    hit: Floats
    false_alarm: Floats


def _over_runs(runs: Sequence[_Rates], seed: int) -> _Rates:
    if len(runs) == 1:
        return runs[0]

    def mean(values: list[Floats]) -> Floats:
        by_cost = [bootstrap.over_runs(list(of), seed) for of in zip(*values, strict=True)]
        return np.stack(by_cost)

    return _Rates(mean([run.hit for run in runs]), mean([run.false_alarm for run in runs]))


class _Part:
    """The cases of one background: which trials each holds, and the draws of their groups."""

    def __init__(
        self, trials: pd.DataFrame, plan_snr_db: Sequence[float], replicates: int, seed: int
    ):
        speech = trials["speech"].to_numpy(bool)
        self._codes, self._of_speech, _ = bootstrap.groups_by_class(speech, trials["group_id"])
        self._weights = bootstrap.weights(self._of_speech, replicates, seed)
        self._levels, self._sums, self._cells = _crossed(trials, plan_snr_db)
        self._sizes = self._sums @ self._counts(np.zeros(len(trials), np.int64), 1)[:, :, 0]
        present = self._sizes > 0
        self._groups = np.stack(
            [present[:, self._of_speech].sum(1), present[:, ~self._of_speech].sum(1)]
        )

    def _counts(self, of: Indices, width: int) -> Floats:
        """Count trials by cell, group and a number below `width`, (cells, groups, width)."""
        shape = (self._sums.shape[1], len(self._of_speech), width)
        flat = (self._cells * shape[1] + self._codes) * width + of
        return np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape).astype(np.float64)

    def rates(self, p: Floats, thresholds: Floats) -> _Rates:
        """Return rates of SPEECH decisions; thresholds are (costs, R + 1)."""
        by_cost = [self._rates(p, own) for own in thresholds]
        return _Rates(*(np.stack(of) for of in zip(*by_cost, strict=True)))

    def _rates(self, p: Floats, thresholds: Floats) -> tuple[Floats, Floats]:
        ordered, back = np.unique(thresholds, return_inverse=True)
        reached = np.searchsorted(ordered, p, side="right")
        counts = self._counts(reached, len(ordered) + 1)
        of_cases = np.tensordot(self._sums, counts, axes=1)
        # A trial that reaches k thresholds is SPEECH by each of the k lowest.
        yes = np.cumsum(of_cases[:, :, ::-1], axis=2)[:, :, ::-1][:, :, 1:]
        rates = np.empty((2, len(thresholds), len(self._sums)))
        for place in range(len(ordered)):
            rows = np.flatnonzero(back == place)
            for kind, of in enumerate((self._of_speech, ~self._of_speech)):
                drawn = self._weights[np.ix_(rows, of)]
                with np.errstate(invalid="ignore", divide="ignore"):
                    rates[kind, rows] = (drawn @ yes[:, of, place].T) / (
                        drawn @ self._sizes[:, of].T
                    )
        return rates[0], rates[1]

    def table(self, paid: Mapping[str, _Rates], place: int, cost: float) -> pd.DataFrame:
        """Return the rows of all cases at one cost, the cheapest variant of each case first."""
        rates = [(of.hit[place], of.false_alarm[place]) for of in paid.values()]
        costs = np.stack([(1 - hit + cost * alarm) / (1 + cost) for hit, alarm in rates])
        rows = []
        for groups, members in self._alike():
            own = costs[:, :, members]
            best = own[:, 0].round(9).argmin(axis=0)
            cheapest_of = own[best, :, np.arange(len(members))].T
            against = own - cheapest_of
            for variant, (name, (hit, alarm)) in enumerate(zip(paid, rates, strict=True)):
                alone = _Figures(hit[0, members], alarm[0, members], own[variant])
                low, high = alone.limits(groups, cost)
                ends = _paired(against[variant], groups, best == variant)
                rows.append(
                    pd.DataFrame(
                        {
                            **{key: values[members] for key, values in self._levels.items()},
                            "false_alarm_cost": cost,
                            "variant": name,
                            "n": self._sizes[members].sum(axis=1).astype(int),
                            "groups": sum(groups),
                            "hit": alone.hit,
                            "false_alarm": alone.false_alarm,
                            "cost": own[variant, 0],
                            "cost_low": low,
                            "cost_high": high,
                            "difference": against[variant, 0],
                            "difference_low": ends[0],
                            "difference_high": ends[1],
                            "_case": members,
                            "_order": own[variant, 0].round(9),
                        }
                    )
                )
        if not rows:  # a class is missing
            return pd.DataFrame(columns=COLUMNS)
        table = pd.concat(rows, ignore_index=True)
        return table.sort_values(["_case", "_order"], kind="stable", ignore_index=True)

    def _alike(self) -> Iterator[tuple[list[int], Indices]]:
        """Yield numbers of groups of both classes, and the cases that have as many."""
        for of_speech, of_rest in sorted(set(zip(*self._groups.tolist(), strict=True))):
            if of_speech and of_rest:
                same = (self._groups[0] == of_speech) & (self._groups[1] == of_rest)
                yield [of_speech, of_rest], np.flatnonzero(same)


class _Figures(NamedTuple):
    """Figures of a variant in some cases: rates as observed, and its cost in each replicate."""

    hit: Floats
    false_alarm: Floats
    cost: Floats

    def limits(self, groups: Sequence[int], cost: float) -> tuple[Floats, Floats]:
        """Return limits of the cost, wider where a rate is 0 or 1 (`statistics.limits`)."""
        low, high = bootstrap.interval(self.cost[0], self.cost[1:], groups)
        shares = np.array([1.0, cost]) / (1 + cost)
        below, above = np.zeros_like(low), np.zeros_like(high)
        for rate, share, count in zip(
            (1 - self.hit, self.false_alarm), shares, groups, strict=True
        ):
            below = np.hypot(below, np.where(rate >= 1 - SAME, share * unseen(count), 0.0))
            above = np.hypot(above, np.where(rate <= SAME, share * unseen(count), 0.0))
        # The half widths of independent rates add as squares do (MOVER).
        low = self.cost[0] - np.hypot(self.cost[0] - low, below)
        high = self.cost[0] + np.hypot(high - self.cost[0], above)
        return np.clip(low, 0, 1), np.clip(high, 0, 1)


def _paired(against: Floats, groups: Sequence[int], is_best: Bools) -> tuple[Floats, Floats]:
    """Return the interval of the difference from the cheapest; NaN for the cheapest itself."""
    low, high = bootstrap.interval(against[0], against[1:], groups)
    same = high - low <= SAME
    low = np.where(same, against[0] - unseen(min(groups)), low)
    high = np.where(same, against[0] + unseen(min(groups)), high)
    return np.where(is_best, np.nan, low), np.where(is_best, np.nan, high)


def _crossed(
    trials: pd.DataFrame, plan_snr_db: Sequence[float]
) -> tuple[dict[str, np.ndarray], Floats, Indices]:
    """Return each case's levels, the cells that it sums, (cases, cells), and each trial's cell."""
    snr, snrs = pd.factorize(trials["snr_db"], sort=True)
    duration, durations = pd.factorize(trials["duration_ms"], sort=True)
    planned = np.isin(np.asarray(snrs), np.asarray(plan_snr_db, float)).astype(float)
    by_snr = np.vstack([planned, np.eye(len(snrs))])
    by_duration = np.vstack([np.ones(len(durations)), np.eye(len(durations))])
    names = [[ALL, *(f"{level:g}" for level in levels)] for levels in (snrs, durations)]
    levels = {
        "snr_db": np.repeat(np.array(names[0], dtype=object), len(names[1])),
        "duration_ms": np.tile(np.array(names[1], dtype=object), len(names[0])),
    }
    return levels, np.kron(by_snr, by_duration), snr * len(durations) + duration
