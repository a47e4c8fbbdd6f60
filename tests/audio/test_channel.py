"""Channels: responses of the filters, mu-law against its formula, codecs there and back."""

import io

import numpy as np
import pytest
import soundfile

from speechdt.audio import channel
from speechdt.audio.rate import SAMPLE_RATE

RNG = np.random.default_rng(11)
SECOND = np.arange(SAMPLE_RATE) / SAMPLE_RATE


def gain_db(name, hertz):
    """Return what a channel makes of a tone, measured on its middle."""
    tone = 0.5 * np.sin(2 * np.pi * hertz * SECOND)
    inside = slice(SAMPLE_RATE // 4, -SAMPLE_RATE // 4)
    out = channel.through(name, tone)[inside] + 1e-9
    return 20 * np.log10(np.sqrt(np.mean(out**2)) / np.sqrt(np.mean(tone[inside] ** 2)))


@pytest.mark.parametrize(
    ("name", "hertz", "expected", "within"),
    [
        ("highpass_300", 300, -6.02, 0.1),  # twice the 3 dB of one pass
        ("lowpass_3400", 3400, -6.02, 0.1),
        ("band_300_3400", 300, -6.02, 0.1),
        ("band_300_3400", 3400, -6.02, 0.1),
        ("highpass_300", 1000, 0, 0.05),
        ("lowpass_3400", 1000, 0, 0.05),
        ("band_300_3400", 1000, 0, 0.05),
        # 1 / (1 + (f0 / f) ** 8) of amplitude, in both passes together
        ("highpass_300", 150, -48.2, 0.3),
    ],
)
def test_filters_have_the_response_of_a_butterworth_passed_twice(name, hertz, expected, within):
    assert gain_db(name, hertz) == pytest.approx(expected, abs=within)


def test_filters_delay_nothing():
    click = np.zeros(2001)
    click[1000] = 1.0
    for name in ("band_300_3400", "lowpass_3400", "highpass_300"):
        out = channel.through(name, click)
        assert np.abs(out).argmax() == 1000
        assert out == pytest.approx(out[::-1], abs=1e-9)


@pytest.mark.parametrize("name", channel.CHANNELS)
@pytest.mark.parametrize("samples", [320, 3201, 16_000])
def test_every_channel_keeps_the_length(name, samples):
    clip = 0.5 * np.sin(2 * np.pi * 800 * np.arange(samples) / SAMPLE_RATE)
    out = channel.through(name, clip)
    assert len(out) == samples
    assert np.isfinite(out).all()


def mu_law_values():
    """Return the 256 values of G.711's mu-law, of 14 bits, by its formula.

    Segment s and step m stand for (2 m + 33) 2 ** s - 33 (ITU-T G.711, table 2a).
    """
    positive = [(2 * step + 33) * 2**segment - 33 for segment in range(8) for step in range(16)]
    return np.array(sorted([-value for value in positive] + positive))


def test_libsndfile_decodes_mu_law_by_the_formula():
    codes = bytes(range(256))
    decoded, _ = soundfile.read(io.BytesIO(codes), format="RAW", subtype="ULAW", channels=1,
                                samplerate=8000, dtype="int16")  # fmt: skip
    assert sorted(decoded.tolist()) == (4 * mu_law_values()).tolist()


def test_mu_law_takes_the_nearest_value_of_its_table():
    ramp = np.linspace(-0.97, 0.97, 4001)
    coded = channel._coded(ramp, 8000, "WAV", "ULAW")
    table = mu_law_values() / 8192
    nearest = np.abs(ramp[:, None] - table).min(axis=1)
    assert np.isin(np.round(coded * 8192), np.round(table * 8192)).all()
    off = np.abs(coded - ramp) - nearest
    # But for the borders of segments, where libsndfile takes the coarser step of the two.
    assert np.mean(off < 3 / 8192) > 0.99
    assert (off < np.abs(ramp) / 16 + 3 / 8192).all()


def test_g711_is_a_telephone_band_with_companding_noise():
    voice = 0.3 * np.sin(2 * np.pi * 700 * SECOND)
    out = channel.through("g711", voice)
    noise = out - voice
    snr = 10 * np.log10(np.mean(voice**2) / np.mean(noise**2))
    assert 33 < snr < 42  # some 38 dB, as mu-law gives over a wide range
    assert gain_db("g711", 6000) < -40


def lag(coded, clip):
    """Return by how many samples one lies behind the other."""
    spectrum = np.fft.rfft(coded, 2 * len(clip)) * np.conj(np.fft.rfft(clip, 2 * len(clip)))
    place = int(np.fft.irfft(spectrum).argmax())
    return place if place < len(clip) else place - 2 * len(clip)


def voiced(samples):
    """Return a sound like a vowel: harmonics of 120 Hz that fall with frequency, and move."""
    time = np.arange(samples) / SAMPLE_RATE
    sweep = 2 * np.pi * (120 * time + 20 * time**2)
    clip = sum(np.sin(k * sweep) / k for k in range(1, 20))
    return 0.8 * clip / np.abs(clip).max()


@pytest.mark.parametrize(("name", "least"), [("opus_12k", 0.8), ("mp3_32k", 0.95)])
def test_codecs_come_back_in_time(name, least):
    clip = voiced(SAMPLE_RATE)
    out = channel.through(name, clip)
    assert abs(lag(out, clip)) <= 1
    inside = slice(1000, -2000)
    assert np.corrcoef(out[inside], clip[inside])[0, 1] > least
    assert not np.allclose(out[inside], clip[inside], atol=1e-3)  # it was coded


@pytest.mark.parametrize(
    ("container", "codec", "level", "mode", "bits"),
    [
        ("OGG", "OPUS", channel.opus_level(), None, channel.OPUS_BITS),
        ("MP3", "MPEG_LAYER_III", channel.mp3_level(), "CONSTANT", channel.MP3_BITS),
    ],
)
def test_codecs_spend_the_bits_they_are_named_for(container, codec, level, mode, bits):
    clip, file = voiced(20 * SAMPLE_RATE), io.BytesIO()
    soundfile.write(file, clip, SAMPLE_RATE, format=container, subtype=codec,
                    compression_level=level, bitrate_mode=mode)  # fmt: skip
    # Opus's rate varies with what it codes, and Ogg's pages add about one kbit/s.
    assert 8 * len(file.getvalue()) / 20 == pytest.approx(bits, rel=0.25)
