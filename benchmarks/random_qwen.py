"""Random checkpoints of the real shapes, with a stand-in tokenizer: for timing, without a network.

A stock processor folder needs a tokenizer; this one cuts ChatML's text and the baseline prompt into
about as many tokens as Qwen's own does (20 before the audio and 45 after it), all of them within
any vocabulary. What a random model answers means nothing, and its folder's README says so.

    python benchmarks/random_qwen.py qwen2_audio /tmp/random-7b
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2AudioForConditionalGeneration,
    Qwen2AudioProcessor,
    Qwen3OmniMoeThinkerForConditionalGeneration,
    WhisperFeatureExtractor,
)

WORDS = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+"
COMMON = "system\nYou are a helpful assistant.\nuser\nAudio 1: assistant\nA B A B"
RARE = (
    "Choose one: SPEECH (human voice) NONSPEECH (music/noise/silence/animals) "
    "Answer with A or B ONLY."
)
OMNI_TOKENS = {
    "audio_token": "<|audio_pad|>",
    "audio_bos_token": "<|audio_start|>",
    "audio_eos_token": "<|audio_end|>",
}
OMNI_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% for part in message.content %}"
    "{% if part.type == 'audio' %}<|audio_start|><|audio_pad|><|audio_end|>"
    "{% else %}{{ part.text }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
README = "Random weights of the shape of {name}, for timing only: its answers mean nothing.\n"


def tokenizer(special: list[str], **named: str) -> PreTrainedTokenizerFast:
    """Byte-level BPE with ChatML's special tokens and a few dozen merges."""
    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    words.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=343, initial_alphabet=alphabet, show_progress=False)
    words.train_from_iterator([COMMON] * 9 + [RARE] * 2, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>", *special],
        **({"extra_special_tokens": named} if named else {}),
    )


def save_qwen2_audio_processor(folder: Path) -> PreTrainedTokenizerFast:
    """Save a stock processor, and return its tokenizer."""
    own = tokenizer(["<|audio_bos|>", "<|AUDIO|>", "<|audio_eos|>"])
    Qwen2AudioProcessor(WhisperFeatureExtractor(feature_size=128), own).save_pretrained(folder)
    return own


def save_qwen3_omni_processor(folder: Path) -> PreTrainedTokenizerFast:
    """Save tokenizer, feature extractor and chat template: the processor's part that hears.

    The whole stock processor needs torchvision to be built.
    """
    own = tokenizer([], **OMNI_TOKENS)
    own.chat_template = OMNI_TEMPLATE
    own.save_pretrained(folder)
    # 300 s, as the real checkpoint's.
    WhisperFeatureExtractor(feature_size=128, chunk_length=300).save_pretrained(folder)
    return own


def qwen2_audio_shape(own: PreTrainedTokenizerFast) -> dict[str, Any]:
    """Return the published shape of Qwen2-Audio-7B: 8.4 B parameters."""
    return {
        "audio_config": {"model_type": "qwen2_audio_encoder"},  # transformers' defaults
        "text_config": {
            "model_type": "qwen2",
            "hidden_size": 4096,
            "intermediate_size": 11008,
            "num_hidden_layers": 32,
            "num_attention_heads": 32,
            "num_key_value_heads": 32,
            "vocab_size": 156_032,
            "max_position_embeddings": 8192,
            "rms_norm_eps": 1e-5,
        },
        "audio_token_index": own.convert_tokens_to_ids("<|AUDIO|>"),
    }


def qwen3_omni_shape(own: PreTrainedTokenizerFast) -> dict[str, Any]:
    """Return the published shape of Qwen3-Omni-30B-A3B's thinker: 31.7 B parameters."""
    return {
        "audio_config": {"output_dim": 2048},
        "vision_config": {"out_hidden_size": 2048},
        "text_config": {
            "hidden_size": 2048,
            "num_hidden_layers": 48,
            "num_attention_heads": 32,
            "num_key_value_heads": 4,
            "head_dim": 128,
            "moe_intermediate_size": 768,
            "num_experts": 128,
            "num_experts_per_tok": 8,
            "vocab_size": 152_064,
            "max_position_embeddings": 65_536,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 1e6,
                "mrope_section": [24, 20, 20],
                "mrope_interleaved": True,
            },
        },
        "audio_token_id": own.convert_tokens_to_ids("<|audio_pad|>"),
        "vision_start_token_id": 100,  # never used, but the stock forward asks for it
    }


ARCHITECTURES = {
    "qwen2_audio": (
        Qwen2AudioForConditionalGeneration,
        save_qwen2_audio_processor,
        qwen2_audio_shape,
    ),
    "qwen3_omni": (
        Qwen3OmniMoeThinkerForConditionalGeneration,
        save_qwen3_omni_processor,
        qwen3_omni_shape,
    ),
}


SMALL = {
    "qwen2_audio": {
        "text_config": {
            "hidden_size": 48,
            "intermediate_size": 96,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "vocab_size": 512,
        },
        "audio_config": {
            "d_model": 32,
            "encoder_layers": 2,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 64,
        },
    },
    "qwen3_omni": {
        "text_config": {
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "vocab_size": 512,
            "num_experts": 8,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": 24,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 1e6,
                "mrope_section": [4, 2, 2],
                "mrope_interleaved": True,
            },
        },
        "audio_config": {
            "d_model": 32,
            "encoder_layers": 2,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 64,
            "output_dim": 32,
            "downsample_hidden_size": 8,
        },
        "vision_config": {
            "depth": 1,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 2,
            "out_hidden_size": 32,
            "num_position_embeddings": 16,
            "deepstack_visual_indexes": [0],
        },
    },
}
"""Changes that make a model of a few thousand weights, for tests."""


def settings(architecture: str, own: PreTrainedTokenizerFast, **changes: dict) -> dict[str, Any]:
    """Return the published shape with parts of ``text_config`` and so on changed."""
    shape = ARCHITECTURES[architecture][2](own)
    return shape | {part: shape.get(part, {}) | changed for part, changed in changes.items()}


def build(
    architecture: str,
    folder: Path,
    device: str,
    dtype: torch.dtype = torch.bfloat16,
    **changes: dict,
) -> torch.nn.Module:
    """Make a random model on the device; its processor goes to `folder`.

    Parameters
    ----------
    architecture : {"qwen2_audio", "qwen3_omni"}
    folder : Path
    device : str
    dtype : torch.dtype
    **changes : dict
        Settings of ``text_config``, ``audio_config`` or ``vision_config`` that differ from the
        published ones.
    """
    cls, save_processor, _ = ARCHITECTURES[architecture]
    folder.mkdir(parents=True, exist_ok=True)
    config = cls.config_class(**settings(architecture, save_processor(folder), **changes))
    torch.manual_seed(0)
    with torch.device(device):
        model = cls._from_config(config, dtype=dtype)
    (folder / "README.md").write_text(README.format(name=architecture))
    return model.eval().requires_grad_(False)


def enlivened(model: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Make random weights large enough that audio, position and order all move the answer."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                weight.normal_(0, 1.5 / weight.shape[-1] ** 0.5)
            elif "bias" in name:
                weight.normal_(0, 0.2)
            else:
                weight.normal_(1, 0.2)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("architecture", choices=ARCHITECTURES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    start = time.perf_counter()
    model = build(options.architecture, options.folder, options.device)
    model.save_pretrained(options.folder, max_shard_size="4GB")
    size = sum(file.stat().st_size for file in options.folder.glob("*.safetensors")) / 1e9
    print(f"{options.folder}: {size:.1f} GB in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
