"""Streams of a file, opened whole: joined recordings, headers of pipes, containers.

libsndfile reads of joined files the first alone, and nothing of a WAV whose header was written
before its length was known; what it takes without a word is looked at here.
"""

import io
import mmap
import re
import struct
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import soundfile

from speechdt.audio import containers
from speechdt.audio.unusable import UnusableAudio

CUT = re.compile(
    r"^\s*(?:data|FORM|Data Size|riff|Riff size)\s*:\s*(\d+) \(should be (\d+)\)", re.MULTILINE
)
"""How libsndfile logs that WAV, AIFF, AU, W64 or RF64 hold less than their header says."""
UNKNOWN = 0x7FFF_0000
"""Sizes from which on a header was written before the length was known."""
SLACK = 64
"""Bytes that a header may promise too many: some writers count chunks that they never wrote."""
BLOCK = 1 << 20
"""Samples of all channels that are decoded at a time."""
SEARCHED = 1 << 24
"""Bytes that are searched at a time; as much of a file is in memory."""
FLAC_START = b"fLaC\x00\x00\x00\x22", b"fLaC\x80\x00\x00\x22"
"""Marker of a FLAC stream, and the header of its first block (RFC 9639, section 8)."""
XING = re.compile(rb"(?:Xing|Info)(\x00\x00\x00[\x00-\xff])", re.DOTALL)
LEAST_MP3 = 0.99
"""Share of the bytes that its first frame promises, below which an MP3 file is cut."""


class Opened(NamedTuple):
    """An open file, and whether it holds less than it promises."""

    file: soundfile.SoundFile
    cut: bool


def opened(path: Path, most_seconds: float) -> Opened:
    """Open a recording, whatever its container, with all that it holds.

    Raises
    ------
    UnusableAudio
        If it cannot be, or its parts have different rates or channels.
    soundfile.LibsndfileError
        If it is no audio.
    """
    try:
        file = soundfile.SoundFile(path)
    except (soundfile.LibsndfileError, RuntimeError):
        if kind := containers.kind(path):
            return Opened(containers.opened(path, kind, most_seconds), False)
        raise
    if file.format in ("WAV", "WAVEX") and file.frames == 0:
        file.close()
        return Opened(_until_the_end(path), False)
    look = _LOOKS.get(file.format)
    if look is None:
        return Opened(file, _is_shortened(file.extra_info))
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        starts, cut = look(data, file)
        if len(starts) > 1:
            file.close()
            ends = [*starts[1:], len(data)]
            parts = [Window(path, a, b) for a, b in zip(starts, ends, strict=True)]
            file = _joined(parts, most_seconds)
    return Opened(file, cut)


def _is_shortened(log: str) -> bool:
    """Say whether libsndfile trusted the size of a file over the word of its header."""
    shortened = CUT.search(log)
    return shortened is not None and int(shortened[2]) + SLACK < int(shortened[1]) < UNKNOWN


class Window(io.RawIOBase):
    """Part of a file, as a file of its own; some bytes of it may read otherwise.

    Parameters
    ----------
    path : Path
    start, end : int
        Bytes; `end` is not of it.
    place, instead : int, bytes
        From the byte `place` of the part on, `instead` is read.
    """

    def __init__(self, path: Path, start: int, end: int, place: int = 0, instead: bytes = b""):
        self._file = path.open("rb")
        self._start, self._length, self._at = start, end - start, 0
        self._place, self._instead = place, instead

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte of the part."""
        self._at = (
            offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._length}[whence]
        )
        return self._at

    def tell(self) -> int:
        """Return at which byte of the part it is."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as the part goes."""
        self._file.seek(self._start + self._at)
        data = bytearray(self._file.read(max(min(len(buffer), self._length - self._at), 0)))
        for at, byte in enumerate(self._instead, self._place - self._at):
            if 0 <= at < len(data):
                data[at] = byte
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()


