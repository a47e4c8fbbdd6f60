"""Cache of encoded audio: searches, and runs on one base, ask about the same clips again."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence


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

    def forget(self) -> None:
        """Let go of everything and keep nothing from now on."""
        self.budget = self.size = 0
        self._kept.clear()

    def find(self, keys: Sequence[bytes]) -> list[Tensor | None]:
        """Return the embeddings of each clip, (its tokens, width), or None."""
        return [self._kept.get(key) for key in keys]

    def keep(self, keys: Sequence[bytes], audio: Sequence[Tensor]) -> None:
        """Keep the embeddings of clips, each (its tokens, width), while there is room."""
        for key, own in zip(keys, audio, strict=True):
            size = own.numel() * own.element_size()
            if self.size + size <= self.budget:
                self._kept[key] = own.clone()  # a view would hold all of its batch
                self.size += size


def padded_left(audio: Sequence[Tensor]) -> Tensor:
    """Stack embeddings of several lengths, (clips, tokens of the longest, width)."""
    return pad_sequence(list(audio), batch_first=True, padding_side="left")


def key_of(clip: NDArray[np.float32]) -> bytes:
    """Return what a clip is known by: a digest of its samples."""
    return hashlib.sha256(np.ascontiguousarray(clip)).digest()
