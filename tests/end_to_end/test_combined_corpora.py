"""All corpora together through the whole workflow, and the full-scale run without them."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from support import publishers
from support.checkouts import ASKED, UNCHECKED, copy_checkout, run

from speechdt.reporting.tables.reading import read_table

KINDS = ("voxconverse", "esc50", "gtzan", "fma", "musiccaps", "musan", "synthetic")


@pytest.fixture(scope="module")
def combined(root, tmp_path_factory):
    """A copy of the checkout in which trials were chosen from all corpora."""
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
    config["variants"] = dict(ASKED)
    config["hygiene"] = UNCHECKED
    config["searches"] = dict.fromkeys(config["searches"])
    (folder / "mine.yaml").write_text(yaml.safe_dump(config))
    items = [f"results/trials/{split}/items.parquet" for split in ("dev", "test")]
    run(folder, *items, "results/trials/train/growth.csv", config="mine.yaml")
    return folder


@pytest.mark.campaign
def test_the_detectors_have_finite_rows_and_the_pages_are_made(combined, tmp_path):
    shutil.copytree(combined, tmp_path, symlinks=True, dirs_exist_ok=True)
    run(tmp_path, config="mine.yaml")
    matrix = read_table(tmp_path / "results" / "tables" / "matrix.csv").set_index("variant")
    assert list(matrix.index) == ["D1", "D2"]
    assert np.isfinite(matrix[["balanced_accuracy", "auc", "clean_accuracy"]].to_numpy()).all()
    assert (tmp_path / "results" / "report.html").stat().st_size > 10_000


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
    assert table["clips"].tolist() == [160]
    assert table["smallest_cell"].tolist() == [20]


def test_the_full_scale_run_names_each_corpus_that_is_not_there(root, tmp_path):
    copy_checkout(root, tmp_path)
    printed = run(tmp_path, "-n", config="configs/paper.yaml", check=False)
    errors = [line for line in printed.splitlines() if line.startswith("error")]
    named = [
        re.match(r"error: corpus.\d \((\w+)\): corpus folder data/\S+ does", e) for e in errors
    ]
    assert [match[1] for match in named] == list(KINDS[:-1])
    assert "Traceback" not in printed
