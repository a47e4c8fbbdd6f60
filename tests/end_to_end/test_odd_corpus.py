"""The whole workflow on a corpus that holds every odd file at once."""

from pathlib import Path

import pandas as pd
import pytest
import soundfile
import yaml
from support import odd_files
from support.checkouts import ASKED, copy_checkout, run

from speechdt.store import Store


@pytest.mark.campaign
def test_the_whole_workflow_on_all_odd_files_at_once(root, tmp_path, rng):
    folder = copy_checkout(root, tmp_path)
    table = pd.read_csv(root / "corpus" / "manifest.csv").drop_duplicates("group_id")
    for category, part in table[table["seconds"] > 1.5].groupby("category"):
        kind = "speech" if category == "speech" else f"nonspeech/{category}"
        for number, path in enumerate(part["path"].head(12)):
            samples, rate = soundfile.read(root / "corpus" / path)
            own = folder / "own" / kind / f"group{number}"
            own.mkdir(parents=True)
            soundfile.write(own / "x.wav", samples, rate)
    used, rejected = odd_files.put(folder / "own" / "speech" / "odd", rng)
    config = {
        "corpus": [{"kind": "folder", "path": "$HERE/own"}],
        "variants": ASKED,
        "trials": {"unseen_origins": 0},
    }
    small = yaml.safe_load((folder / "configs" / "ci.yaml").read_text())
    (folder / "odd.yaml").write_text(yaml.safe_dump({**small, **config}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HERE", str(folder))
        printed = run(folder, config="odd.yaml")
    assert "own: files that are no audio, and left alone: 1 .txt" in printed
    listed = pd.read_csv(folder / "results" / "corpus" / "rejected.csv")
    reasons = {Path(path).name: reason for path, reason in listed[["path", "reason"]].to_numpy()}
    assert reasons.keys() == rejected.keys()
    assert all(part in reasons[name] for name, part in rejected.items())
    sources = pd.read_parquet(folder / "results" / "corpus" / "sources.parquet")
    assert used <= {Path(path).name for path in sources["path"]}
    assert (folder / "results" / "report.html").exists()
    _check_that_all_is_read_anew_if_asked(folder)


def _check_that_all_is_read_anew_if_asked(folder):
    """Spoil what is kept of each recording: --forcerun reads the recordings themselves."""
    store = Store(folder / "results" / "cache" / "index.sqlite")
    kept = {key: row for key, row in store.everything().items() if isinstance(row, list) and row[0]}
    assert kept
    store.put({key: [facts | {"peak": 9.0}, reason] for key, (facts, reason) in kept.items()})
    store.close()
    index = "results/corpus/index.parquet"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HERE", str(folder))
        run(folder, index, "--forcerun", "index_corpus", config="odd.yaml")
    assert pd.read_parquet(folder / index)["peak"].max() <= 1.5
