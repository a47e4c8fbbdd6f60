"""Odd files as people have them in their folders, all at once, and what becomes of each."""

import io
import os
import socket
import struct
from importlib.util import find_spec

import numpy as np
import soundfile

RATE = 16_000


def encoded(samples, rate=RATE, **options):
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, **{"format": "WAV", **options})
    return buffer.getvalue()


def voice(rng, seconds=2.5):
    time = np.arange(int(seconds * RATE)) / RATE
    return 0.2 * rng.standard_normal(len(time)) * (1.2 + np.sin(2 * np.pi * 3 * time)) / 2


def piped(data):
    place = data.index(b"data") + 4
    return data[:place] + struct.pack("<I", 0) + data[place + 4 :]


def put(folder, rng):
    """Put odd files into a folder of a class, and return its files by what becomes of them.

    Returns
    -------
    used : set of str
        Names of those that are read.
    rejected : dict of str to str
        By name of the others, a part of the reason.
    """
    used = {
        "nist.sph": encoded(voice(rng), format="NIST", subtype="PCM_16"),
        "au.snd": encoded(voice(rng), format="AU", subtype="PCM_16"),
        "creative.voc": encoded(voice(rng), format="VOC", subtype="PCM_16"),
        "pipe.wav": piped(encoded(voice(rng))),
        "joined.flac": b"".join(encoded(voice(rng), format="FLAC") for _ in range(2)),
        "joined.ogg": b"".join(encoded(voice(rng), format="OGG") for _ in range(2)),
        "joined.mp3": b"".join(encoded(voice(rng), format="MP3") for _ in range(2)),
        "antiphase.wav": encoded(np.stack([one := voice(rng), -one], axis=1)),
        "offset.wav": encoded(voice(rng) + 0.3),
        "UPPER.WAV": encoded(voice(rng)),
        "with space, comma; and 'quote'.wav": encoded(voice(rng)),
    }
    cut = encoded(voice(rng), format="NIST", subtype="PCM_16")
    other = encoded(voice(rng), rate=8000, format="FLAC")
    refused = {
        "cut.sph": (cut[: len(cut) // 2], "truncated"),
        "two_rates.flac": (encoded(voice(rng), format="FLAC") + other, "different rates"),
        "empty.wav": (b"", "empty file"),
        "text.wav": (b"no audio at all", "not readable as audio"),
        "phone.m4a": (b"\0\0\0\x20ftypM4A \0\0\0\0", "m4a"),
        "browser.webm": (b"\x1a\x45\xdf\xa3" + bytes(40), "webm"),
        # What libsndfile does not read is decoded, where PyAV is installed.
        "phone.amr": (b"#!AMR\n", "no samples" if find_spec("av") else "amr"),
        "unknown.dat": (b"?", "no kind of audio"),
        "silent.wav": (encoded(np.zeros(RATE)), "silent"),
        "short.wav": (encoded(voice(rng, 0.05)), "shorter than"),
        "z_copy.wav": (used["offset.wav"], "same audio as"),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in used.items():
        (folder / name).write_bytes(data)
    for name, (data, _) in refused.items():
        (folder / name).write_bytes(data)
    (folder / "notes.txt").write_text("left alone")
    return set(used), {name: reason for name, (_, reason) in refused.items()} | _entries(folder)


def _entries(folder):
    """Put what is no regular file into a folder."""
    (folder / "notes.pdf").symlink_to("nowhere")
    (folder / "loop.wav").symlink_to("loop.wav")
    (folder / "again").symlink_to("..", target_is_directory=True)
    (folder / "out").symlink_to("/usr", target_is_directory=True)
    os.mkfifo(folder / "pipe_file.wav")
    here = os.getcwd()
    os.chdir(folder)  # a socket's whole path may have no more than a hundred bytes
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket.wav")
    os.chdir(here)
    (folder / "latin").write_bytes(b"x")
    os.rename(folder / "latin", folder / os.fsdecode(b"caf\xe9.wav"))
    return {
        "notes.pdf": "link to nowhere", "loop.wav": "link cycle", "again": "link cycle",
        "out": "link out of the corpus folder", "pipe_file.wav": "a FIFO",
        "socket.wav": "a socket", "caf\\xe9.wav": "name is not UTF-8",
    }  # fmt: skip
