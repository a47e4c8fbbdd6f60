"""All corpora together through the whole workflow."""

import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from support import publishers
from support.checkouts import ASKED, UNCHECKED, copy_checkout, run

from speechdt.reporting.tables.reading import read_table

pytestmark = pytest.mark.campaign  # whole runs of their own

KINDS = ("voxconverse", "esc50", "gtzan", "fma", "musiccaps", "musan", "synthetic")


@pytest.fixture(scope="module")
def combined(root, tmp_path_factory):
    """A copy of the checkout in which D1 and D2 have been through all corpora."""
    folder = copy_checkout(root, tmp_path_factory.mktemp("combined"))
    sounds = publishers.Sounds(root)
    publishers.voxconverse(folder / "data" / "voxconverse", sounds)
    publishers.esc50(folder / "data" / "ESC-50", sounds)
    publishers.gtzan(folder / "data" / "gtzan", sounds, original=False, index=True)
    publishers.fma(folder / "data" / "fma", sounds)
    publishers.musiccaps(folder / "data" / "musiccaps", sounds)
    publishers.musan(folder / "data" / "musan", sounds)
    config = yaml.safe_load((folder / "configs" / "ci.yaml").read_text())
    config["corpus"] = yaml.safe_load((folder / "configs" / "paper.yaml").read_text())["corpus"]
    config["corpus"][-1]["count"] = 3
    config["trials"]["train_clips"] = 160
    publishers.rirs_noises(folder / "data", rt60s=[0.35, 1.1])
    config["rooms"] = {"path": "data"}
    config["foils"] = {"items": 4}
    config["variants"] = dict(ASKED)
    config["hygiene"] = UNCHECKED
    config["searches"] = dict.fromkeys(config["searches"])
    (folder / "mine.yaml").write_text(yaml.safe_dump(config))
    matrix, growth = "results/tables/matrix.csv", "results/trials/train/growth.csv"
    besides = [f"results/tables/{name}.csv" for name in ("conditions", "rooms", "foils")]
    run(folder, matrix, growth, *besides, config="mine.yaml")
    return folder


def test_the_detectors_have_finite_rows(combined):
    matrix = read_table(combined / "results" / "tables" / "matrix.csv").set_index("variant")
    assert list(matrix.index) == ["D1", "D2"]
    assert np.isfinite(matrix[["balanced_accuracy", "auc", "clean_accuracy"]].to_numpy()).all()


def test_measured_rooms_are_played(combined):
    (room,) = read_table(combined / "results" / "tables" / "rooms.csv").to_dict("records")
    assert room["response"] == "RVB2014_type1_rir_largeroom1_far_angla.wav"
    assert room["rt60_s"] == pytest.approx(0.3, abs=0.2)
    table = read_table(combined / "results" / "tables" / "conditions.csv")
    assert table.loc[table["axis"] == "room", "variant"].tolist() == ["D1", "D2"]


def test_foils_are_heard_beside_the_matrix_and_are_in_no_split(combined):
    table = read_table(combined / "results" / "tables" / "foils.csv")
    kinds = {"coughing", "laughing", "singing"}
    assert set(table["foil"]) == {"all", *kinds}
    assert set(table["variant"]) == {"D1", "D2"}
    of_kind = table[(table["condition"] == "clean") & (table["foil"] != "all")]
    assert set(of_kind["n"]) == {4}
    bounded = table[table["groups"] > 1]  # one group alone has no interval
    assert len(bounded)
    assert (bounded["low"] <= bounded["rate"]).all()
    assert (bounded["rate"] <= bounded["high"]).all()
    assert table.loc[table["groups"] == 1, ["low", "high"]].isna().all(axis=None)
    sources = pd.read_parquet(combined / "results" / "corpus" / "sources.parquet")
    foils = pd.read_parquet(combined / "results" / "corpus" / "foils.parquet")
    assert set(foils["category"]) == kinds
    assert not set(foils["source_id"]) & set(sources["source_id"])


def test_the_pages_are_made(combined, tmp_path):
    shutil.copytree(combined, tmp_path, symlinks=True, dirs_exist_ok=True)
    run(tmp_path, config="mine.yaml")
    page = (tmp_path / "results" / "report.html").read_text()
    assert "Laughing, singing and other foils" in page
    assert "RVB2014_type1_rir_largeroom1_far_angla.wav" in page


def test_every_corpus_serves_and_no_group_crosses(combined):
    sources = pd.read_parquet(combined / "results" / "corpus" / "sources.parquet")
    assert set(sources["corpus"]) == set(KINDS)
    assert (sources.groupby("group_id")["split"].nunique() == 1).all()
    rejected = pd.read_csv(combined / "results" / "corpus" / "rejected.csv")
    assert rejected["reason"].notna().all()
    assert not rejected["reason"].str.contains("same audio").any()


def test_dev_and_test_are_balanced_over_categories(combined):
    for split, share in (("dev", {2, 3}), ("test", {4})):
        items = pd.read_parquet(combined / "results" / "trials" / split / "items.parquet")
        nonspeech = items[items["label"] == "NONSPEECH"]
        assert set(nonspeech["category"].value_counts()) == share
        assert nonspeech["category"].nunique() == 4


def test_the_train_set_grows_in_checked_steps(combined):
    table = pd.read_csv(combined / "results" / "trials" / "train" / "growth.csv")
    assert table["clips"].tolist() == [100, 160]
    cells = 2 * 2 * 2  # SNRs, durations, classes
    assert table["smallest_cell"].tolist() == [100 // cells, 160 // cells]
