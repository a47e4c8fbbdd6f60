"""Channels that a clip goes through: filters of a given band, and codecs by libsndfile.

Filters are Butterworth of order 4, run forward and backward, so that they delay nothing; the
response of both passes together is 6 dB down at the edge. Codecs encode and decode the clip as a
file of its own.
"""

import io
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Literal

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from speechdt.audio.rate import SAMPLE_RATE

NONE = "none"
"""Channel that leaves a clip as it is."""
LOW_HZ, HIGH_HZ = 300.0, 3400.0
"""Edges of the band of telephone speech (ITU-T G.712)."""
ORDER = 4
TELEPHONE_RATE = 8_000
"""Sample rate of G.711 in Hz."""
OPUS_BITS, MP3_BITS = 12_000, 32_000
"""Bits a second that the encoders are asked for."""
MP3_DELAY = 576 + 529
"""Samples by which LAME's encoder and an MP3 decoder delay together (LAME's technical FAQ)."""

_Samples = NDArray[np.floating]


def through(channel: str, clip: _Samples) -> NDArray[np.float64]:
    """Return a clip as it comes out of a channel, of the same length, float64 (samples,).

    Parameters
    ----------
    channel : str
        One of `CHANNELS`, or `NONE`.
    clip : float array, (samples,)
        In [-1, 1]: G.711 knows a full scale.
    """
    if channel == NONE:
        return np.asarray(clip, dtype=np.float64)
    return CHANNELS[channel](np.asarray(clip, dtype=np.float64))


@lru_cache(maxsize=8)
def sections(low_hz: float | None, high_hz: float | None) -> NDArray[np.float64]:
    """Return the second-order sections of one pass of a filter; None where it has no edge."""
    from scipy.signal import butter  # as room.py, it is asked for what there is at every start

    if low_hz and high_hz:
        return np.asarray(butter(ORDER, [low_hz, high_hz], "band", fs=SAMPLE_RATE, output="sos"))
    edge = low_hz or high_hz
    assert edge is not None
    kind: Literal["high", "low"] = "high" if low_hz else "low"
    return np.asarray(butter(ORDER, edge, kind, fs=SAMPLE_RATE, output="sos"))


def filtered(
    clip: _Samples, low_hz: float | None = None, high_hz: float | None = None
) -> NDArray[np.float64]:
    """Filter a clip forward and backward; at its ends it is continued by its odd mirror image."""
    from scipy.signal import sosfiltfilt

    sos = sections(low_hz, high_hz)
    # A tenth of a second is 30 periods of the lowest edge.
    pad = min(SAMPLE_RATE // 10, len(clip) - 1)
    return np.asarray(sosfiltfilt(sos, clip, padlen=pad), dtype=np.float64)


def g711(clip: _Samples) -> NDArray[np.float64]:
    """Code a clip by the mu-law of ITU-T G.711 at 8 kHz, and decode it."""
    narrow = soxr.resample(clip, SAMPLE_RATE, TELEPHONE_RATE, quality="VHQ")
    coded = _coded(narrow, TELEPHONE_RATE, "WAV", "ULAW")
    return _of_length(soxr.resample(coded, TELEPHONE_RATE, SAMPLE_RATE, quality="VHQ"), len(clip))


def opus(clip: _Samples) -> NDArray[np.float64]:
    """Code a clip by Opus at `OPUS_BITS`, and decode it."""
    return _of_length(_coded(clip, SAMPLE_RATE, "OGG", "OPUS", level=opus_level()), len(clip))


def mp3(clip: _Samples) -> NDArray[np.float64]:
    """Code a clip by MP3 at a constant `MP3_BITS`, and decode it; what the coder delays is undone.

    At a constant rate libsndfile writes no header that would tell of the delay.
    """
    coded = _coded(clip, SAMPLE_RATE, "MP3", "MPEG_LAYER_III", mp3_level(), "CONSTANT")
    return _of_length(coded[MP3_DELAY:], len(clip))


def opus_level() -> float:
    """Return libsndfile's compression level for `OPUS_BITS`: 0 is 256, 1 is 6 kbit/s a channel."""
    return 1 - (OPUS_BITS - 6_000) / 250_000


def mp3_level() -> float:
    """Return libsndfile's compression level for `MP3_BITS`: at 16 kHz 0 is 160, 1 is 8 kbit/s."""
    return (160_000 - MP3_BITS) / 152_000


def _coded(
    clip: _Samples,
    rate: int,
    container: str,
    codec: str,
    level: float | None = None,
    mode: str | None = None,
) -> NDArray[np.float64]:
    file = io.BytesIO()
    soundfile.write(
        file, clip, rate, format=container, subtype=codec, compression_level=level,
        bitrate_mode=mode,
    )  # fmt: skip
    file.seek(0)
    decoded, rate_of_file = soundfile.read(file, dtype="float64")
    if rate_of_file != rate:
        raise ValueError(f"{codec} came back at {rate_of_file} Hz instead of {rate} Hz")
    return np.asarray(decoded, dtype=np.float64)


def _of_length(samples: NDArray[np.float64], length: int) -> NDArray[np.float64]:
    """Cut samples, or fill them up with zeros, to a length."""
    cut = samples[:length]
    return np.pad(cut, (0, length - len(cut)))


CHANNELS: dict[str, Callable[[_Samples], NDArray[np.float64]]] = {
    "band_300_3400": partial(filtered, low_hz=LOW_HZ, high_hz=HIGH_HZ),
    "lowpass_3400": partial(filtered, high_hz=HIGH_HZ),
    "highpass_300": partial(filtered, low_hz=LOW_HZ),
    "g711": g711,
    "opus_12k": opus,
    "mp3_32k": mp3,
}
"""Channels by name."""
