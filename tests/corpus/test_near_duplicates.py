"""The leak audit by content: planted copies are found, and nothing else is."""

import logging

import numpy as np
import pandas as pd
import pytest
import soundfile
from support.codecs import RATE, mp3_at_32_kbit

from speechdt.audio import fingerprint
from speechdt.audio import io as audio_io
from speechdt.corpus import near_duplicates
from speechdt.trials import leak_audit

COPIES = {
    "renamed": lambda samples: samples,
    "mp3": mp3_at_32_kbit,
    "later": lambda samples: np.concatenate([np.zeros(1600, np.float32), samples]),
    "earlier": lambda samples: samples[1600:],
    "quieter": lambda samples: 0.1 * samples,
    "all at once": lambda samples: 0.2 * mp3_at_32_kbit(samples[1600:]),
}


@pytest.fixture(scope="module")
def prints(sources, tmp_path_factory):
    path = tmp_path_factory.mktemp("prints") / "corpus.parquet"
    near_duplicates.write_fingerprints(
        path, sources["source_id"].tolist(), sources["path"].tolist(), 2
    )
    return path


def some(sources, split, seconds, count=3):
    """Return sources of a split, a few of each category."""
    long = sources[(sources["split"] == split) & (sources["seconds"] >= seconds)]
    return long.groupby("category").head(count)


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_in_another_split_is_found_and_named(sources, tmp_path, copy):
    kept = sources[sources["split"] != "test"]
    originals = some(sources, "dev", 1.0)
    planted = []
    for number, original in enumerate(originals.itertuples()):
        file = tmp_path / f"{number}.wav"
        soundfile.write(file, COPIES[copy](audio_io.read(original.path)), RATE, subtype="FLOAT")
        copied = {"source_id": f"copy {number}", "path": str(file), "split": "test"}
        planted.append(copied | {"label": original.label})
    table = pd.concat([kept.head(60), originals, pd.DataFrame(planted)]).drop_duplicates("path")
    file = tmp_path / "prints.parquet"
    near_duplicates.write_fingerprints(file, table["source_id"].tolist(), table["path"].tolist())
    duplicates = near_duplicates.find(file, table.reset_index(drop=True))
    pairs = {frozenset(pair) for pair in duplicates[["one", "other"]].to_numpy().tolist()}
    expected = {
        frozenset((name, f"copy {number}")) for number, name in enumerate(originals["source_id"])
    }
    assert pairs == expected
    with pytest.raises(leak_audit.LeakError, match=r"copy \d+ \(test\).*and \d+ more; give both"):
        leak_audit.audit_recordings(file, table.reset_index(drop=True), logging.getLogger())


def test_no_two_groups_of_the_corpus_share_audio(sources, prints):
    """The strictest split there could be: every group by itself."""
    assert near_duplicates.find(prints, sources.assign(split=sources["group_id"])).empty


def test_an_excerpt_that_shares_its_beginning_alone_is_found(sources, tmp_path):
    one, other = (audio_io.read(path) for path in some(sources, "dev", 3.0, 1)["path"][:2])
    beginning = one[: RATE // 2]
    rows = []
    for name, samples in (("whole", one), ("cut", np.concatenate([beginning, other]))):
        soundfile.write(tmp_path / f"{name}.wav", samples, RATE, subtype="FLOAT")
        rows.append({"source_id": name, "path": str(tmp_path / f"{name}.wav"), "split": name})
    table = pd.DataFrame(rows)
    near_duplicates.write_fingerprints(
        tmp_path / "p.parquet", ["whole", "cut"], table["path"].tolist()
    )
    assert len(near_duplicates.find(tmp_path / "p.parquet", table)) == 1


def test_noise_of_the_same_colour_is_no_copy(tmp_path, rng):
    rows = []
    for number in range(40):
        file = tmp_path / f"{number}.wav"
        soundfile.write(file, 0.1 * rng.standard_normal(RATE), RATE)
        rows.append({"source_id": str(number), "path": str(file), "split": str(number)})
    table = pd.DataFrame(rows)
    near_duplicates.write_fingerprints(
        tmp_path / "p.parquet", table["source_id"], table["path"].tolist()
    )
    assert near_duplicates.find(tmp_path / "p.parquet", table).empty


def test_the_same_hum_is_no_copy(tmp_path, rng):
    hum = 0.3 * np.sin(2 * np.pi * 50 * np.arange(RATE) / RATE)
    files = [str(tmp_path / f"{number}.wav") for number in range(2)]
    for file in files:
        soundfile.write(file, hum + 0.01 * rng.standard_normal(RATE), RATE)
    assert near_duplicates.compare((files[0], files[1]), shift=0) < near_duplicates.LEAST_ALIKE / 2
    assert near_duplicates.compare((files[0], files[0]), shift=0) > 0.99


def test_recordings_that_are_padded_with_silence_are_no_copies(tmp_path, rng):
    """They end off zero, as resampled excerpts do: what filters make of that is alike in all."""
    rows = []
    for number in range(30):
        length = int(rng.uniform(0.5, 1.5) * RATE)
        sound = 0.1 * rng.standard_normal(length) * np.geomspace(1, 0.03, length)
        sound += rng.uniform(0.15, 0.3)
        file = tmp_path / f"{number}.wav"
        soundfile.write(file, np.concatenate([sound, np.zeros(4 * RATE)]), RATE)
        rows.append({"source_id": str(number), "path": str(file), "split": str(number)})
    table = pd.DataFrame(rows)
    near_duplicates.write_fingerprints(
        tmp_path / "p.parquet", table["source_id"], table["path"].tolist()
    )
    assert near_duplicates.find(tmp_path / "p.parquet", table).empty


def test_a_fingerprint_does_not_hear_the_level(rng):
    samples = rng.standard_normal(RATE).astype(np.float32)
    loud, quiet = (fingerprint.fingerprint(gain * samples) for gain in (0.5, 0.25))
    np.testing.assert_array_equal(loud.words, quiet.words)
    np.testing.assert_array_equal(loud.weak, quiet.weak)


def test_variants_turn_the_weak_bits_and_no_others(rng):
    print_ = fingerprint.fingerprint(rng.standard_normal(4000).astype(np.float32))
    words = fingerprint.variants(print_)
    assert words.shape == (len(print_.words), 2**fingerprint.WEAK)
    places = (print_.weak[:, None] >> 5 * np.arange(fingerprint.WEAK)) & 31
    expected = np.bitwise_or.reduce(1 << places, axis=1)
    turned = np.bitwise_or.reduce(words ^ print_.words[:, None], axis=1)
    np.testing.assert_array_equal(turned, expected)
    assert all(len(set(row)) == 2**fingerprint.WEAK for row in words.tolist())
