"""Detectors arrive as dropped-in files and as installed packages; mistakes are one clear line."""

import os
import re
import subprocess
import sys
from importlib.metadata import EntryPoint
from typing import Literal

import pytest
from support.plugins import MINE, install

from speechdt import PluginError, check_options, find_detectors
from speechdt.detectors.plugins import broken, source_files


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
    detectors = find_detectors(folder)
    assert detectors["mine"]().score([1, 2]) == [0.5, 0.5]
    assert detectors["mine"].__module__ == "speechdt_backends.mine"
    assert source_files(detectors["mine"]) == [folder / "mine.py"]


def test_a_dropped_in_package_is_a_plugin_with_all_its_files(folder):
    (folder / "pack").mkdir()
    (folder / "pack" / "__init__.py").write_text(MINE)
    (folder / "pack" / "model.py").write_text("")
    detectors = find_detectors(folder)
    names = [path.name for path in source_files(detectors["mine"])]
    assert names == ["__init__.py", "model.py"]


HELPED = MINE.replace("0.5", "answer()")
HOW = {
    "from . import _helper as h": "h.ANSWER",
    "from ._helper import ANSWER": "ANSWER",
    "import speechdt_backends._helper": "speechdt_backends._helper.ANSWER",
    "from speechdt_backends._helper import ANSWER": "ANSWER",
    "from importlib import import_module": 'import_module("._helper", __package__).ANSWER',
}


def helped(folder, text):
    """Write a plugin of this text and return its class."""
    (folder / "mine.py").write_text(text)
    return find_detectors(folder)["mine"]


@pytest.mark.parametrize("lazily", [False, True])
@pytest.mark.parametrize(("line", "value"), HOW.items())
def test_a_helper_works_and_counts_however_it_is_imported(folder, line, value, lazily):
    (folder / "_helper.py").write_text("from ._deeper import ANSWER")
    (folder / "_deeper.py").write_text("ANSWER = 0.25")
    (folder / "_stranger.py").write_text("ANSWER = 0.75")
    body = f"    {line}\n    return {value}\n"
    answer = f"def answer():\n{body}" if lazily else f"{line}\ndef answer(): return {value}\n"
    cls = helped(folder, HELPED + answer)
    assert cls().score([1]) == [0.25]
    assert [path.name for path in source_files(cls)] == ["_deeper.py", "_helper.py", "mine.py"]


def test_a_helper_that_is_a_package_counts_with_its_data(folder):
    (folder / "_pack" / "tables").mkdir(parents=True)
    (folder / "_pack" / "__init__.py").write_text("from .._other import ANSWER")
    (folder / "_pack" / "tables" / "weights.bin").write_bytes(b"1")
    (folder / "_pack" / "__pycache__").mkdir()
    (folder / "_pack" / "__pycache__" / "x.pyc").write_bytes(b"1")
    (folder / "_other.py").write_text("ANSWER = 0.25")
    cls = helped(
        folder, HELPED + "def answer():\n    from ._pack import ANSWER as a\n    return a\n"
    )
    assert cls().score([1]) == [0.25]
    names = [str(path.relative_to(folder)) for path in source_files(cls)]
    assert names == ["_other.py", "_pack/__init__.py", "_pack/tables/weights.bin", "mine.py"]


def test_data_beside_a_plugin_counts(folder):
    for name in ("mine.onnx", "weights.npz", "other.npz"):
        (folder / name).write_bytes(b"1")
    (folder / "data").mkdir()
    (folder / "data" / "bands.txt").write_text("1")
    named = 'from pathlib import Path\nHERE = Path(__file__).parent\nDATA = HERE / "data"\n'
    cls = helped(folder, named + MINE + 'WEIGHTS = HERE / "weights.npz"\n')
    names = [path.name for path in source_files(cls)]
    assert names == ["bands.txt", "mine.onnx", "mine.py", "weights.npz"]


def test_a_plugin_counts_though_its_class_is_a_helper_s(folder):
    maker = "def make(answer):\n    class Mine:\n        gpus = 0\n"
    maker += "        def score(self, clips): return [answer] * len(clips)\n    return Mine\n"
    (folder / "_maker.py").write_text(maker)
    text = "from speechdt import hookimpl\nfrom ._maker import make\n"
    text += "@hookimpl\ndef detectors(): return {'mine': make(0.25)}\n"
    cls = helped(folder, text)
    assert [path.name for path in source_files(cls)] == ["_maker.py", "mine.py"]


def test_an_installed_package_counts_with_what_it_imports(folder, monkeypatch):
    monkeypatch.syspath_prepend(str(folder))
    own = {"__init__.py": "", "sub/__init__.py": "", "sub/plugin.py": HELPED, "alone.py": ""}
    own["sub/plugin.py"] += "def answer():\n    from ..deep import A\n    return A\n"
    own |= {"deep.py": "from my_speechdt.far import A", "far.py": "A = 0.25"}
    for name, text in own.items():
        path = folder / "my_speechdt" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    entry = EntryPoint("mine", "my_speechdt.sub.plugin", "speechdt")
    monkeypatch.setattr(sys.modules[source_files.__module__], "entry_points", lambda group: [entry])
    cls = find_detectors(None)["mine"]
    assert cls().score([1]) == [0.25]
    names = [path.name for path in source_files(cls)]
    assert names == ["deep.py", "far.py", "__init__.py", "plugin.py"]


def test_a_dropped_in_file_may_be_named_as_the_package_it_wraps(folder, root):
    text = (root / "backends" / "earshot.py").read_text()
    (folder / "earshot.py").write_text(text)
    assert "earshot" in find_detectors(folder)


@pytest.mark.parametrize(
    ("text", "message"),
    [
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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_thing", r"mine.py fails to import: ModuleNotFoundError: .*no_such_thing"),
        ("def f(:", r"mine.py fails to import: SyntaxError"),
        ("raise SystemExit('no licence')", r"mine.py fails to import: SystemExit: no licence"),
    ],
)
def test_a_plugin_that_does_not_import_is_passed_over_with_a_line(folder, text, message):
    (folder / "mine.py").write_text(text)
    (folder / "yours.py").write_text(MINE)
    assert "mine" in find_detectors(folder)
    (line,) = broken()
    assert re.search(message, line)
    assert "\n" not in line
    (folder / "mine.py").unlink()
    find_detectors(folder)
    assert broken() == []


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
