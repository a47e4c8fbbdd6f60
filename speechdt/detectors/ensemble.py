"""Scores of an ensemble, from the scores of its members."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit

from speechdt.arrays import Floats
from speechdt.detectors.answer_files import Answered, answered, by_run, by_run_and_cell
from speechdt.detectors.call import ScoreError
from speechdt.detectors.decisions import read_calibration
from speechdt.statistics.calibration import Calibration, logit


def combine_cells(
    how: str,
    weights: Mapping[str, float],
    scores: Iterable[Path | str],
    calibrations: Iterable[Path | str],
    outputs: Iterable[Path | str],
) -> None:
    """Write the scores of an ensemble on every cell.

    Parameters
    ----------
    how : str
        mean or vote.
    weights : mapping
        How much each run counts.
    scores, calibrations : iterables of paths
        Of all runs, in any order.
    outputs : iterable of paths
        Files of scores to write.

    Raises
    ------
    ScoreError
        If two runs answered other trials.
    """
    files, of_run = by_run_and_cell(scores), by_run(calibrations)
    learned = [read_calibration(of_run[run]) for run in weights]
    shares = list(weights.values())
    for output in map(Path, outputs):
        _, split, cell = answered(output)
        tables = [
            pd.read_parquet(files[Answered(run, split, cell)]).set_index("trial_id")["p_speech"]
            for run in weights
        ]
        trials = tables[0].index
        for run, table in zip(weights, tables, strict=True):
            if not table.index.sort_values().equals(trials.sort_values()):
                raise ScoreError(f"{files[Answered(run, split, cell)]} is of other trials")
        p_speech = np.stack([table.loc[trials].to_numpy() for table in tables])
        combined = vote(p_speech, learned, shares) if how == "vote" else mean(p_speech, shares)
        pd.DataFrame({"trial_id": trials, "p_speech": combined}).to_parquet(output, index=False)


def mean(p_speech: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """Return P(speech) at the mean of the runs' log-odds.

    Parameters
    ----------
    p_speech : array_like, (runs, clips)
    weights : array_like, (runs,)
        From `runs.ensemble_weights`; None: all alike.

    Returns
    -------
    float array, (clips,)
    """
    return np.asarray(expit(_average(logit(p_speech), weights)))


def vote(
    p_speech: ArrayLike, calibrations: Sequence[Calibration], weights: ArrayLike | None = None
) -> Floats:
    """Return the share of the votes for SPEECH, each run having its own threshold from dev.

    Parameters
    ----------
    p_speech : array_like, (runs, clips)
    calibrations : sequence of Calibration
        One of each run.
    weights : array_like, (runs,)
        As for :func:`mean`.

    Returns
    -------
    float array, (clips,)
    """
    decided = [
        calibration.decide(scores)
        for calibration, scores in zip(calibrations, np.asarray(p_speech), strict=True)
    ]
    return _average(np.asarray(decided, dtype=np.float64), weights)


def _average(runs: Floats, weights: ArrayLike | None) -> Floats:
    shares = None if weights is None else np.asarray(weights, dtype=np.float64)
    return np.asarray(np.average(runs, axis=0, weights=shares))
