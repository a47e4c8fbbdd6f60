"""Foils: in neither class, told from them by their corpus, and in test alone."""

import csv

import numpy as np
import pandas as pd
import pytest
import soundfile

from speechdt.corpus import foils, index
from speechdt.corpus.sources import Source
from speechdt.statistics.criterion import Thresholds
from speechdt.statistics.foils import foil_rates
from speechdt.trials.conditions import write
from speechdt.trials.cells import read_cell
from speechdt.trials.foils import NoFoils, foil_conditions, foil_items

RATE = 16_000


@pytest.fixture
def corpus(tmp_path):
    """A folder with a manifest: a voice, a noise, and four foils of two kinds."""
    rng = np.random.default_rng(5)
    rows = [
        ("voice.wav", "SPEECH", "speech", "ann", ""),
        ("wind.wav", "NONSPEECH", "noise", "w", ""),
    ]
    rows += [(f"laugh{n}.wav", "NONSPEECH", "environment", f"g{n}", "laughing") for n in range(3)]
    rows += [("crowd.wav", "FOIL", "crowd", "g9", "Crowds")]
    for name, *_ in rows:
        soundfile.write(tmp_path / name, 0.2 * rng.normal(size=2 * RATE), RATE)
    with (tmp_path / "manifest.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerows([("path", "label", "category", "group_id", "foil"), *rows])
    return [{"kind": "folder", "path": tmp_path}]


def test_foils_are_in_neither_class_and_their_reason_says_so(corpus):
    usable, rejected = index.index(index.read_corpora(corpus), 1000)
    assert sorted(usable["source_id"]) == ["voice.wav", "wind.wav"]
    reasons = rejected.set_index("source_id")["reason"]
    assert reasons["laugh0.wav"].startswith("a foil (laughing): in neither class")
    assert reasons["crowd.wav"].startswith("a foil (crowds)")


def measured(corpus):
    usable, _ = index.index(foils.foils(index.read_corpora(corpus)), 1000)
    return usable.assign(origin="own")


def test_foils_of_groups_that_are_learned_from_are_left_out(corpus):
    usable = measured(corpus)
    assert len(usable) == 4
    learned = pd.DataFrame({"group_id": ["g1", "g2"], "sha256": ["a", "b"]})
    sources = learned.assign(split=["train", "test"])
    kept = foils.heard_in_test_alone(usable, sources)
    assert sorted(kept["source_id"]) == ["crowd.wav", "laugh0.wav", "laugh2.wav"]
    assert set(kept["label"]) == {foils.LABEL}
    assert set(kept["category"]) == {"laughing", "crowds"}


@pytest.mark.parametrize(
    ("extra", "reason", "kind"),
    [
        ({"foil": " Coughing "}, "", "coughing"),
        ({"vocals": "yes"}, "holds singing", "singing"),
        ({"vocals": "yes"}, "", ""),  # kept in its class, as the corpus asks
        ({"vocals": "unknown"}, "may hold singing", ""),
        ({}, "", ""),
    ],
)
def test_what_is_a_foil(extra, reason, kind):
    source = Source("a.wav", "a", "NONSPEECH", "music", "g", extra, reason)
    assert foils.foil_of(source) == kind


def test_foils_are_played_with_and_without_noise(corpus, tmp_path):
    kept = foils.heard_in_test_alone(
        measured(corpus), pd.DataFrame(columns=["group_id", "sha256", "split"])
    )
    items = foil_items(kept, 3, 1000, seed=7, least_active=0.5)
    assert items["category"].value_counts().to_dict() == {"crowds": 3, "laughing": 3}
    listed = foil_conditions([0, -5], 1000)
    files = {condition.key: tmp_path / f"{condition.key}.parquet" for condition in listed}
    write(items, listed, files, {}, seed=7, level="peak")
    assert sorted(read_cell(files["noisy"])["snr_db"].unique()) == [-5, 0]
    assert read_cell(files["clean"])["snr_db"].isna().all()
    assert set(read_cell(files["clean"])["label"]) == {foils.LABEL}
    with pytest.raises(NoFoils, match="none is active for 5000 ms"):
        foil_items(kept, 3, 5000, seed=7, least_active=0.5)


def test_rates_of_false_alarms_have_intervals_over_groups():
    trials = pd.DataFrame(
        {"category": kind, "group_id": f"{kind}{group}", "p_speech": p, "condition": "clean"}
        for kind, rate in (("laughing", 0.8), ("crowds", 0.0))
        for group in range(12)
        for p in (0.9 if group < 12 * rate else 0.1, 0.1 if kind == "crowds" else 0.9)
    )
    at = np.full((1, 301), 0.5)
    table = foil_rates(trials, Thresholds(at, at), replicates=300, seed=1)
    rows = table[table["threshold"] == "best balanced accuracy"].set_index("foil")
    laughing, crowds = rows.loc["laughing"], rows.loc["crowds"]
    assert laughing["rate"] == pytest.approx(22 / 24)
    assert laughing["low"] < laughing["rate"] < laughing["high"]
    assert (crowds["rate"], crowds["low"]) == (0, 0)
    assert crowds["high"] > 0.2  # twelve groups do not show that none is heard as speech
    assert rows.loc["all", "n"] == 48
