"""The job that searches: a real detector, each kind of proposer, resumed without asking twice."""

import importlib.util
import json

import pandas as pd
import pytest
from support import qwen_models as small
from support.chat_servers import KEY, completion, serving
from support.searches import OTHER, reply

from speechdt.prompts.proposers.contract import ProposerError
from speechdt.prompts.settings import SearchSettings

pytestmark = pytest.mark.usefixtures("one_thread")

PROMPTS = {"baseline": small.BASELINE, "other": OTHER}
BANK = pd.DataFrame({"prompt": ["baseline", "other"], "log_loss": [0.5, 0.6]})
BRIEF = {"steps": 1, "candidates": 3, "start": 1, "replicates": 100}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return small.save("qwen2_audio", tmp_path_factory.mktemp("model") / "model")


@pytest.fixture
def search(root, cells, folder, tmp_path):
    """Run the script's own function on a few cells of dev."""
    path = root / "rules" / "scripts" / "prompts" / "search_prompts.py"
    spec = importlib.util.spec_from_file_location("search_prompts", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    dev = [path for (split, cell), path in cells.items() if split == "dev" and "snr" in cell]
    options = {"model": str(folder), "device": "cpu", "prompt": small.BASELINE}

    def run(**settings):
        chosen = SearchSettings(**BRIEF | settings)
        found = script.main(dev, BANK, "qwen2_audio", options, chosen, PROMPTS, tmp_path, 0)
        json.dumps(found, allow_nan=False)
        return found

    return run


def test_clips_are_encoded_once_and_asked_about_once(search):
    found = search()
    assert found["costs"]["tower_passes"] == found["costs"]["clips"] == 16 * 2 * 6
    assert found["costs"]["pairs_asked"] > 0
    again = search()
    assert again["costs"]["pairs_asked"] == again["costs"]["tower_passes"] == 0
    costs = {"costs": None}
    assert again | costs == found | costs


def test_a_language_model_that_writes_nonsense_leaves_the_bank(search):
    found = search(proposer={"kind": "self", "most_tokens": 4})
    assert found["rejected"] == {"duplicates": 0, "malformed": 4}
    assert [entry["name"] for entry in found["candidates"]] == ["baseline"]
    assert found["winner"]["prompt"] == small.BASELINE


def test_gepa_takes_the_place_of_opro(search):
    pytest.importorskip("gepa")
    found = search(optimizer="gepa", steps=3)
    assert found["optimizer"] == "gepa"
    assert found["costs"]["tower_passes"] == found["costs"]["clips"]
    assert 0 < found["pairs"] <= found["control"]["pairs"]
    assert max(entry["step"] for entry in found["candidates"]) > 0


def test_a_server_proposes_and_is_not_asked_again(search, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving(lambda number: (200, completion(reply(number)), 0)) as (server, url):
        proposer = {"kind": "openai", "base_url": url, "model": "tiny"}
        found = search(proposer=proposer)
        asked = len(server.asked)
        assert search(proposer=proposer)["candidates"] == found["candidates"]
        assert len(server.asked) == asked
    assert len(found["candidates"]) == 1 + 3
    for file in [*tmp_path.rglob("*.sqlite"), *tmp_path.rglob("*.json")]:
        assert KEY.encode() not in file.read_bytes()
    assert KEY not in json.dumps(found)


def test_a_server_that_never_answers_is_one_line(search, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving(lambda _: (200, "{}", 0)) as (_, url):
        proposer = {"kind": "openai", "base_url": url, "model": "tiny"}
        with pytest.raises(ProposerError, match="nothing was proposed: proposer: tiny at 127"):
            search(proposer=proposer)
