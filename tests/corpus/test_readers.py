"""Each reader finds what its publisher lays out, and says what it leaves out and why."""

import os
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from support import publishers

from speechdt.audio import io as audio_io
from speechdt.corpus import index, readers
from speechdt.corpus.readers import esc50, gtzan, musiccaps, voxconverse
from speechdt.corpus.sources import CorpusError

RATE = 16_000
M4A = b"\0\0\0\x20ftypM4A " + bytes(100)


@pytest.fixture(scope="module")
def trees(root, tmp_path_factory):
    """A small tree of every publisher."""
    folder, sounds = tmp_path_factory.mktemp("publishers"), publishers.Sounds(root)
    for write in (publishers.voxconverse, publishers.esc50, publishers.gtzan):
        write(folder / write.__name__, sounds)
    for write in (publishers.fma, publishers.musiccaps, publishers.musan):
        write(folder / write.__name__, sounds)
    return folder


def listed(trees, kind, **options):
    """Return the sources of a corpus by id."""
    sources = list(readers.read({"kind": kind, "path": trees / kind, **options}))
    assert len({source.source_id for source in sources}) == len(sources)
    return {source.source_id: source for source in sources}


def indexed(trees, kind, **options):
    """Return the usable sources, and the reasons of the others by id."""
    sources = index.read_corpora([{"kind": kind, "path": trees / kind, **options}])
    usable, rejected = index.index(sources, 200)
    return usable.set_index("source_id"), dict(rejected[["source_id", "reason"]].to_numpy())


def test_voxconverse_yields_stretches_of_speech_and_the_video_as_group(trees):
    usable, reasons = indexed(trees, "voxconverse")
    assert set(usable["label"]) == {"SPEECH"}
    assert set(usable["category"]) == {"speech"}
    # Three turns that overlap or touch, then one after a pause; six videos in each part.
    assert usable.groupby("group_id").size().to_dict() == {
        f"voxconverse/{part}vid{letter}": 2 for part in "dt" for letter in "abcdef"
    }
    assert reasons.keys() == {"voxconverse/dev/goner", "voxconverse/none/stray"}
    assert "missing, though" in reasons["voxconverse/dev/goner"]
    (whole,) = (trees / "voxconverse" / "audio").glob("dvida.wav")
    last = usable[usable["group_id"] == "voxconverse/dvida"]["seconds"].iloc[-1]
    assert last < soundfile.info(whole).duration  # though its turn goes on for five seconds more


def test_turns_become_stretches(tmp_path):
    publishers.rttm(
        tmp_path / "dev" / "x.rttm", "x",
        [(10, 5, "a"), (0.5, 2, "a"), (12, 4, "b"), (2.5, 1, "b"), (20, 0, "a"), (30, 65, "a")],
    )  # fmt: skip
    publishers.save(tmp_path / "x.wav", np.zeros(RATE))
    sources = readers.read({"kind": "voxconverse", "path": tmp_path, "parts": ["dev"]})
    assert [source.path.partition("#t=")[2] for source in sources] == [
        *("0.500,3.500", "10.000,16.000"),
        *("30.000,51.667", "51.667,73.333", "73.333,95.000"),
    ]


def test_a_broken_annotation_is_one_line(tmp_path):
    (tmp_path / "x.rttm").write_text(";; a comment\nSPKR-INFO x 1\nSPEAKER x 1 0.4 six <NA>\n")
    with pytest.raises(CorpusError, match=r"x.rttm, line 3: expected 'SPEAKER <id> 1 <start>"):
        voxconverse.turns(tmp_path / "x.rttm")


def test_esc50_maps_its_classes_and_groups_by_recording(trees):
    usable, reasons = indexed(trees, "esc50")
    assert Counter(usable["category"]) == {"animals": 13, "environment": 12}
    licences = usable.loc[["esc50/1-100000-A-0.wav", "esc50/1-200000-A-10.wav"], "licence"]
    assert licences.tolist() == ["CC-BY", "CC-BY-NC-3.0"]
    assert usable.loc["esc50/1-100000-A-0.wav", "group_id"] == "freesound/100000"
    assert usable.loc["esc50/1-100000-B-0.wav", "group_id"] == "freesound/100000"
    assert usable.loc["esc50/1-100002-A-14.wav", "category"] == "animals"  # chirping birds
    assert set(usable["seconds"].round(2)) == {5.0}  # though most of it is padding
    assert "human sound 'laughing'" in reasons["esc50/1-300000-A-26.wav"]
    assert reasons["esc50/1-400000-A-10.wav"] == "missing"


