"""Error rates of all variants on the same test trials, and which errors they share.

Two kinds of error: SPEECH that is *missed*, and NONSPEECH that is a *false alarm*. They are counted
apart, because a threshold trades one for the other.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from speechdt.arrays import Floats
from speechdt.cell_name import cell_name
from speechdt.statistics import bootstrap
from speechdt.statistics.criterion import yes_counts

Interval: TypeAlias = tuple[float, float, float]
"""A figure, and the low and high end of its interval."""

ERRORS = {"SPEECH": "missed", "NONSPEECH": "false alarm"}
"""What a wrong decision is called, by the class of the clip."""
FACTORS = ("category", "language", "background", "snr_db", "duration_ms", "cell")
"""What error rates are broken down by, with intervals over groups."""
GROUP = "group_id"
"""Speaker or recording family; its own rate has an interval over its recordings."""
SHARES = ("rate", "alone", "common")
"""Of `common_errors`: how often a variant errs; the share of its errors that it makes alone, and
the share that all variants make."""


TEXT = (
    *("error", "level", "unit", "measure", "one", "other"),
    *("source_id", "group_id", "category", "language"),
)
"""Columns of the tables of errors that are text, for `tables.read_table`."""


class Answers(NamedTuple):
    """Answers of all variants to the same trials.

    Attributes
    ----------
    trials : DataFrame
        One row a trial: the columns of a cell file without audio, ``cell``, and columns of the
        sources such as ``language``.
    wrong : DataFrame of bool, (trials, variants)
        Whether the decision is wrong.
    p_speech, doubt : DataFrame of float, (trials, variants)
        Raw score, and probability of the wrong class after Platt scaling.
    """

    trials: pd.DataFrame
    wrong: pd.DataFrame
    p_speech: pd.DataFrame
    doubt: pd.DataFrame


def answers(decided: Mapping[str, pd.DataFrame], sources: pd.DataFrame) -> Answers:
    """Put the decisions of all variants side by side, trials in noise only.

    Parameters
    ----------
    decided : mapping of str to DataFrame
        From `decisions.decided_trials`, by variant.
    sources : DataFrame
        ``corpus/sources.parquet``; its ``language`` is used if it has one.
    """
    noisy = {
        variant: table[table["snr_db"].notna()].set_index("trial_id").sort_index()
        for variant, table in decided.items()
    }
    first = next(iter(noisy.values()))
    trials = first[[name for name in _ABOUT if name in first]].copy()
    trials["cell"] = [
        cell_name(snr, ms) for snr, ms in zip(trials["snr_db"], trials["duration_ms"], strict=True)
    ]
    if "language" in sources:
        languages = sources.set_index("source_id")["language"]
        trials["language"] = trials["source_id"].map(languages).fillna("")
    speech = first["speech"].to_numpy(dtype=bool)
    return Answers(
        trials=trials.reset_index(),
        wrong=_side_by_side({v: table["decided"] != speech for v, table in noisy.items()}),
        p_speech=_side_by_side({v: table["p_speech"] for v, table in noisy.items()}),
        doubt=_side_by_side({v: (table["p_platt"] - speech).abs() for v, table in noisy.items()}),
    )


_ABOUT = (
    *("item_id", "label", "category", "snr_db", "duration_ms", "source_id", "group_id"),
    *("background", "background_id", "background_group"),
)


def _side_by_side(columns: Mapping[str, "pd.Series"]) -> pd.DataFrame:
    return pd.DataFrame(columns).reset_index(drop=True)


class Clusters:
    """Groups of trials as the bootstrap draws them.

    Parameters
    ----------
    units : Series, (trials,)
        What is drawn as a whole: group, or recording.
    replicates, seed : int
    """

    def __init__(self, units: "pd.Series", replicates: int, seed: int):
        self._codes, names = pd.factorize(units, sort=True)
        self.count = len(names)
        self._weights = bootstrap.weights(np.zeros(self.count), replicates, seed)

    def yes(self, p: Floats, thresholds: Floats) -> Floats:
        """Count the SPEECH decisions of scores in each replicate, (1 + R,)."""
        counts = yes_counts(p, self._codes, self.count, thresholds)
        return np.asarray((self._weights * counts).sum(axis=1))

    def sums(self, values: Floats) -> Floats:
        """Sum (trials, columns) over the trials, then over each replicate's: (1 + R, columns)."""
        of_unit = np.zeros((self.count, values.shape[1]))
        np.add.at(of_unit, self._codes, values)
        return np.asarray(self._weights @ of_unit)

    def interval(self, samples: Floats, units: float | None = None) -> Interval:
        """Return a figure and its interval from its samples, (1 + R,), the figure first.

        With `units`, the number of groups behind it, it is a rate (see `bootstrap.interval`), and
        its interval ends at 0 and 1.
        """
        low, high = bootstrap.interval(samples[0], samples[1:], self.count, units=units)
        if units is not None:
            low, high = np.clip(low, 0, 1), np.clip(high, 0, 1)
        return float(samples[0]), float(low), float(high)


