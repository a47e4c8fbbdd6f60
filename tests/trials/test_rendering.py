"""The finished trials: exact SNR, nested durations, level, determinism, no leak."""

import datasets
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import soundfile
from scipy.signal import butter, sosfiltfilt, welch
from support.levels import power_db

from speechdt.audio import mixing, noise
from speechdt.audio.activity import middle
from speechdt.audio.io import from_flac_bytes
from speechdt.checksums import Damaged
from speechdt.corpus.flags import involving, read_flagged
from speechdt.trials import items, leak_audit, rendering
from speechdt.trials.cells import (
    SCHEMA,
    CellWriter,
    cell_files,
    count_trials,
    read_batches,
    read_cell,
    write_cell,
)


@pytest.mark.parametrize("snr_db", [-20, -5, 0, 12.5])
def test_mix_has_exactly_the_snr(rng, snr_db):
    target, background = rng.normal(0, 0.3, 3200), rng.normal(0, 0.01, 3200)
    mixed = mixing.mix(target.astype(np.float32), background.astype(np.float32), snr_db)
    added = mixed - target.astype(np.float32)
    assert power_db(target) - power_db(added) == pytest.approx(snr_db, abs=1e-4)


def test_every_finished_trial_has_its_snr(cells, test_items, grid):
    """Take the target out of the finished clip by least squares: what is left is the background."""
    by_id = test_items.set_index("item_id")
    for cell in grid.noisy:
        for row in read_cell(cells["test", cell.name]).to_dict("records"):
            item = by_id.loc[row["item_id"]]
            target = read_target(item, cell.duration_ms)
            background = rendering.background_of({**item, "item_id": row["item_id"]}, seed=7)
            background = middle(background, cell.duration_ms)
            basis = np.stack([target, background], axis=1).astype(np.float64)
            clip = from_flac_bytes(row["audio"])
            gains, *_ = np.linalg.lstsq(basis, clip.astype(np.float64), rcond=None)
            snr = power_db(gains[0] * target) - power_db(gains[1] * background)
            assert snr == pytest.approx(cell.snr_db, abs=0.02)
            assert np.abs(basis @ gains - clip).max() < 1e-4


def above_50_hz(path):
    """Read a recording and take away what lies below 50 Hz, with scipy."""
    samples, rate = soundfile.read(path)
    assert rate == 16_000
    filtered = butter(2, 50, "highpass", fs=rate, output="sos")
    return sosfiltfilt(filtered, samples, padtype="even", padlen=min(1600, len(samples) - 1))


def read_target(item, duration_ms):
    """Read the target straight from its file, without the library."""
    samples = above_50_hz(item["path"])
    length = duration_ms * 16
    start = item["start"] + (item["length"] - length) // 2
    return samples[start : start + length]


def test_the_peak_is_the_same_for_both_classes(cells):
    for (_, _), file in cells.items():
        for clip in read_cell(file)["audio"]:
            assert np.abs(from_flac_bytes(clip)).max() == pytest.approx(mixing.PEAK, abs=1e-3)


def test_rms_level(rng):
    clip = rng.normal(0, 0.01, 8000)
    assert power_db(mixing.set_level(clip, "rms")) == pytest.approx(-26, abs=0.01)
    click = np.zeros(8000)
    click[0] = 0.1
    assert np.abs(mixing.set_level(click, "rms")).max() == pytest.approx(1)


def test_clips_have_the_duration_and_every_item_is_in_every_cell(cells, grid):
    for split in ("dev", "test"):
        expected = None
        for cell in grid.cells:
            table = read_cell(cells[split, cell.name])
            expected = expected if expected is not None else set(table["item_id"])
            assert set(table["item_id"]) == expected
            lengths = {len(from_flac_bytes(clip)) for clip in table["audio"]}
            assert lengths == {cell.duration_ms * 16}
            assert table["trial_id"].is_unique


def test_catch_trials_are_the_background_alone(cells, test_items):
    table = read_cell(cells["test", "catch_dur200"])
    assert set(table["label"]) == {"CATCH"}
    assert table["snr_db"].isna().all()
    assert table["background"].tolist() == test_items["background"].tolist()
    assert not set(table["source_id"]) & set(
        test_items["source_id"][test_items["label"] == "SPEECH"]
    )


def test_clean_trials_hold_no_background(cells, test_items):
    table = read_cell(cells["test", "clean_dur1000"])
    target = read_target(test_items.iloc[0], 1000)
    clip = from_flac_bytes(table["audio"][0])
    assert set(table["background"]) == {"none"}
    np.testing.assert_allclose(clip, target * mixing.PEAK / np.abs(target).max(), atol=1e-4)


def test_same_configuration_same_bytes_whatever_the_workers(tmp_path, test_items, grid):
    first, second = tmp_path / "1.parquet", tmp_path / "2.parquet"
    for file, workers in ((first, 1), (second, 2)):
        files = {grid.noisy[0].name: file}
        rendering.write(test_items, grid.noisy[:1], files, seed=7, level="peak", workers=workers)
    assert first.read_bytes() == second.read_bytes()


def test_uncrossed_items_go_into_their_own_cell(sources, grid):
    chosen = items.uncrossed(sources, 24, grid, seed=3, least_active=0.7)
    rendered = list(rendering.render(chosen, grid.noisy, seed=3, level="peak"))
    assert len(rendered) == 24
    for cell in grid.noisy:
        own = [row for name, row in rendered if name == cell.name]
        assert own
        assert {len(from_flac_bytes(row["audio"]["bytes"])) for row in own} == {
            cell.duration_ms * 16
        }


