"""Questions that are asked about clips at once, as trees of tokens on the device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from .decoder import Decoder
from .question import Question
from .question_tree import Order, QuestionTree, question_trees
from .transfer import on_device

TOKENS_A_TREE = {"cuda": 512, "cpu": 128}
"""Tokens of questions that are asked about a clip at a time: attention looks at every pair."""


@dataclass
class AskedTree:
    """Questions in one tree, as they are asked about any clip.

    Attributes
    ----------
    before : tuple of int
        Ids before the audio.
    tree : QuestionTree
    embedded : tensor, (1, tokens, width)
    """

    before: tuple[int, ...]
    tree: QuestionTree
    embedded: Tensor
    _orders: dict[int, Order] = field(default_factory=dict)

    def order(self, audio: int) -> Order:
        """Return the order of so many tokens of audio and of the tree."""
        if audio not in self._orders:
            self._orders[audio] = self.tree.behind(audio, self.embedded.device)
        return self._orders[audio]


@dataclass(frozen=True)
class AskedTogether:
    """Questions in as many trees as they take.

    Attributes
    ----------
    questions : list of Question
    trees : list of AskedTree
    places : int tensor, (questions,)
        Place of each question's answer among those of the trees.
    """

    questions: list[Question]
    trees: list[AskedTree]
    places: Tensor

    @classmethod
    def of(cls, questions: Sequence[Question], decoder: Decoder) -> AskedTogether:
        """Lay out questions for a decoder."""
        trees = [
            AskedTree(before, tree, decoder.embed(tree.ids))
            for before, tree in question_trees(questions, TOKENS_A_TREE[decoder.device.type])
        ]
        numbers = [number for asked in trees for number in asked.tree.texts]
        return cls(list(questions), trees, on_device(np.argsort(numbers), decoder.answers_on))
