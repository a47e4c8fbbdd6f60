"""Reader of recordings as 16 kHz mono, and FLAC bytes of clips."""

import io
import os
import stat
from math import isfinite
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from speechdt.audio import faults, noise
from speechdt.audio.highpass import highpass
from speechdt.audio.rate import SAMPLE_RATE
from speechdt.audio.region import file_and_times
from speechdt.audio.streams import opened
from speechdt.audio.unusable import UnusableAudio

SILENCE = 1e-3
"""Peak below which a recording counts as silent (-60 dB of full scale)."""
RATES = (4_000, 768_000)
"""Sample rates in Hz that a recording may have."""
MOST_SECONDS = 3600
"""A longer recording is not read at once, for the memory that it takes."""
BLOCK = 1 << 20
"""Samples that are decoded at a time, of all channels together."""
CONTEXT_S = 1
"""Seconds before and after a region that are decoded with it: far more than any filter reaches."""
CANCELLED = 0.1
"""Power of the mean of the channels, over that of the strongest, from which they cancel out."""


class Recording(NamedTuple):
    """A recording as all of the workflow hears it.

    Attributes
    ----------
    samples : float32 array, (samples,)
        Mono at 16 kHz, above 50 Hz (:func:`highpass.highpass`).
    downmix : str
        ``''`` of one channel, ``mean`` of several; ``channel 2`` where these cancel out, and the
        strongest was kept.
    offset : float
        Mean of what the high-pass took away, of full scale.
    rumble_db : float
        Power of the rest of what it took away, over that of what it left, in dB.
    hum_db : float
        Power of 50 or 60 Hz and their multiples over that of the rest, in dB
        (:func:`faults.hum_db`).
    clipped : float
        Share of the samples that are clipped (:func:`faults.clipped`).
    """

    samples: NDArray[np.float32]
    downmix: str
    offset: float
    rumble_db: float
    hum_db: float
    clipped: float


def read(path: Path | str) -> NDArray[np.float32]:
    """Read a recording, or a region of one, as 16 kHz mono; see :func:`load`."""
    return load(path).samples


def load(path: Path | str) -> Recording:
    """Read a recording, or a region of one, and say what was done to it.

    Other rates are resampled with soxr at its highest quality; channels are averaged. Where the
    mean lies 10 dB or more below the strongest channel, as that of a voice and its inverse does,
    that channel is taken instead. What lies below 50 Hz is taken away.

    Of a region (``file.wav#t=12.5,20.0``, in seconds) no more than that is decoded and `CONTEXT_S`
    around it, so that it is, to rounding, that part of the whole recording.

    Parameters
    ----------
    path : path
        WAV, FLAC, OGG, Opus, MP3 or whatever else libsndfile reads; a region of such a file; or a
        synthetic noise (`noise.noise_path`).

    Raises
    ------
    UnusableAudio
        If the file is missing, empty, truncated or no audio, its rate is absurd, it is longer than
        `MOST_SECONDS`, it ends before the region begins, or it holds NaN or infinite samples.
    """
    name, times = file_and_times(str(path))
    if times and (made := noise.recording(name, *times)) is not None:
        return _measured(made, made)
    file = Path(name)
    try:
        status = os.stat(name)
    except (OSError, ValueError):
        raise UnusableAudio("missing") from None
    if not stat.S_ISREG(status.st_mode):
        raise UnusableAudio("missing")
    if status.st_size == 0:
        raise UnusableAudio("empty file")
    decoded = _decode(file, times)
    with np.errstate(over="ignore", invalid="ignore"):  # of what is refused below
        found = _heard(decoded)
        if len(decoded.powers) > 1:
            found = _downmixed(found, decoded.powers, file, times)
    # A sum of squares tells of any such sample, and of some that are merely large.
    if not (isfinite(_power(found.samples)) or np.isfinite(found.samples).all()):
        raise UnusableAudio("NaN or infinite samples")
    return found


class _Span(NamedTuple):
    """Frames of a region, and those that are decoded; `last` and `end` are not of them."""

    begin: int
    first: int
    last: int
    end: int


class _Decoded(NamedTuple):
    """One channel of a region with its context, or the mean of all.

    Attributes
    ----------
    mono : float32 array, (samples,)
    rate : int
        In Hz.
    kept : slice
        Where the region is at 16 kHz.
    powers : float64 array, (channels,)
        Mean square of each channel in the region.
    """

    mono: NDArray[np.float32]
    rate: int
    kept: slice
    powers: NDArray[np.float64]


def _heard(decoded: _Decoded) -> Recording:
    """Resample and filter, and cut off the context."""
    samples = decoded.mono
    if len(samples) and decoded.rate != SAMPLE_RATE:
        samples = soxr.resample(samples, decoded.rate, SAMPLE_RATE, quality="VHQ")
    if len(samples[decoded.kept]) == 0:
        raise UnusableAudio("no samples")
    passed = highpass(samples)
    kept = np.ascontiguousarray(passed[decoded.kept])
    return _measured(samples[decoded.kept], kept, faults.clipped(decoded.mono))


