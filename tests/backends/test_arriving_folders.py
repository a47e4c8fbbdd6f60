"""Checkpoints as they arrive: each lack is one line with its remedy, before any job."""

import json
import math
import os
import shutil
import sys
from http.server import BaseHTTPRequestHandler

import pytest
from safetensors.torch import load_file, save_file
from support import qwen_models as small
from support.chat_servers import running

from speechdt import files, find_detectors
from speechdt.workflow.variants import ConfigError, check_variant

CLS = find_detectors()["qwen2_audio"]
reach = sys.modules[CLS.__module__.replace("detector", "reachable")]
gpu = sys.modules[CLS.__module__.replace("detector", "gpu")]
PROMPTS = {"baseline": "Speech?\n\nA) yes\nB) no"}
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 17\n"
REPO = "owner/model"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A checkpoint in two shards, as the hub has them."""
    folder = small.save("qwen2_audio", tmp_path_factory.mktemp("whole") / "model")
    weights = load_file(folder / "model.safetensors")
    names = sorted(weights)
    shards = {"model-00001-of-00002.safetensors": names[::2]}
    shards["model-00002-of-00002.safetensors"] = names[1::2]
    for shard, own in shards.items():
        save_file({name: weights[name] for name in own}, folder / shard, {"format": "pt"})
    where = {name: shard for shard, own in shards.items() for name in own}
    index = {"metadata": {}, "weight_map": where}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model.safetensors").unlink()
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "model")


def checked(model, **more):
    entry = {"backend": "qwen2_audio", "prompt": "baseline", "device": "cpu", "model": str(model)}
    resolve = {"models": {}, "prompts": PROMPTS, "nano_folder": "r/nano"}
    return check_variant("X", entry | more, CLS, **resolve)


def refused(model, **more):
    with pytest.raises(ConfigError) as error:
        checked(model, **more)
    assert "\n" not in str(error.value)
    return str(error.value)


SECOND = "model-00002-of-00002.safetensors"


def truncated(folder):
    content = (folder / SECOND).read_bytes()
    (folder / SECOND).write_bytes(content[: len(content) // 2])


def of_another(folder):
    shutil.copy(folder / "model-00001-of-00002.safetensors", folder / SECOND)


def pickled(folder):
    for file in folder.glob("*.safetensors*"):
        file.unlink()
    (folder / "pytorch_model.bin").write_bytes(b"x")


def without(*names):
    def spoil(folder):
        for name in names:
            for file in folder.glob(name):
                file.unlink()

    return spoil


def pointer(name):
    return lambda folder: (folder / name).write_text(POINTER)


def quantized(folder):
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["quantization_config"] = {"quant_method": "awq"}
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (
            pointer(SECOND),
            f"{SECOND} is a git-lfs pointer and holds no weights: run `git lfs",
        ),
        (pointer("tokenizer.json"), "tokenizer.json is a git-lfs pointer and holds nothing"),
        (pointer("config.json"), "config.json is a git-lfs pointer and holds nothing"),
        (truncated, f"{SECOND} is no whole safetensors file"),
        (without(SECOND), f"1 of 2 shards are missing, such as {SECOND}: download them"),
        (of_another, "places there: download it again"),
        (pickled, "it has pickled weights alone (.bin), which are not read"),
        (without("*.safetensors*"), "it has no weights: download model.safetensors"),
        (without("tokenizer.json"), "it has no tokenizer: download tokenizer.json"),
        (without("*processor_config.json"), "it has no preprocessor_config.json: download it"),
        (without("config.json"), "has no config.json"),
        (quantized, "has a quantization_config (awq), and quantised weights are not loaded"),
    ],
)
def test_a_folder_that_is_not_all_there(folder, spoil, why):
    checked(folder)
    spoil(folder)
    assert why in refused(folder)
    assert str(folder) in refused(folder)


def test_folders_named_from_home_and_from_here(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    assert checked("~/model")["model"] == str(folder)
    monkeypatch.chdir(folder.parent)
    assert checked("./model")["model"] == "model"
    assert "is no folder on this machine" in refused("~/none")
    assert "is no folder on this machine" in refused("./none/there")


class Status(BaseHTTPRequestHandler):
    """A hub that answers with one status."""

    def do_HEAD(self):
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """Make the hub one of ours, with an empty cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with running(Status, status=200) as (server, url):
        template = url + "/{repo_id}/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield server
    reach._why_not_given.cache_clear()


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (
            401,
            "(HTTP 401: it wants to know who asks, or there is no such model: run `hf auth",
        ),
        (403, "(HTTP 403: it does not let you have it: accept its terms on its page"),
        (404, "(HTTP 404: it has no such model or revision): run `hf download owner/model`"),
        (429, "(HTTP 429: it is asked too often: try again later)"),
        (503, "(HTTP 503: try again later)"),
    ],
)
def test_what_a_hub_refuses_is_said(hub, status, why):
    reach._why_not_given.cache_clear()
    checked(REPO)
    hub.status = status
    reach._why_not_given.cache_clear()
    assert why in refused(REPO)


