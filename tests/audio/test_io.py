"""Recordings of any format become 16 kHz mono, or are refused with a reason."""

import numpy as np
import pytest
import soundfile

from speechdt.audio import io as audio_io

RATE = 16_000
TONE = (0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "rate", "channels", "subtype"),
    [
        ("a.wav", 16_000, 1, "PCM_16"),
        ("a.wav", 8_000, 2, "PCM_16"),
        ("a.wav", 44_100, 2, "DOUBLE"),
        ("a.wav", 96_000, 8, "PCM_24"),
        ("a.flac", 48_000, 1, "PCM_24"),
        ("a.ogg", 22_050, 2, "VORBIS"),
        ("a.opus", 48_000, 1, "OPUS"),
        ("a.mp3", 8_000, 2, "MPEG_LAYER_III"),
    ],
)
def test_any_format_rate_and_channel_count(tmp_path, name, rate, channels, subtype):
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    file = tmp_path / name
    kind = "OGG" if name.endswith("opus") else None
    soundfile.write(file, np.tile(tone[:, None], channels), rate, subtype=subtype, format=kind)
    samples = audio_io.read(file)
    assert samples.dtype == np.float32
    assert abs(len(samples) / RATE - 1) < 0.1  # MP3 pads its ends
    spectrum = np.abs(np.fft.rfft(samples[2000:14_000] * np.hanning(12_000)))
    assert np.argmax(spectrum) * RATE / 12_000 == pytest.approx(440, abs=2)
    assert np.abs(samples[4000:12_000]).max() == pytest.approx(0.5, abs=0.05)


def broken(path, case):
    if case == "missing":
        return
    if case == "empty file":
        path.write_bytes(b"")
    elif case == "not readable as audio":
        path.write_text("this is no audio")
    elif case == "no samples":
        soundfile.write(path, np.zeros(0), RATE, format="WAV")
    elif case == "NaN or infinite samples":
        tone = TONE.copy()
        tone[100] = np.nan
        soundfile.write(path, tone, RATE, format="WAV", subtype="FLOAT")
    elif case == "truncated":
        soundfile.write(path, TONE, RATE, format="WAV")
        path.write_bytes(path.read_bytes()[:20_000])


@pytest.mark.parametrize(
    "case",
    [
        "missing",
        "empty file",
        "not readable as audio",
        "no samples",
        "NaN or infinite samples",
        "truncated",
    ],
)
def test_unusable_audio_says_why(tmp_path, case):
    broken(tmp_path / "a.wav", case)
    with pytest.raises(audio_io.UnusableAudio, match=case):
        audio_io.read(tmp_path / "a.wav")


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.aiff", "a.au", "a.w64"])
def test_truncated_audio_of_other_formats_is_refused(tmp_path, name):
    file = tmp_path / name
    soundfile.write(file, np.random.default_rng(0).normal(0, 0.1, 5 * RATE), RATE)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(audio_io.UnusableAudio):
        audio_io.read(file)


def test_flac_bytes_keep_16_bits():
    clip = audio_io.from_flac_bytes(audio_io.flac_bytes(TONE))
    np.testing.assert_allclose(clip, TONE, atol=1 / 32768)
