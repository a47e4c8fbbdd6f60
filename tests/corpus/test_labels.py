"""One recording, two labels: the run stops and names both."""

import logging

import numpy as np
import pandas as pd
import pytest
import soundfile
from support.codecs import mp3_at_32_kbit
from support.publishers import save_rows

from speechdt.audio import io as audio_io
from speechdt.corpus import index, labels, near_duplicates
from speechdt.corpus.selection import read_marks, select
from speechdt.trials import leak_audit

RATE = 16_000
HEADER = ["path", "label", "category", "group_id", "source_id"]


def indexed(folder, *rows, header=HEADER):
    """Return what is usable of a folder with a manifest, and the reasons of the others."""
    save_rows(folder / "manifest.csv", [header, *rows])
    sources = index.read_corpora([{"kind": "folder", "path": folder}])
    usable, rejected = index.index(sources, 200)
    return usable, dict(rejected[["source_id", "reason"]].to_numpy())


@pytest.fixture
def folder(tmp_path, rng):
    for name in ("x", "y"):
        soundfile.write(tmp_path / f"{name}.wav", rng.uniform(-0.5, 0.5, 4 * RATE), RATE)
    return tmp_path


@pytest.mark.parametrize("file", ["x.wav", "copy.wav"])
def test_the_same_samples_under_two_labels_stop_the_run(folder, file):
    (folder / "copy.wav").write_bytes((folder / "x.wav").read_bytes())
    usable, _ = indexed(
        folder,
        ["x.wav", "SPEECH", "speech", "alice", "talk"],
        [file, "NONSPEECH", "noise", "street", "cars"],
        ["y.wav", "NONSPEECH", "noise", "wind", "wind"],
    )
    with pytest.raises(labels.TwoLabels, match=r"two labels: cars \(NON\w+\) and talk \(SPEECH\)"):
        labels.check(usable)
    (folder / "marks.csv").write_text("source_id\ncars\n")
    used, _ = select(usable, read_marks([folder / "marks.csv"], usable["source_id"]))
    labels.check(used)
    assert used["source_id"].tolist() == ["talk", "wind"]


def test_two_rows_of_one_name_and_two_labels_are_one_line(folder):
    rows = [["x.wav", "SPEECH", "speech", "a"], ["x.wav", "NONSPEECH", "noise", "a"]]
    with pytest.raises(
        index.CorpusError, match=r"two labels for .*x.wav: .* as (SPEECH|NONSPEECH) and as"
    ):
        indexed(folder, *rows, header=HEADER[:-1])


def test_two_rows_of_one_name_and_two_groups_are_one_line(folder):
    rows = [["x.wav", "SPEECH", "speech", "a"], ["x.wav", "SPEECH", "speech", "b"]]
    with pytest.raises(index.CorpusError, match=r"x.wav is listed twice, with group_id 'a' and"):
        indexed(folder, *rows, header=HEADER[:-1])


def test_a_recording_that_is_listed_twice_counts_once(folder):
    same = ["x.wav", "SPEECH", "speech", "a"]
    usable, reasons = indexed(folder, same, same, header=HEADER[:-1])
    assert usable["source_id"].tolist() == ["x.wav"]
    assert reasons == {"x.wav": "listed twice"}
    usable, reasons = indexed(folder, [*same, "one"], [*same, "two"])
    assert usable["source_id"].tolist() == ["one"]
    assert "same audio as" in reasons["two"]


def test_regions_of_one_file_may_touch_but_not_share_a_clip(folder):
    header = [*HEADER, "start", "end"]
    talk = ["x.wav", "SPEECH", "speech", "a", "talk", "0", "2"]
    for start, shared in (("2", False), ("1.9", False), ("1.5", True), ("0.1", True)):
        row = ["x.wav", "NONSPEECH", "noise", "a", "cars", start, "4"]
        usable, _ = indexed(folder, talk, row, header=header)
        if shared:
            with pytest.raises(labels.TwoLabels, match=r"talk \(SPEECH\) and cars \(NONSPEECH\)"):
                labels.check(usable)
        else:
            labels.check(usable)


COPIES = {
    "half level": lambda samples: 0.5 * samples,
    "inverse": lambda samples: -samples,
    "MP3": mp3_at_32_kbit,
    "offset": lambda samples: 0.5 * samples + 0.3,
}


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("split", ["dev", "train"])
def test_nearly_the_same_audio_under_two_labels_stops_the_run(sources, tmp_path, copy, split):
    """Whether in one split or in two."""
    voice = sources[(sources["label"] == "SPEECH") & (sources["seconds"] > 1)].iloc[0]
    soundfile.write(tmp_path / "c.wav", COPIES[copy](audio_io.read(voice["path"])), RATE)
    row = {"source_id": "cars", "path": str(tmp_path / "c.wav"), "label": "NONSPEECH"}
    others = sources[sources["split"] == "train"].head(40).drop(voice.name, errors="ignore")
    table = pd.concat(
        [others, voice.to_frame().T.assign(split="train"), pd.DataFrame([row | {"split": split}])],
        ignore_index=True,
    )
    near_duplicates.write_fingerprints(tmp_path / "p.parquet", table["source_id"], table["path"].tolist())
    with pytest.raises(labels.TwoLabels) as caught:
        leak_audit.audit_recordings(tmp_path / "p.parquet", table, logging.getLogger())
    assert "two labels" in str(caught.value)
    assert f"{voice['source_id']} (SPEECH)" in str(caught.value)
    assert "cars (NONSPEECH)" in str(caught.value)
    assert "\n" not in str(caught.value)
    left = table[table["source_id"] != "cars"].reset_index(drop=True)
    counts = leak_audit.audit_recordings(tmp_path / "p.parquet", left, logging.getLogger())
    assert counts["distinct"].sum() == len(left)


def test_no_audio_of_the_corpus_has_two_labels(sources):
    labels.check(sources)
    assert np.isfinite(sources["rumble_db"]).all()
