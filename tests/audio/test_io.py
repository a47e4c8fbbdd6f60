"""Recordings of any format become 16 kHz mono, or are refused with a reason."""

import numpy as np
import pytest
import soundfile
import soxr

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


def voice_and_hiss(rng, rate, seconds=2.0):
    """Something like a voice, and as many hisses as asked for, a hundredth of its amplitude."""
    time = np.arange(int(seconds * rate)) / rate
    voice = 0.3 * np.sin(2 * np.pi * 220 * time) * (1 + np.sin(2 * np.pi * 3 * time)) / 2
    return voice, lambda: 0.003 * rng.standard_normal(len(time))


def likeness(samples, voice, rate):
    """Return the correlation of samples at 16 kHz with a voice at another rate."""
    expected = soxr.resample(voice, rate, RATE)[: len(samples)]
    return np.corrcoef(samples[: len(expected)], expected)[0, 1]


@pytest.mark.parametrize("at", ["", "#t=0.25,1.75", "#t=0.5"])
@pytest.mark.parametrize(
    ("name", "rate", "gains", "kept"),
    [
        ("a.wav", 16_000, (1, -1), "channel 1"),
        ("a.flac", 44_100, (0.9, -1), "channel 2"),
        ("a.wav", 48_000, (0.5, -1, 0.5), "channel 2"),
        ("a.wav", 16_000, (0, 0, 0, 0, 1, 0), "channel 5"),  # a sixth: 15.6 dB below
        ("a.wav", 16_000, (1, 1), "mean"),
        ("a.ogg", 44_100, (1, 0), "mean"),  # 6 dB below
        ("a.wav", 16_000, (1, -0.5), "channel 1"),  # 12 dB below
        ("a.wav", 16_000, (1, -0.3), "mean"),  # 9 dB below
        ("a.wav", 8_000, (1,), ""),
    ],
)
def test_channels_that_cancel_out_leave_the_strongest(tmp_path, rng, name, rate, gains, kept, at):
    voice, hiss = voice_and_hiss(rng, rate)
    channels = np.stack([gain * voice + hiss() for gain in gains], axis=1)
    soundfile.write(tmp_path / name, channels, rate)
    recording = audio_io.load(f"{tmp_path / name}{at}")
    assert recording.downmix == kept
    start, _, end = at.removeprefix("#t=").partition(",")
    part = voice[int(float(start or 0) * rate) : int(float(end or 9) * rate)]
    assert abs(likeness(recording.samples, part, rate)) > 0.99
    gain = gains[int(kept[-1]) - 1] if kept.startswith("channel") else np.mean(gains)
    assert np.abs(recording.samples).max() == pytest.approx(abs(gain) * np.abs(part).max(), rel=0.1)


def test_an_exact_inverse_is_not_silent(tmp_path, rng):
    voice, _ = voice_and_hiss(rng, RATE)
    soundfile.write(tmp_path / "a.wav", np.stack([voice, -voice], axis=1), RATE, subtype="FLOAT")
    assert np.abs(audio_io.read(tmp_path / "a.wav")).max() == pytest.approx(0.3, rel=0.01)


def test_an_offset_of_both_channels_does_not_hide_that_they_cancel_out(tmp_path, rng):
    voice, hiss = voice_and_hiss(rng, RATE)
    rumble = 0.2 * np.sin(2 * np.pi * 8 * np.arange(len(voice)) / RATE)
    channels = np.stack([voice + hiss(), hiss() - 0.9 * voice], axis=1)
    soundfile.write(tmp_path / "a.wav", channels + 0.3 + rumble[:, None], RATE)
    recording = audio_io.load(tmp_path / "a.wav")
    assert recording.downmix == "channel 1"
    assert likeness(recording.samples, voice, RATE) > 0.99


def test_both_silent_channels_are_silent(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.full((RATE, 2), 0.2), RATE)
    recording = audio_io.load(tmp_path / "a.wav")
    assert recording.downmix == "mean"
    assert np.abs(recording.samples).max() < 1e-5


@pytest.mark.parametrize("at", ["", "#t=0.5,1.5"])
def test_offset_and_rumble_are_measured_and_taken_away(tmp_path, rng, at):
    time = np.arange(2 * RATE) / RATE
    clean = 0.05 * rng.standard_normal(len(time))
    rumble = 0.2 * np.sin(2 * np.pi * 10 * time)
    for name, samples in {"clean": clean, "dirty": clean + rumble + 0.3}.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, RATE, subtype="FLOAT")
    dirty, expected = (audio_io.load(f"{tmp_path / name}.wav{at}") for name in ("dirty", "clean"))
    assert dirty.offset == pytest.approx(0.3, abs=0.01)
    assert dirty.rumble_db == pytest.approx(20 * np.log10(0.2 / np.sqrt(2) / 0.05), abs=0.3)
    assert expected.rumble_db < -15
    left = dirty.samples - expected.samples
    assert np.sqrt(np.mean(left[1600:-1600] ** 2)) < 0.001
    assert np.sqrt(np.mean(left**2)) < 0.01
