"""Cache of encoded audio: a prompt search asks about the same clips again and again."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Clips = Sequence[NDArray[np.float32]]


class KeptAudio:
    """Audio embeddings by clip, as many as fit; on the device that they were computed on.

    What does not fit is not kept, and nothing makes room: a search passes over all its clips again
    and again, so throwing out the oldest would throw out what is asked for next.

    Attributes
    ----------
    budget : int
        Bytes that may be kept.
    size : int
        Bytes that are kept.
    """

    def __init__(self) -> None:
        self.budget = 0
        self.size = 0
        self._kept: dict[bytes, Tensor] = {}

    def find(self, clips: Clips) -> list[Tensor | None]:
        """Return the embeddings of each clip, (its tokens, width), or None."""
        return [self._kept.get(_key(clip)) for clip in clips]

    def keep(self, clips: Clips, audio: Sequence[Tensor]) -> None:
        """Keep the embeddings of clips, each (its tokens, width), while there is room."""
        for clip, own in zip(clips, audio, strict=True):
            size = own.numel() * own.element_size()
            if self.size + size <= self.budget:
                self._kept[_key(clip)] = own.clone()  # a view would hold all of its batch
                self.size += size


def padded_left(audio: Sequence[Tensor]) -> Tensor:
    """Stack embeddings of several lengths, (clips, tokens of the longest, width)."""
    longest = max(len(own) for own in audio)
    stacked = audio[0].new_zeros(len(audio), longest, audio[0].shape[1])
    for row, own in zip(stacked, audio, strict=True):
        row[longest - len(own) :] = own
    return stacked


def own_tokens(audio: Tensor, tokens: Sequence[int]) -> list[Tensor]:
    """Return each clip's own part of embeddings that are padded on the left."""
    return [row[audio.shape[1] - count :] for row, count in zip(audio, tokens, strict=True)]


def _key(clip: NDArray[np.float32]) -> bytes:
    return hashlib.blake2b(clip.tobytes(), digest_size=16).digest()
