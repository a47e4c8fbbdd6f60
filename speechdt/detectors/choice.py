"""Choices on dev: the level, container and options under which a detector tells speech best.

Each alternative is a level, a container and options. That with the best area under the ROC curve on
dev, over the levels of the plan and whole groups, is what the detector is judged with on test; of
equals the first, which is the detector's default on clips as they are stored.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from speechdt.arrays import Floats
from speechdt.audio.io import from_flac_bytes
from speechdt.audio.presentation import gain_db
from speechdt.detectors.call import ScoreError
from speechdt.detectors.hearing import Hearing
from speechdt.detectors.scoring import Asker
from speechdt.statistics import bootstrap
from speechdt.statistics.metrics import Groups
from speechdt.store import Store
from speechdt.trials.cells import read_cell

MOST_CLIPPED = 0.001
"""Share of the clips that may exceed full scale where a detector takes 16-bit samples. (To spare a
clip by itself would tell its class: speech has the higher peaks.)"""
COLUMNS = ("trial_id", "group_id", "label", "audio")


def choose(
    cells: Iterable[Path | str],
    base: Hearing,
    alternatives: Sequence[Mapping[str, Any]],
    cache: Path,
    *,
    replicates: int,
    seed: int,
    who: str,
) -> dict[str, Any]:
    """Choose among alternatives by AUC on dev.

    Parameters
    ----------
    cells : iterable of paths
        Cell files of dev.
    base : Hearing
        The detector under its other options.
    alternatives : sequence of mappings
        ``level``, ``container`` and ``options`` of each; the first is the default.
    cache : Path
        Folder in which scores are kept.
    replicates, seed : int
    who : str
        What an error calls the detector.

    Returns
    -------
    dict
        chosen and default: an alternative each, with auc; tried: all that were, with auc and share
        (of the replicates of dev's groups, those that would have chosen it); not_offered: levels
        at which too many clips exceed full scale, with beyond_full_scale, their share; clips,
        groups, replicates, split.

    Raises
    ------
    ScoreError
        If the detector breaks its contract, or none of the alternatives can be offered.
    """
    trials = read_trials(cells)
    shares = beyond_full_scale(trials["audio"], [one["level"] for one in alternatives])
    refused = not_offered(base, shares)
    offered = [one for one in alternatives if one["level"] not in refused]
    if not offered:
        raise ScoreError(f"{who}: at every level offered too many clips exceed full scale")
    scores = [_scores(base.under(one), trials, cache, who) for one in offered]
    aucs = replicated_auc(trials, scores, replicates, seed)
    best, tried = _ranked(offered, aucs)
    return {
        "chosen": _named(best),
        "default": _named(tried[0]) if offered[0] is alternatives[0] else None,
        "tried": tried,
        "not_offered": [{"level": level, "beyond_full_scale": shares[level]} for level in refused],
        "clips": len(trials),
        "groups": int(trials["group_id"].nunique()),
        "replicates": replicates,
        "split": "dev",
    }


def read_trials(cells: Iterable[Path | str]) -> pd.DataFrame:
    """Return trials of cell files with their audio: `COLUMNS`, and speech (bool)."""
    trials = pd.concat([read_cell(cell, list(COLUMNS)) for cell in cells], ignore_index=True)
    return trials.assign(speech=trials["label"] == "SPEECH")


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


def not_offered(heard: Hearing, shares: Mapping[Any, float]) -> list[Any]:
    """Return the levels at which a detector that takes 16-bit samples would hear clipped ones."""
    if not getattr(heard.cls, "takes_int16", False):
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


def _scores(heard: Hearing, trials: pd.DataFrame, cache: Path, who: str) -> list[float]:
    store = Store(cache / heard.store_name())
    asker = Asker(heard.build, store, who)
    told = heard.presentation.told()["level"]
    with tqdm(total=len(trials), desc=f"level {told}", unit="clip") as progress:
        scores = asker.scores(trials["audio"], trials["trial_id"], progress)
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