def test_a_trial_is_flagged_if_a_recording_that_is_heard_in_it_is(sources, grid, tmp_path):
    chosen = items.crossed(sources, "test", 16, grid, seed=3, least_active=0.7)
    rows = pd.DataFrame(
        row for _, row in rendering.render(chosen, grid.cells, seed=3, level="peak")
    )
    recorded = rows["background"] == "recording"
    # Not the clean trial of an item whose background is a recording: that is not heard in it.
    expected = (rows["category"] == "noise") | recorded
    flags = sources[["source_id"]].assign(flagged=sources["category"] == "noise")
    flags.to_parquet(tmp_path / "flags.parquet")
    assert (involving(rows, read_flagged([tmp_path / "flags.parquet"])) == expected).all()
    assert recorded.any()
    assert not expected.all()
    assert not involving(rows, read_flagged([])).any()


def row(number, size=1000):
    numbers = dict.fromkeys(("snr_db", "snr_speech_db", "snr_active_db"), 0.0)
    blank = dict.fromkeys(SCHEMA.names, "") | numbers | {"duration_ms": 200}
    audio = {"bytes": bytes([number % 256]) * size, "path": None}
    return blank | {"trial_id": f"{number:04d}", "audio": audio}


def write_shards(path, count, most_bytes):
    writer = CellWriter(path, most_bytes)
    for number in range(count):
        writer.write(row(number))
    writer.close()


def test_a_large_cell_is_several_files_and_reads_as_one(tmp_path):
    path = tmp_path / "snr0_dur200.parquet"
    write_shards(path, 2000, 600_000)
    files = cell_files(path)
    assert [file.name for file in files[1:3]] == [f"snr0_dur200-0000{n}.parquet" for n in (1, 2)]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    assert all(file.stat().st_size < 650_000 for file in files)
    assert count_trials(path) == 2000
    table = read_cell(path)
    assert table["trial_id"].tolist() == [f"{number:04d}" for number in range(2000)]
    assert table["audio"][777] == bytes([777 % 256]) * 1000
    assert pd.concat(read_batches(path), ignore_index=True).equals(table)


def test_files_of_an_earlier_larger_cell_are_gone(tmp_path):
    path = tmp_path / "snr0_dur200.parquet"
    write_shards(path, 2000, 600_000)
    write_shards(path, 100, 600_000)
    assert list(tmp_path.iterdir()) == [path]
    assert len(read_cell(path)) == 100


@pytest.mark.parametrize("missing", [False, True])
def test_a_damaged_part_of_a_cell_takes_the_first_file_with_it(tmp_path, missing):
    path = tmp_path / "snr0_dur200.parquet"
    for read in (read_cell, lambda cell: list(read_batches(cell)), count_trials):
        write_shards(path, 2000, 600_000)
        part = cell_files(path)[1]
        part.write_bytes(b"")
        if missing:
            part.unlink()
        with pytest.raises(Damaged, match=r"of its part snr0_dur200-00001\.parquet"):
            read(path)
        assert not path.exists()


def test_hugging_face_opens_the_cells(cells, tmp_path):
    files = [str(cells["test", name]) for name in ("snr0_dur200", "clean_dur1000")]
    opened = datasets.load_dataset(
        "parquet", data_files={"test": files}, cache_dir=str(tmp_path), split="test"
    )
    assert set(opened.features) == set(SCHEMA.names)
    assert opened.features["audio"] == datasets.Audio(sampling_rate=16_000)
    raw = opened.cast_column("audio", datasets.Audio(decode=False))
    assert raw[0]["audio"]["bytes"] == read_cell(files[0])["audio"][0]
    assert pq.read_schema(files[0]).names == SCHEMA.names


@pytest.mark.parametrize(("colour", "slope"), [("white", 0), ("pink", -1), ("brown", -2)])
def test_noise_falls_with_frequency_as_its_colour(rng, colour, slope):
    drawn = noise.coloured(colour, 16_000 * 20, rng)
    hertz, density = welch(drawn, 16_000, nperseg=4096)
    band = (hertz > 100) & (hertz < 6000)
    fitted = np.polyfit(np.log10(hertz[band]), np.log10(density[band]), 1)[0]
    assert fitted == pytest.approx(slope, abs=0.05)
    assert np.mean(drawn**2) == pytest.approx(1, rel=1e-5)


def files_by_split(cells):
    return {s: [f for (of, _), f in cells.items() if of == s] for s in ("dev", "test")}


def test_the_trials_share_nothing(cells, sources):
    counts = leak_audit.audit(files_by_split(cells), sources)
    assert (counts["distinct"] > 0).all()
    assert set(counts["split"]) == {"train", "dev", "test"}


@pytest.mark.parametrize("kind", ["source", "group", "audio", "renamed"])
def test_a_planted_leak_is_found(cells, sources, tmp_path, kind):
    table = pq.read_table(cells["test", "snr0_dur200"]).to_pylist()
    leaked = {**pq.read_table(cells["dev", "snr0_dur200"]).to_pylist()[0]}
    own = {"source_id": "new", "group_id": "new", "background_id": "", "background_group": ""}
    kept = {"source": ["source_id"], "group": ["group_id"], "audio": [], "renamed": []}[kind]
    leaked |= {name: value for name, value in own.items() if name not in kept}
    if kind != "audio":
        leaked["audio"] = {"bytes": b"other", "path": None}
    if kind == "renamed":
        original = pq.read_table(cells["dev", "snr0_dur200"])["source_id"][0].as_py()
        twin = sources[sources["source_id"] == original].assign(source_id="new", split="test")
        sources = pd.concat([sources, twin.assign(group_id="new")])
    write_cell(tmp_path / "leaky.parquet", [*table, leaked])
    files = files_by_split(cells)
    with pytest.raises(leak_audit.LeakError, match=r"is in dev and test"):
        leak_audit.audit({"dev": files["dev"], "test": [tmp_path / "leaky.parquet"]}, sources)
