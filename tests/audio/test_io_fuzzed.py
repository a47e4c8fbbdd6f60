"""Mutated audio files: none crashes, each is taken or refused with a reason."""

import io
import struct
from collections import Counter

import numpy as np
import pytest
import soundfile

from speechdt.corpus import index
from speechdt.corpus.sources import Source

RATE = 16_000
FORMATS = [
    ("wav", "WAV", "PCM_16"),
    ("wav", "WAV", "FLOAT"),
    ("wav", "WAV", "DOUBLE"),
    ("flac", "FLAC", "PCM_16"),
    ("ogg", "OGG", "VORBIS"),
    ("opus", "OGG", "OPUS"),
    ("mp3", "MP3", "MPEG_LAYER_III"),
    ("aiff", "AIFF", "PCM_24"),
    ("au", "AU", "ULAW"),
    ("caf", "CAF", "PCM_16"),
    ("w64", "W64", "PCM_16"),
]


KINDS = ["whole", "cut", "empty", "flipped header", "flipped", "number", "grown"]


def encoded(rng, form, subtype):
    """Return a short file: an odd rate, one or eight channels, and sometimes odd samples."""
    rate = int(rng.choice([8000, 16_000, 24_000, 48_000]))
    channels = 1 if subtype in ("MPEG_LAYER_III", "OPUS") else int(rng.choice([1, 2, 8]))
    samples = 0.2 * rng.standard_normal((int(0.3 * rate), channels))
    if subtype in ("FLOAT", "DOUBLE"):
        samples[5] = rng.choice([0.1, np.nan, np.inf, -np.inf, 1e30, 1e300])
    buffer = io.BytesIO()
    with np.errstate(over="ignore"):
        soundfile.write(buffer, samples, rate, format=form, subtype=subtype)
    return bytearray(buffer.getvalue())


def mutated(rng, data):
    """Return the file truncated, with flipped bits or an absurd number in its header, or whole."""
    kind = str(
        rng.choice(["whole", "cut", "empty", "flipped header", "flipped", "number", "grown"])
    )
    if kind == "cut":
        return kind, data[: rng.integers(len(data))]
    if kind == "empty":
        return kind, data[:0]
    if kind in ("flipped header", "flipped"):
        for place in rng.integers(min(len(data), 64) if "header" in kind else len(data), size=4):
            data[place] ^= 1 << rng.integers(8)
    if kind == "number":
        value = struct.pack("<I", int(rng.choice([0, 1, 3, 2**31 - 1, 2**31, 2**32 - 1])))
        place = int(rng.integers(4, 48))
        data[place : place + 4] = value if rng.integers(2) else value[::-1]
    if kind == "grown":
        data += rng.bytes(int(rng.integers(1, 5000)))
    return kind, data


@pytest.fixture(scope="module", params=[330, pytest.param(3000, marks=pytest.mark.campaign)])
def fuzzed(request, tmp_path_factory):
    """The mutated files as sources, and what was done to each."""
    rng, folder = np.random.default_rng(1), tmp_path_factory.mktemp("fuzzed")
    sources, kinds = [], {}
    for number in range(request.param):
        suffix, form, subtype = FORMATS[number % len(FORMATS)]
        kind, data = mutated(rng, encoded(rng, form, subtype))
        name = f"{number:04d}.{suffix}"
        (folder / name).write_bytes(data)
        sources.append(Source(str(folder / name), name, "SPEECH", "speech", name, {}))
        kinds[name] = kind
    return sources, kinds


def test_each_mutated_file_is_taken_or_refused_with_a_reason(fuzzed, capfd):
    sources, kinds = fuzzed
    usable, rejected = index.index(sources, 200)
    assert len(usable) + len(rejected) == len(sources)
    assert rejected["reason"].str.len().min() > 0
    assert not rejected["reason"].str.contains("\n").any()
    assert np.isfinite(usable[["seconds", "peak"]].to_numpy()).all()
    assert usable["seconds"].max() < 10
    taken = Counter(kinds[name] for name in usable["source_id"])
    refused = Counter(kinds[name] for name in rejected["source_id"])
    assert taken["empty"] == 0
    assert taken["whole"] > refused["whole"]  # those with NaN or infinite samples
    assert taken["cut"] <= 0.03 * refused["cut"]


@pytest.mark.parametrize("rate", [1, 100, 2_000_000_000])
def test_absurd_rates_are_refused(tmp_path, rate):
    buffer = io.BytesIO()
    soundfile.write(buffer, np.full(4000, 0.5), RATE, format="WAV")
    data = bytearray(buffer.getvalue())
    data[24:28] = struct.pack("<I", rate)
    (tmp_path / "x.wav").write_bytes(data)
    source = Source(str(tmp_path / "x.wav"), "x", "SPEECH", "speech", "x", {})
    assert index.measure(source, 200) == ({}, f"sample rate {rate} Hz")


def test_a_file_without_header_is_no_audio(tmp_path):
    (tmp_path / "x.au").write_bytes(bytes(range(256)) * 40)
    source = Source(str(tmp_path / "x.au"), "x", "SPEECH", "speech", "x", {})
    assert index.measure(source, 200) == ({}, "not readable as audio (no header)")
