"""Training examples: features computed once, and the order in which they are drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ..mel import LogMel

CLASSES = ("SPEECH", "NONSPEECH")
"""Classes, by the place of their answer: SPEECH is A."""


@dataclass(frozen=True)
class Example:
    """One clip.

    Attributes
    ----------
    mel : float32 tensor, (mel bins, frames and the edge beyond them)
    frames : int
        The clip's own frames.
    answer : int
        0 for SPEECH, 1 for NONSPEECH.
    """

    mel: Tensor
    frames: int
    answer: int


def example(
    clip: NDArray[np.float32], label: str, mel: LogMel, tokens: Callable[[int], int]
) -> Example:
    """Compute the features of a clip.

    Parameters
    ----------
    clip : float32 array, (samples,)
    label : {"SPEECH", "NONSPEECH"}
    mel : LogMel, on the CPU
    tokens : callable
        Audio tokens of so many frames.

    Raises
    ------
    ValueError
        If the clip is too short for an audio token, or too long.
    """
    frames = mel.frames(len(clip))
    if not mel.least_samples <= len(clip) <= mel.most_samples or tokens(frames) < 1:
        raise ValueError(
            f"a clip of {len(clip)} samples is too short for an audio token, or too long"
        )
    features = mel(torch.from_numpy(mel.padded([clip])), [frames])[0]
    return Example(features.contiguous(), frames, CLASSES.index(label))


class Draws(Dataset[tuple[Example, int]]):
    """All clips of a training run, in the order they are trained on.

    A draw depends on the seed and its place alone, so that a resumed run draws what an undisturbed
    one does.

    Parameters
    ----------
    clips : sequence of Example
    count : int
        Draws; each pass over the clips is in an order of its own.
    prompts : int
        Number of prompts to choose from.
    augment : callable or None
        SpecAugment.
    seed : int
    """

    def __init__(self, clips: Sequence[Example], count: int, prompts: int, augment: Any, seed: int):
        self.clips, self.count, self.prompts = clips, count, prompts
        self.augment, self.seed = augment, seed
        self._order = lru_cache(2)(
            lambda epoch: np.random.default_rng([seed, 0, epoch]).permutation(len(clips))
        )

    def __len__(self) -> int:
        """Return the number of draws."""
        return self.count

    def __getitem__(self, place: int) -> tuple[Example, int]:
        """Return a clip and which prompt it is asked."""
        epoch, turn = divmod(place, len(self.clips))
        clip = self.clips[self._order(epoch)[turn]]
        rng = np.random.default_rng([self.seed, 1, place])
        prompt, mask_seed = int(rng.integers(self.prompts)), int(rng.integers(2**31))
        if self.augment is not None:
            mel = self.augment(clip.mel, clip.frames, mask_seed)
            clip = Example(mel, clip.frames, clip.answer)
        return clip, prompt
