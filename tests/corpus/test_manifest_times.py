"""A manifest may list regions of recordings, by start and end or by offset and duration."""

import numpy as np
import pytest
import soundfile
from support.publishers import save_rows

from speechdt.audio import io as audio_io
from speechdt.corpus import index
from speechdt.corpus.readers.times import seconds

RATE = 16_000
DESCRIBED = ["SPEECH", "speech", "alice"]


@pytest.fixture
def folder(tmp_path, rng):
    soundfile.write(tmp_path / "x.wav", rng.uniform(-0.5, 0.5, 90 * RATE), RATE)
    return tmp_path


def indexed(folder, columns, *rows):
    header = ["path", "label", "category", "group_id", *columns]
    save_rows(folder / "manifest.csv", [header, *(["x.wav", *DESCRIBED, *row] for row in rows)])
    sources = index.read_corpora([{"kind": "folder", "path": folder}])
    usable, rejected = index.index(sources, 200)
    return usable, dict(rejected[["source_id", "reason"]].to_numpy())


@pytest.mark.parametrize(
    ("columns", "row", "start", "stop"),
    [
        (["start", "end"], ["1.5", "4.25"], 1.5, 4.25),
        (["offset", "duration"], ["1.5", "2.75"], 1.5, 4.25),
        (["start", "duration"], ["00:01:01.5", "0:02"], 61.5, 63.5),
        (["start", "end"], ["1:01", "1:02.5"], 61, 62.5),
        (["start", "end", "duration"], ["1.5", "4.25", "2.751"], 1.5, 4.25),
        (["start", "end"], ["88", ""], 88, 90),
        (["start", "end"], ["", "1.0"], 0, 1),
        (["start", "end"], ["85", "95.5"], 85, 90),
    ],
)
def test_a_row_is_the_region_that_it_names(folder, columns, row, start, stop):
    usable, reasons = indexed(folder, columns, row)
    assert not reasons
    (source,) = usable.to_dict("records")
    assert source["seconds"] == pytest.approx(stop - start)
    assert source["source_id"].startswith(f"x.wav#t={start:.3f}")
    assert not {"start", "end", "duration"} & source.keys()
    whole = audio_io.read(folder / "x.wav")[int(start * RATE) : int(stop * RATE)]
    np.testing.assert_allclose(audio_io.read(source["path"]), whole, atol=1e-6)


@pytest.mark.parametrize(
    ("columns", "row"),
    [(["start", "end"], ["", ""]), (["offset"], ["0"]), (["duration"], ["90.0"])],
)
def test_a_row_without_times_or_with_the_recording_s_own_is_all_of_it(folder, columns, row):
    usable, _ = indexed(folder, columns, row)
    assert usable["source_id"].tolist() == ["x.wav"]
    assert usable["seconds"].tolist() == [90]


def test_each_row_is_a_source_of_its_own(folder):
    usable, reasons = indexed(folder, ["start", "end"], ["0", "2"], ["2", "5"], ["2", "5"])
    assert usable["source_id"].tolist() == ["x.wav#t=0.000,2.000", "x.wav#t=2.000,5.000"]
    assert reasons == {"x.wav#t=2.000,5.000": "listed twice"}


def test_a_region_beyond_the_end_is_listed_with_its_reason(folder):
    usable, reasons = indexed(folder, ["start", "end"], ["1500", "3000"])
    assert usable.empty
    assert reasons == {
        "x.wav#t=1500.000,3000.000": "ends before the region of 1500 to 3000 s",
    }


@pytest.mark.parametrize(
    ("columns", "row", "message"),
    [
        (["start", "end"], ["soon", "2"], "start 'soon' is neither seconds nor hh:mm:ss"),
        (["start", "end"], ["-1", "2"], "start '-1' is neither"),
        (["start", "end"], ["nan", "2"], "start 'nan' is neither"),
        (["start", "end"], ["2", "2"], "start 2, end 2 leave nothing of it"),
        (["offset", "duration"], ["2", "0"], "offset 2, duration 0 leave nothing of it"),
        (["start", "end", "duration"], ["1", "3", "4"], "start 1, end 3, duration 4 contradict"),
        (["start", "offset"], ["1", "3"], "start 1, offset 3 contradict one another"),
    ],
)
def test_times_that_are_none_are_one_line(folder, columns, row, message):
    with pytest.raises(index.CorpusError, match=f"manifest.csv: x.wav: {message}"):
        indexed(folder, columns, row)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[("0", 0), ("83.5", 83.5), (".5", 0.5), ("5.", 5), ("1e-1", 0.1), ("7200", 7200)],
        *[("1:23.5", 83.5), ("01:23", 83), ("0:01:23.5", 83.5), ("02:00:00", 7200)],
    ],
)
def test_seconds_and_clocks(text, expected):
    assert seconds(text) == pytest.approx(expected)
