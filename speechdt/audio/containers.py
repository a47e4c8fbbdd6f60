"""Containers that libsndfile does not read (MP4, WebM, AMR, WMA, AAC), by PyAV if installed.

PyAV (``pip install 'speechdt[containers]'``) brings FFmpeg's libraries in its wheels. Without it
such a file is refused by name.
"""

import io
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from speechdt.audio.unusable import UnusableAudio

SUFFIXES = frozenset(
    [
        *(".m4a", ".m4b", ".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".mkv", ".mka", ".webm", ".weba"),
        *(".amr", ".awb", ".wma", ".wmv", ".asf", ".aac", ".ac3", ".eac3", ".mp2", ".ape", ".wv"),
        *(".avi", ".flv", ".mpg", ".mpeg", ".tta", ".dts", ".mpc", ".spx", ".ra", ".rm"),
    ]
)
"""Names of such files."""
MAGIC = (
    (4, b"ftyp", "m4a"),
    (0, b"\x1a\x45\xdf\xa3", "webm"),
    (0, b"#!AMR", "amr"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "wma"),
    (0, b"\xff\xf1", "aac"),
    (0, b"\xff\xf9", "aac"),
)
"""What they begin with, at which byte, whatever their names say."""
HEAD = 16
"""Bytes of a file in which that is seen."""
LEAST_SHARE, LEAST_MISSING_S = 0.98, 0.5
"""A file is cut if both say so: the share that it holds, and the seconds that are missing."""


def decoder() -> str:
    """Return the version of PyAV, '' where there is none; what can be read depends on it."""
    try:
        return version("av")
    except PackageNotFoundError:
        return ""


def kind(path: Path) -> str:
    """Return what a file is that libsndfile does not read ('m4a', say), '' if that is not known."""
    with path.open("rb") as file:
        return kind_of(file.read(HEAD), path)


def kind_of(head: bytes, path: Path | str) -> str:
    """Return the same of a file that begins so."""
    for place, magic, name in MAGIC:
        if head[place:].startswith(magic):
            return name
    suffix = Path(path).suffix.lower()
    return suffix[1:] if suffix in SUFFIXES else ""


def opened(path: Path, kind: str, most_seconds: float) -> soundfile.SoundFile:
    """Decode the first audio stream of a file, and return it as libsndfile returns others.

    Parameters
    ----------
    path : Path
    kind : str
        From :func:`kind`; named if it cannot be read.
    most_seconds : float
        Longer recordings are refused, for the memory that they take.

    Raises
    ------
    UnusableAudio
        If there is no PyAV, no audio in it, or less than it promises.
    """
    try:
        import av
    except ImportError:
        raise UnusableAudio(
            f"{kind}: not read by libsndfile; convert it (ffmpeg -i {path.name} {path.stem}.flac), "
            "or pip install 'speechdt[containers]'"
        ) from None
    try:
        samples, rate, promised = _decoded(av, path, most_seconds)
    except (av.error.FFmpegError, UnicodeError, ValueError, IndexError) as error:
        if isinstance(error, UnusableAudio):
            raise
        raise UnusableAudio(f"not readable as audio ({kind}: {error})") from error
    seconds = len(samples) / rate
    if seconds < LEAST_SHARE * promised and promised - seconds > LEAST_MISSING_S:
        raise UnusableAudio("truncated")
    return in_memory(samples, rate)


def _decoded(av, path: Path, most_seconds: float) -> tuple[NDArray[np.float32], int, float]:  # type: ignore[no-untyped-def]
    """Return the samples (frames, channels), their rate, and how many seconds the file promises."""
    blocks: list[NDArray[np.float32]] = []
    with av.open(str(path), metadata_errors="ignore") as file:
        if not file.streams.audio:
            raise UnusableAudio("no audio in it")
        stream = file.streams.audio[0]
        promised = float(stream.duration * stream.time_base) if stream.duration else 0.0
        if not promised and file.duration and len(file.streams) == 1:
            promised = file.duration / 1e6  # FFmpeg counts in microseconds
        rate, frames = int(stream.rate), 0
        resampler = av.AudioResampler(format="flt")
        for frame in file.decode(stream):
            for part in resampler.resample(frame):
                blocks.append(part.to_ndarray().reshape(part.samples, -1))
                frames += part.samples
            if frames > most_seconds * rate:
                raise UnusableAudio(f"longer than {most_seconds:g} s: cut it into pieces")
        blocks += [part.to_ndarray().reshape(part.samples, -1) for part in resampler.resample(None)]
    if not blocks:
        raise UnusableAudio("no samples")
    return np.concatenate(blocks), rate, promised


def in_memory(samples: NDArray[np.float32], rate: int) -> soundfile.SoundFile:
    """Return samples, float32 (frames, channels), as an open file of floats."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="RF64", subtype="FLOAT")
    buffer.seek(0)
    return soundfile.SoundFile(buffer)
