"""The contract that every detector keeps: ``pytest --detector NAME`` and this file's path.

Options of the detector: ``--option model=tiny --option frame_ms=20``.
"""

import numpy as np
import pytest
import yaml

from speechdt import SAMPLE_RATE, check_options, find_detectors
from speechdt.audio.io import from_flac_bytes
from speechdt.detectors.call import built
from speechdt.detectors.isolated import resolved, without_environment
from speechdt.detectors.plugins import broken
from speechdt.errors import SpeechdtError
from speechdt.trials.cells import read_cell

NEEDS_NO_OPTIONS = (
    "earshot",
    "energy",
    "fastvad",
    "fireredvad",
    "fsmn",
    "javad",
    "marblenet",
    "rnnoise",
    "silero",
    "ten",
    "webrtc",
)


def pytest_generate_tests(metafunc):
    if "name" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("--detector")
        metafunc.parametrize("name", [chosen] if chosen else NEEDS_NO_OPTIONS, scope="module")


@pytest.fixture(scope="module")
def detector(name, request):
    detectors = find_detectors()
    available = f"there are: {', '.join(detectors)}{''.join(f'; {why}' for why in broken())}"
    assert name in detectors, f"no detector '{name}'; {available}"
    arguments = [option.partition("=") for option in request.config.getoption("--option")]
    options = {key: yaml.safe_load(value) for key, _, value in arguments}
    if "environment" in options:
        options["environment"] = resolved(options["environment"], detectors[name])
    check_options(detectors[name], without_environment(options))
    try:
        return built(name, detectors[name], options)
    except SpeechdtError as error:
        if request.config.getoption("--detector"):
            raise
        pytest.skip(str(error))  # a package that not everybody installs


@pytest.fixture(scope="module")
def clips(cells):
    """Real clips of 200 ms, 500 ms and 1 s, of both classes."""
    files = [cells["dev", name] for name in ("snr0_dur200", "snr10_dur500", "clean_dur1000")]
    return [from_flac_bytes(clip) for file in files for clip in read_cell(file)["audio"][::6]]


def scores(detector, clips):
    return np.asarray(detector.score(clips), dtype=np.float64)


def test_says_how_many_gpus_it_claims(detector):
    assert isinstance(detector.gpus, int)
    assert detector.gpus >= 0


def test_one_score_in_0_1_for_each_clip(detector, clips):
    answer = scores(detector, clips)
    assert answer.shape == (len(clips),)
    assert np.isfinite(answer).all()
    assert ((answer >= 0) & (answer <= 1)).all()


def test_no_clips_no_scores(detector):
    assert scores(detector, []).shape == (0,)


def test_same_clips_same_scores(detector, clips):
    np.testing.assert_array_equal(scores(detector, clips), scores(detector, clips))


def test_order_does_not_matter(detector, clips):
    np.testing.assert_allclose(
        scores(detector, clips[::-1])[::-1], scores(detector, clips), atol=1e-4
    )


def test_batch_does_not_matter(detector, clips):
    alone = [scores(detector, [clip])[0] for clip in clips]
    np.testing.assert_allclose(alone, scores(detector, clips), atol=1e-4)


def test_does_not_write_into_the_clips(detector, clips):
    before = [clip.copy() for clip in clips]
    scores(detector, clips)
    for clip, copy in zip(clips, before, strict=True):
        np.testing.assert_array_equal(clip, copy)


@pytest.mark.parametrize(
    ("case", "clip"),
    [
        ("200 ms", np.sin(np.arange(SAMPLE_RATE // 5) / 7, dtype=np.float32)),
        ("silence", np.zeros(SAMPLE_RATE // 2, dtype=np.float32)),
        ("clipping", np.sign(np.sin(np.arange(SAMPLE_RATE // 2) / 9)).astype(np.float32)),
    ],
)
def test_takes_difficult_clips(detector, case, clip):
    (answer,) = scores(detector, [clip])
    assert 0 <= answer <= 1, case
