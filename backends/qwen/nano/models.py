"""Architectures of the nano models: the real classes with small dimensions.

Sizes were chosen on the dev split of the embedded corpus, for training on a CPU in minutes.
"""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..qwen3_omni import audio_tower as qwen3_omni_tower
from .sounds import FRAMES
from .tokenizer import QWEN2_AUDIO_CHAT, QWEN3_OMNI_CHAT, train_tokenizer

WIDTH = 64
"""Of the language models."""
HEARING_WIDTH = 96
"""Of the audio towers."""
READING_SPREAD, HEARING_SPREAD = 0.15, 0.08
"""Standard deviations of the first weights of language models and towers. The 0.02 of the real
models suits widths of thousands; from it, these learn several times slower."""
POSITIONS = 0.3
"""Amplitude of Qwen2-Audio's fixed positions, against embeddings that begin small."""


class Nano(NamedTuple):
    """A nano model, and what it takes to train it.

    Attributes
    ----------
    model : transformers model
        Of the real class, weights random.
    tokenizer : transformers.Qwen2Tokenizer
    chat : str
        Chat template.
    """

    model: Any
    tokenizer: Any
    chat: str


def extractor() -> Any:
    """Return the feature extractor of both models: 128 mel bands, 16 kHz."""
    from transformers import WhisperFeatureExtractor

    return WhisperFeatureExtractor(feature_size=128)


def qwen2_audio() -> Nano:
    """Build a small Qwen2-Audio with random weights from torch's generator."""
    from transformers import Qwen2AudioConfig, Qwen2AudioForConditionalGeneration

    named = {
        "audio_token": "<|AUDIO|>",
        "audio_bos_token": "<|audio_bos|>",
        "audio_eos_token": "<|audio_eos|>",
    }
    tokenizer = train_tokenizer(named)
    config = Qwen2AudioConfig(
        audio_config={
            "model_type": "qwen2_audio_encoder",
            "d_model": HEARING_WIDTH,
            "encoder_layers": 2,
            "encoder_attention_heads": 4,
            "encoder_ffn_dim": 2 * HEARING_WIDTH,
            "initializer_range": HEARING_SPREAD,
        },
        text_config={
            "model_type": "qwen2",
            "vocab_size": len(tokenizer),
            "hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 2048,
            "tie_word_embeddings": False,
            "initializer_range": READING_SPREAD,
            **_special_ids(tokenizer),
        },
        audio_token_index=tokenizer.audio_token_id,
        initializer_range=READING_SPREAD,
    )
    model = Qwen2AudioForConditionalGeneration(config)
    positions = model.model.audio_tower.embed_positions.weight
    with torch.no_grad():
        positions.copy_(POSITIONS * _sinusoids(*positions.shape))
    return Nano(model, tokenizer, QWEN2_AUDIO_CHAT)


EYES = {
    "depth": 1,
    "hidden_size": 16,
    "intermediate_size": 16,
    "num_heads": 2,
    "out_hidden_size": WIDTH,
    "num_position_embeddings": 16,
    "deepstack_visual_indexes": [0],
}
"""Of the vision tower, which the class has and nobody uses here."""


def qwen3_omni() -> Nano:
    """Build a small thinker of Qwen3-Omni with random weights from torch's generator."""
    from transformers import Qwen3OmniMoeThinkerConfig, Qwen3OmniMoeThinkerForConditionalGeneration

    named = {
        "audio_token": "<|audio_pad|>",
        "audio_bos_token": "<|audio_start|>",
        "audio_eos_token": "<|audio_end|>",
        "image_token": "<|image_pad|>",
        "video_token": "<|video_pad|>",
        "vision_bos_token": "<|vision_start|>",
        "vision_eos_token": "<|vision_end|>",
    }
    tokenizer = train_tokenizer(named)
    head = WIDTH // 4
    config = Qwen3OmniMoeThinkerConfig(
        audio_config={
            "d_model": HEARING_WIDTH,
            "encoder_layers": 2,
            "encoder_attention_heads": 4,
            "encoder_ffn_dim": 2 * HEARING_WIDTH,
            "downsample_hidden_size": 16,
            "initializer_range": HEARING_SPREAD,
            "output_dim": WIDTH,
        },
        vision_config=EYES,
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": WIDTH,
            "intermediate_size": 2 * WIDTH,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": head,
            "num_experts": 8,
            "num_experts_per_tok": 2,
            "moe_intermediate_size": WIDTH,
            "max_position_embeddings": 2048,
            "initializer_range": READING_SPREAD,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 1e6,
                "mrope_section": [head // 4, head // 8, head // 8],
                "mrope_interleaved": True,
            },
            **_special_ids(tokenizer),
        },
        audio_token_id=tokenizer.audio_token_id,
        # Never used, but the stock forward asks for it.
        vision_start_token_id=tokenizer.convert_tokens_to_ids("<|vision_start|>"),
        audio_start_token_id=tokenizer.convert_tokens_to_ids("<|audio_start|>"),
        image_token_id=tokenizer.image_token_id,
        video_token_id=tokenizer.video_token_id,
        initializer_range=READING_SPREAD,
        user_token_id=tokenizer.convert_tokens_to_ids("user"),
    )
    model = Qwen3OmniMoeThinkerForConditionalGeneration(config)
    return Nano(model, tokenizer, QWEN3_OMNI_CHAT)


