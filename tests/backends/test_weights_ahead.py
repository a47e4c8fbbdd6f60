"""Weights that are read ahead are those that transformers reads."""

import json
from concurrent.futures import Future

import pytest
import torch
from safetensors.torch import load_file, save_file
from support import qwen_models as small
from support.finetuning import module

CPU = torch.device("cpu")
ahead, loading = module("weights_ahead"), module("loading")


def read(folder):
    reading = Future()
    reading.set_result(ahead.copied(ahead.mapped(folder), CPU))
    return reading


@pytest.mark.parametrize("architecture", ["qwen2_audio", "qwen3_omni"])
def test_a_model_of_them_is_the_stock_one(tmp_path, architecture):
    folder, name = small.save(architecture, tmp_path), module(architecture).MODEL_CLASS
    stock = loading.load_model(name, str(folder), None, CPU)
    reading = read(folder)
    own = loading.load_model(name, str(folder), None, CPU, None, reading)
    assert not reading.result()  # nothing beside the model keeps them
    expected, weights = stock.state_dict(), own.state_dict()
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    assert own.generation_config.to_dict() == stock.generation_config.to_dict()
    assert own.config.to_dict() == stock.config.to_dict()
    assert own.name_or_path == stock.name_or_path


def test_weights_of_several_files_are_copied_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr(ahead, "CHUNK", 100)  # bytes: most take several
    torch.manual_seed(0)
    shards = [
        {"a": torch.randn(7, 30), "scalar": torch.tensor(2.5)},
        {"b": torch.randn(1000), "talker.c": torch.ones(3), "empty": torch.ones(0, 4)},
    ]
    for place, shard in enumerate(shards):
        save_file(shard, tmp_path / f"model-{place}.safetensors")
    where = {name: f"model-{place}.safetensors" for place in (0, 1) for name in shards[place]}
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": where}))
    copies = ahead.copied(ahead.mapped(tmp_path), CPU)
    expected = {**shards[0], **shards[1]}
    del expected["talker.c"]  # of a part that nothing here runs
    assert copies.keys() == expected.keys()
    assert all(torch.equal(copies[name], expected[name]) for name in expected)


def test_without_a_gpu_transformers_reads_them(tmp_path):
    (tmp_path / "generation_config.json").write_text("{}")
    assert ahead.begin(str(tmp_path), CPU, torch.float32) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu(tmp_path):
    gpu = torch.device("cuda", 0)
    save_file({"a": torch.randn(5000, 5000).bfloat16()}, tmp_path / "model.safetensors")
    assert ahead.begin(str(tmp_path), gpu, torch.bfloat16) is None  # no generation_config.json
    (tmp_path / "generation_config.json").write_text("{}")
    weights = ahead.begin(str(tmp_path), gpu, torch.bfloat16).result()
    assert torch.equal(weights["a"].cpu(), load_file(tmp_path / "model.safetensors")["a"])
    assert ahead.begin(str(tmp_path), gpu, torch.float32).result() is None
    (tmp_path / "model.safetensors").write_bytes(b"damaged")
    assert ahead.begin(str(tmp_path), gpu, torch.bfloat16).result() is None
