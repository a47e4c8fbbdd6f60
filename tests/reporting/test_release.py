"""The release: complete, checked by stock tools, and every table traced to the recordings."""

import base64
import graphlib
import json
import shutil
import subprocess

import pandas as pd
import pytest
from support.made_answers import VARIANTS, made_decided, made_trials

from speechdt.detectors.decisions import decided_by
from speechdt.reporting.pages import release, release_provenance
from speechdt.reporting.pages.release import Copied
from speechdt.reporting.pages.release_provenance import Made
from speechdt.statistics.calibration import Calibration
from speechdt.trials.cells import SCHEMA, CellWriter, cell_files

FORGED = {
    "index": Made("read", (), ("'corpus'",)),
    "cells": Made("render", ("index",), ()),
    "scores": Made("score", ("cells", "model"), ("3",)),
    "table": Made("collect", ("scores", "cells"), ()),
    "twin": Made("collect", ("scores", "cells"), ()),
    "unrelated": Made("draw", ("table",), ()),
}


def test_lineage_goes_back_to_the_start_and_no_further():
    jobs = release_provenance.lineage(["table", "twin"], FORGED)
    assert [job["rule"] for job in jobs] == ["read", "render", "score", "collect"]
    assert jobs[-1]["outputs"] == ["table", "twin"]  # one job
    assert jobs[0]["parameters"] == ("'corpus'",)
    assert release_provenance.lineage(["model"], FORGED) == []


def test_a_circle_is_an_error():
    circle = {"a": Made("one", ("b",), ()), "b": Made("two", ("a",), ())}
    with pytest.raises(graphlib.CycleError):
        release_provenance.lineage(["a"], circle)


def test_checksums_are_those_of_the_stock_tool_and_changes_are_noticed(tmp_path):
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "weights").write_bytes(b"abc")
    (tmp_path / "own.txt").write_text("made for the release")
    made = {"results/adapters/a": Made("finetune", ("x", "y"), ())}
    copied = [Copied("adapter/weights", "results/adapters/a/weights")]
    assert release.seal(tmp_path, copied, made) == 2
    manifest = pd.read_csv(tmp_path / "manifest.csv").fillna("").set_index("path")
    assert manifest.loc["adapter/weights", "rule"] == "finetune"
    assert manifest.loc["own.txt", "origin"] == ""
    check = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    assert subprocess.run(check, cwd=tmp_path).returncode == 0
    (tmp_path / "adapter" / "weights").write_bytes(b"abd")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True).returncode == 1


def test_scores_of_a_trial_stand_in_one_row():
    decided = made_decided()
    decided = {
        variant: table.assign(decided_far10=False).sample(frac=1, random_state=2)
        for variant, table in decided.items()
    }
    scores = release.trial_scores(decided).set_index("trial_id")
    for variant, table in decided.items():
        expected = table.set_index("trial_id").loc[scores.index]
        assert scores[f"p_speech_{variant}"].equals(expected["p_speech"])
        assert scores[f"decided_{variant}"].equals(expected["decided"])
    assert "p_speech" not in scores


def test_records_are_read_whatever_the_length_of_a_name(tmp_path):
    for name in ("results/a", "results/" + "long" * 90 + "?>"):
        coded = base64.urlsafe_b64encode(name.encode()).decode()
        parts = [coded[at : at + 254] for at in range(0, len(coded), 254)]
        path = tmp_path.joinpath(*(f"@{part}" for part in parts[:-1]), parts[-1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"rule": "r", "input": [name], "params": None}))
        assert release_provenance.read_records(tmp_path)[name] == Made("r", [name], [])
    assert release_provenance.read_records(tmp_path / "nowhere") == {}