def error_rates(
    answers: Answers,
    thresholds: Mapping[str, Floats] | None = None,
    *,
    replicates: int,
    seed: int,
) -> pd.DataFrame:
    """Count the errors of each variant, over all trials and for each part of them.

    Parameters
    ----------
    answers : Answers
    thresholds : mapping of str to (R + 1,) array, optional
        Decision threshold of each variant in each replicate; else the decisions are taken for
        granted.
    replicates, seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        variant, error, by (all, one of `FACTORS`, or group_id), level, n (trials), unit (what the
        interval is over: group or recording), units, errors, rate, low, high. A part with one unit
        has no interval.
    """
    rows = []
    for label, error in ERRORS.items():
        of_label = (answers.trials["label"] == label).to_numpy()
        trials = answers.trials[of_label]
        for by, level, part in _parts(trials):
            unit = "recording" if by == GROUP else "group"
            units = part["source_id"] if by == GROUP else part[GROUP]
            clusters = Clusters(units, replicates, seed)
            wrong = answers.wrong.loc[part.index].to_numpy(dtype=float)
            sums = clusters.sums(np.column_stack([wrong, np.ones(len(part))]))
            for place, variant in enumerate(map(str, answers.wrong)):
                errors = sums[:, place]
                if thresholds is not None:
                    p = answers.p_speech.loc[part.index, variant].to_numpy(float)
                    yes = clusters.yes(p, thresholds[variant])
                    errors = yes if label == "NONSPEECH" else sums[:, -1] - yes
                rate, low, high = clusters.interval(errors / sums[:, -1], clusters.count)
                counts = (len(part), unit, clusters.count, int(wrong[:, place].sum()))
                rows.append((variant, error, by, level, *counts, rate, low, high))
    columns = ["variant", "error", "by", "level", "n", "unit", "units", "errors"]
    return pd.DataFrame(rows, columns=[*columns, "rate", "low", "high"])


