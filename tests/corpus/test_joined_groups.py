"""Groups that share audio are one from the index on, so that no split can hold a part of them."""

import numpy as np
import pandas as pd
import pytest
import soundfile
from support.codecs import mp3_at_32_kbit

from speechdt.audio import io as audio_io
from speechdt.corpus import index, joined_groups, labels, near_duplicates, split

RATE = 16_000


def table(*rows):
    columns = ["source_id", "group_id", "label"]
    return pd.DataFrame([dict(zip(columns, row, strict=True)) for row in rows])


def pairs(sources, *names):
    of = sources.set_index("source_id")
    return pd.DataFrame(
        [
            {
                "one": one, "other": other,
                "group_id": of["group_id"][one], "other_group_id": of["group_id"][other],
                "label": of["label"][one], "other_label": of["label"][other],
                "shift_ms": 0, "votes": 9, "alike": 0.99,
            }
            for one, other in names
        ],
        columns=joined_groups.COLUMNS,
    )  # fmt: skip


@pytest.fixture
def sources():
    return table(*((name, f"g{number}", "SPEECH") for number, name in enumerate("abcdefgh")))


def test_what_is_connected_is_one_group(sources):
    """By whatever chain of pairs, in whatever order they come."""
    duplicates = pairs(sources, ("h", "g"), ("a", "b"), ("c", "d"), ("d", "b"))
    expected = ["g0", "g0", "g0", "g0", "g4", "g5", "g6", "g6"]
    for order in (duplicates, duplicates[::-1]):
        done = joined_groups.joined(sources, order)
        assert done.sources["group_id"].tolist() == expected
        assert done[1:] == (4, 6, 2)


def test_a_recording_that_is_left_out_connects_nothing(sources):
    duplicates = pairs(sources, ("a", "b"), ("b", "c"))
    used = sources[sources["source_id"] != "b"]
    assert joined_groups.joined(used, duplicates).sources["group_id"].is_unique


def test_without_pairs_all_stays(sources):
    done = joined_groups.joined(sources, pairs(sources), "stop")
    pd.testing.assert_frame_equal(done.sources, sources)
    assert done[1:] == (0, 0, 0)


def test_to_stop_is_one_line_with_the_pairs(sources):
    duplicates = pairs(sources, *(("a", other) for other in "bcdefgh"), *[("b", "c")] * 5)
    with pytest.raises(
        joined_groups.NearDuplicates,
        match=r"^12 pairs .* a and b \(0.99\); .*; and 2 more; corpus/",
    ) as caught:
        joined_groups.joined(sources, duplicates, "stop")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("how", ["join", "stop"])
def test_two_labels_stop_the_run(sources, how):
    sources.loc[1, "label"] = "NONSPEECH"
    with pytest.raises(labels.TwoLabels, match=r"two labels: a \(SPEECH\) and b \(NONSPEECH\)"):
        joined_groups.joined(sources, pairs(sources, ("a", "b")), how)


def test_one_library_in_two_corpora_ends_in_one_split(root, sources, tmp_path, rng):
    """Copies of eight speakers as MP3, shifted: the other corpus has other names and groups."""
    manifest = pd.read_csv(root / "corpus" / "manifest.csv")
    chosen = manifest[(manifest["label"] == "SPEECH") & (manifest["seconds"] > 2)]
    chosen = chosen.drop_duplicates("group_id").head(8)
    for number, path in enumerate(chosen["path"]):
        samples = audio_io.read(root / "corpus" / path)
        for corpus, version in (
            ("one", samples),
            ("two", np.concatenate([np.zeros(700, np.float32), mp3_at_32_kbit(0.5 * samples)])),
        ):
            file = tmp_path / corpus / "speech" / f"{corpus}{number}" / "x.wav"
            file.parent.mkdir(parents=True)
            soundfile.write(file, version, RATE)
    corpora = [{"kind": "folder", "path": tmp_path / name} for name in ("one", "two")]
    usable, _ = index.index(index.read_corpora(corpora), 200)
    prints = tmp_path / "p.parquet"
    near_duplicates.write_fingerprints(
        prints, usable["source_id"].tolist(), usable["path"].tolist()
    )
    duplicates = near_duplicates.find(prints, usable, apart=joined_groups.APART)
    assert len(duplicates) == 8
    # 44 ms of silence, and the 69 that the encoder puts before.
    assert duplicates["shift_ms"].abs().to_numpy() == pytest.approx(113, abs=12)
    assert duplicates["alike"].min() > 0.9
    done = joined_groups.joined(usable, duplicates)
    assert done.groups == 16
    assert done.sources["group_id"].nunique() == done.into == 8
    for seed in range(3):
        assigned = split.assign(done.sources, [200, 1000], seed=seed)
        assert near_duplicates.find(prints, assigned).empty
        assert assigned.groupby("group_id")["split"].nunique().max() == 1