def small_run(folder, root):
    """Write the files of a run with an adapter and a card of its own, by hand."""
    results = folder / "results"
    given = {"cells": [], "scores": []}
    for split in ("dev", "test"):
        (results / "trials" / split).mkdir(parents=True)
        cell = results / "trials" / split / "snr10_dur200.parquet"
        rows = made_trials().query("snr_db == 10 and duration_ms == 200").to_dict("records")
        silent = dict.fromkeys(SCHEMA.names) | {"audio": {"bytes": b"x" * 99, "path": None}}
        with_parts = CellWriter(cell, most_bytes=1)  # the smallest parts there are
        for row in rows:
            with_parts.write(silent | row)
        with_parts.close()
        given["cells"].append(cell)
    for variant in VARIANTS:
        for cell in given["cells"]:
            score = results / "scores" / variant / cell.parent.name / cell.name
            score.parent.mkdir(parents=True)
            trials = [row["trial_id"] for row in rows]
            pd.DataFrame({"trial_id": trials, "p_speech": 0.25}).to_parquet(score)
            given["scores"].append(score)
        learned = results / "calibration" / f"{variant}.json"
        learned.parent.mkdir(exist_ok=True)
        learned.write_text(json.dumps(Calibration(0.5, 0.6, 1.0, 1.0, 0.0).to_dict()))
    named = {
        "adapters": ["adapters/small"],
        "cards": ["cards/small.md"],
        "prompts": ["prompts/base.json"],
        "tables": ["tables/matrix.csv"],
        "figures": ["figures/a.pdf"],
        "pages": ["report.html", "errors.html", "errors"],
    }
    for name, paths in named.items():
        given[name] = [results / path for path in paths]
    (results / "cards").mkdir()
    (results / "cards" / "small.md").write_text("with its test")
    written = ("adapters/small/README.md", "prompts/base.json", "errors/a.flac", "figures/a.pdf")
    for path in (*written, "report.html"):
        (results / path).parent.mkdir(parents=True, exist_ok=True)
        (results / path).write_text("x")
    (results / "errors.html").write_text("x")
    (results / "numbers.csv").write_text("macro,table\n")
    (results / "trials" / "README.md").write_text("the card of this run")
    (results / "tables").mkdir()
    skill = {"dev_auc": 0.8, "dev_auc_low": 0.7, "dev_auc_high": 0.9}
    matrix = pd.DataFrame({"variant": ["A1"], "model": ["nano"], **skill})
    matrix.to_csv(given["tables"][0], index=False)
    pd.DataFrame({"source_id": ["a"]}).to_parquet(results / "sources.parquet")
    given["flags"] = [results / "flags.parquet"]
    flags = {"source_id": ["SPEECH-00", "SPEECH-01"], "flagged": [True, False]}
    pd.DataFrame(flags).to_parquet(given["flags"][0])
    given |= {"numbers": results / "numbers.csv", "sources": results / "sources.parquet"}
    given["calibration"] = [results / "calibration" / f"{variant}.json" for variant in VARIANTS]
    shutil.copy(root / "CITATION.cff", folder)
    given["citation"] = folder / "CITATION.cff"
    given["dataset_card"] = results / "trials" / "README.md"
    return given


def test_adapters_clips_beside_the_gallery_and_a_card_of_the_run_are_taken_along(tmp_path, root):
    given = small_run(tmp_path, root)
    scores = given.pop("scores")
    files = release.RunFiles(**given)
    decided = []
    for split in ("dev", "test"):
        of_split = [[one for one in of if one.parent.name == split] for of in (files.cells, scores)]
        runs = {variant: [variant] for variant in VARIANTS}
        decided.append((split, decided_by(runs, *of_split, files.calibration)))
    config = {"corpus": [{"kind": "folder", "path": "nowhere"}], "grid": {"snr_db": [10]}}
    out = tmp_path / "release"
    count = release.write(
        out, files, decided, config=config, versions={"python": "3.11"}, revision="", made={},
        names={"A1": "Ann"},
    )  # fmt: skip
    assert count == sum(file.is_file() for file in out.rglob("*")) - 2
    assert (out / "adapters" / "small" / "README.md").read_text() == "with its test"
    for split in ("dev", "test"):
        parts = {file.name for file in (out / "dataset" / split).iterdir()}
        assert parts == {file.name for cell in files.cells for file in cell_files(cell)}
    assert (out / "errors" / "a.flac").exists()
    assert (out / "dataset" / "README.md").read_text() == "the card of this run"
    scores = pd.read_parquet(out / "scores" / "dev.parquet")
    assert not scores[[f"decided_{variant}" for variant in VARIANTS]].any(axis=None)
    assert set(scores.loc[scores["flagged"], "source_id"]) == {"SPEECH-00"}
    assert (out / "corpus" / "flags.parquet").exists()
    text = (out / "README.md").read_text()
    assert "`adapters/` | small" in text
    assert "`prompts/`" in text
    assert "Ann — nano: a toy" in text
    assert "In CSV files, folders and criteria, Ann is A1." in text
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=out, check=True)
