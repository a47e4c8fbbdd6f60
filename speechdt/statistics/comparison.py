"""Paired comparison of variants on the same trials: difference, interval, permutation p.

The difference of balanced accuracy is taken trial by trial, so what makes a trial hard for both
variants cancels. Its interval comes from resampling groups (`speechdt.statistics.bootstrap`), its
p-value from exchanging the answers of the two variants in whole groups: if they are equally good in
the same way, any group might as well have been the other way round. A variant that gains on speech
what it loses on non-speech is not better, though its groups are not exchangeable either; the
statistic is therefore studentised within classes, which keeps the test at its level there too
(Janssen 1997, doi:10.1016/S0167-7152(97)00043-6; Chung & Romano 2013, doi:10.1214/13-AOS1090).
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from speechdt.arrays import Floats, Indices
from speechdt.statistics import bootstrap
from speechdt.statistics.criterion import yes_counts
from speechdt.statistics.metrics import by_run
from speechdt.statistics.threshold_variance import through_thresholds

Pair: TypeAlias = tuple[str, str]
"""A variant, and the one that it is compared with."""

PLANNED, ALSO = "planned", "also"
"""Families of ``comparisons.csv``: corrected for their number, and shown beside those."""
LABELS = ("variant", "reference", "family", "n", "groups")
"""Columns that say what a row of ``comparisons.csv`` is about."""
TIE = 1e-9
"""Relative difference below which two test statistics are the same number."""


class Sums(NamedTuple):
    """Trials and correct decisions of each group.

    Attributes
    ----------
    speech : (G,) bool array
        Class of each group; a group with trials in both classes counts as two here.
    group : (G,) int array
        Which of them are the same group.
    n : (G,) array
        Trials.
    correct : (G, V) array
        Correct decisions of each variant; the mean over its training runs, if there are several.
    of_runs : sequence of sequences of (1 or R + 1, G) arrays
        Correct decisions of each training run of each variant, in each replicate if its threshold
        is chosen again.
    """

    speech: NDArray[np.bool_]
    group: NDArray[np.int64]
    n: Floats
    correct: Floats
    of_runs: Sequence[Sequence[Floats]] = ()


def compare(
    trials: Mapping[str, pd.DataFrame],
    thresholds: Mapping[str, Floats] | None = None,
    *,
    planned: Sequence[Pair],
    also: Sequence[Pair] = (),
    replicates: int,
    permutations: int,
    seed: int,
) -> pd.DataFrame:
    """Compare all pairs of variants in balanced accuracy; the mappings are by variant.

    Parameters
    ----------
    trials : mapping of str to DataFrame
        Trials in noise: trial_id, group_id, speech, decided (bool); and run, where a variant was
        trained several times (the p-value takes the runs as they are).
    thresholds : mapping of str to (runs, R + 1) array, optional
        Of its runs (`criterion.Thresholds`); needs p_speech. Else decisions are taken for granted.
    planned, also : sequences of (variant, reference)
        Contrasts whose p-values are corrected together (Holm 1979), and others beside them.
    replicates, permutations, seed : int

    Returns
    -------
    DataFrame
        variant, reference, family (planned, also or ''), n (trials), groups, balanced_accuracy,
        balanced_accuracy_reference, difference (variant minus reference), difference_low,
        difference_high, p (two-sided), p_holm (NaN outside of the planned family). Planned ones
        come first; no pair comes twice.

    Raises
    ------
    ValueError
        If they were scored on different trials.
    """
    variants = list(trials)
    pairs = all_pairs(variants, [*planned, *also])
    first, second = (np.array([variants.index(pair[i]) for pair in pairs], int) for i in (0, 1))
    sums = group_sums(trials, thresholds)
    accuracy, difference, p = _tested(sums, first, second, replicates, permutations, seed)
    groups = [int(sums.speech.sum()), int((~sums.speech).sum())]
    low, high = bootstrap.interval(difference[0], difference[1:], groups)
    family = [_family(pair, planned, also) for pair in pairs]
    return pd.DataFrame(
        {
            "variant": [pair[0] for pair in pairs],
            "reference": [pair[1] for pair in pairs],
            "family": family,
            "n": int(sums.n.sum()),
            "groups": len(np.unique(sums.group)),
            "balanced_accuracy": accuracy[0, first],
            "balanced_accuracy_reference": accuracy[0, second],
            "difference": difference[0],
            "difference_low": low,
            "difference_high": high,
            "p": p,
            "p_holm": holm_within(p, np.array(family) == PLANNED),
        }
    )


def _tested(
    sums: Sums, first: Indices, second: Indices, replicates: int, permutations: int, seed: int
) -> tuple[Floats, Floats, Floats]:
    """Return balanced accuracies and differences, both with replicates, and p-values."""
    accuracy = balanced_accuracy(sums, replicates, seed)
    fixed = accuracy[:, first] - accuracy[:, second]
    difference = fixed + thresholds_again(sums, first, second, replicates)
    widened = spread_ratio(difference, fixed)
    return accuracy, difference, permutation_p(sums, first, second, permutations, seed, widened)


def contrasts(
    variants: Sequence[str], listed: Sequence[Sequence[str]], reference: str | None = None
) -> list[Pair]:
    """Return the contrasts whose variants exist: those listed, then each against the reference."""
    pairs = [(str(one), str(other)) for one, other in listed]
    if reference in variants:
        pairs += [(variant, str(reference)) for variant in variants if variant != reference]
    present = [pair for pair in pairs if set(pair) <= set(variants)]
    return [
        pair
        for place, pair in enumerate(present)
        if set(pair) not in [set(earlier) for earlier in present[:place]]
    ]


def all_pairs(variants: Sequence[str], chosen: Sequence[Pair]) -> list[Pair]:
    """Return the chosen pairs, then every other one with the later variant first."""
    chosen_pairs = {frozenset(pair) for pair in chosen}
    others = [(late, early) for early, late in combinations(variants, 2)]
    return [*chosen, *(pair for pair in others if frozenset(pair) not in chosen_pairs)]


def group_sums(
    trials: Mapping[str, pd.DataFrame], thresholds: Mapping[str, Floats] | None = None
) -> Sums:
    """Sum the trials and the correct decisions of each variant over groups.

    Raises
    ------
    ValueError
        If the variants were scored on different trials.
    """
    runs = {
        variant: [part.set_index("trial_id").sort_index() for part in by_run(table)]
        for variant, table in trials.items()
    }
    first = next(iter(runs.values()))[0]
    for variant, tables in runs.items():
        if not all(table.index.equals(first.index) for table in tables):
            raise ValueError(f"{variant} and {next(iter(trials))} were scored on different trials")
    speech = first["speech"].to_numpy(dtype=bool)
    codes, of_speech, names = bootstrap.groups_by_class(speech, first["group_id"])
    sizes = np.bincount(codes, minlength=len(names)).astype(float)

    def right(table: pd.DataFrame, own: Floats | None) -> Floats:
        if own is None:
            yes = np.bincount(codes, table["decided"], len(names))[None].astype(float)
        else:
            yes = yes_counts(table["p_speech"], codes, len(names), own)
        return np.where(of_speech, yes, sizes - yes)

    of_runs = [
        [
            right(table, None if thresholds is None else thresholds[variant][run])
            for run, table in enumerate(tables)
        ]
        for variant, tables in runs.items()
    ]
    return Sums(
        speech=of_speech,
        group=pd.factorize(names)[0],
        n=sizes,
        correct=np.column_stack([np.mean([run[0] for run in own], axis=0) for own in of_runs]),
        of_runs=of_runs,
    )


def balanced_accuracy(sums: Sums, replicates: int, seed: int) -> Floats:
    """Return balanced accuracy with thresholds as they are, (replicates + 1, V).

    Row 0 is that of the trials themselves.
    """
    weights = bootstrap.weights(sums.speech, replicates, seed)
    accuracy = np.empty((len(weights), len(sums.of_runs)))
    for variant, of_runs in enumerate(sums.of_runs):
        right = np.stack([run[0] for run in of_runs], axis=1)
        of = bootstrap.balanced(weights, sums.speech, right, sums.n)
        # Runs are drawn by variant: those of two have nothing to do with each other.
        accuracy[:, variant] = bootstrap.over_runs(of.T, seed + variant)
    return accuracy


def thresholds_again(sums: Sums, first: Indices, second: Indices, replicates: int) -> Floats:
    """Return what choosing thresholds again adds to differences, (replicates + 1, pairs)."""
    right = [
        np.broadcast_to(np.mean([*own], axis=0), (replicates + 1, len(sums.n)))
        for own in sums.of_runs
    ]
    pairs = [right[one] - right[other] for one, other in zip(first, second, strict=True)]
    moved = [through_thresholds(of, sums.speech, sums.n) for of in pairs]
    return np.reshape(np.transpose(moved), (replicates + 1, len(pairs)))


def spread_ratio(again: Floats, fixed: Floats) -> Floats:
    """Return by how much more differences vary if thresholds are chosen again, at least 1.

    Parameters
    ----------
    again, fixed : (R + 1, pairs) arrays
        Differences, row 0 as observed; with thresholds chosen again, and taken for granted.
    """
    spread, baseline = again[1:].std(axis=0), fixed[1:].std(axis=0)
    ratio = np.divide(spread, baseline, out=np.ones_like(baseline), where=baseline > 0)
    return np.asarray(np.maximum(ratio, 1.0))


def permutation_p(
    sums: Sums,
    first: ArrayLike,
    second: ArrayLike,
    permutations: int,
    seed: int,
    widened: ArrayLike = 1.0,
) -> Floats:
    """Return the two-sided p-value of no difference in balanced accuracy, (pairs,).

    Parameters
    ----------
    sums : Sums
    first, second : (pairs,) int arrays
        Columns of ``sums.correct``.
    permutations : int
        Random exchanges in whole groups. The trials themselves count as one more, so that p is
        never below 1 / (permutations + 1) and the test is exact (Phipson & Smyth 2010,
        doi:10.2202/1544-6115.1585).
    seed : int
    widened : (pairs,) array
        From :func:`spread_ratio`: exchanging answers knows nothing of how uncertain a threshold is,
        so the observed statistic is taken to be so many times less sure.

    Returns
    -------
    (pairs,) array
        NaN if a class has one group only.
    """
    difference = sums.correct[:, np.asarray(first)] - sums.correct[:, np.asarray(second)]
    return paired_p(sums, difference, permutations, seed, widened)


def paired_p(
    sums: Sums, difference: Floats, permutations: int, seed: int, widened: ArrayLike = 1.0
) -> Floats:
    """Return the two-sided p-value of differences that are means over each class, then sums.

    Parameters
    ----------
    sums : Sums
        Groups, and their numbers of trials.
    difference : (G, pairs) array
        What each group adds, whose sign turns if its answers are exchanged.
    permutations, seed, widened
        As for :func:`permutation_p`.
    """
    rng = np.random.default_rng([seed, permutations])
    signs = rng.choice([-1.0, 1.0], size=(permutations, int(sums.group.max()) + 1))
    signs = np.vstack([np.ones(len(sums.group)), signs[:, sums.group]])
    statistic = np.abs(_studentised(signs, sums, difference))
    as_extreme = statistic[1:] >= statistic[0] / np.asarray(widened) * (1 - TIE)
    p: Floats = (1 + as_extreme.sum(axis=0)) / (permutations + 1)
    return np.where(np.isnan(statistic[0]), np.nan, p)


def _studentised(signs: Floats, sums: Sums, difference: Floats) -> Floats:
    """Return the difference of balanced accuracy over its standard error, (permutations, pairs)."""
    mean, variance = 0.0, 0.0
    for of in (sums.speech, ~sums.speech):
        n, d, sign = sums.n[of], difference[of], signs[:, of]
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = sign @ d / n.sum()
            # of a ratio of sums over groups, linearised
            squares = (d**2).sum(0) - 2 * rate * (sign @ (d * n[:, None])) + rate**2 * (n @ n)
            squares = np.where(squares < TIE * (d**2).sum(0), 0.0, squares)
            variance = variance + squares / n.sum() ** 2 * np.divide(len(n), len(n) - 1.0)
        mean = mean + rate
    error = np.sqrt(variance)
    certain = np.where(mean == 0, 0.0, np.copysign(np.inf, mean))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error == 0, certain, mean / error)


def holm(p: ArrayLike) -> Floats:
    """Correct p-values for their number, step by step (Holm 1979, jstor.org/stable/4615733)."""
    p = np.asarray(p, float)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(steps, 1.0)
    return corrected


def holm_within(p: Floats, family: NDArray[np.bool_]) -> Floats:
    """Correct the p-values of a family; those outside of it, and undefined ones, become NaN."""
    corrected = np.full(len(p), np.nan)
    tested = family & ~np.isnan(p)
    corrected[tested] = holm(p[tested])
    return corrected


def _family(pair: Pair, planned: Sequence[Pair], also: Sequence[Pair]) -> str:
    return PLANNED if pair in planned else ALSO if pair in also else ""