BUILDERS = {"qwen2_audio": qwen2_audio, "qwen3_omni": qwen3_omni}
"""What builds the nano model of each architecture."""


def hear_qwen2_audio(model: nn.Module, mel: Tensor) -> Tensor:
    """Run Qwen2-Audio's tower on clips of 1 s, with gradients.

    The stock tower takes 30 s and nothing else; its own layers on the clip's own frames, and 4
    more for the convolutions to see, give the same tokens.

    Parameters
    ----------
    model : transformers.Qwen2AudioForConditionalGeneration
    mel : float32 tensor, (clips, mel bins, 104)

    Returns
    -------
    tensor, (clips, 25, width of the language model)
    """
    tower = model.model.audio_tower
    hidden = F.gelu(tower.conv2(F.gelu(tower.conv1(mel)))).transpose(1, 2)[:, : FRAMES // 2]
    hidden = hidden + tower.embed_positions.weight[: FRAMES // 2]
    for layer in tower.layers:
        hidden = layer(hidden, None)
    hidden = tower.avg_pooler(hidden.transpose(1, 2)).transpose(1, 2)
    return model.model.multi_modal_projector(tower.layer_norm(hidden))


def hear_qwen3_omni(model: nn.Module, mel: Tensor) -> Tensor:
    """Run Qwen3-Omni's tower, which takes clips of any length, on clips of 1 s.

    Parameters
    ----------
    model : transformers.Qwen3OmniMoeThinkerForConditionalGeneration
    mel : float32 tensor, (clips, mel bins, 100)

    Returns
    -------
    tensor, (clips, 13, width of the language model)
    """
    lengths = torch.full((len(mel),), FRAMES)
    tower = qwen3_omni_tower(model)
    output = tower(mel.transpose(0, 1).flatten(1), feature_lens=lengths)
    return output.last_hidden_state.unflatten(0, (len(mel), -1))


HEARING = {"qwen2_audio": hear_qwen2_audio, "qwen3_omni": hear_qwen3_omni}
"""What runs the audio tower of each architecture."""


def save(nano: Nano, architecture: str, folder: Path) -> None:
    """Write a Hugging Face folder: weights (safetensors), tokenizer, features, chat template."""
    nano.model.save_pretrained(folder)
    nano.tokenizer.save_pretrained(folder)
    features = extractor()
    if architecture == "qwen2_audio":
        from transformers import Qwen2AudioProcessor

        Qwen2AudioProcessor(features, nano.tokenizer, nano.chat).save_pretrained(folder)
        return
    # The stock processor cannot even be built without torchvision, for its video part; where that
    # is installed, it reads this.
    pixels = {"patch_size": 16, "temporal_patch_size": 2, "merge_size": 2}
    parts = {
        "processor_class": "Qwen3OmniMoeProcessor",
        "feature_extractor": features.to_dict(),
        "image_processor": {"image_processor_type": "Qwen2VLImageProcessor", **pixels},
        "video_processor": {"video_processor_type": "Qwen2VLVideoProcessor", **pixels},
    }
    (folder / "processor_config.json").write_text(json.dumps(parts, indent=2) + "\n")
    (folder / "chat_template.jinja").write_text(nano.chat)


def _special_ids(tokenizer: Any) -> dict[str, int | None]:
    return {
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def _sinusoids(length: int, width: int) -> Tensor:
    """Return Whisper's positions (Radford et al. 2022), (length, width)."""
    step = math.log(10_000) / (width // 2 - 1)
    angles = torch.arange(length)[:, None] * torch.exp(-step * torch.arange(width // 2))
    return torch.cat([angles.sin(), angles.cos()], dim=1)
