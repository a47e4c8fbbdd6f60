"""Voices that are filed as environment: real detectors contradict them, so a person hears them."""

import shutil

import pandas as pd
import pytest
import yaml
from support.checkouts import ASKED, copy_checkout, run

PLANTED, EACH, SPEAKERS = 8, 12, 36
"""Groups of voices under the wrong label, of each category of NONSPEECH and of SPEECH under theirs:
so many that dev shows the detectors to have skill, since no others can contradict a label."""


@pytest.fixture(scope="module")
def results(root, tmp_path_factory):
    folder = copy_checkout(root, tmp_path_factory.mktemp("labels"))
    table = pd.read_csv(root / "corpus" / "manifest.csv")
    long = table[table["seconds"] > 1.5].drop_duplicates("group_id")
    for category, part in long.groupby("category"):
        kind = "speech" if category == "speech" else f"nonspeech/{category}"
        count = SPEAKERS if category == "speech" else EACH
        for number, path in enumerate(part["path"].head(count)):
            put(folder / "own" / kind / f"group{number}", root / "corpus" / path)
    voices = long[long["category"] == "speech"]["path"].tail(PLANTED)
    for number, path in enumerate(voices):
        place = folder / "own" / "nonspeech" / "environment" / f"planted{number}"
        put(place, root / "corpus" / path)
    config = yaml.safe_load((folder / "configs" / "ci.yaml").read_text()) | {
        "corpus": [{"kind": "folder", "path": str(folder / "own")}],
        "grid": {"snr_db": [5, 20], "curve_snr_db": [], "duration_ms": [500, 1000]},
        "trials": {"items": {"dev": 24, "test": 24}, "unseen_origins": 0, "backgrounds": ["white"]},
    }
    ready_made = {"D2": {"level": "stored"}, "D3": {"level": "stored"}}
    config["variants"] = ASKED | {"D1": None} | ready_made
    (folder / "labels.yaml").write_text(yaml.safe_dump(config))
    wanted = ("results/corpus/to_hear.csv", "results/metrics/uncontradicted/all.csv")
    run(folder, *wanted, config="labels.yaml")
    return folder / "results"


def put(folder, recording):
    folder.mkdir(parents=True)
    shutil.copy(recording, folder / "x.flac")


@pytest.mark.campaign
def test_contradicted_recordings_are_listed_and_left_out_of_a_row(results):
    listed = pd.read_csv(results / "corpus" / "to_hear.csv")
    planted = listed["path"].str.contains("planted")
    assert planted.sum() >= 2
    assert planted.iloc[0]
    assert (listed.loc[planted, ["label", "category"]] == ["NONSPEECH", "environment"]).all(
        axis=None
    )
    assert "test" in set(listed["split"])
    rows = pd.read_csv(results / "metrics" / "uncontradicted" / "all.csv")
    assert set(rows["variant"]) == {"D2", "D3"}
    rows = rows[rows["metric"] == "nonspeech_accuracy"].set_index("variant")
    assert (rows["by"] == "labels").all()
    assert (rows["n"] < 24 * 2 * 4).all()
    assert (rows["value"] > 0.5).all()
