"""A detector in an environment of its own answers, and whatever goes wrong is one line."""

import io
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from support.environments import NUMPY, OLD, old_numpy, stand_in
from support.plugins import MINE

from speechdt import find_detectors
from speechdt.detectors import call
from speechdt.detectors.exchange import MOST_NUMBERS, received
from speechdt.detectors.isolated import UnusableEnvironment, resolved

KILLED = MINE.replace("return [0.5]", "import os; os.kill(os.getpid(), 9); return [0.5]")
RAISES = MINE.replace("return [0.5]", "raise ValueError('no such clip'); return [0.5]")
UNBUILT = MINE.replace("gpus = 0", "gpus = 0\n    def __init__(self): raise OSError('no weights')")
CLIPS = [np.full(length, 0.5, np.float32) for length in (3200, 0, 160)]


@pytest.fixture
def folder(tmp_path):
    yield tmp_path / "backends"
    find_detectors()  # the checkout's own again


def built(folder, text, python=sys.executable, name="mine", **options):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(text)
    cls = find_detectors(folder)[name]
    return call.built(name, cls, options | {"environment": resolved({"python": str(python)}, cls)})


def test_clips_go_there_and_scores_come_back(folder):
    detector = built(folder, OLD, name="old")
    major = int(np.__version__.split(".")[0]) / 10
    np.testing.assert_allclose(detector.score(CLIPS), [major + 0.01, major, major + 0.01])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (KILLED, r"was killed by signal 9"),
        (RAISES, r"ValueError: no such clip"),
    ],
)
def test_what_goes_wrong_while_it_scores_is_one_line(folder, text, message):
    detector = built(folder, text)
    with pytest.raises(UnusableEnvironment, match=message) as caught:
        detector.score(CLIPS)
    assert sys.executable in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_that_cannot_be_built_is_one_line(folder):
    with pytest.raises(call.BuildError, match=r"'mine': its process of .* OSError: no weights"):
        built(folder, UNBUILT)


@pytest.mark.parametrize(
    "sent",
    [
        struct.pack(">I", 2**32 - 1),
        struct.pack(">I", 200_000) + b"[" * 200_000,
        *(
            struct.pack(">I", len(header)) + header
            for header in (b'{"bytes": -1}', b'{"bytes": 1e9}')
        ),
        struct.pack(">I", 23) + b'{"bytes": 999999999999}',
    ],
    ids=["long", "deep", "negative", "no number", "endless"],
)
def test_messages_without_bounds_are_none(sent):
    with pytest.raises(ValueError, match="no message"):
        received(io.BytesIO(sent).read, MOST_NUMBERS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sys.exit('no module named numpy')", "ended with status 1: no module named numpy"),
        ("import time; time.sleep(60)", "has not started in 1 s"),
        ("sys.stdout.write('hello, world, this is no message')", "ended|no message"),
    ],
)
def test_one_that_does_not_start_is_one_line(folder, tmp_path, text, message):
    python = stand_in(tmp_path / "python", text)
    folder.mkdir()
    (folder / "mine.py").write_text(MINE)
    cls = find_detectors(folder)["mine"]
    environment = resolved({"python": str(python)}, cls) | {"start_s": 1.0}
    with pytest.raises(call.BuildError, match=message):
        call.built("mine", cls, {"environment": environment})


def test_another_version_of_the_protocol_is_refused(folder, tmp_path, root):
    own = f"sys.path.insert(0, {str(root)!r})\nfrom speechdt.detectors.exchange import packed\n"
    python = stand_in(
        tmp_path / "python", f"{own}sys.stdout.buffer.write(packed({{'protocol': 2}}))"
    )
    with pytest.raises(call.BuildError, match="speaks protocol 2, and not 1"):
        built(folder, MINE, python)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("/no/such/folder", "/no/such/folder is no Python that can be started"),
        ({"python": "/bin/false"}, "/bin/false does not start"),
        ({"pyton": "x"}, "no key 'pyton'; it is a folder, or {python: …"),
        ({"start_s": 3}, "python is missing"),
        (3, "python is missing"),
    ],
)
def test_mistakes_are_said_before_any_job(setting, message):
    with pytest.raises(UnusableEnvironment, match=message):
        resolved(setting, find_detectors()["energy"])


def test_a_language_model_runs_in_the_workflow_s_own_environment():
    with pytest.raises(UnusableEnvironment, match="a language model runs in the workflow's own"):
        resolved(sys.prefix, find_detectors()["qwen2_audio"])


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return old_numpy(tmp_path_factory.mktemp("environment"))


@pytest.mark.campaign
def test_a_conflicting_numpy_gives_its_scores(folder, environment):
    assert not np.__version__.startswith("1.")
    folder.mkdir()
    (folder / "old.py").write_text(OLD)
    cls = find_detectors(folder)["old"]
    settings = resolved(str(environment), cls)
    assert settings["versions"]["numpy"] == NUMPY
    assert Path(settings["python"]) == environment / "bin" / "python"
    detector = call.built("old", cls, {"environment": settings, "scale": 2.0})
    np.testing.assert_allclose(detector.score(CLIPS), [0.21, 0.2, 0.21])
    with_other = settings | {"versions": settings["versions"] | {"numpy": "1.26.5"}}
    names = [call.store_name("old", cls, {"environment": e}) for e in (settings, with_other)]
    assert names[0] != names[1] != call.store_name("old", cls, {})
