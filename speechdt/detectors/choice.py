"""Choices on dev: the level, container and options under which a detector tells speech best.

Each alternative is a level, a container and options. That with the best area under the ROC curve on
dev, over the levels of the plan and whole groups, is what the detector is judged with on test; of
equals the first, which is the detector's default on clips as they are stored. Of more than
`MOST_TOGETHER` combinations not all are tried: the level is chosen first, then the container, then
each option, what was chosen before standing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from speechdt.arrays import Floats
from speechdt.audio.io import from_flac_bytes
from speechdt.audio.presentation import gain_db
from speechdt.detectors.call import ScoreError
from speechdt.detectors.hearing import Hearing
from speechdt.detectors.scoring import Asker
from speechdt.progress import progress as progress_bar
from speechdt.statistics import bootstrap
from speechdt.statistics.metrics import Groups
from speechdt.store import Store
from speechdt.trials.clips import in_memory, read_places, with_audio

MOST_CLIPPED = 0.001
"""Share of the clips that may exceed full scale where a detector takes 16-bit samples. (To spare a
clip by itself would tell its class: speech has the higher peaks.)"""
MOST_TOGETHER = 12
"""Combinations that are all tried."""
COLUMNS = ("trial_id", "group_id", "label")


def choose(
    cells: Iterable[Path | str],
    base: Hearing,
    alternatives: Sequence[Mapping[str, Any]],
    cache: Path,
    *,
    clips: int,
    replicates: int,
    seed: int,
    who: str,
) -> dict[str, Any]:
    """Choose among alternatives by AUC on dev.

    Parameters
    ----------
    cells : paths
    base : Hearing
        The detector under its other options.
    alternatives : sequence of mappings
        ``level``, ``container`` and ``options`` of each; the first is the default.
    cache : Path
        Of kept scores.
    clips : int
        How many clips are heard, if there are so many, evenly over cells and classes.
    replicates, seed : int
    who : str
        What an error calls the detector.

    Returns
    -------
    dict
        chosen and default: an alternative each, with auc; tried: all that were, with auc and share
        (of the replicates of dev's groups, those that would have chosen it of them); offered: how
        many combinations there are; not_offered: levels at which too many clips exceed full scale,
        with beyond_full_scale, their share; clips, groups, replicates, split.

    Raises
    ------
    ScoreError
        If the detector breaks its contract, or no level can be offered.
    """
    trials = read_trials(cells, clips)
    shares = beyond_full_scale(trials["audio"], [one["level"] for one in alternatives])
    refused = not_offered(base, shares)
    if not (offered := [one for one in alternatives if one["level"] not in refused]):
        raise ScoreError(f"{who}: at each level offered too many clips exceed full scale")

    def replicated(one: Mapping[str, Any]) -> Floats:
        p_speech = _scores(base.under(one), trials, cache, who)
        return replicated_auc(trials, [p_speech], replicates, seed)[:, 0]

    best, tried = _ranked(*_tried(offered, replicated))
    return {
        "chosen": _named(best),
        "default": _named(tried[0]) if offered[0] is alternatives[0] else None,
        **{"tried": tried, "offered": len(offered)},
        "not_offered": [{"level": at, "beyond_full_scale": shares[at]} for at in refused],
        **{"clips": len(trials), "groups": int(trials["group_id"].nunique())},
        **{"replicates": replicates, "split": "dev"},
    }


def _tried(
    offered: Sequence[Mapping[str, Any]], replicated: Callable[[Mapping[str, Any]], Floats]
) -> tuple[list[Mapping[str, Any]], Floats]:
    """Return the alternatives that were tried, and their AUC, (replicates + 1, tried)."""
    measured: dict[str, Floats] = {}
    tried: list[Mapping[str, Any]] = []

    def best_of(some: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        for one in some:
            if repr(one) not in measured:
                measured[repr(one)] = replicated(one)
                tried.append(one)
        return max(some, key=lambda one: measured[repr(one)][0])  # of equals the first

    if len(offered) <= MOST_TOGETHER:
        best_of(offered)
    else:
        standing = offered[0]
        for axis in _flat(standing):
            rest = {name: value for name, value in _flat(standing).items() if name != axis}
            standing = best_of([one for one in offered if rest.items() <= _flat(one).items()])
    return tried, np.stack([measured[repr(one)] for one in tried], axis=1)


def _flat(one: Mapping[str, Any]) -> dict[str, str]:
    """Return what an alternative says of each axis: level, container, and the options."""
    named = {"level": one["level"], "container": one["container"], **one["options"]}
    return {name: repr(value) for name, value in named.items()}


def read_trials(cells: Iterable[Path | str], count: int) -> pd.DataFrame:
    """Return so many of the trials of cell files: `COLUMNS`, speech (bool), and audio (FLAC).

    As many of each class, evenly over what is there.
    """
    files = list(cells)
    trials = read_places(files, COLUMNS)
    trials = trials.assign(speech=trials["label"] == "SPEECH")
    return with_audio(_spread(trials, count), files)


def _spread(trials: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return so many of the trials, as many of each class, evenly over what is there."""
    if len(trials) <= count:
        return trials
    parts = []
    for _, part in trials.groupby("speech"):
        wanted = min(len(part), -(-count // 2))
        parts.append(part.iloc[np.linspace(0, len(part) - 1, wanted).round().astype(int)])
    return pd.concat(parts, ignore_index=True)


def beyond_full_scale(clips: Iterable[bytes], levels: Iterable[Any]) -> dict[Any, float]:
    """Return the share of FLAC clips that exceed full scale at each level."""
    peaks, gains = [], []
    levels = list(dict.fromkeys(levels))
    wanted = [None if level == "stored" else level for level in levels]
    for clip in map(from_flac_bytes, clips):
        peaks.append(20 * np.log10(max(float(np.abs(clip).max()), 1e-12)))
        gains.append([gain_db(clip, level) for level in wanted])
    over = np.asarray(peaks)[:, None] + np.asarray(gains) > 0
    return dict(zip(levels, map(float, over.mean(axis=0)), strict=True))


def not_offered(hearing: Hearing, shares: Mapping[Any, float]) -> list[Any]:
    """Return the levels at which a detector that takes 16-bit samples would hear clipped ones."""
    if not getattr(hearing.cls, "takes_int16", False):
        return []
    return [level for level, share in shares.items() if share > MOST_CLIPPED]


def replicated_auc(
    trials: pd.DataFrame, scores: Sequence[Sequence[float]], replicates: int, seed: int
) -> Floats:
    """Return the AUC of each row of scores, as observed and in each replicate of the groups.

    Parameters
    ----------
    trials : DataFrame
        speech, group_id.
    scores : sequence of rows, (alternatives, trials)
    replicates, seed : int

    Returns
    -------
    float array, (replicates + 1, alternatives)
        All alternatives under the same draws.
    """
    columns = []
    for row in scores:
        groups = Groups(trials[["speech", "group_id"]].assign(p_speech=np.asarray(row)))
        columns.append(groups.auc(bootstrap.weights(groups.speech, replicates, seed)))
    return np.stack(columns, axis=1)


def _scores(hearing: Hearing, trials: pd.DataFrame, cache: Path, who: str) -> list[float]:
    store = Store(cache / hearing.store_name())
    asker = Asker(hearing.build, store, who)
    level = hearing.presentation.to_dict()["level"]
    with progress_bar(total=len(trials), desc=f"level {level}", unit="clip") as progress:
        scores = asker.scores(in_memory(trials["audio"].tolist()), trials["trial_id"], progress)
    store.close()
    return scores


def _ranked(
    offered: Sequence[Mapping[str, Any]], aucs: Floats
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the best alternative, of equals the first, and all with their AUC and share."""
    best = aucs.argmax(axis=1)
    share = np.bincount(best[1:], minlength=len(offered)) / (len(best) - 1)
    tried = [
        dict(one) | {"auc": float(auc), "share": float(part)}
        for one, auc, part in zip(offered, aucs[0], share, strict=True)
    ]
    return tried[best[0]], tried


def _named(tried: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tried[name] for name in ("level", "container", "options", "auc")}


def gain(
    trials: pd.DataFrame,
    chosen: Sequence[float],
    default: Sequence[float],
    *,
    replicates: int,
    seed: int,
) -> dict[str, float]:
    """Return what a choice on dev is worth on test: AUC with it less AUC without, paired.

    Parameters
    ----------
    trials : DataFrame
        speech (bool), group_id.
    chosen, default : sequences of float, (trials,)
        P(speech) with and without the choice.
    replicates, seed : int

    Returns
    -------
    dict
        auc, auc_stored, gain, gain_low, gain_high (95 %, over groups).
    """
    aucs = replicated_auc(trials, [chosen, default], replicates, seed)
    gained = aucs[:, 0] - aucs[:, 1]
    counts = Groups(trials.assign(p_speech=np.asarray(default))).count_behind("auc")
    low, high = bootstrap.interval(gained[0], gained[1:], counts)
    return {
        **{"auc": float(aucs[0, 0]), "auc_stored": float(aucs[0, 1]), "gain": float(gained[0])},
        **{"gain_low": float(low), "gain_high": float(high)},
    }
