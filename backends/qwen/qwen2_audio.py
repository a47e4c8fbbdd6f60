"""Qwen2-Audio: checkpoint, processor and audio tower.

Source: Qwen2-Audio technical report (Chu et al., 2024, arXiv 2407.10759) and transformers'
``models/qwen2_audio``: Whisper's encoder on 10 ms frames, one convolution of stride 2, average
pooling over pairs, one projection; a token for each 40 ms.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .encoder import EncoderLayer, encode
from .question import Chat
from .transfer import on_device
from .weights import additive_mask

MODEL_CLASS = "Qwen2AudioForConditionalGeneration"
TAIL = "silence"
"""The stock processor pads every clip to 30 s of zeros."""
EDGE = 4
"""Frames beyond the clip that its tokens depend on, through two convolutions and the pooling."""


def load_processor(model: str, revision: str | None, audio_token_id: int) -> tuple[Chat, Any]:
    """Return the chat and the feature extractor of a checkpoint."""
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(model, revision=revision, trust_remote_code=False)
    chat = Chat(processor.tokenizer, processor, None, audio_token_id)
    return chat, processor.feature_extractor


def audio_token_id(config: Any) -> int:
    """Return the id that stands for the audio."""
    return config.audio_token_id


def language_model(model: nn.Module) -> nn.Module:
    """Return the decoder, without its head."""
    return model.model.language_model


class Tower:
    """Audio tower and projector, on the clip's own frames instead of 30 s.

    Parameters
    ----------
    model : transformers.Qwen2AudioForConditionalGeneration
    layer : type
        How a layer of the tower is computed.
    """

    def __init__(self, model: nn.Module, layer: Any = EncoderLayer):
        self.tower = model.model.audio_tower
        self.project = model.model.multi_modal_projector
        self.layers = [layer.of(stock) for stock in self.tower.layers]

    def tokens(self, frames: int) -> int:
        """Return how many audio tokens a clip of so many mel frames gives."""
        return max((self._positions(frames) - 2) // 2 + 1, 0)

    @staticmethod
    def _positions(frames: int) -> int:
        return (frames - 1) // 2 + 1

    def __call__(self, mel: Tensor, frames: Sequence[int]) -> Tensor:
        """Encode a batch of clips.

        Parameters
        ----------
        mel : float32 tensor, (clips, mel bins, frames of the longest + EDGE)
        frames : sequence of int, (clips,)
            Each clip's own frames.

        Returns
        -------
        tensor, (clips, tokens of the longest, width of the language model)
            Tokens beyond a clip's own are to be ignored.
        """
        own = None
        if min(frames) != max(frames):
            own = on_device(frames, self.tower.conv1.weight.device)
        return self.encoded(mel, max(frames), own)

    def encoded(self, mel: Tensor, longest: int, frames: Tensor | None) -> Tensor:
        """Encode as a call does, with each clip's own frames on the device.

        Parameters
        ----------
        mel : float32 tensor, (clips, mel bins, at least `longest` + EDGE frames)
        longest : int
            Frames that any clip may have.
        frames : int tensor, (clips,), or None
            None: all have `longest`.
        """
        tower = self.tower
        mel = mel.to(tower.conv1.weight.device, tower.conv1.weight.dtype)
        hidden = F.gelu(_convolved(tower.conv2, F.gelu(_convolved(tower.conv1, mel))))
        hidden = hidden.transpose(1, 2)[:, : self._positions(longest)]
        hidden = hidden + tower.embed_positions.weight[: hidden.shape[1]]
        hidden = encode(self.layers, hidden, self._mask(hidden, frames))
        hidden = tower.avg_pooler(hidden.transpose(1, 2)).transpose(1, 2)
        return self.project(tower.layer_norm(hidden))

    def _mask(self, hidden: Tensor, frames: Tensor | None) -> Tensor | None:
        """Hide what is beyond a clip's end; None if all are equally long."""
        if frames is None:
            return None
        own = (frames - 1) // 2 + 1
        valid = torch.arange(hidden.shape[1], device=hidden.device) < own[:, None]
        return additive_mask(valid[:, None, None], hidden.dtype)


def _convolved(convolution: nn.Conv1d, x: Tensor) -> Tensor:
    """Return what a convolution of width 3 gives; on a GPU as one product, which copies less."""
    if x.device.type != "cuda":
        return convolution(x)  # type: ignore[no-any-return]
    windows = F.pad(x, (1, 1)).unfold(-1, 3, convolution.stride[0]).transpose(1, 2).flatten(-2)
    return F.linear(windows, convolution.weight.flatten(1), convolution.bias).transpose(1, 2)
