"""Clips that train the nano models: 1 s from the train split, clean and altered.

No noise is added. Clips are cut anew for every step, played a little faster or slower, laid over
another clip of their class, filtered, made quieter and partly masked, since there are few
recordings and many steps. The same is done to both classes. (How strongly was tuned on dev: more
makes the few steps too few.)
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from speechdt import SAMPLE_RATE, seeds
from speechdt.audio import io as audio_io
from speechdt.audio.activity import FRAME, crop_starts, from_runs
from speechdt.errors import SpeechdtError

from .questions import SILENT, SOUNDS, SPEECH

CLIP_MS = 1000
CLIP = SAMPLE_RATE * CLIP_MS // 1000
FRAMES = 100
"""Mel frames of a clip."""

MOST_SECONDS = 1200
"""Audio of one category that is kept in memory; more is not needed for so small a model."""
MOST_OF_ONE = 20
"""Seconds of one recording that are kept."""

SPEEDS = np.linspace(0.88, 1.12, 9)
OVERLAID = 0.25
"""Share of clips laid over another clip of their class, 0 to `OVERLAY_DB` below it."""
OVERLAY_DB = 15.0
QUIET_DB = 20.0
"""Half of the clips are made quieter by up to so much."""
SILENT_SHARE = 0.04

EQUALISED, EQUALISER_DB, TILT_DB = 0.7, 2.0, 1.0
"""Share of clips that are equalised, and the deviation in dB, at 8 points and per octave."""
LOW_PASSED, HIGH_PASSED = 0.4, 0.2
"""Shares of clips that are band-limited: half of the speakers of a corpus may be."""
MASKED_BANDS, BAND = 1, 20
"""Masks over frequency (SpecAugment, Park et al. 2019), and the most mel bins of one."""
MASKED_SPANS, SPAN = 1, 15
"""Masks over time, and the most frames of one."""

DB = 1 / 40
"""A decibel in Whisper's features, (log10(power) + 4) / 4."""
RANGE = 2.0
"""Whisper's features keep 8 decades below the loudest bin."""


class NotTrain(ValueError):
    """A source of another split than train was about to be used."""


class TooFewSounds(SpeechdtError):
    """The train split lacks a class; the message is one line naming it."""


class Recordings:
    """The train split's recordings, in memory.

    Parameters
    ----------
    sources : DataFrame
        From `split.assign`, of the train split alone.
    least_active : float
        Least active share of a crop.
    seed : int
        Decides which recordings are kept if there are more than `MOST_SECONDS` of a category.

    Attributes
    ----------
    used : list of str
        Ids of the sources that are kept.
    others : list of str
        Categories of `SOUNDS` that there are, but for speech.

    Raises
    ------
    NotTrain
        If a source is of another split.
    TooFewSounds
        If there is no speech, or nothing else.
    """

    def __init__(self, sources: pd.DataFrame, least_active: float, seed: int):
        if set(sources["split"]) != {"train"}:
            raise NotTrain("nano models learn from the train split alone")
        self._tables = [_resampling(speed) for speed in SPEEDS]
        self._margin = max(int(table[0][-1]) for table in self._tables) + 2
        self._groups: dict[str, list[list[tuple[NDArray[np.float32], NDArray[np.int64]]]]] = {}
        self.used: list[str] = []
        for category, members in sources.groupby("category", sort=True):
            self._groups[str(category)] = self._kept(members, least_active, seed)
        self.others = [name for name in SOUNDS[1:] if self._groups.get(name)]
        if not (self.others and self._groups.get(SPEECH)):
            lacking = "sound other than speech" if self._groups.get(SPEECH) else "speech"
            raise TooFewSounds(f"nano models: the train split has no {lacking} to learn from")

    def _kept(
        self, members: pd.DataFrame, least_active: float, seed: int
    ) -> list[list[tuple[NDArray[np.float32], NDArray[np.int64]]]]:
        """Return the recordings of a category by group: samples, and where a crop may start."""
        order = sorted(
            members.to_dict("records"), key=lambda row: seeds.rank(seed, "nano", row["source_id"])
        )
        groups: dict[str, list[tuple[NDArray[np.float32], NDArray[np.int64]]]] = {}
        seconds = 0.0
        for row in order:
            if seconds > MOST_SECONDS:
                break
            samples = audio_io.read(row["path"])[: MOST_OF_ONE * SAMPLE_RATE]
            starts = _starts(samples, row["active"], least_active)
            if len(starts):
                # Crops of the shortest recordings, and of the end of long ones, go round.
                samples = np.resize(samples / np.abs(samples).max(), len(samples) + self._margin)
                groups.setdefault(row["group_id"], []).append((samples, starts))
                self.used.append(row["source_id"])
                seconds += len(samples) / SAMPLE_RATE
        return [groups[group] for group in sorted(groups)]

    def draw(self, categories: Sequence[str], rng: np.random.Generator) -> NDArray[np.float32]:
        """Return a random crop for each category, each group equally likely, (clips, 16000)."""
        clips = np.empty((len(categories), CLIP), dtype=np.float32)
        for clip, category in zip(clips, categories, strict=True):
            groups = self._groups[category]
            members = groups[rng.integers(len(groups))]
            samples, starts = members[rng.integers(len(members))]
            start = starts[rng.integers(len(starts))]
            before, share = self._tables[rng.integers(len(self._tables))]
            part = samples[start : start + self._margin]
            clip[:] = part[before] * (1 - share) + part[before + 1] * share
        return clips


