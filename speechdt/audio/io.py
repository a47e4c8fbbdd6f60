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
from speechdt.audio.decoding import Decoder
from speechdt.audio.highpass import highpass, highpass_in_place
from speechdt.audio.rate import SAMPLE_RATE
from speechdt.audio.region import file_and_times
from speechdt.audio.unusable import UnusableAudio

SILENCE = 1e-3
"""Peak below which a recording counts as silent (-60 dB of full scale)."""
CANCELLED = 0.1
"""Power of the mean of the channels, over that of the strongest, from which they cancel out."""
HELD = 1 << 23
"""Samples up to which a recording is resampled and filtered at once: 32 MiB."""
EIGHTH = 8


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

    Of a region (``file.wav#t=12.5,20.0``, in seconds) no more than that is decoded and
    `decoding.CONTEXT_S` around it, so that it is, to rounding, that part of the whole recording.

    Decoding and resampling go on block by block; beside what is returned, 64,000 bytes a second,
    there are never more than `HELD` samples and a few blocks in memory.

    Parameters
    ----------
    path : path
        WAV, FLAC, OGG, Opus, MP3 or whatever else libsndfile reads; a region of such a file; or a
        synthetic noise (`noise.noise_path`).

    Raises
    ------
    UnusableAudio
        If the file is missing, empty, truncated or no audio, its rate is absurd, it is longer than
        `decoding.MOST_SECONDS`, it ends before the region begins, or it holds NaN or infinite
        samples.
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
    with np.errstate(over="ignore", invalid="ignore"):  # of what is refused below
        recording = _decoded(file, times)
    # A sum of squares tells of any such sample, and of some that are merely large.
    if not (isfinite(_power(recording.samples)) or np.isfinite(recording.samples).all()):
        raise UnusableAudio("NaN or infinite samples")
    return recording


def _decoded(path: Path, times: tuple[float, float] | None) -> Recording:
    """Decode the mean of the channels or, where they cancel out in it, the strongest of them."""
    try:
        with Decoder(path, times) as decoder:
            recording = _recording(decoder, None)
            if decoder.channels == 1:
                return recording
            recording = recording._replace(downmix="mean")
            least = max(_power(recording.samples) / CANCELLED, faults.LEAST_POWER)
            # With offset and rumble a channel is no weaker than without: few are looked at.
            near = np.flatnonzero(decoder.powers >= least).tolist()
            if not near:
                return recording
            del recording  # one of them is in memory at a time
            powers = {channel: _power(_recording(decoder, channel).samples) for channel in near}
            strongest = max(near, key=lambda channel: powers[channel])
            if powers[strongest] < least:
                return _recording(decoder, None)._replace(downmix="mean")
            recording = _recording(decoder, strongest)
            return recording._replace(downmix=f"channel {strongest + 1}")
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        raise UnusableAudio(f"not readable as audio ({_reason(error, path)})") from error


def _recording(decoder: Decoder, channel: int | None) -> Recording:
    """Decode, resample and filter a channel or the mean, and cut off the context."""
    span, rate = decoder.span, decoder.rate
    if span.end - span.begin > HELD * min(rate / SAMPLE_RATE, 1):
        samples, clipped = _resampled(decoder, channel)
    else:
        samples = _joined(list(decoder.blocks(channel)))
        clipped = faults.clipped(samples) if len(samples) else 0.0
        if len(samples) and rate != SAMPLE_RATE:
            samples = soxr.resample(samples, rate, SAMPLE_RATE, quality="VHQ")
    first, last = (round((frame - span.begin) * SAMPLE_RATE / rate) for frame in span[1:3])
    kept = slice(first, last if span.end > span.last else None)
    if len(samples[kept]) == 0:
        raise UnusableAudio("no samples")
    if len(samples) <= HELD:
        return _measured(samples[kept], highpass(samples)[kept], clipped)
    some, hum_db = samples[kept][::EIGHTH].copy(), faults.hum_db(samples[kept])
    highpass_in_place(samples)
    return _compared(some, hum_db, samples[kept], clipped)


def _joined(blocks: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    # Most recordings are one block, and are not copied.
    return blocks[0] if len(blocks) == 1 else np.concatenate([np.zeros(0, np.float32), *blocks])


def _resampled(decoder: Decoder, channel: int | None) -> tuple[NDArray[np.float32], float]:
    """Resample a long recording as it is decoded; return it, and its share of clipped samples.

    The samples are those that resampling all at once gives. What is clipped shows only once the
    extremes are known, so that it is decoded twice.
    """
    span, rate = decoder.span, decoder.rate
    length = -(-(span.end - span.begin) * SAMPLE_RATE // rate) + 1
    samples: NDArray[np.float32] = np.empty(length, dtype=np.float32)
    resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="VHQ")
    highest = lowest = np.float32(0)
    filled = 0

    def fill(block: NDArray[np.float32], *, last: bool = False) -> None:
        nonlocal filled
        if rate != SAMPLE_RATE:
            block = resampler.resample_chunk(np.ascontiguousarray(block), last=last)
        block = block[: length - filled]
        samples[filled : filled + len(block)] = block
        filled += len(block)

    for block in decoder.blocks(channel):
        highest, lowest = max(highest, block.max()), min(lowest, block.min())
        fill(block)
    fill(np.zeros(0, np.float32), last=True)
    if not lowest < 0 < highest:
        return samples[:filled], 0.0
    count = faults.RunCount(highest, lowest)
    for block in decoder.blocks(channel):
        count.add(block)
    return samples[:filled], count.total / decoder.decoded


def _measured(
    samples: NDArray[np.float32], passed: NDArray[np.float32], clipped: float = 0.0
) -> Recording:
    """Compare a recording with what the high-pass left of it."""
    kept = np.ascontiguousarray(passed)
    return _compared(samples[::EIGHTH], faults.hum_db(samples), kept, clipped)


def _compared(
    some: NDArray[np.float32], hum_db: float, passed: NDArray[np.float32], clipped: float
) -> Recording:
    """Compare every eighth sample of a recording with what the high-pass left of all.

    What was taken away is so slow that these tell all of it.
    """
    taken = some - passed[::EIGHTH]
    offset = taken.mean()
    rumble = max(_power(taken - offset), faults.LEAST_POWER)
    rumble_db = 10 * np.log10(rumble / max(_power(passed), faults.LEAST_POWER))
    return Recording(passed, "", float(offset), float(rumble_db), hum_db, clipped)


def _power(samples: NDArray[np.float32]) -> float:
    return float(np.dot(samples, samples)) / len(samples)


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
