"""The index keeps what it measured, so that a killed or extended run reads no file twice."""

import shutil
from pathlib import Path

import pandas as pd

from speechdt.corpus import index


def test_what_was_measured_is_not_read_again(root, tmp_path, monkeypatch):
    folder = tmp_path / "own"
    (folder / "speech").mkdir(parents=True)
    originals = sorted((root / "corpus" / "speech").rglob("*.flac"))[:3]
    for original in originals[:2]:
        shutil.copy(original, folder / "speech")
    kept = tmp_path / "index.sqlite"
    corpus = [{"kind": "folder", "path": folder}]
    read = []

    def counted(path):
        read.append(Path(path).name)
        return audio_read(path)

    audio_read = index.audio_io.load
    monkeypatch.setattr(index.audio_io, "load", counted)
    first, _ = index.index(index.read_corpora(corpus), 200, kept=kept)
    assert len(read) == 2
    (folder / "speech" / "bad.wav").write_text("no audio")
    shutil.copy(originals[2], folder / "speech")
    for _ in range(2):
        usable, rejected = index.index(index.read_corpora(corpus), 200, kept=kept)
    assert sorted(read[2:]) == sorted(["bad.wav", originals[2].name])
    assert rejected["path"].tolist() == [str(folder / "speech" / "bad.wav")]
    again = usable[usable["path"].isin(first["path"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, first)
    shutil.copy(originals[2], folder / "speech" / originals[0].name)  # another file, same name
    index.index(index.read_corpora(corpus), 200, kept=kept)
    assert read[4:] == [originals[0].name]
    index.index(index.read_corpora(corpus), 300, kept=kept)  # other limits: all are read
    assert len(read) == 5 + 4
