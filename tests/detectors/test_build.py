"""A detector that cannot be built is one line that names it, wherever it is built."""

import logging
import subprocess
import sys

import pytest

from speechdt.audio.presentation import Presentation
from speechdt.detectors.call import BuildError, built
from speechdt.detectors.hearing import Hearing, OneDetector
from speechdt.errors import SpeechdtError
from speechdt.workflow.jobs import logged


def failing(error):
    class Failing:
        gpus = 0

        def __init__(self):
            raise error

        def score(self, clips):
            return [0.5] * len(clips)

    return Failing


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            RuntimeError("weights lack\na layer"),
            "fails when it is built: RuntimeError: weights lack",
        ),
        (OSError("libx.so: not found"), "fails when it is built: OSError: libx.so: not found"),
        (SystemExit(3), "fails when it is built: SystemExit: 3"),
        (KeyError(), "fails when it is built: KeyError: "),
    ],
)
def test_whatever_it_raises_is_one_line(error, message):
    with pytest.raises(BuildError) as caught:
        built("mine", failing(error), {})
    assert str(caught.value) == f"backend 'mine' {message}"


def test_what_it_says_itself_stays():
    with pytest.raises(BuildError, match=r"^backend 'ten': needs libc\+\+: apt-get install libc"):
        built("ten", failing(SpeechdtError("needs libc++: apt-get install libc++1")), {})


def test_all_that_hear_clips_build_it_so():
    hearing = Hearing("mine", failing(RuntimeError("no")), {}, Presentation.of("stored", None))
    for build in (hearing.build, OneDetector(hearing).builder(hearing.presentation)):
        with pytest.raises(BuildError, match="backend 'mine' fails when it is built"):
            build()


def test_the_log_has_what_led_to_it(tmp_path, capsys):
    log = tmp_path / "score.log"
    with (
        pytest.raises(SystemExit, match=r"^error: backend 'mine' fails when it is built: R\S+ no$"),
        logged(log),
    ):
        built("mine", failing(RuntimeError("no")), {})
    for handler in logging.getLogger().handlers:
        handler.flush()
    assert "Traceback" in log.read_text()


@pytest.mark.parametrize(
    ("option", "outcome"),
    [("pooling=mean", "1 passed"), ("pooling=median", "option 'pooling' cannot be 'median'")],
)
def test_the_contract_test_takes_options(root, option, outcome):
    test = "tests/detectors/test_detector_contract.py::test_says_how_many_gpus_it_claims"
    asked = ["--detector", "energy", "--option", option]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n0", "-v", *asked, test]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert outcome in done.stdout
