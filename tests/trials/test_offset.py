"""Recordings with an offset and rumble: the SNR of finished trials is that of what is heard."""

import numpy as np
import pytest
import soundfile
from scipy.signal import butter, sosfiltfilt
from support.levels import power_db

from speechdt import seeds
from speechdt.audio import activity, noise
from speechdt.audio.activity import middle
from speechdt.audio.io import from_flac_bytes
from speechdt.corpus import index, split
from speechdt.trials import items, rendering
from speechdt.trials.grid import Grid

RATE = 16_000
SEED = 3
GRID = Grid(snr_db=[-10, 0, 10], duration_ms=[200, 1000], clean_ms=1000)
BUTTERWORTH = butter(2, 50, "highpass", fs=RATE, output="sos")


@pytest.fixture(scope="module")
def dirty(sources, tmp_path_factory):
    """Recordings of the corpus with an offset and rumble, and what each was before, by its path."""
    folder, before = tmp_path_factory.mktemp("dirty"), {}
    rng = np.random.default_rng(SEED)
    long = sources[(sources["seconds"] >= 1.5) & sources["full_length"]]
    for category, members in long.groupby("category"):
        place = "speech" if category == "speech" else f"nonspeech/{category}"
        for number, path in enumerate(members.drop_duplicates("group_id").head(12)["path"]):
            samples, _ = soundfile.read(path)
            samples = 0.2 * samples / np.abs(samples).max()
            time = np.arange(len(samples)) / RATE
            added = rng.choice([-0.3, 0.3]) + 0.2 * np.sin(2 * np.pi * 8 * time + rng.uniform(0, 6))
            file = folder / place / f"{number}.wav"
            file.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(file, samples + added, RATE, subtype="FLOAT")
            before[str(file)] = samples
    return folder, before


@pytest.fixture(scope="module")
def indexed(dirty):
    usable, rejected = index.index(index.read_corpora([{"kind": "folder", "path": dirty[0]}]), 200)
    assert rejected.empty
    return usable


def test_offset_and_rumble_are_told_of_every_recording(indexed, dirty):
    for path, offset, rumble_db in indexed[["path", "offset", "rumble_db"]].to_numpy().tolist():
        own = dirty[1][path].mean()
        assert min(abs(offset - own - 0.3), abs(offset - own + 0.3)) < 0.01
        passed = clean_crop(dirty[1], path, 0, None)
        assert rumble_db == pytest.approx(power_db(np.sqrt(0.02)) - power_db(passed), abs=1)
    assert set(indexed["downmix"]) == {""}


def test_they_do_not_make_a_recording_active(indexed, sources, dirty):
    """An offset would lift every pause above the floor."""
    _, before = dirty
    active = [sum(runs[1::2]) / sum(runs) for runs in indexed["active"]]
    clean = [
        np.mean(activity.active_frames(clean_crop(before, path, 0, None).astype(np.float32)))
        for path in indexed["path"]
    ]
    np.testing.assert_allclose(active, clean, atol=0.05)
    assert min(active) < 0.9


@pytest.mark.parametrize("background", ["white", "brown", "recording"])
def test_the_snr_of_finished_trials_is_within_a_tenth_of_a_db(indexed, dirty, background):
    _, before = dirty
    assigned = split.assign(indexed, GRID.nested_ms, seed=SEED)
    chosen = items.crossed(
        assigned, "test", 8, GRID, seed=SEED, least_active=0.7, backgrounds=[background]
    )
    by_id = chosen.set_index("item_id", drop=False)
    for _, row in rendering.render(chosen, GRID.noisy, seed=SEED, level="peak"):
        item = by_id.loc[row["item_id"]]
        parts = [clean_crop(before, item["path"], item["start"], item["length"])]
        if background == "recording":
            crop = item["background_path"], item["background_start"], item["length"]
            parts.append(clean_crop(before, *crop))
        else:
            rng = seeds.generator(SEED, "noise", item["item_id"])
            parts.append(noise.coloured(background, item["length"], rng))
        target, behind = (middle(part, row["duration_ms"]) for part in parts)
        # Whatever else is in the clip is neither: a constant takes up an offset.
        basis = np.stack([target, behind, np.ones(len(target))], axis=1)
        clip = from_flac_bytes(row["audio"]["bytes"]).astype(np.float64)
        gains, *_ = np.linalg.lstsq(basis, clip, rcond=None)
        snr = power_db(gains[0] * target) - power_db(gains[1] * behind)
        assert snr == pytest.approx(row["snr_db"], abs=0.1)
        left = clip - basis[:, :2] @ gains[:2]
        assert power_db(left) < power_db(clip) - 20


def clean_crop(before, path, start, length):
    """Return a crop of a recording as it was before, without what lies below 50 Hz."""
    passed = sosfiltfilt(BUTTERWORTH, before[path], padtype="even", padlen=1600)
    return passed[start:][:length]


@pytest.mark.parametrize("colour", list(noise.EXPONENTS))
def test_no_noise_lies_below_50_hz(rng, colour):
    spectrum = np.abs(np.fft.rfft(noise.coloured(colour, RATE, rng))) ** 2
    assert spectrum[:50].sum() < 1e-9 * spectrum.sum()
    assert spectrum[50:60].sum() > 0
