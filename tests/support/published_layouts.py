"""Checkpoints laid out as they are published, around small random weights and the real vocabulary.

The byte-level vocabulary is that of Qwen's tokenizers, which the package dashscope brings.
"""

import base64
import hashlib
import json
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import Qwen2Tokenizer, Qwen3OmniMoeConfig, WhisperFeatureExtractor

from support import qwen_models as small

SHA256 = "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186"
FIRST = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
"""Special tokens of both, from 151643 on."""
SPECIAL = {
    "qwen2_audio": ("<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>"),
    "qwen3_omni": (
        *("<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>", "<|box_end|>"),
        *("<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>"),
        *("<|vision_pad|>", "<|image_pad|>", "<|video_pad|>", "<tool_call>", "</tool_call>"),
        *("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>"),
        *("<|file_sep|>", "<tool_response>", "</tool_response>", "<think>", "</think>"),
        *("<|audio_start|>", "<|audio_end|>", "<tts_pad>", "<tts_text_bos>", "<tts_text_eod>"),
        *("<tts_text_bos_single>", "<|audio_pad|>"),
    ),
}
VOCABULARY = {"qwen2_audio": 156_032, "qwen3_omni": 152_064}
SHARDS = 3


def ranks_file() -> Path | None:
    """Return the vocabulary's file, None without the package."""
    spec = find_spec("dashscope")
    places = spec.submodule_search_locations if spec else None
    file = Path(places[0]) / "resources" / "qwen.tiktoken" if places else None
    return file if file and file.is_file() else None


@cache
def vocabulary() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return tokens and merges in GPT-2's letters for bytes."""
    content = ranks_file().read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHA256
    pairs = (line.split() for line in content.splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
    letters = _letters()
    spelt = {token: "".join(letters[byte] for byte in token) for token in ranks}
    merges = [
        (spelt[left], spelt[right])
        for token, rank in ranks.items()
        if len(token) > 1
        for left, right in [_halves(token, rank, ranks)]
    ]
    return {spelt[token]: rank for token, rank in ranks.items()}, merges


def _halves(token: bytes, rank: int, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """Return the two tokens that were merged into one: all merges before it, made in order."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        pairs = [ranks.get(a + b, rank) for a, b in pairwise(parts)]
        best = min(range(len(pairs)), key=pairs.__getitem__)
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
    return parts[0], parts[1]


def _letters() -> dict[int, str]:
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return dict(zip(shown, map(chr, shown), strict=True)) | {
        byte: chr(256 + place) for place, byte in enumerate(hidden)
    }


def tokenizer(architecture: str) -> Qwen2Tokenizer:
    """Return the published tokenizer."""
    vocab, merges = vocabulary()
    own = Qwen2Tokenizer(vocab=vocab, merges=merges)
    own.add_tokens([*FIRST, *SPECIAL[architecture]], special_tokens=True)
    own.eos_token = "<|im_end|>"
    return own


def save_processor(architecture: str, folder: Path) -> Qwen2Tokenizer:
    """Write tokenizer, features and chat template as published, and return the tokenizer."""
    own = tokenizer(architecture)
    if architecture == "qwen2_audio":
        from transformers import Qwen2AudioProcessor

        extractor = WhisperFeatureExtractor(feature_size=128)
        template = Qwen2AudioProcessor(extractor, own).default_chat_template
    else:
        extractor = WhisperFeatureExtractor(feature_size=128, chunk_length=300)
        template = small.OMNI_TEMPLATE
    own.chat_template = None
    own.save_pretrained(folder)
    extractor.save_pretrained(folder)
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": template}))
    return own


def publish(architecture: str, folder: Path, dtype: torch.dtype = torch.bfloat16) -> Path:
    """Write a checkpoint: settings, tokenizer and features as published, shards with an index."""
    cls = small.ARCHITECTURES[architecture][0]
    folder.mkdir(parents=True)
    own = save_processor(architecture, folder)
    (folder / "README.md").write_text(small.README.format(name=architecture))
    changes = small.SMALL[architecture]
    text = changes["text_config"] | {"vocab_size": VOCABULARY[architecture]}
    settings = small.settings(architecture, own, **changes | {"text_config": text})
    config = cls.config_class(**settings)
    config.dtype = dtype
    model = small.enlivened(cls._from_config(config, dtype=torch.float32)).to(dtype)
    model.save_pretrained(folder / "own")
    whole = config
    if architecture == "qwen3_omni":
        whole = Qwen3OmniMoeConfig(thinker_config=config.to_dict())
    whole.save_pretrained(folder)
    _write_shards(architecture, folder)
    return folder


def _write_shards(architecture: str, folder: Path) -> None:
    from safetensors.torch import load_file

    saved = load_file(folder / "own" / "model.safetensors")
    weights = {}
    for name, weight in saved.items():
        weights |= _published(architecture, name, weight)
    if architecture == "qwen3_omni":
        weights |= {"talker.x.weight": torch.zeros(2), "code2wav.x.weight": torch.zeros(2)}
    names, index = sorted(weights), {}
    for number in range(SHARDS):
        shard = f"model-{number + 1:05d}-of-{SHARDS:05d}.safetensors"
        part = {name: weights[name].contiguous() for name in names[number::SHARDS]}
        save_file(part, folder / shard, {"format": "pt"})
        index |= dict.fromkeys(part, shard)
    listing = {"metadata": {}, "weight_map": index}
    (folder / "model.safetensors.index.json").write_text(json.dumps(listing))
    for file in (folder / "own").iterdir():
        file.unlink()
    (folder / "own").rmdir()


def _published(architecture: str, name: str, weight: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return a weight under its published name; of experts, one matrix each.

    transformers saves those of Qwen2-Audio under theirs.
    """
    if architecture == "qwen2_audio":
        return {name: weight}
    name = "thinker." + name.removeprefix("thinker.").replace("model.language_model", "model")
    name = name.replace("model.audio_tower", "audio_tower").replace("model.visual", "visual")
    return small.by_expert(name, weight)