def test_esc50_s_fifty_classes_are_all_known():
    kinds = (*esc50.ANIMALS, *esc50.HUMAN, *esc50.ENVIRONMENT)
    assert len(kinds) == len(set(kinds)) == 50
    assert len(esc50.HUMAN) == 10


def test_human_sounds_are_taken_if_asked(trees):
    usable, reasons = indexed(trees, "esc50", human=["coughing"])
    assert usable.loc["esc50/1-300001-A-24.wav", "category"] == "environment"
    assert "esc50/1-300000-A-26.wav" in reasons


def test_gtzan_leaves_out_known_faults_and_may_be_sung(trees):
    sources = listed(trees, "gtzan")
    assert len(sources) == 12 + 3  # ._jazz.00000.au is no excerpt
    assert {source.category for source in sources.values()} == {"music"}
    assert all(source.reason for source in sources.values())
    assert "repeats another excerpt" in sources["gtzan/jazz.00034"].reason
    assert "may hold singing" in sources["gtzan/jazz.00000"].reason
    assert sources["gtzan/jazz.00000"].group_id == "gtzan/jazz"
    usable, reasons = indexed(trees, "gtzan", genres=["classical", "jazz"], vocals="keep")
    assert len(usable) == 4
    assert "not readable as audio" in reasons["gtzan/jazz.00054"]


def test_gtzan_s_faults_are_those_of_the_fault_filtered_partition():
    stock = pytest.importorskip("torchaudio.datasets.gtzan")
    kept = {*stock.filtered_train, *stock.filtered_valid, *stock.filtered_test}
    everything = {f"{genre}.{number:05d}" for genre in gtzan.GENRES for number in range(100)}
    faulty = {f"{g}.{n:05d}" for g, numbers in gtzan.FAULTY.items() for n in numbers}
    assert everything - kept == faulty


def test_gtzan_as_it_is_copied_with_sturm_s_index(root, tmp_path):
    publishers.gtzan(tmp_path / "gtzan", publishers.Sounds(root), original=False, index=True)
    sources = listed(tmp_path, "gtzan", vocals="keep")
    assert sources["gtzan/blues.00000"].group_id == "artist/the_blues_trio"
    assert sources["gtzan/blues.00000"].path.endswith("genres_original/blues/blues.00000.wav")
    assert sources["gtzan/jazz.00054"].group_id == "gtzan/jazz"


def test_fma_takes_what_is_instrumental_and_groups_by_artist(trees):
    usable, reasons = indexed(trees, "fma")
    assert len(usable) == 11
    assert usable.loc["fma/000002", "group_id"] == "artist/artist_no_0"
    assert usable.loc["fma/020000", "group_id"] == usable.loc["fma/001402", "group_id"]
    assert set(usable["vocals"]) == {"no"}
    assert set(usable["licence"]) == {"CC BY-NC"}
    assert usable.loc["fma/000002", "path"].endswith("fma_small/000/000002.mp3")
    assert "may hold singing" in reasons["fma/000005"]
    assert reasons["fma/020001"] == "genre Spoken: speech"
    assert reasons["fma/098567"] == "shorter than 200 ms"
    assert "not readable as audio" in reasons["fma/133297"]
    assert "fma/020003" not in {*usable.index, *reasons}  # of fma_medium


def test_fma_s_sung_tracks_are_taken_if_asked(trees):
    usable, reasons = indexed(trees, "fma", vocals="keep")
    assert usable.loc["fma/000005", "vocals"] == "unknown"
    assert usable.loc["fma/020002", "group_id"] == "fma/artist/77"  # no name, but a number
    assert reasons["fma/020001"] == "genre Spoken: speech"


def test_musiccaps_takes_captions_without_voices(trees):
    usable, reasons = indexed(trees, "musiccaps")
    assert len(usable) == 10
    assert usable.loc["musiccaps/-v000000000#t=0,10", "group_id"] == "youtube/-v000000000"
    assert sum("holds singing" in reason for reason in reasons.values()) == 4
    assert sum("missing, though" in reason for reason in reasons.values()) == 2


