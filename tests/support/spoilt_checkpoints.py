"""A checkpoint in two shards, as the hub has them, and what may be wrong with it."""

import json
import shutil

from safetensors.torch import load_file, save_file

from support import qwen_models as small

FIRST, SECOND = (f"model-{number:05d}-of-00002.safetensors" for number in (1, 2))
INDEX = "model.safetensors.index.json"
POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 17\n"


def sharded(folder):
    """Write a small random checkpoint in two shards."""
    small.save("qwen2_audio", folder)
    weights = load_file(folder / "model.safetensors")
    names = sorted(weights)
    shards = {FIRST: names[::2], SECOND: names[1::2]}
    for shard, own in shards.items():
        save_file({name: weights[name] for name in own}, folder / shard, {"format": "pt"})
    where = {name: shard for shard, own in shards.items() for name in own}
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": where}))
    (folder / "model.safetensors").unlink()
    return folder


def cached(whole, root, names="*"):
    """Lay a folder out as the hub's cache does, or some of its files."""
    commit = "0a095220c30b7b31434169c3086508ef3ea5bf0a"
    repo = root / "models--owner--model"
    snapshot = repo / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(commit)
    for file in whole.glob(names):
        shutil.copy(file, snapshot)
    return snapshot


def truncated(folder):
    content = (folder / SECOND).read_bytes()
    (folder / SECOND).write_bytes(content[: len(content) // 2])


def of_another(folder):
    shutil.copy(folder / FIRST, folder / SECOND)


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


WAYS = [
    (pointer(SECOND), f"{SECOND} is a git-lfs pointer and holds no weights: run `git lfs"),
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
]
"""What is done to a folder, and what is said of it."""
