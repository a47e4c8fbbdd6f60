"""Any folder is a corpus; what cannot be used is listed with its reason."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from speechdt.corpus import index

RATE = 16_000


def write(path, seconds=1.5, rate=RATE, channels=1, seed=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(abs(hash(str(path))) if seed is None else seed)
    noise = rng.normal(0, 0.1, (int(seconds * rate), channels))
    soundfile.write(path, noise.clip(-1, 1), rate)
    return path


def read(folder):
    return index.read_corpora([{"kind": "folder", "path": folder}])


def test_the_folders_tell_label_category_and_group(tmp_path):
    write(tmp_path / "speech" / "alice" / "1.wav")
    write(tmp_path / "speech" / "2.flac")
    write(tmp_path / "nonspeech" / "music" / "band" / "live" / "3.ogg")
    write(tmp_path / "nonspeech" / "noise" / "4.mp3", rate=8000, channels=2)
    (tmp_path / "README.txt").write_text("left alone")
    (tmp_path / ".hidden.wav").write_text("left alone")
    listed = {s.source_id: (s.label, s.category, s.group_id) for s in read(tmp_path)}
    assert listed == {
        "speech/alice/1.wav": ("SPEECH", "speech", "speech/alice"),
        "speech/2.flac": ("SPEECH", "speech", "speech/2.flac"),
        "nonspeech/music/band/live/3.ogg": ("NONSPEECH", "music", "nonspeech/music/band"),
        "nonspeech/noise/4.mp3": ("NONSPEECH", "noise", "nonspeech/noise/4.mp3"),
    }
    usable, rejected = index.index(read(tmp_path), 200)
    assert len(usable) == 4
    assert rejected.empty


def test_the_manifest_decides_and_its_other_columns_are_kept(tmp_path):
    write(tmp_path / "x.wav")
    write(tmp_path / "not_listed.wav")
    (tmp_path / "manifest.csv").write_text(
        "path,label,category,group_id,language\nx.wav,SPEECH,speech,alice,en\n"
    )
    usable, _ = index.index(read(tmp_path), 200)
    assert usable[["source_id", "group_id", "language"]].to_numpy().tolist() == [
        ["x.wav", "alice", "en"]
    ]


def test_a_manifest_without_a_column_is_refused_in_one_line(tmp_path):
    (tmp_path / "manifest.csv").write_text("path,label\nx.wav,SPEECH\n")
    with pytest.raises(index.CorpusError, match=r"manifest.csv lacks the column category, group"):
        read(tmp_path)


def test_a_source_id_stands_for_one_file(tmp_path):
    (tmp_path / "manifest.csv").write_text(
        "path,label,category,group_id,source_id\n"
        "x.wav,SPEECH,speech,alice,1\ny.wav,SPEECH,speech,bob,1\n"
    )
    with pytest.raises(index.CorpusError, match=r"source_id 1 stands for .*x.wav and .*y.wav"):
        read(tmp_path)


def test_every_unusable_file_is_listed_with_its_reason(tmp_path):
    speech = tmp_path / "speech"
    write(speech / "good.wav", seed=1)
    write(speech / "copy.wav", seed=1)
    write(speech / "short.wav", seconds=0.1)
    soundfile.write(speech / "silent.wav", np.zeros(RATE), RATE)
    soundfile.write(speech / "nan.wav", np.full(RATE, np.nan), RATE, subtype="FLOAT")
    (speech / "empty.wav").write_bytes(b"")
    (speech / "text.wav").write_text("no audio")
    cut = write(speech / "cut.wav")
    cut.write_bytes(cut.read_bytes()[:9000])
    write(tmp_path / "nonspeech" / "birds" / "wrong_category.wav")
    write(tmp_path / "nonspeech" / "no_category.wav")
    write(tmp_path / "elsewhere" / "no_label.wav")
    usable, rejected = index.index(read(tmp_path), 200)
    reasons = {path.split("/")[-1]: reason for path, reason in rejected[["path", "reason"]].values}
    expected = {
        "good.wav": "same audio as",
        "short.wav": "shorter than 200 ms",
        "silent.wav": "silent",
        "nan.wav": "NaN or infinite samples",
        "empty.wav": "empty file",
        "text.wav": "not readable as audio",
        "cut.wav": "truncated",
        "wrong_category.wav": "category 'birds' is none of NONSPEECH's",
        "no_category.wav": "expected in speech/… or nonspeech/<category>/…",
        "no_label.wav": "expected in speech/… or nonspeech/<category>/…",
    }
    assert usable["source_id"].tolist() == ["speech/copy.wav"]
    assert reasons.keys() == expected.keys()
    for name, reason in expected.items():
        assert reason in reasons[name]


def test_the_embedded_corpus_is_whole(sources):
    assert len(sources) == 1439
    manifest = pd.read_csv("corpus/manifest.csv")
    assert set(sources["path"].str.partition("corpus/")[2]) == set(manifest["path"])


def test_workers_do_not_change_the_index(tmp_path):
    for name in "abcd":
        write(tmp_path / "speech" / f"{name}.wav")
    one, two = (index.index(read(tmp_path), 200, workers)[0] for workers in (1, 2))
    pd.testing.assert_frame_equal(one, two)
