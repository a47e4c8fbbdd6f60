"""Files are read to their end, whatever their header says, or refused: never a part in silence."""

import io
import struct

import numpy as np
import pytest
import soundfile

from speechdt.audio import io as audio_io

RATE = 16_000


@pytest.fixture
def samples(rng):
    return (0.1 * rng.standard_normal(2 * RATE)).clip(-1, 1)


def made(samples, **options):
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, **{"format": "WAV", **options})
    return buffer.getvalue()


def read(folder, name, data):
    (folder / name).write_bytes(data)
    return audio_io.read(folder / name)


@pytest.mark.parametrize("riff", [0, 0xFFFFFFFF])
@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("subtype", ["PCM_16", "FLOAT", "ULAW"])
def test_headers_of_pipes_are_read_to_the_end(tmp_path, samples, subtype, size, riff):
    data = bytearray(made(samples, subtype=subtype))
    expected = read(tmp_path, "whole.wav", bytes(data))
    place = data.index(b"data") + 4
    data[place : place + 4] = struct.pack("<I", size)
    data[4:8] = struct.pack("<I", riff)
    np.testing.assert_array_equal(read(tmp_path, "pipe.wav", bytes(data)), expected)
    assert len(expected) == 2 * RATE


@pytest.mark.parametrize(("missing", "read_whole"), [(4, True), (64, True), (20_000, False)])
def test_a_header_may_promise_a_few_bytes_too_many(tmp_path, samples, missing, read_whole):
    data = bytearray(made(samples))
    data[40:44] = struct.pack("<I", 2 * len(samples) + missing)
    if read_whole:
        assert len(read(tmp_path, "x.wav", bytes(data))) == 2 * RATE
    else:
        with pytest.raises(audio_io.UnusableAudio, match="truncated"):
            read(tmp_path, "x.wav", bytes(data))


JOINABLE = {
    "x.flac": {"format": "FLAC"},
    "x.ogg": {"format": "OGG"},
    "x.opus": {"format": "OGG", "subtype": "OPUS"},
    "x.mp3": {"format": "MP3"},
}


@pytest.mark.parametrize("name", JOINABLE)
@pytest.mark.parametrize("count", [2, 3])
def test_joined_recordings_are_read_whole(tmp_path, samples, name, count):
    parts = [made(samples * gain, **JOINABLE[name]) for gain in (1, 0.5, 0.25)[:count]]
    expected = np.concatenate([read(tmp_path, name, part) for part in parts])
    joined = read(tmp_path, name, b"".join(parts))
    assert len(joined) == len(expected) == pytest.approx(count * 2 * RATE, rel=0.02)
    np.testing.assert_allclose(joined[1000:], expected[1000:], atol=0.01)
    last = audio_io.read(f"{tmp_path / name}#t={len(joined) / RATE - 1:.3f}")
    np.testing.assert_allclose(last, joined[-len(last) :], atol=1e-4)


def test_joined_recordings_of_two_rates_are_refused(tmp_path, samples):
    other = io.BytesIO()
    soundfile.write(other, samples, 8000, format="FLAC")
    with pytest.raises(audio_io.UnusableAudio, match="2 joined recordings of different rates"):
        read(tmp_path, "x.flac", made(samples, format="FLAC") + other.getvalue())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("x.sph", {"format": "NIST"}),
        ("x.voc", {"format": "VOC"}),
        ("x.snd", {"format": "AU"}),
        ("x.w64", {"format": "W64"}),
        ("x.caf", {"format": "CAF"}),
        ("x.mp3", {"format": "MP3"}),
        ("x.opus", {"format": "OGG", "subtype": "OPUS"}),
    ],
)
def test_whole_files_are_read_and_cut_ones_refused(tmp_path, samples, name, options):
    subtype = {} if name in ("x.mp3", "x.opus") else {"subtype": "PCM_16"}
    data = made(samples, **options, **subtype)
    assert len(read(tmp_path, name, data)) == 2 * RATE
    with pytest.raises(audio_io.UnusableAudio):
        read(tmp_path, name, data[: len(data) * 2 // 3])


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("x.m4a", b"\0\0\0\x20ftypM4A \0\0\0\0", "m4a"),
        ("x.wav", b"\0\0\0\x20ftypM4A \0\0\0\0", "m4a"),
        ("x.opus", b"\x1a\x45\xdf\xa3" + bytes(20), "webm"),
        ("x.amr", b"#!AMR\n" + bytes(20), "amr"),
        ("x.wma", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(20), "wma"),
        ("x.mkv", bytes(30), "mkv"),
    ],
)
def test_without_a_decoder_a_container_is_refused_by_name(tmp_path, monkeypatch, name, head, kind):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(audio_io.UnusableAudio, match=rf"^{kind}: not read by libsndfile; convert"):
        read(tmp_path, name, head)


CODECS = {
    "x.m4a": ("ipod", "aac"),
    "x.mp4": ("mp4", "aac"),
    "x.webm": ("webm", "libopus"),
    "x.mkv": ("matroska", "libopus"),
    "x.aac": ("adts", "aac"),
    "x.wma": ("asf", "wmav2"),
    "opus_in_webm.opus": ("webm", "libopus"),
}


@pytest.mark.parametrize("name", CODECS)
def test_with_a_decoder_a_container_is_read(tmp_path, name):
    av = pytest.importorskip("av")
    form, codec = CODECS[name]
    rate = 48_000
    tone = (0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * rate) / rate)).astype(np.float32)
    with av.open(str(tmp_path / name), "w", format=form) as file:
        stream = file.add_stream(codec, rate=rate, layout="stereo")
        stream.bit_rate = 128_000
        frame = av.AudioFrame.from_ndarray(
            np.stack([tone, tone], axis=1).reshape(1, -1), format="flt", layout="stereo"
        )
        frame.sample_rate = rate
        resampler = av.AudioResampler(stream.format, stream.layout, rate, stream.frame_size or 1024)
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            file.mux(stream.encode(part))
        file.mux(stream.encode(None))
    recording = audio_io.load(tmp_path / name)
    assert recording.downmix == "mean"
    assert len(recording.samples) == pytest.approx(2 * RATE, rel=0.05)
    spectrum = np.abs(np.fft.rfft(recording.samples[8000:24_000]))
    assert np.argmax(spectrum) == 440
    middle = audio_io.read(f"{tmp_path / name}#t=0.5,1.5")
    np.testing.assert_allclose(middle, recording.samples[8000:24_000], atol=1e-4)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    if form not in ("adts", "asf"):  # these say nothing of their length, or say it roughly
        with pytest.raises(audio_io.UnusableAudio):
            audio_io.read(tmp_path / name)
