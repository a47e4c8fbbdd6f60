"""Folders and manifests as they really come: each file used, rejected with a reason, or ignored."""

import os
import socket

import numpy as np
import pytest
import soundfile
from support import odd_files
from support.publishers import save_rows

from speechdt.corpus import file_states, index, readers, rejections

RATE = 16_000
HEADER = ["path", "label", "category", "group_id"]


@pytest.fixture
def folder(tmp_path, rng):
    """A folder with one recording of each class, beside which odd things are put."""
    own = tmp_path / "own"
    for path in ("speech/a/1.wav", "nonspeech/noise/b/2.wav"):
        (own / path).parent.mkdir(parents=True)
        soundfile.write(own / path, rng.uniform(-0.5, 0.5, RATE), RATE)
    return own


def corpus(folder, **options):
    return {"kind": "folder", "path": folder, **options}


def indexed(*corpora):
    usable, rejected = index.index(index.read_corpora(corpora), 200)
    return usable.set_index("source_id"), dict(rejected[["source_id", "reason"]].to_numpy())


GOOD = {"speech/a/1.wav", "nonspeech/noise/b/2.wav"}


def nowhere(speech):
    (speech / "notes.pdf").symlink_to("nowhere")
    return "speech/notes.pdf", "link to nowhere"


def loop(speech):
    (speech / "loop.wav").symlink_to("loop.wav")
    return "speech/loop.wav", "link cycle"


def above(speech):
    (speech / "again").symlink_to("..", target_is_directory=True)
    return "speech/again", "link cycle"


def outside(speech):
    other = speech.parents[1] / "elsewhere"
    other.mkdir()
    soundfile.write(other / "x.wav", np.ones(RATE) / 2, RATE)
    (speech / "linked").symlink_to(other, target_is_directory=True)
    return "speech/linked", "link out of the corpus folder"


def outside_file(speech):
    soundfile.write(speech.parents[1] / "x.wav", np.ones(RATE) / 2, RATE)
    (speech / "x.wav").symlink_to(speech.parents[1] / "x.wav")
    return "speech/x.wav", "link out of the corpus folder"


def fifo(speech):
    os.mkfifo(speech / "pipe.wav")
    return "speech/pipe.wav", "no file but a FIFO"


def sock(speech):
    here = os.getcwd()
    os.chdir(speech)  # a socket's whole path may have no more than a hundred bytes
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("s.wav")
    os.chdir(here)
    return "speech/s.wav", "no file but a socket"


def latin(speech):
    name = os.fsdecode(b"caf\xe9.wav")
    soundfile.write(os.fspath(speech / "plain.wav"), np.zeros(RATE), RATE)
    os.rename(speech / "plain.wav", speech / name)
    return "speech/caf\\xe9.wav", "name is not UTF-8"


def unknown(speech):
    (speech / "x.dat").write_bytes(b"?")
    return "speech/x.dat", "no kind of audio by its name"


def m4a(speech):
    (speech / "x.m4a").write_bytes(b"\0\0\0\x20ftypM4A \0\0\0\0")
    return "speech/x.m4a", "not read by libsndfile; convert it|not readable as audio"


@pytest.mark.parametrize(
    "put",
    [nowhere, loop, above, outside, outside_file, fifo, sock, latin, unknown, m4a],
    ids=lambda put: put.__name__,
)
def test_an_odd_entry_is_one_line_and_stops_nothing(folder, tmp_path, put):
    name, reason = put(folder / "speech")
    before = file_states.folder_state(folder, tmp_path / "none")
    usable, reasons = indexed(corpus(folder))
    assert set(usable.index) == GOOD
    assert reasons.keys() == {name}
    assert any(part in reasons[name] for part in reason.split("|"))
    usable.to_parquet(tmp_path / "x.parquet")  # and every name can be written
    assert file_states.folder_state(folder, tmp_path / "none") == before