def _parts(trials: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    if not len(trials):
        return
    yield "all", "", trials
    for by in (*FACTORS, GROUP):
        if by in trials:
            for level, part in trials[trials[by] != ""].groupby(by):
                yield by, f"{level:g}" if isinstance(level, float) else str(level), part


def common_errors(answers: Answers, *, replicates: int, seed: int) -> pd.DataFrame:
    """Count which errors a variant makes alone, which all make, and how many make each.

    The intervals take the decision thresholds for granted.

    Returns
    -------
    DataFrame
        error, variant, measure, n, value, low, high. Measures of a variant are `SHARES`; with an
        empty variant, ``wrong_by_{k}`` is the share of trials that k variants get wrong.
    """
    rows = []
    for error, part, wrong, clusters in _classes(answers, replicates, seed):
        count = wrong.sum(axis=1)
        ones = np.ones((len(part), 1))
        exactly = (count[:, None] == np.arange(wrong.shape[1] + 1)).astype(float)
        sums = clusters.sums(np.hstack([exactly, ones]))
        for k in range(exactly.shape[1]):
            estimate = clusters.interval(sums[:, k] / sums[:, -1], clusters.count)
            rows.append((error, "", f"wrong_by_{k}", len(part), *estimate))
        for place, variant in enumerate(map(str, answers.wrong)):
            own = wrong[:, place]
            columns = np.column_stack([own, own & (count == 1), own & (count == wrong.shape[1])])
            sums = clusters.sums(np.hstack([columns.astype(float), ones]))
            behind = (len(part), int(own.sum()), int(own.sum()))
            units = (clusters.count, part[GROUP][own].nunique(), part[GROUP][own].nunique())
            for measure, n, unit, share in zip(SHARES, behind, units, _shares(sums), strict=True):
                rows.append((error, variant, measure, n, *clusters.interval(share, unit or None)))
    columns_ = ["error", "variant", "measure", "n", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns_)


def _shares(sums: Floats) -> tuple[Floats, Floats, Floats]:
    """Return `SHARES` from the sums of errors, errors alone, errors of all, and trials."""
    errors, alone, common, trials = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return errors / trials, alone / errors, common / errors


def error_pairs(answers: Answers, *, replicates: int, seed: int) -> pd.DataFrame:
    """Measure how far two variants err on the same trials, beyond what their rates make likely.

    Error consistency is Cohen's kappa of right and wrong (Geirhos, Meding & Wichmann 2020,
    arXiv:2006.16736): 1 if two variants err on the same trials, 0 if as by chance. The intervals
    take the decision thresholds for granted.

    Returns
    -------
    DataFrame
        error, one, other, n, both (share of trials that both get wrong), kappa, low, high (of
        kappa). kappa is NaN where neither errs, or both always do.
    """
    rows = []
    variants = list(answers.wrong)
    for error, part, wrong, clusters in _classes(answers, replicates, seed):
        for place, one in enumerate(variants):
            for other in range(place + 1, len(variants)):
                first, second = wrong[:, place], wrong[:, other]
                columns = [first, second, first & second, np.ones(len(part))]
                sums = clusters.sums(np.column_stack(columns).astype(float))
                estimate = clusters.interval(kappa(*(sums[:, :3] / sums[:, 3:]).T))
                both = float(sums[0, 2] / sums[0, 3])
                rows.append((error, one, variants[other], len(part), both, *estimate))
    columns_ = ["error", "one", "other", "n", "both", "kappa", "low", "high"]
    return pd.DataFrame(rows, columns=columns_)


def kappa(first: Floats, second: Floats, both: Floats) -> Floats:
    """Return Cohen's kappa of two binary answers from their rates and the rate of both."""
    agreed = 1 - first - second + 2 * both
    expected = first * second + (1 - first) * (1 - second)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(expected < 1 - 1e-12, (agreed - expected) / (1 - expected), np.nan)


def _classes(
    answers: Answers, replicates: int, seed: int
) -> Iterator[tuple[str, pd.DataFrame, NDArray[np.bool_], Clusters]]:
    for label, error in ERRORS.items():
        part = answers.trials[answers.trials["label"] == label]
        if len(part):
            clusters = Clusters(part[GROUP], replicates, seed)
            yield error, part, answers.wrong.loc[part.index].to_numpy(dtype=bool), clusters


def error_sources(answers: Answers) -> pd.DataFrame:
    """Rank the recordings by how much oftener than others of their class they are got wrong.

    What is compared is the excess over each variant's own error rate in the class: a detector that
    says SPEECH to nearly everything makes no recording confusable.

    Returns
    -------
    DataFrame
        rank, error, source_id, group_id, category, (language,) items, trials, rate and excess
        (means over variants), doubt (mean probability of the wrong class, which breaks ties), and
        ``rate_{variant}``.
    """
    trials = answers.trials
    about = ["source_id", "group_id", "label", "category"]
    about += ["language"] if "language" in trials else []
    own_rates = answers.wrong.groupby(trials["label"]).transform("mean")
    table = trials.assign(
        rate=answers.wrong.mean(axis=1),
        excess=(answers.wrong - own_rates).mean(axis=1),
        doubt=answers.doubt.mean(axis=1),
        **{f"rate_{variant}": answers.wrong[variant] for variant in answers.wrong},
    )
    counts = {"items": ("item_id", "nunique"), "trials": ("item_id", "size")}
    figures = ("rate", "excess", "doubt", *(f"rate_{variant}" for variant in answers.wrong))
    means = {name: (name, "mean") for name in figures}
    ranked = table.groupby(about, as_index=False).agg(**counts, **means)
    # Rounded, so that recordings that are alike are in the same order everywhere.
    ranked = ranked.round({"excess": 9, "doubt": 9}).sort_values(
        ["excess", "doubt", "source_id"], ascending=[False, False, True], ignore_index=True
    )
    ranked.insert(0, "rank", np.arange(1, len(ranked) + 1))
    ranked.insert(1, "error", ranked.pop("label").map(ERRORS))
    return pd.DataFrame(ranked)
