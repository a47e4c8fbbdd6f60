"""Clips by their digests: read only where one is asked for, wherever they lie in a cell's files."""

import hashlib
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support import qwen_models as small
from support.trial_cells import row, write_cells

from speechdt.checksums import Damaged
from speechdt.detectors.scoring import score_cells
from speechdt.store import Store
from speechdt.trials import clips
from speechdt.trials.cells import CellWriter, cell_files, count_trials, read_audio, read_cell


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """One of two files and several row groups, and one of a single group."""
    folder = tmp_path_factory.mktemp("cells")
    plain = write_cells(folder / "plain", 8)[0]
    large = folder / "snr5_dur200.parquet"
    writer = CellWriter(large, most_bytes=1)
    for number in range(520):
        writer.write(row(f"x-{number:06d}", "SPEECH", 200, small.clip(200, number % 7)))
    writer.close()
    assert len(cell_files(large)) == 3
    return [plain, large]


def test_the_digests_are_those_of_the_clips(cells):
    for cell in cells:
        trials = read_cell(cell, ["sha256", "audio"])
        assert [hashlib.sha256(clip).hexdigest() for clip in trials["audio"]] == [*trials["sha256"]]
        _, of_cell = clips.of_cell(cell, ["trial_id"])
        assert of_cell.keys == clips.in_memory(of_cell.flac).keys


def test_rows_of_a_cell_are_read_in_their_order_from_any_of_its_files(cells):
    everything = read_cell(cells[1])["audio"]
    rows = [0, 249, 250, 251, 499, 519]
    assert read_audio(cells[1], rows) == [everything[row] for row in rows]
    assert read_audio(cells[1], []) == []


def test_audio_of_chosen_trials_is_their_own(cells):
    trials = clips.read_places(cells, ["trial_id"])
    chosen = trials.sample(40, random_state=1).reset_index(drop=True)
    rows = clips.with_audio(chosen, cells)
    audio = {
        trial: clip
        for cell in cells
        for trial, clip in read_cell(cell, ["trial_id", "audio"]).itertuples(index=False)
    }
    assert list(rows.columns) == ["trial_id", "audio"]
    assert [audio[trial] for trial in rows["trial_id"]] == rows["audio"].tolist()


class Fixed:
    gpus = 0

    def score(self, batch):
        return [0.25] * len(batch)


def test_no_audio_is_read_of_clips_that_are_known(cells, tmp_path, monkeypatch):
    def score(build):
        store = Store(tmp_path / "kept.sqlite")
        files = [(cell, tmp_path / f"{place}.parquet") for place, cell in enumerate(cells)]
        asked = score_cells(build, files, store, "fixed")
        store.close()
        return asked, [path.read_bytes() for _, path in files]

    asked, first = score(Fixed)
    read = []
    whole = clips.read_cell
    monkeypatch.setattr(
        clips, "read_cell", lambda path, columns: read.append(set(columns)) or whole(path, columns)
    )
    assert asked == sum(map(count_trials, cells))
    assert score(None) == (0, first)
    assert read == [{"trial_id", "sha256"}] * 2


def test_a_cell_of_an_earlier_version_is_named_and_made_anew(tmp_path):
    cell = Path(write_cells(tmp_path / "cells", 8)[0])
    pq.write_table(pq.read_table(cell).drop_columns(["sha256"]), cell, write_page_checksum=True)
    with pytest.raises(Damaged, match="it has no column 'sha256', as one of an earlier version"):
        read_cell(cell, ["trial_id", "sha256"])
    assert not cell.exists()
