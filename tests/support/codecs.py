"""Recordings through codecs."""

import io

import pytest
import soundfile

RATE = 16_000


def mp3_at_32_kbit(samples):
    file = io.BytesIO()
    # libsndfile spreads the bit rates of MPEG-2, 160 to 8 kbit/s, over the level 0 to 1.
    level = (160 - 32) / (160 - 8)
    options = {"bitrate_mode": "CONSTANT", "compression_level": level}
    soundfile.write(file, samples, RATE, format="MP3", subtype="MPEG_LAYER_III", **options)
    assert file.tell() * 8 * RATE / len(samples) == pytest.approx(32_000, rel=0.15)
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]