def test_a_file_that_may_not_be_read_is_one_line(folder, monkeypatch):
    def refused(path, *_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("speechdt.audio.streams.soundfile.SoundFile", refused)
    _, reasons = indexed(corpus(folder))
    assert reasons.keys() == GOOD
    assert all("Permission denied" in reason for reason in reasons.values())


def test_a_folder_that_may_not_be_listed_is_one_line(folder, monkeypatch):
    scandir = os.scandir

    def refused(path):
        if str(path).endswith("speech/a"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr("speechdt.files.os.scandir", refused)
    usable, reasons = indexed(corpus(folder))
    assert set(usable.index) == GOOD - {"speech/a/1.wav"}
    assert reasons == {"speech/a": "folder cannot be listed (Permission denied)"}


def test_a_link_inside_the_corpus_is_followed(folder):
    (folder / "speech" / "b").symlink_to("a", target_is_directory=True)
    usable, reasons = indexed(corpus(folder))
    assert len(usable) == 2
    (reason,) = reasons.values()
    assert "same audio as" in reason


@pytest.mark.parametrize("named", ["x.wav", "../x.wav", "{outside}/x.wav", "there/x.wav"])
def test_what_a_manifest_names_lies_in_the_folder_unless_it_may_not(folder, tmp_path, rng, named):
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    for place in (outside, folder.parent):
        soundfile.write(place / "x.wav", rng.uniform(-0.5, 0.5, RATE), RATE)
    (folder / "x.wav").symlink_to(outside / "x.wav")
    (folder / "there").symlink_to(outside, target_is_directory=True)
    named = named.format(outside=outside)
    save_rows(folder / "manifest.csv", [HEADER, [named, "SPEECH", "speech", "a"]])
    usable, reasons = indexed(corpus(folder))
    assert usable.empty
    assert "leads out of the corpus folder (the corpus option 'outside: allow'" in reasons[named]
    usable, reasons = indexed(corpus(folder) | {"outside": "allow"})
    assert usable.index.tolist() == [named]
    assert not reasons


def test_a_link_out_of_the_folder_is_followed_where_that_is_allowed(folder, tmp_path, rng):
    (tmp_path / "elsewhere").mkdir()
    soundfile.write(tmp_path / "elsewhere" / "x.wav", rng.uniform(-0.5, 0.5, RATE), RATE)
    (folder / "speech" / "out").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert set(indexed(corpus(folder))[0].index) == GOOD
    usable, reasons = indexed(corpus(folder) | {"outside": "allow"})
    assert set(usable.index) == GOOD | {"speech/out/x.wav"}
    assert not reasons


def test_what_is_left_alone_is_named_once(folder):
    for name in ("a.txt", "b.txt", "c.png", "README", ".hidden"):
        (folder / "speech" / name).write_text("x")
    sources = index.read_corpora([corpus(folder)])
    assert readers.notes(corpus(folder), sources) == [
        "own: files that are no audio, and left alone: 2 .txt, 1 .png, 1 README"
    ]
    save_rows(
        folder / "manifest.csv",
        [
            [*HEADER, "speaker", "channel", "split", "language"],
            ["speech/a/1.wav", "SPEECH", "speech", "a", "alice", "1", "train", "en"],
        ],
    )
    columns, ignored, unlisted = readers.notes(corpus(folder), index.read_corpora([corpus(folder)]))
    assert ignored == "own: files that are no audio, and left alone: 2 .txt, 1 .png, 1 README"
    assert unlisted.startswith("own: 1 audio files that its list does not name")
    assert columns == (
        f"{folder}/manifest.csv: columns that are not used: speaker (group_id says what stays "
        "together); channel (recordings are taken as they are); split (the split is drawn anew)"
    )


@pytest.mark.parametrize("label", ["Speech", "speech", "SPEECH", " speech "])
@pytest.mark.parametrize("other", ["NonSpeech", "non-speech", "NON_SPEECH", "nonspeech"])
def test_labels_of_any_case_and_backslashes(folder, label, other):
    save_rows(
        folder / "manifest.csv",
        [
            HEADER,
            ["speech\\a\\1.wav", label, "Speech", "a"],
            ["nonspeech\\noise\\b\\2.wav", other, "NOISE", "b "],
        ],
    )
    usable, reasons = indexed(corpus(folder))
    assert not reasons
    assert usable["label"].to_dict() == {
        "speech/a/1.wav": "SPEECH", "nonspeech/noise/b/2.wav": "NONSPEECH"
    }  # fmt: skip
    assert usable["group_id"].tolist() == ["b", "a"]


@pytest.mark.parametrize(
    ("vocals", "taken"),
    [
        *(("no", True), ("No", True), ("false", True), ("0", True), ("", True), ("yes", False)),
        *(("TRUE", False), ("1", False), ("unknown", False), ("maybe", False)),
    ],
)
def test_vocals_of_any_spelling(folder, vocals, taken):
    save_rows(
        folder / "manifest.csv",
        [[*HEADER, "vocals"], ["nonspeech/noise/b/2.wav", "NONSPEECH", "music", "b", vocals]],
    )
    usable, reasons = indexed(corpus(folder))
    assert len(usable) == taken
    assert len(reasons) == 1 - taken


def test_folders_with_the_same_names_keep_their_speakers_apart(tmp_path, rng):
    for site in ("siteA", "siteB"):
        for path in ("speech/g0/0.wav", "nonspeech/noise/g0/0.wav"):
            (tmp_path / site / path).parent.mkdir(parents=True)
            soundfile.write(tmp_path / site / path, rng.uniform(-0.5, 0.5, RATE), RATE)
    one, other = (corpus(tmp_path / site) for site in ("siteA", "siteB"))
    usable, reasons = indexed(one, other)
    assert not reasons
    speech = usable[usable["label"] == "SPEECH"]
    assert speech["group_id"].to_dict() == {
        "siteA/speech/g0/0.wav": "siteA/speech/g0",
        "siteB/speech/g0/0.wav": "siteB/speech/g0",
    }
    alone, _ = indexed(one)
    assert set(alone.index) == {"speech/g0/0.wav", "nonspeech/noise/g0/0.wav"}
    (tmp_path / "siteB" / "speech" / "g0" / "0.wav").rename(
        tmp_path / "siteB" / "speech" / "g0" / "1.wav"
    )
    (tmp_path / "siteB" / "nonspeech" / "noise" / "g0" / "0.wav").unlink()
    together, _ = indexed(one | {"name": "all"}, other | {"name": "all"})
    assert set(together[together["label"] == "SPEECH"]["group_id"]) == {"speech/g0"}


def test_folders_of_one_name_with_the_same_recordings_are_one_line(tmp_path, rng):
    for site in ("a", "b"):
        (tmp_path / site / "data" / "speech").mkdir(parents=True)
        soundfile.write(tmp_path / site / "data/speech/0.wav", rng.uniform(-1, 1, RATE), RATE)
    with pytest.raises(index.CorpusError, match=r"speech/0.wav stands for .* need a name each"):
        indexed(*(corpus(tmp_path / site / "data") for site in ("a", "b")))


def test_rejections_are_summed_up_by_reason(folder):
    save_rows(
        folder / "manifest.csv",
        [HEADER, *([f"{number}.wav", "voice", "speech", "a"] for number in range(30))],
    )
    sources = index.read_corpora([corpus(folder)])
    _, rejected = index.index(sources, 200)
    assert rejections.summary(rejected, len(sources)) == [
        "30 of 30 recordings are not used (corpus/rejected.csv):",
        "  30: unknown label 'voice'; known: SPEECH, NONSPEECH, such as 0.wav",
    ]
    assert rejections.in_short(rejected, 30) == (
        "30 of 30 recordings are not used (30: unknown label 'voice'; known: SPEECH, NONSPEECH)"
    )


def test_all_odd_files_at_once_are_used_or_rejected(tmp_path, rng):
    used, expected = odd_files.put(tmp_path / "own" / "speech" / "odd", rng)
    usable, reasons = indexed(corpus(tmp_path / "own"))
    assert {name.rpartition("/")[2] for name in usable.index} == used
    reasons = {name.rpartition("/")[2]: reason for name, reason in reasons.items()}
    assert reasons.keys() == expected.keys()
    assert all(part in reasons[name] for name, part in expected.items())
    seconds = {name.rpartition("/")[2]: value for name, value in usable["seconds"].items()}
    for name in ("joined.flac", "joined.ogg", "joined.mp3"):
        assert seconds[name] == pytest.approx(5, rel=0.03)
    by_name = usable.rename(index=lambda name: name.rpartition("/")[2])
    assert by_name.loc["antiphase.wav", "downmix"] == "channel 1"
    assert by_name.loc["offset.wav", "faults"] == "offset"
