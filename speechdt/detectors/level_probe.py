"""Level as an axis: how well a detector tells speech on dev, clips played at each of some levels.

A language model, or what was trained here, hears fewer clips than the others; they are the same at
each level.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from speechdt.arrays import Floats
from speechdt.audio.presentation import STORED
from speechdt.detectors.choice import (
    beyond_full_scale,
    not_offered,
    read_trials,
    replicated_auc,
)
from speechdt.detectors.hearing import OneDetector
from speechdt.detectors.scoring import Asker
from speechdt.statistics import bootstrap
from speechdt.statistics.metrics import Groups
from speechdt.store import Store
from speechdt.trials.clips import in_memory

COLUMNS = ("level", "clips", "groups", "auc", "auc_low", "auc_high", "moved", "beyond_full_scale")


def probe(
    cells: Iterable[Path | str],
    one: OneDetector,
    levels: Sequence[float],
    cache: Path,
    *,
    clips: int,
    replicates: int,
    seed: int,
    who: str,
) -> pd.DataFrame:
    """Measure a detector at levels, and on clips as they are stored.

    Parameters
    ----------
    cells : iterable of paths
        Cell files of dev.
    one : OneDetector
        As it is scored; its level is what its answers are compared with.
    levels : sequence of float
        In dBFS, root mean square.
    cache : Path
        Folder in which scores are kept.
    clips : int
        How many clips it hears, if there are so many.
    replicates, seed : int
        Of the bootstrap over groups.
    who : str
        What an error calls the detector.

    Returns
    -------
    DataFrame
        level ("stored", then ascending), clips, groups; auc, auc_low and auc_high (NaN where the
        detector takes 16-bit samples and too many clips exceed full scale); moved, the mean
        absolute difference of P(speech) from that at the level at which the detector is scored;
        beyond_full_scale, the share of clips.
    """
    scored = _hear(cells, one, levels, cache, clips, who)
    trials, rungs, scores = scored.trials, scored.rungs, scored.scores
    measured = _auc_bounds(trials, scores, replicates, seed)
    measured["moved"] = np.abs(scores - scored.reference).mean(axis=1)
    table = pd.DataFrame({"level": rungs, "beyond_full_scale": [scored.shares[r] for r in rungs]})
    table = table.merge(pd.DataFrame(measured).assign(level=scored.offered), on="level", how="left")
    table = table.assign(clips=len(trials), groups=trials["group_id"].nunique())
    return table[list(COLUMNS)]


def ask_at_levels(
    cells: Iterable[Path | str],
    one: OneDetector,
    levels: Sequence[float],
    cache: Path,
    *,
    clips: int,
    who: str,
) -> None:
    """Ask all that :func:`probe` asks, so that it finds the scores; parameters as there."""
    _hear(cells, one, levels, cache, clips, who)


class _Answers(NamedTuple):
    """Clips at all rungs: how much of each exceeds full scale, and P(speech) where it is offered.

    `scores` is (offered rungs, clips), `reference` is at the level of the detector itself.
    """

    trials: pd.DataFrame
    rungs: list[Any]
    shares: Mapping[Any, float]
    offered: list[Any]
    reference: Floats
    scores: Floats


def _hear(
    cells: Iterable[Path | str],
    one: OneDetector,
    levels: Sequence[float],
    cache: Path,
    clips: int,
    who: str,
) -> _Answers:
    trials = read_trials(cells, clips)
    rungs: list[Any] = [STORED, *sorted(map(float, levels))]
    shares = beyond_full_scale(trials["audio"], rungs)
    refused = not_offered(one.hearing, shares)
    offered = [rung for rung in rungs if rung not in refused]
    reference = _scores(one, trials, one.hearing.presentation.level, cache, who)
    heard_at = [None if rung == STORED else rung for rung in offered]
    scores = np.stack([_scores(one, trials, level, cache, who) for level in heard_at])
    return _Answers(trials, rungs, shares, offered, reference, scores)


def _scores(
    one: OneDetector, trials: pd.DataFrame, level: float | None, cache: Path, who: str
) -> Floats:
    hearing = one.heard_at(level)
    store = Store(cache / hearing.store_name())
    asker = Asker(one.builder(hearing.presentation), store, who)
    scores = asker.scores(in_memory(trials["audio"].tolist()), trials["trial_id"])
    store.close()
    return np.asarray(scores)


def _auc_bounds(trials: pd.DataFrame, scores: Floats, replicates: int, seed: int) -> dict[str, Any]:
    aucs = replicated_auc(trials, scores.tolist(), replicates, seed)
    counts = Groups(trials.assign(p_speech=0.5)).count_behind("auc")
    low, high = bootstrap.interval(aucs[0], aucs[1:], counts)
    return {"auc": aucs[0], "auc_low": np.clip(low, 0, 1), "auc_high": np.clip(high, 0, 1)}
