"""Level as an axis: how well a detector tells speech on dev, clips played at each of some levels.

A detector that is cheap hears all of dev; a language model, or one that was trained here, as many
clips as a probe takes, evenly over cells and classes. They are the same at each level.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from speechdt.arrays import Floats
from speechdt.audio.presentation import STORED, Presentation
from speechdt.detectors.choice import beyond_full_scale, not_offered, read_trials, replicated_auc
from speechdt.detectors.hearing import Hearing, Presented
from speechdt.detectors.scoring import Asker
from speechdt.statistics import bootstrap
from speechdt.statistics.metrics import Groups
from speechdt.store import Store

COLUMNS = ("level", "clips", "groups", "auc", "auc_low", "auc_high", "moved", "beyond_full_scale")


def probe(
    cells: Iterable[Path | str],
    heard: Hearing,
    levels: Sequence[float],
    cache: Path,
    *,
    clips: int | None,
    replicates: int,
    seed: int,
    who: str,
) -> pd.DataFrame:
    """Measure a detector at levels, and on clips as they are stored.

    Parameters
    ----------
    cells : iterable of paths
        Cell files of dev.
    heard : Hearing
        As it is scored; its level is what its answers are compared with.
    levels : sequence of float
        In dBFS, root mean square.
    cache : Path
        Folder in which scores are kept.
    clips : int or None
        How many clips it hears; None: all.
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
    trials = read_trials(cells)
    if clips is not None:
        trials = spread(trials, clips)
    rungs: list[Any] = [STORED, *sorted(map(float, levels))]
    shares = beyond_full_scale(trials["audio"], rungs)
    refused = not_offered(heard, shares)
    offered = [rung for rung in rungs if rung not in refused]
    asked = _Shared(heard, cache, who)
    reference = asked.scores(trials, heard.presentation.level)
    scores = [asked.scores(trials, None if r == STORED else r) for r in offered]
    low, value, high = _auc_bounds(trials, scores, replicates, seed)
    rows = [{"level": rung, "beyond_full_scale": shares[rung]} for rung in rungs]
    table = pd.DataFrame(rows).assign(
        clips=len(trials), groups=trials["group_id"].nunique(), auc=np.nan, auc_low=np.nan
    )
    table = table.assign(auc_high=np.nan, moved=np.nan)
    at = table["level"].isin(offered).to_numpy()
    table.loc[at, "auc"], table.loc[at, "auc_low"], table.loc[at, "auc_high"] = value, low, high
    table.loc[at, "moved"] = np.abs(np.asarray(scores) - reference).mean(axis=1)
    return table[list(COLUMNS)]


def spread(trials: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return so many of the trials, as many of each class, evenly over what is there."""
    parts = []
    for _, part in trials.groupby("speech"):
        wanted = min(len(part), -(-count // 2))
        parts.append(part.iloc[np.linspace(0, len(part) - 1, wanted).round().astype(int)])
    return pd.concat(parts, ignore_index=True)


class _Shared:
    """A detector that is built once, if at all, and asked at several levels."""

    def __init__(self, heard: Hearing, cache: Path, who: str):
        self._heard, self._cache, self._who = heard, cache, who
        self._built: Any = None

    def scores(self, trials: pd.DataFrame, level: float | None) -> Floats:
        presentation = replace(self._heard.presentation, level=level)
        heard = replace(self._heard, presentation=presentation)
        store = Store(self._cache / heard.store_name())
        asker = Asker(lambda: self._build(presentation), store, self._who)
        found = asker.scores(trials["audio"], trials["trial_id"])
        store.close()
        return np.asarray(found)

    def _build(self, presentation: Presentation) -> Any:
        if self._built is None:
            self._built = replace(self._heard, presentation=Presentation()).build()
        return Presented(self._built, presentation)


def _auc_bounds(
    trials: pd.DataFrame, scores: Sequence[ArrayLike], replicates: int, seed: int
) -> tuple[Floats, Floats, Floats]:
    aucs = replicated_auc(trials, [np.asarray(row).tolist() for row in scores], replicates, seed)
    counts = Groups(trials.assign(p_speech=0.5)).count_behind("auc")
    low, high = bootstrap.interval(aucs[0], aucs[1:], counts)
    return np.clip(low, 0, 1), aucs[0], np.clip(high, 0, 1)
