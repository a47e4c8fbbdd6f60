"""The trained baseline, and what does not listen: known answers on made clips."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from speechdt import SAMPLE_RATE, find_detectors
from speechdt.audio.io import flac_bytes, from_flac_bytes
from speechdt.detectors.giveaways import giveaways
from speechdt.trials.cells import read_cell, write_cell


@pytest.fixture(scope="module")
def cls():
    return find_detectors()["logmel"]


def cell(path, clips, labels):
    rows = [
        {
            "trial_id": f"{path.stem}-{i}",
            "item_id": f"i{i}",
            "label": label,
            "category": "any",
            "snr_db": 0.0,
            "duration_ms": 200,
            "source_id": f"s{i}",
            "group_id": f"{label}{i % 12}",
            "background": "white",
            "background_id": "b",
            "background_group": "b",
            "origin": f"{label}-{i % 6 // 2}",
            "background_origin": "",
            "audio": {"bytes": flac_bytes(clip.astype(np.float32)), "path": None},
        }
        for i, (clip, label) in enumerate(zip(clips, labels, strict=True))
    ]
    write_cell(path, rows)
    return path


def made(path, loud, rng, count=120):
    """SPEECH is white noise at the level `loud`, NONSPEECH at 0.1."""
    labels = ["SPEECH" if i % 2 else "NONSPEECH" for i in range(count)]
    levels = [loud if label == "SPEECH" else 0.1 for label in labels]
    return cell(path, [level * rng.standard_normal(3200) for level in levels], labels)


@pytest.fixture
def split(tmp_path):
    def make(loud):
        rng = np.random.default_rng(1)
        return {
            name: [made(tmp_path / f"{name}{loud}.parquet", loud, rng)]
            for name in ("train", "dev", "test")
        }

    return make


def measured(cls, cells, *features):
    settings = {name: {"features": name} for name in features}
    return giveaways(cls, settings, cells, replicates=200, seed=1).set_index("features")


def test_a_level_that_gives_the_class_away_is_found_by_level_alone(cls, split):
    table = measured(cls, split(0.2), "level", "spectrum", "bandwidth", "logmel")
    assert table.loc["level", "auc"] > 0.99
    others = table.loc[["spectrum", "bandwidth", "logmel"], "auc"]
    assert ((others > 0.3) & (others < 0.7)).all()  # they are blind to level


def test_origins_that_hold_one_class_give_it_away_by_name_and_backgrounds_do_not(cls, split):
    table = measured(cls, split(0.1), "level")
    assert table.loc["origin", "auc"] == 1
    assert table.loc["background's origin", "auc"] == 0.5
    assert set(table["backgrounds"]) == {"apart"}


def test_a_classifier_of_origins_sees_the_class_that_goes_with_them(cls, split):
    settings = {"recognised origin": {"features": "level", "tells": "origin"}}
    for loud, expected in ((0.2, 1.0), (0.1, 0.5)):
        table = giveaways(cls, settings, split(loud), replicates=200, seed=1).set_index("features")
        assert table.loc["recognised origin", "auc"] == pytest.approx(expected, abs=0.15)


def test_classes_that_are_alike_cannot_be_told_apart(cls, split):
    assert 0.35 < measured(cls, split(0.1), "level").loc["level", "auc"] < 0.65


def test_bandwidth_sees_bandwidth(cls):
    rng = np.random.default_rng(2)
    spectrum = np.fft.rfft(rng.standard_normal(SAMPLE_RATE))
    spectrum[4000:] = 0
    telephone = np.fft.irfft(spectrum)
    detector = cls.__new__(cls)
    from speechdt_backends.logmel import FEATURES

    assert FEATURES["bandwidth"](telephone) == pytest.approx([2000, 3600, 3960], rel=0.03)
    assert detector.gpus == 0


def test_scores_are_those_of_the_stock_regression(cls, cells, tmp_path):
    train = [cells["dev", name] for name in ("snr0_dur200", "snr10_dur200")]
    dev = [cells["test", "snr0_dur200"]]
    cls.finetune(train, dev, tmp_path / "a")
    curve = json.loads((tmp_path / "a" / "curve.json").read_text())
    best = min(curve, key=lambda entry: entry["eval_log_loss"])
    from speechdt_backends.logmel import FEATURES

    table = pd.concat([read_cell(one) for one in train])
    clips = [from_flac_bytes(clip) for clip in table["audio"]]
    x = np.array([FEATURES["logmel"](clip) for clip in clips])
    z = (x - x.mean(0)) / x.std(0)
    stock = LogisticRegression(C=1 / best["penalty"], max_iter=2000)
    expected = stock.fit(z, table["label"] == "SPEECH").predict_proba(z)[:, 1]
    scores = cls(adapter=str(tmp_path / "a")).score(clips)
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    assert "no speech" in (tmp_path / "a" / "README.md").read_text()


def test_training_twice_writes_the_same_bytes(cls, split, tmp_path):
    cells = split(0.2)
    for name in ("a", "b"):
        cls.finetune(cells["train"], cells["dev"], tmp_path / name, seed=3)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_mistakes_are_one_line(cls, tmp_path, rng):
    with pytest.raises(ValueError, match="features 'mfcc' is none of: logmel"):
        cls.FineTuning(features="mfcc")
    with pytest.raises(ValueError, match="tells 'who' is none of: class, origin"):
        cls.FineTuning(tells="who")
    one = [cell(tmp_path / "one.parquet", [rng.standard_normal(3200)] * 4, ["SPEECH"] * 4)]
    with pytest.raises(ValueError, match="both classes"):
        cls.finetune(one, one, tmp_path / "out")
