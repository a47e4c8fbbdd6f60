"""Reader of recordings as 16 kHz mono, and FLAC bytes of clips."""

import io
import re
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from speechdt.audio import noise
from speechdt.audio.rate import SAMPLE_RATE

SUFFIXES = frozenset(
    [
        *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc"),
        *(".au", ".caf", ".w64", ".rf64"),
    ]
)
"""Names that are taken for audio; other files in a corpus folder are left alone."""

SILENCE = 1e-3
"""Peak below which a recording counts as silent (-60 dB of full scale)."""


RATES = (4_000, 768_000)
"""Sample rates in Hz that a recording may have."""
MOST_SECONDS = 3600
"""A longer recording is not read at once, for the memory that it takes."""
BLOCK = 1 << 20
"""Samples that are decoded at a time, of all channels together."""
REGION = re.compile(r"(.*)#t=(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)", re.DOTALL)
"""Path of a region, see `sources.region`."""

CUT = re.compile(
    r"^\s*(?:data|FORM|Data Size|riff|Riff size)\s*:\s*(\d+) \(should be (\d+)\)", re.MULTILINE
)
"""How libsndfile logs that WAV, AIFF, AU, W64 or RF64 hold less than their header says."""


class UnusableAudio(ValueError):
    """A recording cannot be used; the message says why in a few words."""


def read(path: Path | str) -> NDArray[np.float32]:
    """Read a recording, or a region of one, as 16 kHz mono.

    Channels are averaged; other rates are resampled with soxr at its highest quality. Of a region
    (``file.wav#t=12.5,20.0``, in seconds) no more than that is decoded.

    Parameters
    ----------
    path : path
        WAV, FLAC, OGG, Opus, MP3 or whatever else libsndfile reads; a region of such a file; or a
        synthetic noise (`noise.noise_path`).

    Returns
    -------
    float32 array, (samples,)

    Raises
    ------
    UnusableAudio
        If the file is missing, empty, truncated or no audio, its rate is absurd, it is longer than
        `MOST_SECONDS`, it ends before the region begins, or it holds NaN or infinite samples.
    """
    region = REGION.fullmatch(str(path))
    times = (float(region[2]), float(region[3])) if region else None
    file = Path(region[1] if region else path)
    if times and (made := noise.recording(str(file), *times)) is not None:
        return made
    if not file.is_file():
        raise UnusableAudio("missing")
    if file.stat().st_size == 0:
        raise UnusableAudio("empty file")
    mono, rate = _decode(file, times)
    if len(mono) == 0:
        raise UnusableAudio("no samples")
    if rate != SAMPLE_RATE:
        mono = soxr.resample(mono, rate, SAMPLE_RATE, quality="VHQ")
    if not np.isfinite(mono).all():
        raise UnusableAudio("NaN or infinite samples")
    return np.ascontiguousarray(mono, dtype=np.float32)


def _decode(path: Path, times: tuple[float, float] | None) -> tuple[NDArray[np.float32], int]:
    """Return the mean of the channels, and the rate in Hz."""
    try:
        with soundfile.SoundFile(path) as file:
            rate = file.samplerate
            if file.format == "RAW":  # what libsndfile takes .au and .gsm files without header for
                raise UnusableAudio("not readable as audio (no header)")
            if not RATES[0] <= rate <= RATES[1]:
                raise UnusableAudio(f"sample rate {rate} Hz")
            promised = file.frames
            if times:
                promised = _seek(file, times)
            mono = _mean_of_channels(file, min(promised, MOST_SECONDS * rate + 1))
            log = file.extra_info
    except (soundfile.LibsndfileError, RuntimeError, OSError) as error:
        raise UnusableAudio(f"not readable as audio ({_reason(error, path)})") from error
    if len(mono) > MOST_SECONDS * rate:
        raise UnusableAudio(f"longer than {MOST_SECONDS} s: cut it into pieces")
    if len(mono) < promised or (not times and _is_cut(path, log)):
        raise UnusableAudio("truncated")
    return mono, rate


def _seek(file: soundfile.SoundFile, times: tuple[float, float]) -> int:
    """Go to the first frame of a region, and return how many frames of it there are."""
    first, last = (round(seconds * file.samplerate) for seconds in times)
    if first >= file.frames:
        raise UnusableAudio(f"ends before the region of {times[0]:g} to {times[1]:g} s")
    file.seek(first)
    return int(min(last, file.frames) - first)


def _mean_of_channels(file: soundfile.SoundFile, frames: int) -> NDArray[np.float32]:
    """Decode at most `frames` frames, block by block: a header may promise more than fits."""
    blocks = [np.zeros(0, dtype=np.float32)]
    at_once = max(BLOCK // file.channels, 1)
    with np.errstate(over="ignore", invalid="ignore"):
        while frames > 0:
            block = file.read(min(at_once, frames), dtype="float32", always_2d=True)
            blocks.append(block.mean(axis=1))
            frames -= len(block)
            if len(block) == 0:
                break
    return np.concatenate(blocks)


def _is_cut(path: Path, log: str) -> bool:
    """Say whether a file ends too early, which libsndfile takes as it comes."""
    # Of headers it trusts the file's size over the header's word, and only its log says so.
    shortened = CUT.search(log)
    if shortened:
        # A header written before the length was known promises all that fits into 32 bits.
        return int(shortened[2]) < int(shortened[1]) < 2**31 - 1
    # Ogg (RFC 3533): the last page of a stream is marked, and no page is longer than this.
    with path.open("rb") as file:
        if file.read(4) != b"OggS":
            return False
        file.seek(max(path.stat().st_size - 65_307, 0))
        tail = file.read()
    last = tail.rfind(b"OggS")
    return last < 0 or not tail[last + 5] & 4


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
