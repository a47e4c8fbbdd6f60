"""A run that leaves one corpus out after another."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from support.checkouts import ASKED, UNCHECKED, copy_checkout, run

from speechdt.reporting.tables.reading import read_table
from speechdt.trials.cells import read_cell

pytestmark = pytest.mark.campaign  # whole runs of their own


@pytest.fixture(scope="module")
def left_out_run(root, tmp_path_factory):
    """A copy of the checkout in which L1 was trained without each of three corpora.

    `home` and `away` hold half of the families of each category but environment, which `yard` has
    for itself.
    """
    folder = copy_checkout(root, tmp_path_factory.mktemp("left_out"))
    table = pd.read_csv(root / "corpus" / "manifest.csv", dtype=str)
    table["path"] = [str(root / "corpus" / path) for path in table["path"]]
    half = table.groupby("category")["group_id"].transform(lambda of: pd.factorize(of)[0] % 2)
    corpus = np.where(table["category"] == "environment", "yard", np.where(half, "away", "home"))
    for name, members in table.groupby(corpus):
        (folder / name).mkdir()
        members.to_csv(folder / name / "manifest.csv", index=False)
    config = yaml.safe_load((folder / "configs" / "ci.yaml").read_text())
    # Their manifests name recordings of the embedded corpus, which lies elsewhere.
    there = {"kind": "folder", "outside": "allow"}
    config["corpus"] = [there | {"path": name} for name in ("home", "away", "yard")]
    config["trials"]["train_clips"] = 160
    config["adapters"] = dict.fromkeys(("small_unmasked", "small", "large"))
    config["searches"] = dict.fromkeys(config["searches"])
    config["variants"] = {name: None for name in (*ASKED, "D1") if name != "L1"}
    config["leave_one_out"] = {"variants": ["L1"]}
    config["hygiene"] = UNCHECKED
    (folder / "mine.yaml").write_text(yaml.safe_dump(config))
    run(folder, "results/tables/leave_one_out.md", config="mine.yaml")
    return folder / "results"


def corpora_heard(results, cells):
    """Return the corpora of all that is heard in cells."""
    sources = pd.read_parquet(results / "corpus" / "sources.parquet").set_index("source_id")
    read = pd.concat([read_cell(cell) for cell in results.glob(cells)])
    assert len(read)
    names = {*read["source_id"], *read["background_id"]} & set(sources.index)
    return set(sources.loc[list(names), "corpus"]), read


@pytest.mark.parametrize("corpus", ["home", "away", "yard"])
def test_nothing_of_the_corpus_is_learned_from(left_out_run, corpus):
    others = {"home", "away", "yard"} - {corpus}
    train, clips = corpora_heard(left_out_run, f"trials/train-without-{corpus}/snr*.parquet")
    dev, left = corpora_heard(left_out_run, f"trials/dev-without-{corpus}/snr*.parquet")
    whole, all_dev = corpora_heard(left_out_run, "trials/dev/snr*.parquet")
    assert train <= others
    assert (dev, whole) == (others, others | {corpus})
    assert len(clips) == 160
    # what is left of dev is dev's, byte for byte
    same = left.merge(all_dev, on="trial_id", validate="1:1")
    assert len(same) == len(left) < len(all_dev)
    assert (same["audio_x"] == same["audio_y"]).all()
    learned = json.loads((left_out_run / "calibration" / f"L1-without-{corpus}.json").read_text())
    assert learned["clips"] == len(left)
    assert not (left_out_run / "scores" / f"D2-without-{corpus}").exists()


def test_the_table_has_each_corpus_by_what_it_can_show(left_out_run):
    table = read_table(left_out_run / "tables" / "leave_one_out.csv")
    assert table.groupby("variant")["trained"].first().to_dict() == {"D2": False, "L1": True}
    shown = table.groupby("corpus")["metric"].unique().map(list).to_dict()
    assert shown["yard"] == ["false_alarm_rate"]
    assert shown["home"] == ["balanced_accuracy", "auc", "miss_rate", "false_alarm_rate"]
    # a threshold does not change an AUC
    unchanged = table[(table["metric"] == "auc") & ~table["trained"]]
    assert (unchanged["difference"] == 0).all()
    # other weights do
    learned = table[(table["metric"] == "auc") & table["trained"]]
    assert (learned["difference"] != 0).all()


def test_it_is_written_for_readers(left_out_run):
    assert (left_out_run / "tables" / "leave_one_out.md").read_text().startswith("| Corpus")


def test_it_is_in_the_report(left_out_run, tmp_path):
    # Of made-up tables: tests/reporting/test_report.py.
    shutil.copytree(left_out_run.parent, tmp_path, symlinks=True, dirs_exist_ok=True)
    run(tmp_path, "results/report.html", config="mine.yaml")
    page = (tmp_path / "results" / "report.html").read_text()
    assert '<section id="leave-one-out"' in page