def test_a_job_asks_no_hub_again(hub, monkeypatch):
    hub.status = 404
    monkeypatch.setenv(reach.ASKED, "1")
    reach._why_not_given.cache_clear()
    checked(REPO)
    reach._why_not_given.cache_clear()
    monkeypatch.delenv(reach.ASKED)
    assert "404" in refused(REPO)


def cached(whole, root, names="*"):
    """Lay a folder out as the hub's cache does."""
    commit = "0a095220c30b7b31434169c3086508ef3ea5bf0a"
    repo = root / "models--owner--model"
    snapshot = repo / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(commit)
    for file in whole.glob(names):
        shutil.copy(file, snapshot)
    return snapshot


def test_a_cached_checkpoint_is_loaded_without_a_network(whole, hub, tmp_path, monkeypatch):
    snapshot = cached(whole, tmp_path / "hub")
    hub.status = 500
    checked(REPO)
    assert reach.located(REPO) == str(snapshot)
    assert reach.located(REPO, snapshot.name) == str(snapshot)
    assert reach.located(str(whole)) == str(whole)
    detector = CLS(model=REPO, device="cpu")
    assert detector.lm.name_or_path == REPO
    clips = [small.clip(300)]
    assert detector.score(clips) == CLS(model=str(whole), device="cpu").score(clips)


def test_a_cache_that_holds_a_part(whole, hub, tmp_path):
    cached(whole, tmp_path / "hub", "config.json")
    assert reach.located(REPO) == REPO
    checked(REPO)  # the hub has the rest
    hub.status = 503
    reach._why_not_given.cache_clear()
    assert "not on this machine, but for a part (it has no weights" in refused(REPO)


def test_weights_that_no_memory_holds(folder, monkeypatch):
    shapes = gpu.base_shapes(str(folder))
    count = sum(math.prod(shape) for shape in shapes.values())
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("M", (), {"total": 4 * count})())
    checked(folder)
    monkeypatch.setattr("psutil.virtual_memory", lambda: type("M", (), {"total": 4 * count - 1})())
    assert "the weights of model" in refused(folder)
    monkeypatch.setattr(gpu, "why_unusable", lambda: None)
    for memory, told in (((count, count), None), ((count, count - 1), "the GPUs together have")):
        driver = gpu.Driver((13, 0), 2, memory=memory)
        monkeypatch.setattr(gpu, "_driver", lambda driver=driver: driver)
        if told is None:
            checked(folder, device="auto")
        else:
            assert told in refused(folder, device="auto")


def test_large_files_are_told_apart_without_being_read(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGE", 10)
    monkeypatch.setattr(files, "BEGINNING", 5)
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"0123456789 and more")
    first = files.content_hash(tmp_path)
    assert files.content_hash(tmp_path) == first
    file.write_bytes(b"0123456789 and much more")
    second = files.content_hash(tmp_path)
    os.utime(file, ns=(1, 1))
    assert len({first, second, files.content_hash(tmp_path)}) == 3
