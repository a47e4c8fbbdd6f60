"""Scores in conditions: clips and presentation of each, and trials with scores and decisions."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from speechdt.audio.presentation import Presentation
from speechdt.detectors.answer_files import AnswerFileError, by_run
from speechdt.detectors.decisions import decided_trials, read_calibration
from speechdt.detectors.hearing import OneDetector
from speechdt.detectors.scoring import score_cells
from speechdt.store import Store
from speechdt.trials.conditions import NEUTRAL, Condition

COLUMNS = ("trial_id", "item_id", "label", "group_id", "snr_db", "speech", "p_speech", "decided")
"""Columns of the trials that are measured."""


def clips_of(condition: Condition) -> str:
    """Return the key of the condition whose clips are played: its own or, at a level, neutral."""
    return condition.key if condition.rendered else NEUTRAL


def heard_by(condition: Condition, presentation: Presentation) -> Presentation:
    """Return how a detector hears a condition that hears all else by a presentation."""
    if condition.level is None:
        return presentation
    return replace(presentation, level=condition.level)


def score(
    one: OneDetector,
    conditions: Sequence[Condition],
    trials: Mapping[str, Path],
    outputs: Mapping[str, Path],
    open_store: Callable[[Any], Store],
    who: str,
) -> int:
    """Score every condition with a detector, each clip at a level once.

    Parameters
    ----------
    one : OneDetector
    conditions : sequence of Condition
    trials, outputs : mappings of str to path
        Trials, and where scores go, by the key of a condition.
    open_store : callable
        From a `Hearing` to where its scores are kept.
    who : str
        What an error calls the detector.

    Returns
    -------
    int
        Number of clips that the detector was asked for.
    """
    asked = 0
    own = one.hearing.presentation
    for presentation in dict.fromkeys(heard_by(condition, own) for condition in conditions):
        files = [
            (trials[clips_of(condition)], outputs[condition.key])
            for condition in conditions
            if heard_by(condition, own) == presentation
        ]
        store = open_store(one.heard_at(presentation.level))
        asked += score_cells(one.builder(presentation), files, store, who)
        store.close()
    return asked


def decided(
    runs: Sequence[str],
    conditions: Sequence[Condition],
    trials: Iterable[Path | str],
    scores: Iterable[Path | str],
    calibrations: Iterable[Path | str],
) -> pd.DataFrame:
    """Return the trials of all conditions with scores and decisions of some runs.

    Parameters
    ----------
    runs : sequence of str
    conditions : sequence of Condition
    trials, scores, calibrations : iterables of paths
        ``trials/conditions/{key}.parquet``, ``scores/{run}/conditions/{key}.parquet`` and
        ``calibration/{run}.json``, in any order.

    Returns
    -------
    DataFrame
        `COLUMNS`, and condition (its key) and run (its place).

    Raises
    ------
    AnswerFileError
        If a file is missing.
    """
    played = {Path(path).stem: Path(path) for path in trials}
    given = {(Path(path).parents[1].name, Path(path).stem): Path(path) for path in scores}
    learned, tables = by_run(calibrations), []
    for place, run in enumerate(runs):
        calibration = read_calibration(learned[run])
        for condition in conditions:
            clips, answers = clips_of(condition), (run, condition.key)
            if clips not in played or answers not in given:
                raise AnswerFileError(f"no trials or scores of run {run} in {condition.key}")
            of = decided_trials([(played[clips], given[answers])], calibration)
            tables.append(of[list(COLUMNS)].assign(condition=condition.key, run=place))
    return pd.concat(tables, ignore_index=True)
