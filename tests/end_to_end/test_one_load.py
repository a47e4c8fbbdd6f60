"""Runs on one checkpoint: how often a whole run reads it, and what an edit or a kill costs then."""

import json
import re

import pandas as pd
import pytest
import yaml
from support import qwen_models as small
from support.checkouts import SMALL, digests, planned, run
from transformers import Qwen2AudioForConditionalGeneration as Stock

pytestmark = pytest.mark.campaign  # whole runs of their own

READ = "weights read in"
"""What a job's log says each time (`backends/qwen/loading.py`)."""
ADAPTED = r".*language_model\..*\.(q_proj|v_proj|down_proj)"
RUNS = ("A1", "A2", "X1", "X2")
ANSWERS = ("scores", "levels", "prompts/order_bias")


def configuration(**adapters):
    row = {"backend": "qwen2_audio", "prompt": "baseline"}
    rows = {"A1": row, "A2": row | {"prompt": {"search": "base"}}, "D1": None, "D2": None}
    return SMALL | {
        "models": {"qwen2_audio": {"model": "model", "device": "cpu"}},
        "latency": {"clips": 20},
        "presentation": SMALL["presentation"] | {"probe_clips": 20},
        "conditions": {
            "items": 4,
            "snr_db": [0, 10],
            "axes": {"background": [], "room": [], "channel": [], "level": [-40]},
            "variants": ["A1"],
        },
        "searches": {
            "base": {"steps": 1, "candidates": 2, "start": 1, "replicates": 100},
            "large": None,
            "omni": None,
        },
        "adapters": {},
        "variants": SMALL["variants"]
        | rows
        | {name: row | {"adapter": folder} for name, folder in adapters.items()},
    }


def targets(*runs):
    files = [
        f"results/{kind}/{run}.json" for run in runs for kind in ("latency", "prompts/order_bias")
    ]
    files += [f"results/scores/{run}/test/snr10_dur200.parquet" for run in runs]
    return [
        *files,
        "results/scores/A1/conditions/neutral.parquet",
        "results/prompts/searched/base.parquet",
    ]


def loads(folder):
    """Return how often the logs of each rule tell of weights that were read."""
    logs = (folder / "results" / "logs").glob("*/*.log")
    counts = {log: len(re.findall(READ, log.read_text())) for log in logs}
    return {f"{log.parent.name}/{log.stem}": count for log, count in counts.items() if count}


@pytest.fixture(scope="module")
def shared(begun, tmp_path_factory):
    """A run of four variants on one checkpoint, up to scores and times."""
    folder = tmp_path_factory.mktemp("shared")
    begun(folder)
    base = small.save("qwen2_audio", folder / "model")
    for seed, name in enumerate(("first", "second", "third")):
        small.save_adapter(folder / name, base, Stock, ADAPTED, seed)
    write(folder, X1="first", X2="second")
    run(folder, *targets(*RUNS), "--resources", "gpu=1", config="shared.yaml")
    return folder


def write(folder, **adapters):
    (folder / "shared.yaml").write_text(yaml.safe_dump(configuration(**adapters)))


def jobs(folder, *files):
    return planned(folder, *files, "--resources", "gpu=1", config="shared.yaml")


def test_a_stage_reads_a_checkpoint_once(shared):
    once = ("search_prompts/base", "score_part/A1.1-of-1", "ask_further/A1.1-of-1", "time_base/A1")
    assert loads(shared) == dict.fromkeys(once, 1)
    for name in RUNS:
        times = json.loads((shared / "results" / "latency" / f"{name}.json").read_text())
        assert times["load_s"] > 0
        assert len(times["clip_ms"]) == 20
        assert (
            "scored 0 clips" in (shared / "results" / "logs" / "score" / f"{name}.log").read_text()
        )
    assert not list((shared / "results" / "parts").rglob("*.*"))
    assert jobs(shared, *targets(*RUNS)) == []


def test_another_adapter_is_asked_alone(shared):
    write(shared, X1="first", X2="second", X3="third")
    try:
        score = "results/scores/X3/test/snr10_dur200.parquet"
        titles = " ".join(jobs(shared, score))
        assert "Scoring dev and test with X3" in titles
        assert "Searching" not in titles
        run(shared, score, "--resources", "gpu=1", config="shared.yaml")
        log = (shared / "results" / "logs" / "score_part" / "A1.1-of-1.log").read_text()
        asked = dict(re.findall(r"'(\w+)': (\d+)", log))
        assert [name for name, clips in asked.items() if clips != "0"] == ["X3"]
        assert "weights were read 1 times" in log
    finally:
        write(shared, X1="first", X2="second")


def test_answers_are_those_of_jobs_of_their_own(shared):
    files = [f"results/{name}/{own}.*" for name in ANSWERS[1:] for own in RUNS]
    files += [f"results/scores/{own}/**/*.parquet" for own in RUNS]
    before = digests(shared, *files)
    searched = shared / "results" / "prompts" / "searched" / "base.parquet"
    together = pd.read_parquet(searched)
    for name in (*ANSWERS, "prompts/searched", "cache/scores", "cache/order_bias", "cache/prompts"):
        (shared / "results" / name).rename(shared / name.replace("/", "_"))
    apart = {"jobs": {"together": False}} | configuration(X1="first", X2="second")
    (shared / "shared.yaml").write_text(yaml.safe_dump(apart))
    run(shared, *targets(*RUNS), "--resources", "gpu=1", config="shared.yaml")
    assert len(loads(shared)) > 8
    assert len(before) > 50
    assert digests(shared, *files) == before
    # Prompts that a run was asked, too, were asked by themselves there, and several at a time here.
    pd.testing.assert_frame_equal(pd.read_parquet(searched), together, rtol=0, atol=1e-5)
