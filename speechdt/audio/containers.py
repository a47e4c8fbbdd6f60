"""Containers that libsndfile does not read (MP4, WebM, AMR, WMA, AAC), by PyAV if installed.

PyAV (``pip install 'speechdt[containers]'``) brings FFmpeg's libraries in its wheels. Without it
such a file is refused by name.
"""

import tempfile
from contextlib import ExitStack
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path
from typing import Self

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
MOST_BYTES = 4 * 2**30
"""Of decoded samples: they have to lie somewhere before they can be read."""


@cache
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
        Longer recordings are refused.

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
        return _decoded(av, path, most_seconds)
    except (av.error.FFmpegError, UnicodeError, ValueError, IndexError) as error:
        if isinstance(error, UnusableAudio):
            raise
        raise UnusableAudio(f"not readable as audio ({kind}: {error})") from error


class Decoded:
    """Samples that have to be decoded before they can be read, in a file without a name.

    It lies where temporary files do, and is gone once it is closed.

    Parameters
    ----------
    rate, channels : int
    most_seconds : float
        Longer recordings are refused.
    """

    def __init__(self, rate: int, channels: int, most_seconds: float):
        self._frames, self._most = 0, min(most_seconds * rate, MOST_BYTES / 4 / channels)
        self._why = (
            f"longer than {most_seconds:g} s: cut it into pieces"
            if most_seconds * rate <= self._most
            else f"more than {MOST_BYTES // 2**30} GiB once decoded: convert it to FLAC"
        )
        self._kept = tempfile.TemporaryFile()  # noqa: SIM115 - it outlives this block
        form = {"format": "RF64", "subtype": "FLOAT"}
        self._file = soundfile.SoundFile(self._kept, "w+", rate, channels, **form)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Let go of the samples, unless they are opened."""
        if kind is not None:
            self._file.close()
            self._kept.close()

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return self._frames / float(self._file.samplerate)

    def write(self, block: NDArray[np.float32]) -> None:
        """Add samples, (frames, channels)."""
        self._file.write(block)
        self._frames += len(block)
        if self._frames > self._most:
            raise UnusableAudio(self._why)

    def opened(self) -> soundfile.SoundFile:
        """Return the samples as an open file of floats."""
        self._file.close()
        self._kept.seek(0)
        return soundfile.SoundFile(self._kept)


def _decoded(av, path: Path, most_seconds: float) -> soundfile.SoundFile:  # type: ignore[no-untyped-def]
    """Return the first audio stream of a file, if there is as much of it as the file promises."""
    with ExitStack() as stack:
        file = stack.enter_context(av.open(str(path), metadata_errors="ignore"))
        if not file.streams.audio:
            raise UnusableAudio("no audio in it")
        stream = file.streams.audio[0]
        promised = float(stream.duration * stream.time_base) if stream.duration else 0.0
        if not promised and file.duration and len(file.streams) == 1:
            promised = file.duration / 1e6  # FFmpeg counts in microseconds
        resampler = av.AudioResampler(format="flt")
        parts = (
            part.to_ndarray().reshape(part.samples, -1)
            for frame in chain(file.decode(stream), [None])
            for part in resampler.resample(frame)
        )
        writer = None
        for part in parts:
            if writer is None:
                kept = Decoded(int(stream.rate), part.shape[1], most_seconds)
                writer = stack.enter_context(kept)
            writer.write(part)
        if writer is None:
            raise UnusableAudio("no samples")
        missing = promised - writer.seconds
        if writer.seconds < LEAST_SHARE * promised and missing > LEAST_MISSING_S:
            raise UnusableAudio("truncated")
        return writer.opened()
