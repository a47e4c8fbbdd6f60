"""Detectors that learned nothing here, their vendors' thresholds, and pairs of versions."""

from pathlib import Path

import pytest
import yaml

from speechdt.reporting.tables.training import SETTINGS
from speechdt.workflow.ready_made import ready_made, vendor_thresholds
from speechdt.workflow.resolution import resolve
from speechdt.workflow.settings import in_order


@pytest.fixture
def settings(root, monkeypatch):
    monkeypatch.chdir(root)
    config = yaml.safe_load(Path("workflow_config.yaml").read_text())
    config["hygiene"] = {"checks": {}, "flag_by": None, "remove": False}
    return config


def resolved(settings):
    return resolve(in_order(settings), "results", SETTINGS)


def test_nano_models_trained_ones_and_ensembles_are_not_ready_made(settings):
    settings["variants"]["E1"] = {"ensemble": ["D1", "D2"], "how": "mean"}
    experiment = resolved(settings)
    assert ready_made(experiment) == ["D1", "D2", "D3", "D4"]
    thresholds = vendor_thresholds(experiment)
    assert thresholds == {"D2": 0.5, "D3": 0.4, "D4": 0.5}


def test_versions_are_compared_where_both_are_there_and_others_noted(settings):
    settings["comparisons"]["versions"] = [["D2", "D2v5"]]
    (note,) = [line for line in resolved(settings).notes if "versions" in line]
    assert note == "comparisons.versions: D2 and D2v5 are not compared: no variant D2v5"
    settings["variants"]["D2v5"] = {"backend": "silero", "version": 5}
    assert not [line for line in resolved(settings).notes if "versions" in line]
