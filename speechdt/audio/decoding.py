"""Decoding of a recording in blocks, in memory that does not grow with its length.

A few megabytes of FLAC can hold an hour of eight channels at 192 kHz, 20 GiB once decoded.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import soundfile
from numpy.typing import NDArray

from speechdt.audio.streams import opened
from speechdt.audio.unusable import UnusableAudio

RATES = (4_000, 768_000)
"""Sample rates in Hz that a recording may have."""
MOST_SECONDS = 3600
"""A longer recording is not read at once, for the memory that it takes: 220 MiB an hour."""
BLOCK = 1 << 20
"""Samples that are decoded at a time, of all channels together: 4 MiB."""
CONTEXT_S = 1
"""Seconds before and after a region that are decoded with it: far more than any filter reaches."""


class Span(NamedTuple):
    """Frames of a region, and those that are decoded; `last` and `end` are not of them."""

    begin: int
    first: int
    last: int
    end: int


class Decoder:
    """An open recording, or a region of one, that is decoded as mono.

    Parameters
    ----------
    path : Path
    times : (float, float) or None
        First and last second of a region.

    Attributes
    ----------
    rate, channels : int
    span : Span
    decoded : int
        Frames of the span that the last decoding gave.
    powers : float64 array, (channels,)
        Mean square of each channel in the region, once their mean was decoded.
    """

    def __init__(self, path: Path, times: tuple[float, float] | None):
        self._path, self._times = path, times
        self._file, self._cut = opened(path, MOST_SECONDS)
        self._begun = False
        self.rate, self.channels = self._file.samplerate, self._file.channels
        self.decoded, self.powers = 0, np.zeros(self.channels)
        if self._file.format == "RAW":  # what libsndfile takes .au and .gsm without header for
            raise UnusableAudio("not readable as audio (no header)")
        if not RATES[0] <= self.rate <= RATES[1]:
            raise UnusableAudio(f"sample rate {self.rate} Hz")
        self.span = _span(self._file, times)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._file.close()

    def blocks(self, channel: int | None) -> Iterator[NDArray[np.float32]]:
        """Yield the mean of the channels, or one of them, float32 (frames,), block by block.

        A header may promise more than there is.

        Raises
        ------
        UnusableAudio
            In the end, if the recording is cut or too long.
        """
        if self._begun:  # not every format goes back to the same samples
            self._file.close()
            self._file, _ = opened(self._path, MOST_SECONDS)
        self._begun = True
        file, span = self._file, self.span
        if span.begin:
            file.seek(span.begin)
        energy = np.zeros(self.channels)
        place, at_once = span.begin, max(BLOCK // self.channels, 1)
        # The same numbers, in a third of the time that libsndfile takes to make them.
        kind = "int16" if file.subtype == "PCM_16" else "float32"
        while place < span.end:
            block = file.read(min(at_once, span.end - place), dtype=kind, always_2d=True)
            if len(block) == 0:
                break
            if kind == "int16":
                block = block * np.float32(2**-15)
            if channel is None and self.channels > 1:
                inside = block[max(span.first - place, 0) : max(span.last - place, 0)]
                energy += np.einsum("ij,ij->j", inside, inside, dtype=np.float64)
                yield block.mean(axis=1)
            else:
                yield block[:, channel or 0]
            place += len(block)
        self.decoded = place - span.begin
        if channel is None:
            self.powers = energy / max(span.last - span.first, 1)
        self._check()

    def _check(self) -> None:
        span, wanted = self.span, self.span.last - self.span.begin
        if min(self.decoded, wanted) > span.first - span.begin + MOST_SECONDS * self.rate:
            raise UnusableAudio(f"longer than {MOST_SECONDS} s: cut it into pieces")
        if self.decoded < wanted or (not self._times and self._cut):
            raise UnusableAudio("truncated")


def _span(file: soundfile.SoundFile, times: tuple[float, float] | None) -> Span:
    """Return which frames make up a region, and which are decoded for it."""
    rate, frames = file.samplerate, file.frames
    longest = MOST_SECONDS * rate + 1
    if times is None:
        return Span(0, 0, min(frames, longest), min(frames, longest))
    first, last = (round(min(seconds, 2**32) * rate) for seconds in times)
    if first >= frames:
        raise UnusableAudio(f"ends before the region of {times[0]:g} to {times[1]:g} s")
    last = min(last, frames, first + longest)
    # From a whole second on, so that samples at 16 kHz lie where they lie in the whole recording.
    begin = max(int(times[0]) - CONTEXT_S, 0) * rate
    return Span(begin, first, last, min(last + CONTEXT_S * rate, frames))
