"""Planted observers in the whole workflow: one hears in the band of speech, one knows origins.

The first hears each background by its SNR in the band of speech; the other hears nothing, and
answers by where a recording comes from.
"""

from itertools import combinations

import pytest
import yaml
from support.checkouts import ASKED, copy_checkout, run

from speechdt.audio.noise import COLOURS
from speechdt.reporting.tables.reading import read_table

PLANTED = """
import hashlib
from pathlib import Path
import numpy as np
import pandas as pd
from scipy.special import ndtr
from speechdt import hookimpl

def trials(folder):
    from speechdt.trials.cells import read_cell
    return pd.concat([read_cell(path) for path in sorted(Path(folder).glob("*/*_dur*.parquet"))])

def digest(samples):
    # Of signs alone: a clip is known at any level.
    return hashlib.sha256(np.packbits(np.asarray(samples) > 0).tobytes()).digest()

def by_clip(table):
    from speechdt.audio.io import from_flac_bytes
    return {
        digest(from_flac_bytes(clip)): rate
        for clip, rate in zip(table["audio"], table["rate"], strict=True)
    }

def chance(clip):
    return np.random.default_rng(int.from_bytes(digest(clip)[:8], "big")).random()

class HearsTheBand:
    '''Hears SPEECH by its SNR in the band, of the mean of its background, with DT50 at -1 dB.'''
    gpus = 0
    def __init__(self, folder: str):
        table = trials(folder)
        speech = table[(table["label"] == "SPEECH") & table["snr_db"].notna()]
        shift = (speech["snr_speech_db"] - speech["snr_db"]).groupby(speech["background"]).mean()
        snr = table["snr_db"] + table["background"].map(shift)
        audible = np.where(snr.isna(), 1, ndtr((snr + 1) / 2))
        rate = np.where(table["label"] == "SPEECH", 0.02 + 0.96 * audible, 0.02)
        # As many of the clips that are alike as the rate says: what is left to chance is little.
        alike = ["label", "background", "snr_db", "duration_ms"]
        of_cell = table.groupby(alike, dropna=False)["trial_id"]
        place = (of_cell.cumcount() + 0.5) / of_cell.transform("size")
        table["rate"] = np.where(place < rate, 0.9, 0.1)
        self.answers = by_clip(table)
    def score(self, clips):
        return [self.answers[digest(clip)] for clip in clips]

class KnowsOrigins:
    '''Answers with the share of SPEECH of an origin, and hears nothing.'''
    gpus = 0
    def __init__(self, folder: str):
        table = trials(folder)
        share = (table["label"] == "SPEECH").groupby(table["origin"]).mean()
        table["rate"] = table["origin"].map(share).fillna(0.5)
        self.rates = by_clip(table)
    def score(self, clips):
        return [0.1 + 0.8 * self.rates[digest(clip)] + 0.1 * chance(clip) for clip in clips]

@hookimpl
def detectors(): return {"hears_the_band": HearsTheBand, "knows_origins": KnowsOrigins}
"""


@pytest.fixture(scope="module")
def planted(root, tmp_path_factory):
    folder = copy_checkout(root, tmp_path_factory.mktemp("planted"))
    (folder / "backends" / "planted.py").write_text(PLANTED)
    config = yaml.safe_load((folder / "configs" / "ci.yaml").read_text())
    config["grid"] = {
        "snr_db": [-10, -5, 0, 5, 10],
        "curve_snr_db": [-15, -12.5, -7.5, -2.5, 2.5, 7.5],
        "duration_ms": [200, 300],
        "clean_ms": 300,
    }
    config["trials"] = {"items": {"dev": 40, "test": 500}, "backgrounds": list(COLOURS)}
    config["bootstrap"] = {"replicates": 300}
    config["conditions"] = {"variants": []}  # these observers know the clips of the grid alone
    options = {"folder": "results/trials", "level": "stored"}
    observers = {"H": {"backend": "hears_the_band"}, "K": {"backend": "knows_origins"}}
    config["variants"] = ASKED | {"D1": None, "D2": None, "L1": None}
    config["variants"] |= {name: entry | options for name, entry in observers.items()}
    (folder / "planted.yaml").write_text(yaml.safe_dump(config))
    wanted = ("results/tables/thresholds.csv", "results/tables/origins.csv", "results/report.html")
    run(folder, *wanted, config="planted.yaml")
    return folder / "results"


@pytest.mark.campaign
def test_who_hears_the_band_shifts_between_colours_by_what_the_band_does(planted):
    table = read_table(planted / "tables" / "thresholds.csv")
    of = (table["variant"] == "H") & (table["kind"] == "detection") & table["slice"].isin(COLOURS)
    rows = table[of].set_index(["dimension", "slice"])
    offset = rows.loc["snr", "offset_db"]
    assert offset["brown"] - offset["white"] == pytest.approx(4.07, abs=1.0)
    for one, other in combinations(COLOURS, 2):
        for name in ("dt50", "dt75"):
            nominal, band = (rows.loc[axis, name] for axis in ("snr", "snr_speech"))
            expected = offset[other] - offset[one]
            assert nominal[one] - nominal[other] == pytest.approx(expected, abs=0.5)
            assert band[one] - band[other] == pytest.approx(0, abs=0.5)


@pytest.mark.campaign
def test_who_knows_origins_hears_nothing_within_them_and_the_first_page_says_so(planted):
    table = read_table(planted / "tables" / "origins.csv")
    rows = table[table["part"] == "all"].set_index("variant")
    assert rows.loc["K", "auc"] > 0.7
    assert rows.loc["K", "auc_within"] == pytest.approx(0.5, abs=0.05)
    assert rows.loc["K", "difference_low"] > 0
    first = (planted / "report.html").read_text().split("<table")[0]
    assert "K: AUC" in first
    assert "where recordings come from" in first
