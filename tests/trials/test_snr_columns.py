"""A trial says its SNR in the band of speech and at active level."""

import numpy as np
import pandas as pd
import pytest
import soundfile

from speechdt.trials import items, rendering
from speechdt.trials.cells import read_cell
from speechdt.trials.grid import Cell, Grid

TIME = np.arange(16_000) / 16_000


def tone(hertz, amplitude):
    return amplitude * np.sin(2 * np.pi * hertz * TIME)


def rendered(tmp_path, target, background, cell):
    """Render an item of a target and a recorded background."""
    for name, samples in (("target", target), ("background", background)):
        soundfile.write(tmp_path / f"{name}.wav", samples, 16_000, subtype="FLOAT")
    item = dict.fromkeys(("item_id", "label", "category", "source_id", "group_id", "origin"), "x")
    item |= {f"background_{name}": "y" for name in ("id", "group", "origin")}
    item |= {"path": str(tmp_path / "target.wav"), "start": 0, "length": 16_000}
    item |= {"background": "recording", "background_start": 0}
    item |= {"background_path": str(tmp_path / "background.wav")}
    ((_, row),) = rendering.render_item(item, [cell], 0, "peak")
    return row


@pytest.mark.parametrize("ms", [200, 300, 1000])
def test_only_what_is_heard_in_the_band_counts_there(tmp_path, ms):
    # Of the target half the power lies in the band, of the background a tenth.
    target = tone(1000, 0.2) + tone(5000, 0.2)
    background = tone(2000, 0.1) + tone(6000, 0.3)
    row = rendered(tmp_path, target, background, Cell("snr", ms, 5.0))
    expected = 5 + 10 * np.log10(0.5) - 10 * np.log10(0.1)
    assert row["snr_speech_db"] == pytest.approx(expected, abs=0.1)
    assert row["snr_active_db"] == pytest.approx(5, abs=1e-6)


def test_pauses_count_in_the_noise_alone(tmp_path):
    target = tone(1000, 0.2) * (TIME % 0.5 < 0.25)
    row = rendered(tmp_path, target, tone(2000, 0.1), Cell("snr", 1000, -5.0))
    # Half of the clip is active, so that the level there is 3 dB higher.
    assert row["snr_active_db"] == pytest.approx(-5 + 10 * np.log10(2), abs=0.1)


def test_what_has_no_snr_has_none_of_these(tmp_path):
    for cell in (Cell("clean", 1000), Cell("catch", 200)):
        row = rendered(tmp_path, tone(1000, 0.2), tone(2000, 0.1), cell)
        assert row["snr_speech_db"] is None
        assert row["snr_active_db"] is None
    assert row["origin"] == "y"


def test_every_trial_of_the_corpus_has_them_and_its_origin(cells, sources, grid):
    origin = sources.set_index("source_id")["origin"]
    for cell in grid.curve:
        trials = read_cell(cells["test", cell.name])
        assert trials[["snr_speech_db", "snr_active_db"]].notna().all().all()
        # Nothing is lost by leaving pauses out.
        assert (trials["snr_active_db"] >= trials["snr_db"] - 1e-9).all()
        assert (trials["origin"] == origin[trials["source_id"]].to_numpy()).all()


def test_speech_in_brown_noise_is_easier_than_its_label(sources):
    """Brown noise has 8.2 dB less in the band than in all, white noise 4.1, pink noise 3.2."""
    grid = Grid(snr_db=[0], duration_ms=[1000], clean_ms=1000)
    chosen = items.crossed(
        sources, "test", 24, grid, seed=5, least_active=0.7, backgrounds=["white"]
    )
    speech = chosen[chosen["label"] == "SPEECH"]
    easier = {
        colour: pd.Series(
            row["snr_speech_db"]
            for _, row in rendering.render(
                speech.assign(background=colour), grid.noisy, seed=5, level="peak"
            )
        )
        for colour in ("white", "pink", "brown")
    }
    assert (easier["brown"] - easier["white"]).mean() == pytest.approx(8.16 - 4.09, abs=0.3)
    assert (easier["pink"] - easier["white"]).mean() == pytest.approx(3.20 - 4.09, abs=0.1)
