"""The two voice activity detectors against the stock packages they wrap."""

import numpy as np
import pytest
import webrtcvad

from speechdt import find_detectors
from speechdt.audio.io import from_flac_bytes
from speechdt.trials.cells import read_cell

DETECTORS = find_detectors()


@pytest.fixture(scope="module")
def clips(cells):
    names = ("snr-5_dur200", "snr10_dur500", "clean_dur1000")
    return [from_flac_bytes(c) for n in names for c in read_cell(cells["test", n])["audio"][::4]]


def test_silero_is_the_stock_model(clips):
    torch = pytest.importorskip("torch")
    from silero_vad import load_silero_vad

    stock = load_silero_vad(onnx=True)
    expected = []
    for clip in clips:
        # Whole clips by the package's own loop, which fills the last frame with zeros.
        probabilities = stock.audio_forward(torch.from_numpy(clip)[None], 16_000)
        expected.append(probabilities[0].numpy())
    assert any(len(clip) % 512 for clip in clips)
    np.testing.assert_allclose(
        DETECTORS["silero"]().score(clips), [p.max() for p in expected], atol=1e-6
    )
    np.testing.assert_allclose(
        DETECTORS["silero"](pooling="top3").score(clips),
        [np.sort(p)[-3:].mean() for p in expected],
        atol=1e-6,
    )


def test_webrtc_is_the_mean_over_frames_and_modes(clips):
    clip = clips[0]
    pcm = (np.clip(clip, -1, 1) * 32767).astype(np.int16)
    voiced = []
    for mode in range(4):
        vad = webrtcvad.Vad(mode)
        for start in range(0, len(pcm) - 319, 320):
            voiced.append(vad.is_speech(pcm[start : start + 320].tobytes(), 16_000))
    assert DETECTORS["webrtc"](frame_ms=20).score([clip])[0] == pytest.approx(np.mean(voiced))


@pytest.mark.parametrize("name", ["webrtc", "silero"])
def test_a_clip_shorter_than_a_frame_is_refused(name):
    with pytest.raises(ValueError, match="shorter than a frame"):
        DETECTORS[name]().score([np.zeros(100, dtype=np.float32)])
