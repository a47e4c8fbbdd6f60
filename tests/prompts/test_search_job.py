"""The job that searches: a real detector, each kind of proposer, resumed without asking twice."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from support import qwen_models as small
from support.chat_servers import KEY, completion, serving
from support.searches import OTHER, reply

from speechdt import find_detectors
from speechdt.audio.io import from_flac_bytes
from speechdt.detectors.scoring import read_scored, score_cells
from speechdt.prompts import answer_store, asking
from speechdt.prompts.proposers.contract import ProposerError
from speechdt.prompts.search_job import AskedDetector, score_found, search_prompts
from speechdt.prompts.settings import SearchSettings
from speechdt.store import Store
from speechdt.trials.cells import read_cell

pytestmark = pytest.mark.usefixtures("one_thread")

PROMPTS = {"baseline": small.BASELINE, "other": OTHER}
BANK = pd.DataFrame({"prompt": ["baseline", "other"], "log_loss": [0.5, 0.6]})
BRIEF = {"steps": 1, "candidates": 3, "start": 1, "replicates": 100}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small.save("qwen2_audio", tmp_path_factory.mktemp("model") / "model")


@pytest.fixture
def detector(folder):
    options = {"model": str(folder), "device": "cpu", "prompt": small.BASELINE}
    return AskedDetector("qwen2_audio", find_detectors()["qwen2_audio"], options)


@pytest.fixture
def search(cells, detector, tmp_path):
    """Search on a few cells of dev."""
    dev = [path for (split, cell), path in cells.items() if split == "dev" and "snr" in cell]

    def run(local=None, **settings):
        chosen = SearchSettings(**BRIEF | settings)
        given = {"bank": BANK, "prompts": PROMPTS, "results": tmp_path, "seed": 0}
        outcome = search_prompts(dev, detector, settings=chosen, local=local, **given)
        json.dumps(outcome, allow_nan=False)
        return outcome

    return run


def test_clips_are_encoded_once_and_asked_about_once(search):
    outcome = search()
    assert outcome["costs"]["tower_passes"] == outcome["costs"]["clips"] == 16 * 2 * 6
    assert outcome["costs"]["pairs_asked"] > 0
    again = search()
    assert again["costs"]["pairs_asked"] == again["costs"]["tower_passes"] == 0
    costs = {"costs": None}
    assert again | costs == outcome | costs


def test_a_language_model_that_writes_nonsense_leaves_the_bank(search):
    outcome = search(proposer={"kind": "self", "most_tokens": 4})
    assert outcome["rejected"] == {"duplicates": 0, "malformed": 4}
    assert [entry["name"] for entry in outcome["candidates"]] == ["baseline"]
    assert outcome["winner"]["prompt"] == small.BASELINE


def test_gepa_takes_the_place_of_opro(search):
    pytest.importorskip("gepa")
    outcome = search(optimizer="gepa", steps=3)
    assert outcome["optimizer"] == "gepa"
    assert outcome["costs"]["tower_passes"] == outcome["costs"]["clips"]
    assert 0 < outcome["pairs"] <= outcome["control"]["pairs"]
    assert max(entry["step"] for entry in outcome["candidates"]) > 0


def test_a_server_proposes_and_is_not_asked_again(search, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving(lambda number: (200, completion(reply(number)), 0)) as (server, url):
        proposer = {"kind": "openai", "base_url": url, "model": "tiny"}
        outcome = search(proposer=proposer)
        asked = len(server.asked)
        assert search(proposer=proposer)["candidates"] == outcome["candidates"]
        assert len(server.asked) == asked
    assert len(outcome["candidates"]) == 1 + 3
    for file in [*tmp_path.rglob("*.sqlite"), *tmp_path.rglob("*.json")]:
        assert KEY.encode() not in file.read_bytes()
    assert KEY not in json.dumps(outcome)


def test_a_server_that_never_answers_is_one_line(search, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving(lambda _: (200, "{}", 0)) as (_, url):
        proposer = {"kind": "openai", "base_url": url, "model": "tiny"}
        with pytest.raises(ProposerError, match="nothing was proposed: proposer: tiny at 127"):
            search(proposer=proposer)


def test_a_local_model_is_told_its_options_and_writes_the_questions(search):
    calls = []

    def local(**options):
        calls.append(options)
        return lambda text, seed: reply(seed)

    outcome = search(local, proposer={"kind": "local", "model": "somewhere", "temperature": 0.5})
    assert calls == [{"model": "somewhere", "temperature": 0.5}]
    assert outcome["proposer"] == "local"
    assert len(outcome["candidates"]) == 1 + 3


class Silent(AskedDetector):
    def build(self):
        raise AssertionError("an answer was not kept")


def test_what_was_found_is_scored_on_both_splits_and_asked_once(search, detector, cells, tmp_path):
    outcome = search()
    files = {
        split: [path for (of, cell), path in cells.items() if of == split and "snr" in cell]
        for split in ("dev", "test")
    }
    scores = score_found(outcome, files, detector, tmp_path)
    assert scores["split"].value_counts().to_dict() == {"dev": 16 * 2 * 6, "test": 16 * 2 * 6}
    assert scores[["baseline", "winner", "control"]].to_numpy().min() >= 0
    clip = scores.iloc[0]
    (cell,) = [file for file in files["dev"] if clip["trial_id"].endswith(file.stem)]
    flac = read_cell(cell).set_index("trial_id").loc[clip["trial_id"], "audio"]
    asked = detector.build().score_prompts([from_flac_bytes(flac)], [small.BASELINE])
    assert clip["baseline"] == pytest.approx(float(asked[0, 0]), abs=1e-6)
    silent = Silent("qwen2_audio", detector.cls, detector.options)
    pd.testing.assert_frame_equal(scores, score_found(outcome, files, silent, tmp_path))


def test_what_a_run_was_asked_before_is_not_asked_again(search, detector, cells, tmp_path):
    outcome = search()
    files = [path for (split, cell), path in cells.items() if split == "test" and "snr" in cell]
    run = replace(detector, options=detector.options | {"prompt": small.BASELINE})
    store = Store(tmp_path / "cache" / "scores" / run.store_name())
    outputs = [tmp_path / f"{place}.parquet" for place in range(len(files))]
    score_cells(run.build, list(zip(files, outputs, strict=True)), store, "A1")
    store.close()
    given = ({"test": files}, detector, tmp_path)
    scores = score_found(outcome, *given, after_runs=True)
    of_run = read_scored(zip(files, outputs, strict=True))
    assert scores["trial_id"].tolist() == of_run["trial_id"].tolist()
    assert scores["baseline"].tolist() == of_run["p_speech"].tolist()
    shutil.rmtree(tmp_path / "cache" / "prompts")
    outcome |= {"winner": outcome["baseline"], "control": {"winner": outcome["baseline"]}}
    silent = Silent("qwen2_audio", detector.cls, detector.options)
    score_found(outcome, {"test": files}, silent, tmp_path, after_runs=True)


def test_parts_of_a_bank_give_the_same_answers(detector, cells, tmp_path, monkeypatch):
    for module in (answer_store, asking):
        monkeypatch.setattr(module, "CHUNK", 50)  # of 192 clips
    dev = [path for (split, cell), path in cells.items() if split == "dev" and "snr" in cell]
    texts = list(PROMPTS.values())

    def trials(results, build, **whose):
        return asking.PromptTrials(dev, build, asking.prompt_store(results, detector, **whose))

    alone = trials(tmp_path / "alone", detector.build, search="base").ask_all(texts)
    for part in ("1-of-3", "2-of-3", "3-of-3"):
        own = trials(tmp_path / "parts", detector.build, search="base", part=part)
        clips = own.ask_share(texts, part)
        assert own.ask.asked == clips * len(texts)
        assert clips == {"1-of-3": 92, "2-of-3": 50, "3-of-3": 50}[part]
    silent = Silent("qwen2_audio", detector.cls, detector.options)
    together = trials(tmp_path / "parts", silent.build, search="base").ask_all(texts)
    assert together.tobytes() == alone.tobytes()


def test_clips_are_decoded_once_while_those_before_them_are_asked_about(
    detector, cells, tmp_path, monkeypatch
):
    for module in (answer_store, asking):
        monkeypatch.setattr(module, "CHUNK", 50)  # of 192 clips
    decoded, asked = [], []

    def decode(stored):
        decoded.append(stored)
        return from_flac_bytes(stored)

    class Says(AskedDetector):
        def build(self, _built=None):
            return self

        def score_prompts(self, clips, prompts):
            asked.append(len(clips))
            return [[0.5] * len(clips) for _ in prompts]

    monkeypatch.setattr(asking, "from_flac_bytes", decode)
    dev = [path for (split, cell), path in cells.items() if split == "dev" and "snr" in cell]
    says = Says("qwen2_audio", detector.cls, detector.options)
    trials = asking.PromptTrials(dev, says.build, asking.prompt_store(tmp_path, says))
    trials.ask(["first"], np.arange(50))
    trials._begun[1].result()
    assert len(decoded) == 100  # those behind them are on their way
    trials.ask_all(["second", "third"])
    assert asked == [50, 50, 50, 50, 42]
    stored = [clip for path in dev for clip in read_cell(path, ["audio"])["audio"]]
    assert decoded == stored