@pytest.mark.parametrize(("caption", "sung"), publishers.CAPTIONS.items())
def test_captions_that_deny_voices_are_not_taken_for_singing(caption, sung):
    assert musiccaps.sung({"caption": caption}) == (sung == "yes")


def test_musiccaps_videos_are_read_from_start_to_end(tmp_path, rng):
    video = rng.uniform(-0.5, 0.5, 45 * RATE)
    publishers.save(tmp_path / "musiccaps" / "videos" / "-abcdefghij.wav", video)
    publishers.save_rows(
        tmp_path / "musiccaps" / "musiccaps-public.csv",
        [["ytid", "start_s", "end_s", "caption"], ["-abcdefghij", "30", "40", "A lone flute."]],
    )
    (source,) = listed(tmp_path, "musiccaps", holds="videos").values()
    whole = audio_io.read(tmp_path / "musiccaps" / "videos" / "-abcdefghij.wav")
    np.testing.assert_allclose(audio_io.read(source.path), whole[30 * RATE : 40 * RATE], atol=1e-6)


def test_musan_tells_parts_singing_artists_and_pieces(trees):
    usable, reasons = indexed(trees, "musan")
    assert Counter(usable["category"]) == {"music": 4, "speech": 5, "noise": 14 + 2}
    assert set(usable[usable["category"] == "speech"]["label"]) == {"SPEECH"}
    assert usable.loc["musan/music-fma-0003", "group_id"] == "artist/band_1"
    assert usable.loc["musan/speech-librivox-0001", "language"] == "german"
    pieces = usable[usable.index.str.startswith("musan/noise-sound-bible-0000")]
    assert pieces["seconds"].tolist() == [20.0, 20.0]
    assert set(pieces["group_id"]) == {"musan/noise-sound-bible-0000"}
    assert reasons.keys() == {
        *("musan/music-fma-0090", "musan/music-fma-0091", "musan/music-jamendo-0000"),
        "musan/noise-sound-bible-0001",
    }
    assert reasons["musan/music-fma-0090"].startswith("holds singing")
    assert reasons["musan/music-jamendo-0000"].startswith("may hold singing")


def test_a_manifest_may_say_what_is_sung(tmp_path):
    publishers.save_rows(
        tmp_path / "manifest.csv",
        [
            ["path", "label", "category", "group_id", "vocals"],
            *[[f"{v}.wav", "NONSPEECH", "music", v, v] for v in ("no", "unknown", "yes")],
            ["talk.wav", "SPEECH", "speech", "she", "yes"],
        ],
    )
    sources = readers.read({"kind": "folder", "path": tmp_path})
    assert {Path(s.path).stem: bool(s.reason) for s in sources} == {
        **{"no": False, "unknown": True, "yes": True, "talk": False},
    }
    kept = readers.read({"kind": "folder", "path": tmp_path, "vocals": "keep"})
    assert not any(source.reason for source in kept)


def test_an_artist_is_one_group_in_every_corpus(trees):
    one = listed(trees, "musan")["musan/music-fma-0000"]
    assert one.group_id == "artist/band_0" == readers.fma.artist_group("BAND 0")


def test_synthetic_noise_is_the_same_whenever_it_is_read():
    sources = list(readers.read({"kind": "synthetic", "count": 2, "seconds": 1.5}))
    assert len(sources) == len({source.group_id for source in sources}) == 6
    one, again, other = (audio_io.read(sources[i].path) for i in (0, 0, 1))
    assert len(one) == 24_000
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    # Pink: as much in every octave.
    power = np.abs(np.fft.rfft(audio_io.read(sources[2].path))) ** 2
    octaves = [power[150 * 2**n : 300 * 2**n].sum() for n in range(6)]
    assert max(octaves) < 1.5 * min(octaves)


def test_a_region_is_that_part_of_a_recording_and_little_more_is_decoded(
    tmp_path, rng, monkeypatch
):
    samples = rng.uniform(-0.5, 0.5, 120 * RATE).astype(np.float32)
    soundfile.write(tmp_path / "x.wav", samples, RATE, subtype="FLOAT")
    decoded = []
    read = soundfile.SoundFile.read
    monkeypatch.setattr(
        soundfile.SoundFile, "read",
        lambda file, frames=-1, **options: decoded.append(frames) or read(file, frames, **options),
    )  # fmt: skip
    part = audio_io.read(f"{tmp_path / 'x.wav'}#t=100.5,101.25")
    assert decoded == [int((101.25 - 99 + 1) * RATE)]  # from a second before to one after
    whole = audio_io.read(tmp_path / "x.wav")
    np.testing.assert_allclose(part, whole[int(100.5 * RATE) : int(101.25 * RATE)], atol=1e-6)


