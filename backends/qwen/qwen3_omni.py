"""Qwen3-Omni: the thinker's checkpoint, chat format and audio tower.

Source: Qwen3-Omni technical report (Xu et al., 2025, arXiv 2509.17765) and transformers'
``models/qwen3_omni_moe``: chunks of 100 frames (1 s) through three convolutions of stride 2, 13
tokens a full chunk, attention within windows of 8 chunks. Only the thinker is needed to answer;
the talker's weights are not loaded.
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

MODEL_CLASS = "Qwen3OmniMoeThinkerForConditionalGeneration"
TAIL = "mirror"
"""The stock processor does not pad a clip that comes alone; its last window mirrors the end."""
EDGE = 0
CHUNK = 100
"""Frames a chunk, 1 s; each is convolved by itself."""
CHUNK_TOKENS = 13


def load_processor(model: str, revision: str | None, audio_token_id: int) -> tuple[Chat, Any]:
    """Return the chat and the feature extractor of a checkpoint.

    The stock processor also wants its image and video parts, and these torchvision; its chat
    template and its tokenizer are all that a question needs.
    """
    from transformers import AutoTokenizer, ProcessorMixin, WhisperFeatureExtractor

    tokenizer = AutoTokenizer.from_pretrained(model, revision=revision, trust_remote_code=False)
    extractor = WhisperFeatureExtractor.from_pretrained(model, revision=revision)
    settings, _ = ProcessorMixin.get_processor_dict(model, revision=revision)
    template = settings.get("chat_template") or tokenizer.chat_template
    return Chat(tokenizer, tokenizer, template, audio_token_id), extractor


def audio_token_id(config: Any) -> int:
    """Return the id that stands for the audio."""
    return config.audio_token_id


def language_model(model: nn.Module) -> nn.Module:
    """Return the decoder, without its head."""
    return getattr(_inner(model), "language_model", model.model)


def audio_tower(model: nn.Module) -> nn.Module:
    """Return the stock audio tower."""
    return _inner(model).audio_tower


def _inner(model: nn.Module) -> nn.Module:
    # The thinker holds its parts itself up to transformers 5.17, later in its `model`.
    return model if hasattr(model, "audio_tower") else model.model


class Tower:
    """Audio tower, on padded batches of clips instead of a flat list of frames.

    A clip's features are those that it has alone: what stands beyond its end is what it would see
    there by itself, whatever its neighbours in the batch.

    Parameters
    ----------
    model : transformers.Qwen3OmniMoeThinkerForConditionalGeneration
    layer : type
        How a layer of the tower is computed.

    Raises
    ------
    ValueError
        If chunks are not of 100 frames: the stock model's token count holds for no other.
    """

    def __init__(self, model: nn.Module, layer: Any = EncoderLayer):
        self.tower = audio_tower(model)
        if 2 * self.tower.n_window != CHUNK:
            raise ValueError(f"audio chunks of {2 * self.tower.n_window} frames, not {CHUNK}")
        self.window = CHUNK_TOKENS * (self.tower.n_window_infer // CHUNK)
        self.convolutions = [self.tower.conv2d1, self.tower.conv2d2, self.tower.conv2d3]
        self.layers = [layer.of(stock) for stock in self.tower.layers]

    def tokens(self, frames: int) -> int:
        """Return how many audio tokens a clip of so many mel frames gives."""
        rest = frames % CHUNK
        for _ in self.convolutions:
            rest = (rest - 1) // 2 + 1
        return rest + frames // CHUNK * CHUNK_TOKENS

    def __call__(self, mel: Tensor, frames: Sequence[int]) -> Tensor:
        """Encode a batch of clips.

        Parameters
        ----------
        mel : float32 tensor, (clips, mel bins, frames of the longest)
            0 beyond a clip's own frames.
        frames : sequence of int, (clips,)
            Each clip's own frames.

        Returns
        -------
        tensor, (clips, tokens of the longest, width of the language model)
            Tokens beyond a clip's own are to be ignored.
        """
        tower = self.tower
        mel = mel.to(tower.conv2d1.weight.device, tower.conv2d1.weight.dtype)
        hidden = self._convolved(self._chunks(mel), frames, clips=len(mel))
        hidden = hidden[:, : self.tokens(max(frames))]
        hidden = encode(self.layers, hidden, self._mask(hidden, frames))
        hidden = tower.ln_post(hidden)
        return tower.proj2(tower.act(tower.proj1(hidden)))

    @staticmethod
    def _chunks(mel: Tensor) -> Tensor:
        """Cut (clips, bins, frames) into (clips x chunks, 1, bins, frames of a chunk)."""
        if mel.shape[-1] <= CHUNK:
            return mel[:, None]
        mel = F.pad(mel, (0, -mel.shape[-1] % CHUNK))
        return mel.unflatten(-1, (-1, CHUNK)).transpose(1, 2).flatten(0, 1)[:, None]

    def _convolved(self, chunks: Tensor, frames: Sequence[int], clips: int) -> Tensor:
        """Return (clips, positions, width): all chunks of a clip in a row, positions added."""
        tower = self.tower
        own = self._lengths_to_cut(chunks, frames, clips)
        hidden = chunks
        for convolution in self.convolutions:
            hidden = F.gelu(convolution(hidden))
            if own is not None:
                own = (own - 1) // 2 + 1
                beyond = torch.arange(hidden.shape[-1], device=hidden.device) >= own[:, None]
                hidden = hidden.masked_fill(beyond[:, None, None], 0.0)
        hidden = tower.conv_out(hidden.permute(0, 3, 1, 2).flatten(-2))
        positions = tower.positional_embedding(hidden.shape[1])
        hidden = hidden + positions.to(hidden.device, hidden.dtype)
        return hidden.unflatten(0, (clips, -1)).flatten(1, 2)

    @staticmethod
    def _lengths_to_cut(chunks: Tensor, frames: Sequence[int], clips: int) -> Tensor | None:
        """Return each chunk's length for the convolutions, or None if no chunk ends early.

        A clip within one chunk ends where it ends, and the next convolution pads it there. The last
        chunk of a longer clip is filled up with zeros first.
        """
        width = chunks.shape[-1]
        ends = [f if f < CHUNK else width for f in frames]
        if min(ends) == width:
            return None
        return on_device(ends, chunks.device).repeat_interleave(len(chunks) // clips)

    def _mask(self, hidden: Tensor, frames: Sequence[int]) -> Tensor | None:
        """Keep attention within windows and hide what is beyond a clip's end."""
        places = torch.arange(hidden.shape[1], device=hidden.device)
        allowed = None
        if hidden.shape[1] > self.window:
            window = places // self.window
            allowed = (window[:, None] == window)[None]
        if min(frames) != max(frames):
            own = on_device([self.tokens(f) for f in frames], hidden.device)
            valid = (places < own[:, None])[:, None]
            allowed = valid if allowed is None else allowed & valid
        return None if allowed is None else additive_mask(allowed[:, None], hidden.dtype)
