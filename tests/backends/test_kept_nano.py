"""Nano models that are kept: one that is damaged is named, set aside and trained again."""

from importlib import import_module

import pandas as pd
import pytest
from support.damages import DAMAGES, damaged

from speechdt import checksums, find_detectors

find_detectors()
nano = import_module("speechdt_backends.qwen.nano.provide")
RECIPE = nano.Recipe("qwen2_audio", 1, 0.7, 3, 3, 8, 1e-3)
SOURCES = pd.DataFrame(
    [["a", "SPEECH", "speech", "g", "00", "train", [0, 9]]],
    columns=["source_id", "label", "category", "group_id", "sha256", "split", "active"],
)
FILES = ("model.safetensors", "config.json")


@pytest.fixture
def trained(monkeypatch):
    """Models that cost no time, and how often one was trained."""
    calls = []

    def train(_rows, _recipe, folder):
        calls.append(folder)
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(bytes(range(256)) * 20)
        (folder / "config.json").write_text('{"architectures": ["Toy"], "hidden_size": 64}\n')

    monkeypatch.setattr(nano, "train", train)
    return calls


def contents(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_trained_again(tmp_path, trained, capsys, damage, file):
    kept, folder = tmp_path / "kept", tmp_path / "model"
    assert nano.provide(SOURCES, RECIPE, folder, kept)
    whole = contents(folder)
    assert not nano.provide(SOURCES, RECIPE, folder, kept)
    assert capsys.readouterr().err == ""
    (own,) = (path for path in kept.iterdir() if path.is_dir())
    if not damaged(own / file, damage):
        return
    assert nano.provide(SOURCES, RECIPE, folder, kept)
    warning = capsys.readouterr().err
    assert warning.count("\n") == 1
    assert f"{own} is damaged ({file}" in warning
    assert own.with_name(f"{own.name}.damaged").is_dir()
    assert contents(folder) == contents(own) == whole
    assert len(trained) == 2
    checksums.check(folder)


@pytest.mark.parametrize("left", ["nothing", "no list", "a file", "half of it"])
def test_that_it_exists_is_not_believed(tmp_path, trained, left):
    kept, folder = tmp_path / "kept", tmp_path / "model"
    own = kept / nano.key(nano.train_split(SOURCES), RECIPE)
    kept.mkdir()
    if left == "a file":
        own.write_text("x")
    elif left != "nothing":
        nano.provide(SOURCES, RECIPE, folder, kept)
        trained.clear()
        doomed = checksums.list_of(own) if left == "no list" else own / "config.json"
        doomed.unlink()
    assert nano.provide(SOURCES, RECIPE, folder, kept)
    assert len(trained) == 1
    checksums.check(own)
