"""Memory of a process that reads recordings: at most 500 MiB, whatever is in them."""

import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import soxr
from support import odd_files

from speechdt.audio import decoding, faults, io
from speechdt.audio.highpass import highpass, highpass_in_place

MOST_MIB = 500
RATE = 16_000
# Each file in a process of its own, forked once all is imported, so that its peak is its own. Some
# is imported at first need: the first of the files is a second long, and read before.
MEASURE = """
import json, os, sys
import pandas as pd
from speechdt.audio import fingerprint
from speechdt.corpus import index
from speechdt.corpus.sources import Source
from speechdt.trials import rendering

def work(path):
    measured = index.measure(Source(path, "x", "SPEECH", "speech", "g", {}), 200)
    if measured[0]:
        fingerprint.fingerprint(rendering._recordings.of(path)[0])
        rendering._active(path, 0, 16000)
    return measured[1]

def alone(path):
    reading, writing = os.pipe()
    if (pid := os.fork()) == 0:
        os.write(writing, work(path).encode()[:999])
        os._exit(0)
    os.close(writing)
    _, status, used = os.wait4(pid, 0)
    with os.fdopen(reading) as pipe:
        return {"status": status, "mib": used.ru_maxrss / 1024, "reason": pipe.read()}

short, *paths = json.load(sys.stdin)
work(short)
print(json.dumps({path: alone(path) for path in paths}))
"""


def measured(paths):
    """Return status, peak in MiB and the reason of rejection of each file."""
    short = paths[0].with_name("short.wav")
    soundfile.write(short, np.random.default_rng(0).uniform(-0.5, 0.5, RATE), RATE)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE],
        input=json.dumps([str(path) for path in (short, *paths)]),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def write_long(path, rate, channels, seconds, subtype="PCM_16", width=1):
    """Write a click a second in silence: an hour is some megabytes of FLAC.

    One that is as narrow as can be is ultrasound in part, so that each channel is looked at: they
    have more power than is left of their mean.
    """
    block = np.zeros((rate, channels), np.float32)
    block[rate // 2 : rate // 2 + width] = 0.5
    block[rate // 2 + width : rate // 2 + 2 * width] = -0.5
    with soundfile.SoundFile(path, "w", rate, channels, subtype) as file:
        for _ in range(seconds):
            file.write(block)
    return path


def within(usage):
    return {
        path: one for path, one in usage.items() if one["status"] or not one["mib"] <= MOST_MIB
    } == {}


@pytest.mark.parametrize("minutes", [20, pytest.param(59, marks=pytest.mark.campaign)])
def test_long_recordings_take_no_more(tmp_path, minutes):
    files = [
        write_long(tmp_path / "long.flac", 16_000, 1, minutes * 60),
        write_long(tmp_path / "of a card.flac", 192_000, 8, 12),
        write_long(tmp_path / "quick.flac", 192_000, 1, 60),
        write_long(tmp_path / "slow.wav", 4_000, 2, 900),
    ]
    usage = measured(files)
    assert within(usage), usage
    assert {one["reason"] for one in usage.values()} == {""}


@pytest.mark.campaign
@pytest.mark.parametrize("channels", [1, 8])
def test_an_hour_at_192_khz(tmp_path, channels):
    file = write_long(tmp_path / "long.flac", 192_000, channels, 59 * 60, width=200)
    assert file.stat().st_size < 40e6
    usage = measured([file])
    assert within(usage), usage


def test_45_odd_files(tmp_path, rng):
    odd_files.put(tmp_path / "odd", rng)
    more = tmp_path / "more"
    more.mkdir()
    voice = odd_files.voice(rng, 30.0)
    for rate, channels, name, subtype in [
        *((r, c, "wav", "PCM_16") for r in (4_000, 44_100, 768_000) for c in (1, 2, 16)),
        *((48_000, c, "flac", "PCM_24") for c in (1, 6, 8)),
        *((44_100, 2, name, None) for name in ("ogg", "mp3", "aiff", "au", "caf", "w64")),
    ]:
        samples = np.tile(np.resize(voice, rate)[:, None], channels)
        soundfile.write(more / f"{rate}-{channels}.{name}", samples, rate, subtype)
    whole = (more / "44100-2.wav").read_bytes()
    (more / "endless header.wav").write_bytes(odd_files.piped(whole))
    (more / "promises much.wav").write_bytes(whole[:40] + b"\xff\xff\xff\x7f" + whole[44:])
    (more / "joined.flac").write_bytes((more / "48000-8.flac").read_bytes() * 20)
    files = [path for folder in (tmp_path / "odd", more) for path in sorted(folder.iterdir())]
    named = [path for path in files if not path.is_dir() and path.name.isprintable()]
    assert len(named) >= 45
    usage = measured(named)
    assert within(usage), usage


# --- long and short ways give the same ------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate", "channels", "at"),
    [(16_000, 1, ""), (44_100, 2, ""), (8_000, 1, ""), (48_000, 3, "#t=2.5,9"), (96_000, 1, "")],
)
def test_block_by_block_is_as_at_once(tmp_path, rng, monkeypatch, rate, channels, at):
    samples = np.clip(0.5 * rng.standard_normal((12 * rate, channels)), -0.6, 0.6)
    soundfile.write(tmp_path / "a.flac", samples, rate)
    at_once = io.load(f"{tmp_path / 'a.flac'}{at}")
    monkeypatch.setattr(decoding, "BLOCK", 50_021)
    monkeypatch.setattr(io, "HELD", 1 << 15)
    monkeypatch.setattr("speechdt.audio.highpass.PIECE", 40_009)
    in_blocks = io.load(f"{tmp_path / 'a.flac'}{at}")
    np.testing.assert_allclose(in_blocks.samples, at_once.samples, atol=1e-6)
    assert in_blocks.downmix == at_once.downmix
    np.testing.assert_allclose(in_blocks[2:], at_once[2:], rtol=1e-4, atol=1e-6)
    assert at_once.clipped > 0.001 or channels > 1


def test_the_high_pass_in_place(rng):
    samples = (rng.standard_normal(300_000) + 0.3).astype(np.float32)
    expected = highpass(samples)
    for piece in (1 << 14, 50_001, 299_999, 1 << 20):
        own = samples.copy()
        import speechdt.audio.highpass as module

        before, module.PIECE = module.PIECE, piece
        highpass_in_place(own)
        module.PIECE = before
        np.testing.assert_allclose(own, expected, atol=2e-6)


def test_runs_over_the_edges_of_blocks_are_counted_once(rng):
    samples = np.where(rng.random(5000) < 0.5, 1.0, rng.uniform(-1, 0.5, 5000)).astype(np.float32)
    samples[1000:1400] = 1.0
    whole = faults.RunCount(samples.max(), samples.min())
    whole.add(samples)
    for size in (1, 2, 3, 7, 100, 333):
        parts = faults.RunCount(samples.max(), samples.min())
        for start in range(0, len(samples), size):
            parts.add(samples[start : start + size])
        assert parts.total == whole.total > 400


def test_resampling_in_blocks_is_that_of_all(rng):
    samples = rng.standard_normal(200_000).astype(np.float32)
    stream = soxr.ResampleStream(44_100, RATE, 1, dtype="float32", quality="VHQ")
    parts = [stream.resample_chunk(samples[i : i + 999]) for i in range(0, 200_000, 999)]
    parts.append(stream.resample_chunk(samples[:0], last=True))
    at_once = soxr.resample(samples, 44_100, RATE, quality="VHQ")
    np.testing.assert_array_equal(np.concatenate(parts), at_once)
