"""Load by others on the machine is measured, and not that of this process."""

import time

import psutil
import pytest
from support.busy import busy

from speechdt.detectors.machine_load import OthersLoad
from speechdt.reporting.tables.latency import BUSY, doubts

HARDWARE = {"processor": "p", "cores": 2, "gpus": []}


def spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def test_a_busy_loop_beside_is_seen_and_marked():
    """In processes that are no children of this one: those are its own work."""
    with busy(20), OthersLoad() as load:
        time.sleep(1)
    cores = psutil.cpu_count()
    assert load.cores > BUSY * cores
    timed = {"hardware": HARDWARE, "load": measured(load.cores, cores)}
    assert "of" in doubts({"D1": timed})["D1"]


def measured(others, cores=2):
    return {"cores": cores, "others_before": 0.0, "others_during": others}


def test_own_work_is_not_that_of_others():
    for _ in range(5):  # beside whatever else runs here
        with OthersLoad() as idle:
            time.sleep(0.5)
        with OthersLoad() as working:
            spin(0.5)
        if working.cores < idle.cores + 0.5:
            return
    pytest.fail("own work counts as that of others")


def test_quiet_and_alike_is_trusted_and_other_machines_and_load_are_named():
    quiet = {"hardware": HARDWARE, "load": measured(0.05)}
    assert doubts({"D1": quiet, "D2": quiet}) == {"D1": "", "D2": ""}
    busy = quiet | {"load": measured(1.0)}
    before = quiet | {"load": measured(0.0) | {"others_before": 0.9}}
    other = quiet | {"hardware": HARDWARE | {"processor": "q"}}
    old = {"hardware": HARDWARE}
    reasons = doubts({"A": quiet, "B": quiet, "C": busy, "D": before, "E": other, "F": old})
    assert reasons["A"] == reasons["B"] == ""
    assert reasons["C"] == "others kept 1.0 of 2 cores at work during the timing"
    assert reasons["D"] == "others kept 0.9 of 2 cores at work right before"
    assert reasons["E"] == "timed on another machine: q, 2 cores"
    assert reasons["F"] == "what else the machine did was not measured"