def _measured(
    samples: NDArray[np.float32], passed: NDArray[np.float32], clipped: float = 0.0
) -> Recording:
    """Compare a recording with what the high-pass left of it."""
    # What was taken away is so slow that every eighth sample tells all of it.
    taken = samples[::8] - passed[::8]
    offset = taken.mean()
    rumble = max(_power(taken - offset), faults.LEAST_POWER)
    rumble_db = 10 * np.log10(rumble / max(_power(passed), faults.LEAST_POWER))
    hum_db = faults.hum_db(samples)
    return Recording(passed, "", float(offset), float(rumble_db), hum_db, clipped)


def _downmixed(
    mean: Recording, powers: NDArray[np.float64], file: Path, times: tuple[float, float] | None
) -> Recording:
    """Return the mean of the channels or, if they cancel out in it, the strongest of them."""
    mean = mean._replace(downmix="mean")
    least = max(_power(mean.samples) / CANCELLED, faults.LEAST_POWER)
    # With offset and rumble a channel is no weaker than without: few files are read a second time.
    channels = (
        _heard(_decode(file, times, channel))._replace(downmix=f"channel {channel + 1}")
        for channel in np.flatnonzero(powers >= least).tolist()
    )
    strongest = max(channels, key=lambda channel: _power(channel.samples), default=mean)
    return strongest if _power(strongest.samples) >= least else mean


def _power(samples: NDArray[np.float32]) -> float:
    return float(np.dot(samples, samples)) / len(samples)


def _decode(path: Path, times: tuple[float, float] | None, channel: int | None = None) -> _Decoded:
    """Decode the mean of the channels, or one of them."""
    try:
        file, cut = opened(path, MOST_SECONDS)
        with file:
            rate = file.samplerate
            if file.format == "RAW":  # what libsndfile takes .au and .gsm files without header for
                raise UnusableAudio("not readable as audio (no header)")
            if not RATES[0] <= rate <= RATES[1]:
                raise UnusableAudio(f"sample rate {rate} Hz")
            span = _span(file, times)
            if span.begin:
                file.seek(span.begin)
            mono, powers = _mono(file, span, channel)
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        raise UnusableAudio(f"not readable as audio ({_reason(error, path)})") from error
    if min(len(mono), span.last - span.begin) > span.first - span.begin + MOST_SECONDS * rate:
        raise UnusableAudio(f"longer than {MOST_SECONDS} s: cut it into pieces")
    if len(mono) < span.last - span.begin or (not times and cut):
        raise UnusableAudio("truncated")
    first, last = (round((frame - span.begin) * SAMPLE_RATE / rate) for frame in span[1:3])
    return _Decoded(mono, rate, slice(first, last if span.end > span.last else None), powers)


def _span(file: soundfile.SoundFile, times: tuple[float, float] | None) -> _Span:
    """Return which frames make up a region, and which are decoded for it."""
    rate, frames = file.samplerate, file.frames
    longest = MOST_SECONDS * rate + 1
    if times is None:
        return _Span(0, 0, min(frames, longest), min(frames, longest))
    first, last = (round(min(seconds, 2**32) * rate) for seconds in times)
    if first >= frames:
        raise UnusableAudio(f"ends before the region of {times[0]:g} to {times[1]:g} s")
    last = min(last, frames, first + longest)
    # From a whole second on, so that samples at 16 kHz lie where they lie in the whole recording.
    begin = max(int(times[0]) - CONTEXT_S, 0) * rate
    return _Span(begin, first, last, min(last + CONTEXT_S * rate, frames))


def _mono(
    file: soundfile.SoundFile, span: _Span, channel: int | None
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Decode block by block, for a header may promise more than fits; return powers as well."""
    blocks = []
    energy = np.zeros(file.channels)
    place, at_once = span.begin, max(BLOCK // file.channels, 1)
    # The same numbers, in a third of the time that libsndfile takes to make them.
    kind = "int16" if file.subtype == "PCM_16" else "float32"
    with np.errstate(over="ignore", invalid="ignore"):
        while place < span.end:
            block = file.read(min(at_once, span.end - place), dtype=kind, always_2d=True)
            if len(block) == 0:
                break
            if kind == "int16":
                block = block * np.float32(2**-15)
            if channel is None and file.channels > 1:
                inside = block[max(span.first - place, 0) : max(span.last - place, 0)]
                energy += np.einsum("ij,ij->j", inside, inside, dtype=np.float64)
                blocks.append(block.mean(axis=1))
            else:
                blocks.append(block[:, channel or 0])
            place += len(block)
    # Most recordings are one block, and are not copied.
    mono = blocks[0] if len(blocks) == 1 else np.concatenate([np.zeros(0, np.float32), *blocks])
    return mono, energy / max(span.last - span.first, 1)


def _reason(error: Exception, path: Path) -> str:
    text = str(error).splitlines()[0].replace(f"Error opening {str(path)!r}: ", "")
    return text.rstrip(".")


def flac_bytes(clip: NDArray[np.float32]) -> bytes:
    """Encode a clip, float32 (samples,) in [-1, 1], as 16-bit FLAC."""
    buffer = io.BytesIO()
    soundfile.write(buffer, clip, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def from_flac_bytes(data: bytes) -> NDArray[np.float32]:
    """Decode a clip that :func:`flac_bytes` made; float32 (samples,)."""
    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    if rate != SAMPLE_RATE:
        raise ValueError(f"clip at {rate} Hz instead of {SAMPLE_RATE} Hz")
    return np.asarray(samples, dtype=np.float32)
