"""Fixtures: the embedded corpus, its index, and a small set of rendered trials."""

import gc
import os
import shutil
from collections import Counter
from pathlib import Path

import hypothesis
import numpy as np
import pandas as pd
import pytest
from support import shared
from support.checkouts import copy_begun, copy_checkout, once, run

from speechdt.corpus import index, split
from speechdt.gpu_driver import asked_driver
from speechdt.trials import items, rendering
from speechdt.trials.grid import Grid

if asked_driver() is None:
    # Kernels are interpreted where there is no GPU; Triton asks when torch imports it.
    os.environ["TRITON_INTERPRET"] = "1"

ROOT = Path(__file__).resolve().parents[1]
SEED = 7


# Tests run side by side: how long a case takes says nothing.
hypothesis.settings.register_profile("side by side", deadline=None, max_examples=20)
hypothesis.settings.register_profile("campaigns", deadline=None, max_examples=200)

NEED_FINISHED = {"finished", "checkout", "begun"}
"""Fixtures of the one finished run."""
MAKES_FINISHED = "test_workflow.py"
"""The file that asks for it first."""
FILES_MEANWHILE = 12
"""Files of many tests that come before what needs the finished run."""
LONG = {f"test_{name}.py" for name in ("surface", "thresholds", "near_duplicates", "checkpoints")}
LONG |= {f"test_{name}.py" for name in ("packed_training", "search_comparison", "balance", "gepa")}
"""Files of few tests that take long: last, they would keep one process alone at work."""


def pytest_addoption(parser):
    parser.addoption(
        "--detector", help="detector to put through the contract test (default: all there are)"
    )
    parser.addoption(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="option of that detector, its value as in YAML (may be repeated)",
    )
    parser.addoption(
        "--no-workflows", action="store_true", help="leave out tests that run the workflow"
    )
    parser.addoption("--campaigns", action="store_true", help="run the campaigns as well")


def pytest_configure(config):
    campaigns = config.getoption("campaigns")
    hypothesis.settings.load_profile("campaigns" if campaigns else "side by side")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Run a file in one process, in the order of collection."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return nodeid.partition("::")[0]

    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_collection_modifyitems(config, items):
    """Leave out what was not asked for, and put long files first, so that processes end together.

    While one process makes the finished run, the others have what does not need it.
    """
    left_out = [item for item in items if not _asked_for(item, config)]
    items[:] = [item for item in items if _asked_for(item, config)]
    config.hook.pytest_deselected(items=left_out)
    tests = Counter(item.path for item in items)
    waiting = {item.path for item in items if NEED_FINISHED & set(item.fixturenames)}
    running = {item.path for item in items if _runs(item)}
    meanwhile = [path for path, _ in tests.most_common() if path not in running][:FILES_MEANWHILE]
    meanwhile += [path for path in tests if path.name in LONG]

    def turn(path):
        if path.name == MAKES_FINISHED:
            return 0
        if path in running:
            return 3 if path in waiting else 1
        return 2 if path in meanwhile else 4

    items.sort(key=lambda item: (turn(item.path), -tests[item.path], str(item.path)))


def _asked_for(item, config):
    if _runs(item) and config.getoption("no_workflows"):
        return False
    return item.get_closest_marker("campaign") is None or config.getoption("campaigns")


def _runs(item):
    return "end_to_end" in item.path.parts or bool(NEED_FINISHED & set(item.fixturenames))


def pytest_collection_finish(session):
    """Keep what the tests have imported out of every later collection of garbage."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter):
    """Say at the end what was skipped and why, whatever the options."""
    reasons = Counter(report.longrepr[2] for report in terminalreporter.getreports("skipped"))
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count} skipped: {reason.removeprefix('Skipped: ')}")


@pytest.fixture(scope="session", autouse=True)
def _share_between_processes(tmp_path_factory):
    shared.FACTORY.append(tmp_path_factory)


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def grid():
    return Grid(snr_db=[-5, 0, 10], duration_ms=[200, 500], clean_ms=1000)


@pytest.fixture(scope="session")
def sources(grid):
    """Every source of the embedded corpus, with its split."""
    return split.assign(corpus_sources(min(grid.duration_ms)), grid.nested_ms, seed=SEED)


@shared.shared
def corpus_sources(least_ms):
    listed = index.read_corpora([{"kind": "folder", "path": ROOT / "corpus"}])
    return index.index(listed, least_ms, workers=2)[0]


@pytest.fixture(scope="session")
def test_items(sources, grid):
    return items.crossed(sources, "test", 16, grid, seed=SEED, least_active=0.7)


@pytest.fixture(scope="session")
def cells(tmp_path_factory, sources, grid):
    """Cell files of dev and test by split and cell name, 16 items a class."""

    def files(folder, name):
        return {cell.name: folder / name / f"{cell.name}.parquet" for cell in grid.cells}

    def write(folder):
        for name in ("dev", "test"):
            (folder / name).mkdir()
            chosen = items.crossed(sources, name, 16, grid, seed=SEED, least_active=0.7)
            rendering.write(chosen, grid.cells, files(folder, name), seed=SEED, level="peak")

    made = once(tmp_path_factory, "trials", write)
    return {
        (name, cell): file for name in ("dev", "test") for cell, file in files(made, name).items()
    }


@pytest.fixture(scope="module")
def one_thread():
    """Run torch on one thread: the models of tests are too small to gain from more."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def rng():
    return np.random.default_rng(SEED)


@pytest.fixture
def scored_trials(rng):
    """Trials of 20 groups a class with scores that overlap, decided at 0.5."""
    rows = 800
    speech = np.arange(rows) % 2 == 0
    p = 1 / (1 + np.exp(-(rng.normal(0, 1.5, rows) + np.where(speech, 1, -1))))
    group = np.where(speech, "s", "n") + pd.Series(rng.integers(0, 20, rows)).astype(str)
    return pd.DataFrame(
        {
            "speech": speech,
            "item_id": np.arange(rows).astype(str),
            "group_id": group,
            "p_speech": p,
            "p_temperature": p,
            "p_platt": p,
            "decided": p >= 0.5,
        }
    )


@pytest.fixture(scope="session")
def finished(root, tmp_path_factory):
    """A copy of the checkout in which the whole workflow has run; to be read, not to be changed."""
    return once(tmp_path_factory, "finished", lambda folder: run(copy_checkout(root, folder)))


@pytest.fixture
def checkout(finished, tmp_path):
    """A fresh copy of the finished run, to be edited."""
    shutil.copytree(finished, tmp_path, symlinks=True, dirs_exist_ok=True)
    return tmp_path


@pytest.fixture(scope="session")
def begun(root, finished):
    """What makes a checkout at a path in which the recordings have been read and split already."""
    return lambda folder: copy_begun(root, finished, folder)