@pytest.mark.parametrize("rate", [16_000, 44_100])
@pytest.mark.parametrize("name", ["x.mp3", "x.ogg", "x.flac", "x.aiff"])
def test_a_region_of_compressed_audio_is_that_of_the_whole(tmp_path, rng, name, rate):
    soundfile.write(tmp_path / name, rng.uniform(-0.5, 0.5, 20 * rate), rate)
    for start, stop in ((7.5, 12.25), (0.25, 1.125), (19.0, 20.0)):
        whole, part = (audio_io.read(f"{tmp_path / name}{at}") for at in ("", f"#t={start},{stop}"))
        np.testing.assert_allclose(part, whole[int(start * RATE) : int(stop * RATE)], atol=2e-6)


def test_a_region_beyond_the_end_is_refused(tmp_path):
    publishers.save(tmp_path / "x.wav", np.full(RATE, 0.5))
    for end in ("9", "1"):
        assert len(audio_io.read(f"{tmp_path / 'x.wav'}#t=0.5,{end}")) == RATE // 2
    assert len(audio_io.read(f"{tmp_path / 'x.wav'}#t=0.5")) == RATE // 2
    with pytest.raises(audio_io.UnusableAudio, match="ends before the region of 1 to 2 s"):
        audio_io.read(f"{tmp_path / 'x.wav'}#t=1,2")


@pytest.mark.parametrize(
    ("kind", "removed", "message"),
    [
        (
            "voxconverse",
            "test",
            r"expected annotations .*voxconverse/test/<id>.rttm; there are none",
        ),
        ("esc50", "meta", r"expected .*esc50/meta/esc50.csv \(the table of ESC-50's clips\)"),
        ("esc50", "audio", r"expected recordings .*esc50/audio/\*.wav; there are none"),
        ("gtzan", "genres/metal", r"expected a folder .*gtzan/genres/<genre> for blues,"),
        ("fma", "fma_metadata", r"expected .*fma/fma_metadata/tracks.csv"),
        ("fma", "fma_small", r"expected recordings .*fma_small/<3 digits>/<6 digits>.mp3"),
        ("musiccaps", "musiccaps-public.csv", r"expected .*musiccaps/musiccaps-public.csv"),
        ("musiccaps", "clips", r"expected recordings .*musiccaps/…/<ytid>.wav; there are none"),
        ("musan", "speech", r"expected recordings .*musan/speech/<origin>/\*.wav; there are none"),
        ("musan", "", r"corpus folder .*musan does not exist; expected music/, speech/ and noise/"),
    ],
)
def test_a_wrong_tree_is_one_line_that_says_what_was_expected_where(
    trees, tmp_path, kind, removed, message
):
    shutil.copytree(trees / kind, tmp_path / kind)
    entry = tmp_path / kind / removed
    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    (problem,) = readers.check([{"kind": kind, "path": str(tmp_path / kind)}])
    assert problem.startswith(f"corpus.0 ({kind}): ")
    assert "\n" not in problem
    with pytest.raises(CorpusError, match=message):
        listed(tmp_path, kind)


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        (
            {"kind": "folder", "path": ".", "human": []},
            "no option 'human'; options: path, outside, vocals",
        ),
        ({"kind": "fma", "path": ".", "subsets": "small"}, r"no option .* mean 'subset'"),
        ({"kind": "fma"}, "path is missing"),
        ({"kind": "fma", "path": ".", "subset": "tiny"}, "no subset 'tiny'; subsets: small,"),
        ({"kind": "esc50", "path": ".", "human": ["dog"]}, r"expected meta|no human sound 'dog'"),
        ({"kind": "gtzan", "path": ".", "genres": ["polka"]}, "no genre 'polka'; genres: blues,"),
        ({"kind": "musan", "path": ".", "parts": ["rain"]}, "no part 'rain'; parts: music,"),
        ({"kind": "synthetic", "colours": ["babble"]}, "babble is made of speech"),
    ],
)
def test_a_wrong_option_is_one_line(corpus, message):
    with pytest.raises(CorpusError, match=message):
        list(readers.read(corpus))