def batch(
    recordings: Recordings, size: int, rng: np.random.Generator
) -> tuple[list[str], NDArray[np.float32]]:
    """Draw clips, half of them speech, the others of all other categories alike.

    Returns
    -------
    categories : list of str
    clips : float32 array, (size, 16000)
        In [-1, 1].
    """
    categories = [_category(i % 2 == 0, recordings, rng) for i in range(size)]
    clips = recordings.draw(categories, rng)
    overlaid = np.flatnonzero(rng.random(size) < OVERLAID)
    partners = [_category(categories[i] == SPEECH, recordings, rng) for i in overlaid]
    other = recordings.draw(partners, rng)
    ratio = 10 ** (-rng.uniform(0, OVERLAY_DB, len(overlaid)) / 20)
    ratio *= _rms(clips[overlaid]) / np.maximum(_rms(other), 1e-6)
    clips[overlaid] += ratio[:, None].astype(np.float32) * other
    quieter = 1 + np.where(rng.random(size) < 0.5, rng.uniform(0, QUIET_DB, size), 0)
    peak = np.maximum(np.abs(clips).max(axis=1), 1e-6)
    clips *= (10 ** (-quieter / 20) / peak).astype(np.float32)[:, None]
    for i in np.flatnonzero(rng.random(size) < SILENT_SHARE):
        categories[i] = SILENT
        clips[i] = rng.normal(0, 10 ** rng.uniform(-7, -3), CLIP)
    return categories, clips


def alter(features: Tensor, hertz: NDArray[np.float64], rng: np.random.Generator) -> Tensor:
    """Filter and mask log-mel features.

    A filter multiplies the power in each mel band: it adds to the logarithm.

    Parameters
    ----------
    features : float32 tensor, (clips, mel bins, frames)
        Whisper's.
    hertz : float array, (mel bins,)
        Centre of each band.
    rng : Generator

    Returns
    -------
    float32 tensor, (clips, mel bins, frames)
    """
    gains = torch.from_numpy(_gains_db(len(features), hertz, rng).astype(np.float32) * DB)
    filtered = features + gains[..., None]
    filtered = torch.maximum(filtered, filtered.amax((1, 2), keepdim=True) - RANGE)
    bands = _spans(len(features), features.shape[1], MASKED_BANDS, BAND, rng)
    spans = _spans(len(features), FRAMES, MASKED_SPANS, SPAN, rng)
    hidden = torch.from_numpy(bands)[:, :, None].expand_as(filtered).clone()
    hidden[:, :, :FRAMES] |= torch.from_numpy(spans)[:, None]
    return torch.where(hidden, filtered.mean((1, 2), keepdim=True), filtered)


def _category(is_speech: bool, recordings: Recordings, rng: np.random.Generator) -> str:
    return SPEECH if is_speech else recordings.others[rng.integers(len(recordings.others))]


def _starts(
    samples: NDArray[np.float32], runs: Sequence[int], least_active: float
) -> NDArray[np.int64]:
    """Return the samples at which a crop may start: anywhere in a recording shorter than a crop."""
    if len(samples) < CLIP:
        return np.arange(0, len(samples), FRAME)
    active = from_runs(runs)[: len(samples) // FRAME]
    return crop_starts(active, [CLIP_MS], least_active) * FRAME


def _resampling(speed: float) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the sample before each place of a clip played at `speed`, and how far behind it."""
    place = np.arange(CLIP) * speed
    before = place.astype(np.int64)
    return before, (place - before).astype(np.float32)


def _gains_db(
    clips: int, hertz: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return random filters in dB, (clips, mel bins)."""
    octaves = np.log2(np.maximum(hertz, 50) / 1000)
    points = np.linspace(octaves[0], octaves[-1], 8)
    bent = rng.normal(0, EQUALISER_DB, (clips, 8))
    gains = np.stack([np.interp(octaves, points, one) for one in bent])
    gains += rng.normal(0, TILT_DB, (clips, 1)) * octaves
    gains *= rng.random((clips, 1)) < EQUALISED
    telephone = rng.random(clips) < 0.5
    cut = np.where(telephone, rng.uniform(3200, 4100, clips), rng.uniform(2000, 8000, clips))
    width, depth = rng.uniform(50, 400, (clips, 1)), rng.uniform(40, 90, (clips, 1))
    above = 1 / (1 + np.exp(-np.clip((hertz - cut[:, None]) / width, -30, 30)))
    gains -= depth * above * (rng.random((clips, 1)) < LOW_PASSED)
    corner = rng.uniform(40, 350, (clips, 1))
    below = 10 * np.log10(1 + (corner / np.maximum(hertz, 20)) ** 4)
    gains -= below * (rng.random((clips, 1)) < HIGH_PASSED)
    return np.asarray(gains)


def _spans(
    clips: int, length: int, count: int, longest: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return random spans, (clips, length)."""
    width = rng.integers(0, longest, (clips, count, 1))
    start = (rng.random((clips, count, 1)) * (length - width)).astype(np.int64)
    places = np.arange(length)
    return ((places >= start) & (places < start + width)).any(axis=1)


def _rms(clips: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.sqrt(np.mean(np.square(clips), axis=1))
