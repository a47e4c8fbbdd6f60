"""A planted detector goes through the whole workflow, which must find its thresholds again."""

import numpy as np
import pytest
import yaml
from scipy.special import ndtri
from support.checkouts import ASKED, run

from speechdt.reporting.tables.reading import read_table

GUESS, LAPSE, A, B, C = 0.08, 0.03, 1.2, 0.2, 0.5
PLANTED = f"""
import hashlib
from functools import lru_cache
from pathlib import Path
import numpy as np
from scipy.special import ndtr
from speechdt import hookimpl

@lru_cache
def rates(folder):
    '''P(SPEECH) of every clip of dev and test, by its samples.'''
    from speechdt.audio.io import from_flac_bytes
    from speechdt.trials.cells import read_cell
    by_samples = {{}}
    for path in sorted(Path(folder).glob("*/*_dur*.parquet")):
        for row in read_cell(path).itertuples():
            snr = 40 if row.snr_db != row.snr_db else row.snr_db
            z = {A} + {B} * snr + {C} * np.log2(row.duration_ms / 1000)
            hit_rate = {GUESS} + (1 - {GUESS} - {LAPSE}) * ndtr(z)
            rate = hit_rate if row.label == "SPEECH" else {GUESS}
            by_samples[from_flac_bytes(row.audio).tobytes()] = rate
    return by_samples

class Planted:
    gpus = 0
    def __init__(self, folder: str):
        self.rates = rates(folder)
    def score(self, clips):
        return [self.one(np.asarray(clip).tobytes()) for clip in clips]
    def one(self, samples):
        seed = int.from_bytes(hashlib.sha256(samples).digest()[:8], "big")
        rate = self.rates.get(samples, 0.5)  # at other levels it knows no clip
        return 0.9 if np.random.default_rng(seed).random() < rate else 0.1

@hookimpl
def detectors(): return {{"planted": Planted}}
"""


@pytest.fixture(scope="module")
def tables(begun, tmp_path_factory):
    folder = begun(tmp_path_factory.mktemp("planted"))
    (folder / "backends" / "planted.py").write_text(PLANTED)
    config = yaml.safe_load((folder / "configs" / "ci.yaml").read_text())
    config["grid"] = {"snr_db": [-15, -10, -5, 0, 10], "duration_ms": [200, 500, 1000]}
    config["trials"] = {"items": {"dev": 10, "test": 50}, "backgrounds": ["white"]}
    config["bootstrap"] = {"replicates": 400}
    others = dict.fromkeys(("D1", "D2"))
    # It knows clips by their samples, as they are stored.
    planted = {"backend": "planted", "folder": "results/trials", "level": "stored"}
    config["variants"] = ASKED | others | {"P": planted}
    (folder / "planted.yaml").write_text(yaml.safe_dump(config))
    names = ("thresholds", "surface", "contour")
    run(folder, *(f"results/tables/{name}.csv" for name in names), config="planted.yaml")
    return {name: read_table(folder / "results" / "tables" / f"{name}.csv") for name in names}


def truth(ms, proportion):
    z = ndtri((proportion - GUESS) / (1 - GUESS - LAPSE))
    return (z - A - C * np.log2(ms / 1000)) / B


@pytest.mark.parametrize("ms", [200, 500, 1000])
@pytest.mark.parametrize(("name", "proportion"), [("dt50", 0.5), ("dt75", 0.75)])
def test_thresholds_are_found_at_every_duration(tables, ms, name, proportion):
    table = tables["thresholds"]
    at = (table["kind"] == "detection") & (table["dimension"] == "snr")
    row = table[at].set_index(table.loc[at, "slice"].astype(str)).loc[str(ms)]
    assert row[f"{name}_low"] <= truth(ms, proportion) <= row[f"{name}_high"]
    assert row[name] == pytest.approx(truth(ms, proportion), abs=2.5)
    assert row["fit_p"] > 0.01


def test_the_surface_is_found(tables):
    row = tables["surface"].set_index("kind").loc["detection"]
    assert row["db_per_doubling_low"] <= C / B <= row["db_per_doubling_high"]
    contour = tables["contour"][tables["contour"]["tested"]]
    contour = contour[contour["kind"] == "detection"]
    expected = truth(contour["duration_ms"], 0.75)
    assert ((contour["snr_low"] <= expected) & (expected <= contour["snr_high"])).all()
