"""Detectors arrive as dropped-in files and as installed packages; mistakes are one clear line."""

import os
import subprocess
import sys
from typing import Literal

import pytest
from support.plugins import MINE, install

from speechdt import PluginError, check_options, find_detectors
from speechdt.detectors.plugins import source_files


@pytest.fixture
def folder(tmp_path):
    yield tmp_path
    find_detectors()  # the checkout's own again


def test_the_checkout_has_the_voice_activity_detectors():
    assert {"webrtc", "silero"} <= set(find_detectors())


def test_listing_the_detectors_loads_no_model_library():
    code = "import sys, speechdt; speechdt.find_detectors(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_dropped_in_file_is_a_plugin(folder):
    (folder / "mine.py").write_text(MINE)
    (folder / "_not_a_plugin.py").write_text("raise RuntimeError")
    found = find_detectors(folder)
    assert found["mine"]().score([1, 2]) == [0.5, 0.5]
    assert found["mine"].__module__ == "speechdt_backends.mine"
    assert source_files(found["mine"]) == [folder / "mine.py"]


def test_a_dropped_in_package_is_a_plugin_with_all_its_files(folder):
    (folder / "pack").mkdir()
    (folder / "pack" / "__init__.py").write_text(MINE)
    (folder / "pack" / "model.py").write_text("")
    found = find_detectors(folder)
    names = [path.name for path in source_files(found["mine"])]
    assert names == ["__init__.py", "model.py"]


def test_a_dropped_in_file_may_be_named_as_the_package_it_wraps(folder, root):
    text = (root / "backends" / "earshot.py").read_text()
    (folder / "earshot.py").write_text(text)
    assert "earshot" in find_detectors(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_thing", r"mine.py fails to import: ModuleNotFoundError: .*no_such_thing"),
        ("def f(:", r"mine.py fails to import: SyntaxError"),
        ("raise SystemExit('no licence')", r"mine.py fails to import: SystemExit: no licence"),
        (MINE.replace("def detectors", "def detektors"), r"mine.py marks an unknown hook: detekt"),
        (MINE.replace("@hookimpl", ""), r"mine.py offers no detector: mark a function detectors"),
        (MINE.replace("gpus = 0", ""), r"mine.py: detector 'mine' does not say its `gpus`"),
        (MINE.replace("def score", "def scores"), r"mine.py: detector 'mine' is no class with a"),
        (MINE.replace('{"mine": Mine}', "[Mine]"), r"mine.py: detectors\(\) must return a dict"),
        (MINE.replace('{"mine": Mine}', "1 / 0"), r"mine.py fails in detectors\(\): ZeroDivision"),
    ],
)
def test_a_broken_plugin_is_one_line_that_names_it(folder, text, message):
    (folder / "mine.py").write_text(text)
    with pytest.raises(PluginError, match=message) as caught:
        find_detectors(folder)
    assert "\n" not in str(caught.value)


def test_a_name_is_offered_once(folder):
    (folder / "mine.py").write_text(MINE)
    (folder / "yours.py").write_text(MINE)
    with pytest.raises(PluginError, match=r"'mine' is offered by .*/mine.py and by .*/yours.py"):
        find_detectors(folder)


def test_an_installed_package_is_a_plugin(tmp_path, root):
    install(root / "tests" / "support" / "entry_point_plugin", tmp_path)
    code = "import speechdt; print(speechdt.find_detectors()['loudness'](frame=160).frame)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
    )
    assert done.stdout.strip() == "160"


class Optioned:
    gpus = 0

    def __init__(self, model: str, pooling: Literal["max", "mean"] = "max", k: int | None = None):
        pass

    def score(self, clips):
        return []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "option 'model' is required"),
        ({"model": "m", "poling": "max"}, "no option 'poling'; options: model, pooling, k"),
        ({"model": "m", "pooling": "sum"}, "'pooling' cannot be 'sum'; it is one of 'max', 'mean'"),
        ({"model": "m", "k": "three"}, "option 'k' cannot be 'three'"),
        ({"model": 3}, "option 'model' cannot be 3; it is str"),
    ],
)
def test_options_are_checked_against_the_signature(options, message):
    with pytest.raises(PluginError, match=message):
        check_options(Optioned, options)


def test_good_options_pass():
    check_options(Optioned, {"model": "m", "pooling": "mean", "k": None})
