"""Clips on a page: their audio, their spectrograms, and a script that plays them.

A page takes `STYLE` and `SCRIPT` as they are, and the macro ``player`` of
``templates/clip_player.html.j2`` for each clip. One audio element plays them all: hundreds of
elements would exhaust a phone. Spectrograms are drawn here and not by the page, because a browser
does not let a page that was opened from a folder read the files beside it.
"""

import base64
import io
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import soundfile
from numpy.typing import NDArray
from PIL import Image
from scipy.signal import stft

from speechdt.audio.io import from_flac_bytes
from speechdt.audio.rate import SAMPLE_RATE
from speechdt.reporting.pages.environment import text

STYLE = text("clip_player.css")
SCRIPT = text("clip_player.js")

WINDOW, HOP = 256, 96
"""Samples of a frame and between two: 16 ms and 6 ms."""
ROWS = 64
"""Height in pixels, 0 to 8 kHz."""
SHADES = 16
"""Few, because noise in many shades hardly compresses: a page holds hundreds of spectrograms."""
RANGE_DB = 60.0
"""Range below the loudest point of a clip; below that it is black."""
MP3_COMPRESSION = 0.5
"""From 0, the best, to 1: speech takes some 45 kbit/s, a quarter of FLAC."""
MIME = {"flac": "audio/flac", "mp3": "audio/mpeg"}
"""By the end of a file's name."""


class Player(NamedTuple):
    """Input of the macro ``player``: one clip.

    Attributes
    ----------
    audio : str
        Address of the audio, or its key in the page's ``audio-store``.
    spectrogram : str
        Data URI of a PNG.
    duration_ms : int
        Gives the spectrogram its width.
    label : str
        What a screen reader says of it.
    """

    audio: str
    spectrogram: str
    duration_ms: int
    label: str


def audio_uri(audio: bytes, kind: str = "flac") -> str:
    """Return the bytes of an audio file as a data URI; `kind` is a key of `MIME`."""
    return f"data:{MIME[kind]};base64," + base64.b64encode(audio).decode()


def as_mp3(flac: bytes) -> bytes:
    """Return FLAC bytes as MP3, for what is listened to and not measured."""
    file = io.BytesIO()
    samples = from_flac_bytes(flac)
    soundfile.write(
        file, samples, SAMPLE_RATE, format="MP3", compression_level=MP3_COMPRESSION,
        bitrate_mode="VARIABLE",
    )  # fmt: skip
    return file.getvalue()


def spectrogram_uri(flac: bytes) -> str:
    """Return the spectrogram of FLAC bytes as a data URI."""
    png = spectrogram_png(from_flac_bytes(flac))
    return "data:image/png;base64," + base64.b64encode(png).decode()


def spectrogram_png(samples: NDArray[np.float32]) -> bytes:
    """Draw the magnitude in dB of a 16 kHz clip over time and frequency as a small PNG.

    One pixel a 6 ms frame across, 0 to 8 kHz from the bottom to the top, loudest point brightest.
    """
    _, _, frames = stft(samples, SAMPLE_RATE, nperseg=WINDOW, noverlap=WINDOW - HOP)
    power = np.abs(frames[:-1]) ** 2
    bands = np.array([part.mean(axis=0) for part in np.array_split(power, ROWS)])
    level = 10 * np.log10(np.maximum(bands, 1e-12) / max(float(bands.max()), 1e-12))
    shades = np.round((SHADES - 1) * (1 + level / RANGE_DB))
    pixels = np.clip(shades, 0, SHADES - 1).astype(np.uint8)
    image = Image.fromarray(pixels[::-1])
    image.putpalette(_palette())
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True, bits=4)
    return file.getvalue()


def _palette() -> bytes:
    colors = mpl.colormaps["magma"](np.linspace(0, 1, SHADES), bytes=True)
    return np.asarray(colors)[:, :3].tobytes()