def _joined(parts: list[Window], most_seconds: float) -> soundfile.SoundFile:
    """Decode recordings one by one, and return them one after the other."""
    with ExitStack() as stack:
        first = stack.enter_context(soundfile.SoundFile(parts[0]))
        rate, channels = first.samplerate, first.channels
        writer = stack.enter_context(containers.Decoded(rate, channels, most_seconds))
        for number, part in enumerate(parts):
            with first if number == 0 else soundfile.SoundFile(part) as file:
                if (file.samplerate, file.channels) != (rate, channels):
                    raise UnusableAudio(
                        f"{len(parts)} joined recordings of different rates or channels"
                    )
                for block in file.blocks(
                    max(BLOCK // channels, 1), dtype="float32", always_2d=True
                ):
                    writer.write(block)
        return writer.opened()


def _until_the_end(path: Path) -> soundfile.SoundFile:
    """Open a WAV whose header says that it holds nothing, with all that follows."""
    length, place, instead = path.stat().st_size, 12, b""
    with path.open("rb") as file:
        while place + 8 <= length and not instead:
            file.seek(place)
            name, size = struct.unpack("<4sI", file.read(8))
            if name == b"data":
                instead = struct.pack("<I", min(size or length - place - 8, 2**32 - 1))
            else:
                place += 8 + size + size % 2
    return soundfile.SoundFile(Window(path, 0, length, place + 4, instead))


def _flac(data: mmap.mmap, _file: soundfile.SoundFile) -> tuple[list[int], bool]:
    return [0, *_places(data, *FLAC_START)[1:]], False


def _places(data: mmap.mmap, *markers: bytes) -> list[int]:
    """Return where any of some markers stand; what was searched is let go of again."""
    places, overlap = set(), max(map(len, markers)) - 1
    for start in range(0, len(data), SEARCHED):
        end = min(start + SEARCHED + overlap, len(data))
        for marker in markers:
            place = data.find(marker, start, end)
            while place >= 0:
                places.add(place)
                place = data.find(marker, place + 1, end)
        if hasattr(mmap, "MADV_DONTNEED"):
            data.madvise(mmap.MADV_DONTNEED, start, min(SEARCHED, len(data) - start))
    return sorted(places)


def _ogg(data: mmap.mmap, _file: soundfile.SoundFile) -> tuple[list[int], bool]:
    """Return where streams begin that follow another's last page (RFC 3533, sections 4 and 6)."""
    starts, ended = [0], 0
    for place in _places(data, b"OggS\x00\x02"):
        # Streams that are played together begin together: their first pages follow one another.
        if place and place != ended:
            starts.append(place)
        ended = _page_end(data, place)
    # The last page of a stream is marked, and no page is longer than this.
    last = data.rfind(b"OggS", max(len(data) - 65_307, 0))
    return starts, last < 0 or not data[last + 5] & 4 or _page_end(data, last) > len(data)


def _page_end(data: mmap.mmap, place: int) -> int:
    lengths = data[place + 27 : place + 27 + data[place + 26]]
    return place + 27 + len(lengths) + sum(lengths)


def _mp3(data: mmap.mmap, _file: soundfile.SoundFile) -> tuple[list[int], bool]:
    """Return where files begin that follow what the first frame says is all."""
    starts, place = [0], 0
    while (end := _mp3_end(data, place)) is not None:
        if end > len(data):
            return starts, len(data) - place < LEAST_MP3 * (end - place)
        if data[end : end + 3] == b"TAG":
            end += 128
        if data[end : end + 3] != b"ID3" and not _is_frame(data[end : end + 2]):
            break
        starts.append(end)
        place = end
    return starts, False


def _mp3_end(data: mmap.mmap, place: int) -> int | None:
    """Return where an MP3 file ends by the word of its first frame, None if it says nothing."""
    if data[place : place + 3] == b"ID3":
        size = data[place + 6 : place + 10]
        place += 10 + sum(byte << shift for byte, shift in zip(size, (21, 14, 7, 0), strict=True))
    header = XING.search(data, place, place + 200)
    if not _is_frame(data[place : place + 2]) or not header:
        return None
    flags, fields = header[1][3], header.end()
    if not flags & 2:
        return None
    fields += 4 * (flags & 1)
    return place + int(struct.unpack(">I", data[fields : fields + 4])[0])


def _is_frame(start: bytes) -> bool:
    return len(start) == 2 and start[0] == 0xFF and start[1] & 0xE0 == 0xE0


def _nist(data: mmap.mmap, file: soundfile.SoundFile) -> tuple[list[int], bool]:
    field = re.search(rb"sample_count -i (\d+)", data[:1024])
    return [0], field is not None and file.frames < int(field[1])


def _voc(data: mmap.mmap, _file: soundfile.SoundFile) -> tuple[list[int], bool]:
    place = struct.unpack("<H", data[20:22])[0]
    while place + 4 <= len(data) and data[place]:
        place += 4 + int.from_bytes(data[place + 1 : place + 4], "little")
    return [0], place > len(data)


_LOOKS = {"FLAC": _flac, "OGG": _ogg, "MP3": _mp3, "NIST": _nist, "VOC": _voc}
