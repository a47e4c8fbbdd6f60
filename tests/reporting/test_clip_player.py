"""Clips on a page: the spectrogram shows what is in the clip, and the macro says how to play it."""

import base64
import io

import numpy as np
import pytest
import soundfile
from PIL import Image

from speechdt.audio.io import flac_bytes
from speechdt.reporting.pages import clip_player
from speechdt.reporting.pages.clip_player import Player
from speechdt.reporting.pages.environment import template


def tone(hertz, seconds=0.5):
    time = np.arange(int(seconds * 16_000)) / 16_000
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def brightest_row(png):
    pixels = np.asarray(Image.open(io.BytesIO(png)))
    return int(pixels.mean(axis=1).argmax())


@pytest.mark.parametrize("hertz", [500, 2000, 7000])
def test_a_tone_is_a_line_at_its_frequency(hertz):
    row = brightest_row(clip_player.spectrogram_png(tone(hertz)))
    assert row == pytest.approx(clip_player.ROWS * (1 - hertz / 8000), abs=1.5)


def test_time_runs_to_the_right_and_silence_is_black():
    late = np.concatenate([np.zeros(8000, np.float32), tone(1000)])
    pixels = np.asarray(Image.open(io.BytesIO(clip_player.spectrogram_png(late))))
    half = pixels.shape[1] // 2
    assert pixels[:, : half - 3].max() == 0
    assert pixels[:, half + 3 :].max() == clip_player.SHADES - 1
    assert clip_player.spectrogram_png(np.zeros(3200, np.float32))


def test_what_is_listened_to_alone_is_a_quarter_as_long_and_sounds_alike(root):
    file = next((root / "corpus" / "speech").rglob("*.flac"))
    samples, _ = soundfile.read(file, frames=16_000, dtype="float32")
    flac = flac_bytes(samples)
    mp3 = clip_player.as_mp3(flac)
    assert len(mp3) < len(flac) / 2.5
    decoded, rate = soundfile.read(io.BytesIO(mp3))
    assert (len(decoded), rate) == (len(samples), 16_000)
    assert np.corrcoef(decoded, samples)[0, 1] > 0.98
    assert clip_player.as_mp3(flac) == mp3


def test_a_page_can_play_what_was_rendered():
    flac = flac_bytes(tone(440))
    clip = Player(clip_player.audio_uri(flac), clip_player.spectrogram_uri(flac), 500, 'a "<tone>"')
    html = template("clip_player.html.j2").module.player(clip)
    address = html.split('data-audio="')[1].split('"')[0]
    assert base64.b64decode(address.partition(",")[2]) == flac
    assert "Play a &#34;&lt;tone&gt;&#34;" in html
    assert "width: 8.00rem" in html