@pytest.mark.parametrize(
    ("kind", "table", "column"),
    [
        ("esc50", "meta/esc50.csv", "src_file"),
        ("musiccaps", "musiccaps-public.csv", "caption"),
        ("fma", "fma_metadata/tracks.csv", "genres_all"),
    ],
)
def test_a_table_without_a_column_is_one_line(trees, tmp_path, kind, table, column):
    shutil.copytree(trees / kind, tmp_path / kind)
    file = tmp_path / kind / table
    file.write_text(file.read_text().replace(column, "other", 1))
    with pytest.raises(CorpusError, match=rf"{file.name} lacks the column \S*{column}"):
        listed(tmp_path, kind)


@pytest.mark.parametrize("kind", ["voxconverse", "esc50", "gtzan", "fma", "musiccaps", "musan"])
def test_odd_entries_of_any_corpus_are_one_line_each(trees, tmp_path, kind):
    """A link to nowhere, a FIFO, a container and a text: none of them stops a reader."""
    folder = shutil.copytree(trees / kind, tmp_path / kind)
    (folder / "notes.pdf").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.wav")
    (folder / "stray.m4a").write_bytes(M4A)
    (folder / "words.docx").write_bytes(b"x")
    before, after = listed(trees, kind), listed(tmp_path, kind)
    reasons = {Path(source.path).name: source.reason for source in after.values()}
    assert reasons["notes.pdf"] == "link to nowhere"
    assert reasons["pipe.wav"] == "no file but a FIFO"
    assert len(after) - len(before) == 2 + ("stray.m4a" in reasons)
    notes = "".join(readers.notes({"kind": kind, "path": folder}, list(after.values())))
    assert "1 .docx" in notes
    assert ("stray.m4a" in reasons) != ("stray.m4a" in notes)


@pytest.mark.parametrize("kind", ["voxconverse", "musiccaps"])
def test_a_recording_in_a_container_is_read_or_refused_by_name(trees, tmp_path, kind):
    folder = shutil.copytree(trees / kind, tmp_path / kind)
    usable, _ = indexed(tmp_path, kind)
    file = Path(usable["path"].iloc[0].partition("#t=")[0])
    file.write_bytes(M4A)
    file.rename(file.with_suffix(".m4a"))
    _, reasons = indexed(tmp_path, kind)
    messages = set(reasons.values())
    assert folder in file.parents
    assert any(
        reason.startswith(("m4a: not read by", "not readable as audio (m4a")) for reason in messages
    )


ODD_RTTM = (
    "\ufeffspeaker x 1 0,5 2,0 <NA> <NA> a <NA> <NA>\n"
    "SPEAKER x 1 nan 2 <NA> <NA> a <NA> <NA>\n"
    "SPEAKER x 1 3 inf <NA> <NA> a <NA> <NA>\n"
    "SPEAKER x 1 -1 2 <NA> <NA> a <NA> <NA>\n"
    "Speaker y 1 4.0 1.5 <NA> <NA> b <NA> <NA>\n"
)


def test_rttm_as_it_comes_is_read_or_counted(tmp_path):
    """A byte order mark, letters of any case, commas, times that are none, several recordings."""
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "all.rttm").write_text(ODD_RTTM, encoding="utf-8")
    for name in "xy":
        publishers.save(tmp_path / f"{name}.wav", np.zeros(RATE))
    sources = list(readers.read({"kind": "voxconverse", "path": tmp_path, "parts": ["dev"]}))
    read = [source for source in sources if not source.reason]
    used = {(source.group_id, source.path.partition("#t=")[2]) for source in read}
    assert used == {("voxconverse/x", "0.500,2.500"), ("voxconverse/y", "4.000,5.500")}
    (counted,) = [source for source in sources if source.reason]
    assert counted.reason.startswith("3 turns without a usable time in")


def test_one_recording_in_an_rttm_of_another_name_is_found(tmp_path):
    publishers.rttm(tmp_path / "dev" / "x_annotated.rttm", "x", [(0, 1, "a")])
    publishers.save(tmp_path / "x.wav", np.zeros(RATE))
    (source,) = readers.read({"kind": "voxconverse", "path": tmp_path, "parts": ["dev"]})
    assert not source.reason
    assert source.path == f"{tmp_path}/x.wav#t=0.000,1.000"
