"""Checks of a finished release."""

import json
import subprocess

import pandas as pd
import pytest
import yaml


def check_data(folder):
    """Load what others would load."""
    datasets = pytest.importorskip("datasets")
    scores = pd.read_parquet(folder / "scores" / "test.parquet")
    variants = [file.stem for file in sorted((folder / "calibration").glob("*.json"))]
    assert {f"p_speech_{variant}" for variant in variants} <= set(scores)
    cells = str(folder / "dataset" / "test" / "*.parquet")
    loaded = datasets.load_dataset(
        "parquet", data_files={"test": cells}, cache_dir=str(folder.parent / "cache" / "datasets")
    )["test"]
    assert sorted(loaded["trial_id"]) == sorted(scores["trial_id"])
    card = (folder / "dataset" / "README.md").read_text()
    assert yaml.safe_load(card.split("---")[1])["task_categories"] == ["audio-classification"]
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert set(variants) == {name for name, entry in config["variants"].items() if entry}


def check_release(folder):
    """Check a release with stock tools, and follow every number of the paper to its recordings."""
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
    manifest = pd.read_csv(folder / "manifest.csv").fillna("")
    files = {str(file.relative_to(folder)) for file in folder.rglob("[!.]*") if file.is_file()}
    assert files == {*manifest["path"], "manifest.csv", "SHA256SUMS"}
    assert not manifest["origin"].str.startswith("/").any()
    jobs = json.loads((folder / "provenance.json").read_text())
    maker = {file: job for job in jobs for file in job["outputs"]}
    origin = dict(manifest[["path", "origin"]].values)
    for table in pd.read_csv(folder / "numbers.csv")["table"].unique():
        rules, waiting = set(), [origin[table]]
        while waiting:
            if job := maker.get(waiting.pop()):
                if job["rule"] not in rules:
                    waiting += job["inputs"]
                rules.add(job["rule"])
        assert {"index_corpus", "render_trials"} <= rules, table
        assert rules & {"score", "score_searched", "measure_order_bias"}, table
    check_data(folder)
