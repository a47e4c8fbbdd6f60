"""Parts of the test trials that have a curve of their own, and where their criteria come from."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from speechdt.arrays import Floats

DIMENSIONS = {"snr": "snr_db", "duration": "duration_ms"}
"""Dimension of a curve, and the column that holds its levels."""
SPEECH_BAND = "snr_speech"
"""SNR in the speech band: a dimension whose levels are those of the SNR, moved by background."""


@dataclass(frozen=True)
class Part:
    """Trials behind the curves of one dimension and slice.

    Attributes
    ----------
    dimension, name : str
    trials, catch : DataFrame
        `trials` with the columns place (of their level among `levels`) and stratum (trials whose
        NONSPEECH share a criterion).
    levels : (L,) array
        In dB or ms, increasing.
    narrowest : float or None
        See `curve.fit`.
    offset_db : float
        By how much the speech-band SNR of SPEECH exceeds the nominal one, on average; NaN if
        unknown.
    of_speech : bool
        Whether only rates over SPEECH are asked for.
    pools_levels : bool
        Whether all levels share one criterion; hits at it fall to the rate on catch trials.
    """

    dimension: str
    name: str
    trials: pd.DataFrame
    catch: pd.DataFrame
    levels: Floats
    narrowest: float | None = None
    offset_db: float = np.nan
    of_speech: bool = False
    pools_levels: bool = False

    @property
    def whole(self) -> bool:
        """Whether it is all trials along SNR, whose thresholds ``matrix.csv`` has."""
        return self.name == "all" and self.dimension == "snr"

    @property
    def scale(self) -> Floats:
        """Levels as they are fitted: durations as log10."""
        return np.log10(self.levels) if self.dimension == "duration" else self.levels


def parts(
    trials: pd.DataFrame, catch: pd.DataFrame, plan: Collection[float] | None = None
) -> Iterator[Part]:
    """Yield the trials and catch trials of each curve.

    Along each dimension: all trials, and those of each level of the other; along SNR also those of
    each background, and all by their SNR in the speech band, where trials know these. Along
    duration only the plan's SNRs: more of those at which nobody hears would make another threshold.

    Parameters
    ----------
    trials, catch : DataFrame
        As for `thresholds.thresholds`.
    plan : collection of float, optional
        SNRs of curves along duration; all by default.
    """
    if trials["snr_db"].nunique() > 1:
        yield _along("snr", "all", trials, catch)
        for duration, part in trials.groupby("duration_ms"):
            silence = catch[catch["duration_ms"] == duration]
            yield _along("snr", f"{duration:g}", part, silence)
        yield from _by_background(trials, catch)
        if "snr_speech_db" in trials:
            yield _in_speech_band(trials, catch)
    if trials["duration_ms"].nunique() > 1:
        planned = trials if plan is None else trials[trials["snr_db"].isin(list(plan))]
        yield _along("duration", "all", planned, catch)
        for snr, part in planned.groupby("snr_db"):
            yield _along("duration", f"{snr:g}", part, catch)


def _along(dimension: str, name: str, trials: pd.DataFrame, catch: pd.DataFrame) -> Part:
    """Return a part whose criteria are taken at each level by itself."""
    placed, levels = levelled(trials, DIMENSIONS[dimension])
    return Part(dimension, name, placed, catch, levels)


def levelled(trials: pd.DataFrame, column: str) -> tuple[pd.DataFrame, Floats]:
    """Return trials with place and stratum, one for each level of a column; and the levels."""
    levels, place = _places(trials[column])
    return trials.assign(place=place, stratum=place), levels


def _by_background(trials: pd.DataFrame, catch: pd.DataFrame) -> Iterator[Part]:
    """Yield the part of each background; its criterion pools all levels, which have few clips."""
    if "background" not in trials or trials["background"].nunique() < 2:
        return
    for background, of in trials.groupby("background"):
        levels, place = _places(of["snr_db"])
        silence = catch[catch["background"] == background]
        placed = of.assign(place=place, stratum=0)
        offset = offset_db(of) if "snr_speech_db" in of else np.nan
        yield Part(
            *("snr", str(background), placed, silence, levels, None, offset),
            of_speech=True,
            pools_levels=True,
        )


def offset_db(trials: pd.DataFrame) -> float:
    """Return by how much the speech-band SNR of SPEECH exceeds the nominal one, on average."""
    speech = trials[trials["speech"]]
    return float((speech["snr_speech_db"] - speech["snr_db"]).mean())


def _in_speech_band(trials: pd.DataFrame, catch: pd.DataFrame) -> Part:
    """Move SPEECH by the mean of its background; criteria come from the nominal level.

    NONSPEECH cannot be moved: what it has in the speech band is another matter than how loud it is.
    """
    backgrounds = trials["background"] if "background" in trials else pd.Series("", trials.index)
    offsets = {name: round(offset_db(of), 2) for name, of in trials.groupby(backgrounds)}
    nominal, stratum = _places(trials["snr_db"])
    moved = trials["snr_db"] + backgrounds.map(offsets)
    levels, place = _places(moved.round(2))
    step = float(np.diff(nominal).min())
    placed = trials.assign(place=place, stratum=stratum)
    mean = float(np.mean(list(offsets.values())))
    return Part(SPEECH_BAND, "all", placed, catch, levels, step, mean, of_speech=True)


def _places(values: pd.Series) -> tuple[Floats, NDArray[np.int64]]:
    levels, place = np.unique(values.to_numpy(float), return_inverse=True)
    return levels, place.reshape(-1)
