"""Read recordings of any common format as 16 kHz mono; keep clips as FLAC bytes."""

import io
import re
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from speechdt.detector import SAMPLE_RATE

SUFFIXES = frozenset(
    [
        *(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc"),
        *(".au", ".caf", ".w64", ".rf64"),
    ]
)
"""Names that are taken for audio; other files in a corpus folder are left alone."""

SILENCE = 1e-3
"""Peak below which a recording counts as silent (-60 dB of full scale)."""


class UnusableAudio(ValueError):
    """A recording cannot be used; the message says why in a few words."""


def read(path: Path | str) -> NDArray[np.float32]:
    """Read a recording as 16 kHz mono.

    Channels are averaged; other rates are resampled with soxr at its highest quality.

    Parameters
    ----------
    path : path
        WAV, FLAC, OGG, Opus, MP3 or whatever else libsndfile reads.

    Returns
    -------
    float32 array, (samples,)

    Raises
    ------
    UnusableAudio
        If the file is missing, empty, truncated or no audio, or holds NaN or infinite samples.
    """
    path = Path(path)
    if not path.is_file():
        raise UnusableAudio("missing")
    if path.stat().st_size == 0:
        raise UnusableAudio("empty file")
    samples, rate = _decode(path)
    if len(samples) == 0:
        raise UnusableAudio("no samples")
    if not np.isfinite(samples).all():
        raise UnusableAudio("NaN or infinite samples")
    mono = samples.mean(axis=1)
    if rate != SAMPLE_RATE:
        mono = soxr.resample(mono, rate, SAMPLE_RATE, quality="VHQ")
    return np.ascontiguousarray(mono, dtype=np.float32)


def _decode(path: Path) -> tuple[NDArray[np.float32], int]:
    try:
        with soundfile.SoundFile(path) as file:
            promised = file.frames
            samples = file.read(dtype="float32", always_2d=True)
            log, rate = file.extra_info, file.samplerate
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise UnusableAudio(f"not readable as audio ({_reason(error, path)})") from error
    if len(samples) < promised or _is_cut(path, log):
        raise UnusableAudio("truncated")
    return samples, rate


def _is_cut(path: Path, log: str) -> bool:
    """Say whether a file ends too early, which libsndfile takes as it comes."""
    # WAV: it trusts the file's size over the header's word, and only its log says so.
    shortened = re.search(r"^\s*data\s*:\s*(\d+) \(should be (\d+)\)", log, re.MULTILINE)
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
